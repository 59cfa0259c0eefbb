/** The routes of one's own sessions: see where one is signed in, end what is not wanted. */

import type { FastifyInstance } from 'fastify'
import type { Auth } from '../auth.ts'
import { deviceName } from '../device_name.ts'
import { AuthError } from '../errors.ts'
import type { Session } from '../session.ts'
import type { Settings } from '../settings.ts'
import { clearCookies } from './carriers.ts'
import { answer, wantsPage } from './faces.ts'
import { sessionOf } from './guards.ts'
import { object, text, typed } from './schema.ts'

const listed = object(
  { id: text, device: text, address: text, created_at: text, last_used_at: text, current: { type: 'boolean' } },
  [],
)

/** The password, where it was not proven in the last minutes. */
export const confirmation = object({ current_password: text }, [])

export function installSessions(untyped: FastifyInstance, auth: Auth, settings: Settings): void {
  const app = typed(untyped)
  const list = { 200: object({ sessions: { type: 'array', items: listed } }, []) }
  const message = { 200: object({ message: text }, []) }

  app.get('/sessions', { config: { access: 'session' }, schema: { response: list } }, async (request, reply) => {
    const { session, user } = sessionOf(request)
    const all = await auth.listSessions(user.id)
    return answer(request, reply, { sessions: all.map((one) => shown(one, one.id === session.id)) }, '/dashboard')
  })

  const one = object({ id: text }, ['id'])
  const oneSchema = { params: one, body: confirmation, response: message }
  const ending = { config: { access: 'fresh', form: 'end' }, schema: oneSchema } as const
  app.delete('/sessions/:id', ending, async (request, reply) => {
    const checked = sessionOf(request)
    const { id } = request.params
    const ended = await auth.endSession(id, checked, request.client)
    // A person who presses twice, or in two windows, has what was wanted.
    if (!ended && !wantsPage(request)) throw new AuthError('not_found')
    if (id === checked.session.id) clearCookies(reply, checked, settings)
    return answer(request, reply, { message: 'session ended' }, '/dashboard?notice=device_signed_out')
  })
}

function shown(session: Session, current: boolean) {
  return {
    id: session.id,
    device: deviceName(session.userAgent),
    address: session.address,
    created_at: new Date(session.createdAt).toISOString(),
    last_used_at: new Date(session.lastSeenAt).toISOString(),
    current,
  }
}
