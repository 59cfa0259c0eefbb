/** The routes of one's own account. */

import type { FastifyInstance } from 'fastify'
import type { AccountChanges } from '../auth/account.ts'
import type { Auth } from '../auth.ts'
import { onward } from '../pages/onward.ts'
import type { Settings } from '../settings.ts'
import type { Notice } from '../texts.ts'
import { publicUser } from '../user.ts'
import { handOver, isTokenAnswer, leaveBrowser } from './carriers.ts'
import { setDeviceCookie } from './cookies.ts'
import { answer, forgetPages } from './faces.ts'
import { sessionOf } from './guards.ts'
import { object, text, typed } from './schema.ts'

const fields = {
  id: { type: 'integer' },
  email: text,
  name: { type: ['string', 'null'] },
  confirmed: { type: 'boolean' },
  created_at: text,
} as const
export const account = object(fields, [])
const tokens = object(
  { access_token: text, token_type: text, expires_in: { type: 'integer' }, refresh_token: text },
  [],
)
/** Beside what the account is: what it will be, and the tokens of the session that took the place of the one that asked. */
const changedAccount = object({ ...fields, pending_email: text, tokens }, [])
const changes = object({ name: text, email: text, password: text, current_password: text }, [])

export function installAccount(untyped: FastifyInstance, auth: Auth, settings: Settings): void {
  const app = typed(untyped)
  const config = { access: 'session' } as const

  app.get('/users/me', { config, schema: { response: { 200: account } } }, async (request, reply) =>
    answer(request, reply, publicUser(sessionOf(request).user), '/dashboard'),
  )

  const changing = {
    config: { ...config, form: 'changes' },
    schema: { body: changes, response: { 200: changedAccount } },
  } as const
  app.patch('/users/me', changing, async (request, reply) => {
    const { current_password: currentPassword, ...wanted } = request.body
    const changed = await auth.changeAccount(sessionOf(request), { ...wanted, currentPassword }, request.client)
    const { opened, deviceCookie, pendingEmail } = changed
    const handed = opened === null ? null : await handOver(reply, opened, auth, settings)
    if (deviceCookie !== null && settings.production) setDeviceCookie(reply, deviceCookie, settings)
    const pending = pendingEmail === null ? {} : { pending_email: pendingEmail }
    const body = { ...publicUser(changed.user), ...pending, ...(isTokenAnswer(handed) && { tokens: handed }) }
    const notice = pendingEmail === null ? noticeOf(wanted) : 'email_change_requested'
    return answer(request, reply, body, onward('/dashboard', undefined, notice))
  })

  const deletion = object({ current_password: text }, ['current_password'])
  const deleted = { 200: object({ email: text, message: text }, []) }
  const deleting = { config: { ...config, form: 'delete' }, schema: { body: deletion, response: deleted } } as const
  app.delete('/users/me', deleting, async (request, reply) => {
    const checked = sessionOf(request)
    await auth.deleteAccount(checked, request.body.current_password, request.client)
    await leaveBrowser(request, reply, checked, auth, settings)
    forgetPages(request, reply)
    const body = { email: checked.user.email, message: 'account deleted' }
    return answer(request, reply, body, '/?notice=account_deleted')
  })
}

function noticeOf({ email, password }: AccountChanges): Notice {
  if (password !== undefined) return 'password_changed'
  return email === undefined ? 'name_changed' : 'email_changed'
}
