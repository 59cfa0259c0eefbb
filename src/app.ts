/**
 * The app: the guards, the features, and the routes of the classic contract, as one Fastify instance that does not listen
 * yet. The routes of one's own account and sessions are in app/.
 */

import cookie from '@fastify/cookie'
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { installAccount } from './app/account.ts'
import { installAssets } from './app/assets.ts'
import { BODY_LIMIT, installBodies } from './app/bodies.ts'
import { answerBrokenRequest } from './app/broken_requests.ts'
import { leaveBrowser, leaveTokensOfOthers } from './app/carriers.ts'
import { installClient, isDirectLoopback } from './app/client.ts'
import { installCompilers, noCompilers } from './app/compilers.ts'
import {
  clearResetCookie,
  presentedCredential,
  setDeviceCookie,
  setResetCookie,
  setSessionCookie,
} from './app/cookies.ts'
import { installCors } from './app/cors.ts'
import { installEmail } from './app/email.ts'
import { answer, forgetPages, seeOther, viewFor, wantsPage } from './app/faces.ts'
import { installFastCheck } from './app/fast_check.ts'
import { takeFormMethod } from './app/form_methods.ts'
import { installGuards, requireFresh, sessionOf } from './app/guards.ts'
import { answerHeaders, installHeaders } from './app/headers.ts'
import { installHealth } from './app/health.ts'
import { collectMethods, installOtherMethods } from './app/methods.ts'
import { installOutbox } from './app/outbox.ts'
import { installPages, nextOf, type PageParts, sendSecretPage, showHome } from './app/pages.ts'
import { installPipelining, limitUnanswered } from './app/pipelining.ts'
import { answerError, installRefusals } from './app/refusals.ts'
import { object, text, typed } from './app/schema.ts'
import { confirmation, installSessions } from './app/sessions.ts'
import { installSteadyAnswers } from './app/steady_answers.ts'
import { installTokens } from './app/tokens.ts'
import { installWellKnown } from './app/well_known.ts'
import type { Auth } from './auth.ts'
import { coreMigrations, type Migration } from './db/migrations.ts'
import type { DB } from './db.ts'
import { AuthError } from './errors.ts'
import type { Feature } from './feature.ts'
import { auditLog, auditMigrations, recentActivity } from './features/audit_log.ts'
import { mailNotices, noticeMigrations } from './features/mail_notices.ts'
import { throttleMigrations } from './features/throttle/bucket.ts'
import { throttle } from './features/throttle.ts'
import { RequestLog } from './log.ts'
import type { Outbox } from './mail/outbox.ts'
import { outboxMigrations } from './mail/outbox_table.ts'
import { outboxUpkeep } from './mail/upkeep.ts'
import { onward } from './pages/onward.ts'
import { resetPage } from './pages/reset.ts'
import { openSite } from './pages/site.ts'
import type { Settings } from './settings.ts'
import type { Notice } from './texts.ts'

export interface AppParts {
  auth: Auth
  settings: Settings
  log: FastifyBaseLogger
  outbox: Outbox
  /** For the page of whoever is signed in; see `activityOf`. Default: there is none. */
  activity?: PageParts['activity']
  /** Passes after so many milliseconds. Default: by the clock of this machine. */
  pause?: (time: number) => Promise<unknown>
}

/** The whole schema: the core's and every feature's. */
export const migrations: readonly Migration[] = [
  ...coreMigrations,
  ...throttleMigrations,
  ...auditMigrations,
  ...outboxMigrations,
  ...noticeMigrations,
]

/** Every feature, in the order in which they take part. */
export function listFeatures(db: DB, settings: Settings, log: FastifyBaseLogger, outbox: Outbox): Feature[] {
  return [
    throttle(db, settings),
    auditLog(db, settings, log),
    mailNotices(settings, outbox),
    // Last, since it tells the delivery of what the others handed in.
    outboxUpkeep(outbox, log),
  ]
}

/** What the audit log knows of an account. */
export function activityOf(db: DB): PageParts['activity'] {
  return (userId) => recentActivity(db, userId)
}

/**
 * Builds the app; `app.inject()` serves tests, `app.listen()` the world.
 * @throws Error where a route does not declare its access; StartError where a setting of the pages cannot be used
 */
export async function buildApp({
  auth,
  settings,
  log,
  outbox,
  activity = async () => [],
  pause,
}: AppParts): Promise<FastifyInstance> {
  const headers = answerHeaders(settings)
  const parts: PageParts = { auth, settings, activity }
  const app: FastifyInstance = Fastify({
    loggerInstance: log,
    logController: new RequestLog(settings),
    trustProxy: settings.trustProxy.length > 0 && [...settings.trustProxy],
    bodyLimit: BODY_LIMIT,
    requestTimeout: 20_000,
    // A client that reads nothing would otherwise keep its answers here for ever; `limitUnanswered` says whose turn it is.
    connectionTimeout: 60_000,
    // One connection may not queue up work without end.
    maxRequestsPerSocket: 1_000,
    return503OnClosing: false,
    // Node would refuse a request without a host before anything could count it; a guard does.
    http: { headersTimeout: 10_000, requireHostHeader: false, connectionsCheckingInterval: 2_000 },
    clientErrorHandler: answerBrokenRequest(headers),
    frameworkErrors: (error, request, reply) => answerError(error, request, reply.headers(headers), parts),
    rewriteUrl: takeFormMethod,
    schemaController: { compilersFactory: noCompilers },
  })
  installCompilers(app)
  app.decorate('site', openSite(settings))
  limitUnanswered(app)
  installHeaders(app, headers)
  installCors(app, settings)
  installRefusals(app, parts)
  await app.register(cookie)
  await installBodies(app)
  installClient(app, settings)
  installGuards(app, auth, settings)
  if (settings.production) installSteadyAnswers(app, pause)

  const served = collectMethods(app)
  installRoutes(app, parts)
  installResets(app, parts)
  installAccount(app, auth, settings)
  installSessions(app, auth, settings)
  installEmail(app, parts)
  await installTokens(app, auth, settings)
  installWellKnown(app, auth, settings)
  installPages(app, parts)
  installAssets(app)
  installHealth(app, outbox)
  if (settings.mail === 'folder') installOutbox(app, outbox)
  installOtherMethods(app, served)
  installFastCheck(app, auth, settings)
  installPipelining(app, headers)
  return app
}

const emailOnly = object({ email: text }, ['email'])
const done = { 200: object({ email: text, message: text }, []) }

function installRoutes(untyped: FastifyInstance, parts: PageParts): void {
  const app = typed(untyped)
  const { auth, settings } = parts
  const open = { access: 'public' } as const
  const signedIn = { access: 'session' } as const

  app.get('/', { config: open }, async (request, reply) =>
    wantsPage(request) ? showHome(request, reply, parts) : { message: 'Bienvenue' },
  )

  const registration = object({ email: text, password: text, name: text }, ['email', 'password'])
  const registering = { config: { ...open, form: 'register' }, schema: { body: registration, response: done } } as const
  app.post('/users', registering, async (request, reply) => {
    const { email, password, name } = request.body
    const registered = await auth.register({ email, password, name: name ?? '', client: request.client })
    const page = onward('/login', nextOf(request), registeredNotice(settings))
    return answer(request, reply, { email: registered, message: 'user created' }, page)
  })

  const login = object({ email: text, password: text }, ['email', 'password'])
  const loggingIn = { config: { ...open, form: 'login' }, schema: { body: login, response: done } } as const
  app.post('/sessions', loggingIn, async (request, reply) => {
    const { email, password } = request.body
    const presented = presentedCredential(request, settings)
    const { user, credential, deviceCookie } = await auth.logIn({ email, password, client: request.client, presented })
    await leaveTokensOfOthers(request, reply, user, auth, settings)
    setSessionCookie(reply, credential, settings)
    // Clients of the classic contract expect one cookie, and none after the logout.
    if (settings.production) setDeviceCookie(reply, deviceCookie, settings)
    return answer(request, reply, { email: user.email, message: 'logged in' }, nextOf(request) ?? '/dashboard')
  })

  const others = object({ others: { type: 'string', enum: ['true'] } }, [])
  const leaving = {
    config: { ...signedIn, form: 'end-others' },
    schema: { querystring: others, body: confirmation },
  } as const
  app.delete('/sessions', leaving, async (request, reply) => {
    const checked = sessionOf(request)
    if (request.query.others === 'true') {
      await requireFresh(request, auth)
      await auth.endOtherSessions(checked, request.client)
      return answer(request, reply, { message: 'all other sessions ended' }, '/dashboard?notice=others_signed_out')
    }
    await auth.endSession(checked.session.id, checked, request.client)
    await leaveBrowser(request, reply, checked, auth, settings)
    forgetPages(request, reply)
    return wantsPage(request) ? seeOther(reply, '/login?notice=logged_out') : reply.redirect('/', 302)
  })

  app.get('/profile', { config: signedIn, schema: { response: { 200: emailOnly } } }, async (request, reply) =>
    answer(request, reply, { email: sessionOf(request).user.email }, '/dashboard'),
  )
}

/** What the page after a registration says: log in, or look for the mail first. */
function registeredNotice({ mail, requireConfirmed }: Settings): Notice {
  if (requireConfirmed) return 'registered_confirm'
  return mail === 'none' ? 'registered' : 'registered_mail'
}

function installResets(untyped: FastifyInstance, { auth, settings }: PageParts): void {
  const app = typed(untyped)
  const asking = { config: { access: 'public', form: 'forgot', steady: true }, schema: { body: emailOnly } } as const
  app.post('/reset_password', asking, async (request, reply) => {
    const { owner, browser } = await auth.requestPasswordReset(request.body.email, request.client)
    // Clients of the classic contract expect no cookie here.
    if (settings.production || wantsPage(request)) setResetCookie(reply, browser, settings)
    if (settings.production) {
      const message = 'if this address has an account, a reset token goes to it by mail'
      return answer(request, reply, { message }, '/reset?notice=reset_requested')
    }
    if (owner === null) throw new AuthError('email_unknown', { field: 'email' })
    const { user, resetToken } = owner
    // Whoever reads the token owns the account: only a program on this machine may.
    if (!isDirectLoopback(request)) {
      const body = { email: user.email, message: 'the token is only answered on this machine' }
      return answer(request, reply, body, '/reset?notice=reset_elsewhere')
    }
    if (!wantsPage(request)) return { email: user.email, reset_token: resetToken }
    const typed = new Map([
      ['email', user.email],
      ['reset_token', resetToken],
    ])
    return sendSecretPage(reply, resetPage(viewFor(request, false), { typed }))
  })

  const reset = object({ email: text, reset_token: text, new_password: text }, ['email', 'reset_token', 'new_password'])
  const resetting = {
    config: { access: 'public', form: 'reset' },
    schema: { body: reset, response: done },
  } as const
  app.put('/reset_password', resetting, async (request, reply) => {
    const { email, reset_token: resetToken, new_password: newPassword } = request.body
    const browser = request.cookies[settings.cookie.resetName]
    const completion = { email, resetToken, newPassword, client: request.client, browser }
    const { user, deviceCookie } = await auth.resetPassword(completion)
    if (browser !== undefined) clearResetCookie(reply, settings)
    if (settings.production) setDeviceCookie(reply, deviceCookie, settings)
    const body = { email: user.email, message: 'Password updated' }
    return answer(request, reply, body, '/login?notice=password_updated')
  })
}
