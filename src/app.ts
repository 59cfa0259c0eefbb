/**
 * The app: the guards, the features, and the routes of the classic contract, as one Fastify instance that does not listen
 * yet. The routes of one's own account and sessions are in app/.
 */

import cookie from '@fastify/cookie'
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { installAccount } from './app/account.ts'
import { BODY_LIMIT, installBodies } from './app/bodies.ts'
import { answerBrokenRequest } from './app/broken_requests.ts'
import { installClient, isDirectLoopback } from './app/client.ts'
import { clearSessionCookie, presentedCredential, setDeviceCookie, setSessionCookie } from './app/cookies.ts'
import { installGuards, requireFresh, sessionOf } from './app/guards.ts'
import { answerHeaders, installHeaders } from './app/headers.ts'
import { collectMethods, installOtherMethods } from './app/methods.ts'
import { answerError, installRefusals } from './app/refusals.ts'
import { object, text, typed } from './app/schema.ts'
import { confirmation, installSessions } from './app/sessions.ts'
import type { Auth } from './auth.ts'
import { coreMigrations, type Migration } from './db/migrations.ts'
import type { DB } from './db.ts'
import { AuthError } from './errors.ts'
import type { Feature } from './feature.ts'
import { auditLog, auditMigrations } from './features/audit_log.ts'
import { throttleMigrations } from './features/throttle/bucket.ts'
import { throttle } from './features/throttle.ts'
import { RequestLog } from './log.ts'
import type { Settings } from './settings.ts'

export interface AppParts {
  auth: Auth
  settings: Settings
  log: FastifyBaseLogger
}

/** The whole schema: the core's and every feature's. */
export const migrations: readonly Migration[] = [...coreMigrations, ...throttleMigrations, ...auditMigrations]

/** Every feature, in the order in which they take part. */
export function listFeatures(db: DB, settings: Settings, log: FastifyBaseLogger): Feature[] {
  return [throttle(db, settings), auditLog(db, settings, log)]
}

/**
 * Builds the app; `app.inject()` serves tests, `app.listen()` the world.
 * @throws Error where a route does not declare its access
 */
export async function buildApp({ auth, settings, log }: AppParts): Promise<FastifyInstance> {
  const headers = answerHeaders(settings)
  const app: FastifyInstance = Fastify({
    loggerInstance: log,
    logController: new RequestLog(settings),
    trustProxy: settings.trustProxy.length > 0 && [...settings.trustProxy],
    bodyLimit: BODY_LIMIT,
    requestTimeout: 20_000,
    // One connection may not queue up work without end.
    maxRequestsPerSocket: 1_000,
    return503OnClosing: false,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 2_000 },
    clientErrorHandler: answerBrokenRequest(headers),
    frameworkErrors: (error, request, reply) => answerError(error, request, reply.headers(headers)),
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  })
  installHeaders(app, headers)
  installRefusals(app, auth)
  await app.register(cookie)
  await installBodies(app)
  installClient(app, settings)
  installGuards(app, auth, settings)

  const served = collectMethods(app)
  installRoutes(app, auth, settings)
  installAccount(app, auth, settings)
  installSessions(app, auth, settings)
  installOtherMethods(app, served)
  return app
}

const emailOnly = object({ email: text }, ['email'])
const done = { 200: object({ email: text, message: text }, []) }

function installRoutes(untyped: FastifyInstance, auth: Auth, settings: Settings): void {
  const app = typed(untyped)
  const open = { access: 'public' } as const
  const signedIn = { access: 'session' } as const

  app.get('/', { config: open }, async () => ({ message: 'Bienvenue' }))

  const registration = object({ email: text, password: text, name: text }, ['email', 'password'])
  app.post('/users', { config: open, schema: { body: registration, response: done } }, async (request) => {
    const { email, password, name } = request.body
    const user = await auth.registerUser(email, password, name, request.client)
    return { email: user.email, message: 'user created' }
  })

  const login = object({ email: text, password: text }, ['email', 'password'])
  app.post('/sessions', { config: open, schema: { body: login, response: done } }, async (request, reply) => {
    const { email, password } = request.body
    const presented = presentedCredential(request, settings)
    const { user, credential, deviceCookie } = await auth.logIn({ email, password, client: request.client, presented })
    setSessionCookie(reply, credential, settings)
    // Clients of the classic contract expect one cookie, and none after the logout.
    if (settings.production) setDeviceCookie(reply, deviceCookie, settings)
    return { email: user.email, message: 'logged in' }
  })

  const others = object({ others: { type: 'string', enum: ['true'] } }, [])
  app.delete(
    '/sessions',
    { config: signedIn, schema: { querystring: others, body: confirmation } },
    async (request, reply) => {
      const checked = sessionOf(request)
      if (request.query.others === 'true') {
        await requireFresh(request, auth)
        await auth.endOtherSessions(checked, request.client)
        return { message: 'all other sessions ended' }
      }
      await auth.endSession(checked.session.id, checked, request.client)
      clearSessionCookie(reply, settings)
      return reply.redirect('/', 302)
    },
  )

  app.get('/profile', { config: signedIn, schema: { response: { 200: emailOnly } } }, async (request) => ({
    email: sessionOf(request).user.email,
  }))

  app.post('/reset_password', { config: open, schema: { body: emailOnly } }, async (request) => {
    const requested = await auth.requestPasswordReset(request.body.email, request.client)
    if (settings.production) return { message: 'if this address has an account, a reset token goes to it by mail' }
    if (requested === null) throw new AuthError('email_unknown', { field: 'email' })
    const { user, resetToken } = requested
    // Whoever reads the token owns the account: only a program on this machine may.
    if (!isDirectLoopback(request)) return { email: user.email, message: 'the token is only answered on this machine' }
    return { email: user.email, reset_token: resetToken }
  })

  const reset = object({ email: text, reset_token: text, new_password: text }, ['email', 'reset_token', 'new_password'])
  app.put('/reset_password', { config: open, schema: { body: reset, response: done } }, async (request, reply) => {
    const { email, reset_token: resetToken, new_password: newPassword } = request.body
    const { user, deviceCookie } = await auth.resetPassword({ email, resetToken, newPassword, client: request.client })
    if (settings.production) setDeviceCookie(reply, deviceCookie, settings)
    return { email: user.email, message: 'Password updated' }
  })
}
