/** The routes of one's own account. */

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { Auth } from '../auth.ts'
import type { Settings } from '../settings.ts'
import { publicUser } from '../user.ts'
import { clearSessionCookie, setSessionCookie } from './cookies.ts'
import { sessionOf } from './guards.ts'

const field = Type.String()
const account = Type.Object({
  id: Type.Integer(),
  email: field,
  name: Type.Union([Type.String(), Type.Null()]),
  confirmed: Type.Boolean(),
  created_at: field,
})
const changes = Type.Partial(Type.Object({ name: field, email: field, password: field, current_password: field }))

export function installAccount(fastify: FastifyInstance, auth: Auth, settings: Settings): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>()
  const config = { access: 'session' } as const

  app.get('/users/me', { config, schema: { response: { 200: account } } }, async (request) =>
    publicUser(sessionOf(request).user),
  )

  app.patch('/users/me', { config, schema: { body: changes, response: { 200: account } } }, async (request, reply) => {
    const { current_password: currentPassword, ...wanted } = request.body
    const changed = await auth.changeAccount(sessionOf(request), { ...wanted, currentPassword }, request.client)
    if (changed.opened !== null) setSessionCookie(reply, changed.opened.credential, settings)
    return publicUser(changed.user)
  })

  const deletion = Type.Object({ current_password: field })
  const deleted = { 200: Type.Object({ email: field, message: field }) }
  app.delete('/users/me', { config, schema: { body: deletion, response: deleted } }, async (request, reply) => {
    const checked = sessionOf(request)
    await auth.deleteAccount(checked, request.body.current_password, request.client)
    clearSessionCookie(reply, settings)
    return { email: checked.user.email, message: 'account deleted' }
  })
}
