/** The routes of one's own account. */

import type { FastifyInstance } from 'fastify'
import type { Auth } from '../auth.ts'
import type { Settings } from '../settings.ts'
import { publicUser } from '../user.ts'
import { clearSessionCookie, setDeviceCookie, setSessionCookie } from './cookies.ts'
import { sessionOf } from './guards.ts'
import { object, text, typed } from './schema.ts'

const account = object(
  {
    id: { type: 'integer' },
    email: text,
    name: { type: ['string', 'null'] },
    confirmed: { type: 'boolean' },
    created_at: text,
  },
  [],
)
const changes = object({ name: text, email: text, password: text, current_password: text }, [])

export function installAccount(untyped: FastifyInstance, auth: Auth, settings: Settings): void {
  const app = typed(untyped)
  const config = { access: 'session' } as const

  app.get('/users/me', { config, schema: { response: { 200: account } } }, async (request) =>
    publicUser(sessionOf(request).user),
  )

  app.patch('/users/me', { config, schema: { body: changes, response: { 200: account } } }, async (request, reply) => {
    const { current_password: currentPassword, ...wanted } = request.body
    const changed = await auth.changeAccount(sessionOf(request), { ...wanted, currentPassword }, request.client)
    const { opened, deviceCookie } = changed
    if (opened !== null) setSessionCookie(reply, opened.credential, settings)
    if (deviceCookie !== null && settings.production) setDeviceCookie(reply, deviceCookie, settings)
    return publicUser(changed.user)
  })

  const deletion = object({ current_password: text }, ['current_password'])
  const deleted = { 200: object({ email: text, message: text }, []) }
  app.delete('/users/me', { config, schema: { body: deletion, response: deleted } }, async (request, reply) => {
    const checked = sessionOf(request)
    await auth.deleteAccount(checked, request.body.current_password, request.client)
    clearSessionCookie(reply, settings)
    return { email: checked.user.email, message: 'account deleted' }
  })
}
