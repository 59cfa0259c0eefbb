/**
 * The routes of tokens for programs: log in for them, refresh them, give them back; and for other services of the operator,
 * ask about one (RFC 7662) and revoke one (RFC 7009).
 */

import type { FastifyInstance, FastifyReply } from 'fastify'
import type { OpenedSession } from '../auth/sessions.ts'
import type { TokenDescription } from '../auth/tokens.ts'
import type { Auth } from '../auth.ts'
import { AuthError } from '../errors.ts'
import type { Settings } from '../settings.ts'
import { bearerOf, bearerSession, handOver, isTokenAnswer, leaveTokens } from './carriers.ts'
import { clearSessionCookie, presentedCredential, setDeviceCookie } from './cookies.ts'
import { object, text, typed } from './schema.ts'
import { accessCookie, clearTokenCookies, REFRESH_PATH, refreshCookie } from './token_cookies.ts'

const number = { type: 'integer' } as const
/** The tokens themselves, or what became of them where cookies carry them. */
const given = {
  200: object({ message: text, access_token: text, token_type: text, expires_in: number, refresh_token: text }, []),
}
const told = object(
  {
    active: { type: 'boolean' },
    ...{ iss: text, aud: text, sub: text, sid: text, jti: text, token_type: text },
    ...{ exp: number, iat: number },
  },
  [],
)

/** @throws StartError where no key to sign with can be made */
export async function installTokens(untyped: FastifyInstance, auth: Auth, settings: Settings): Promise<void> {
  const unreadable = await auth.tokens.keys.open()
  if (unreadable > 0) {
    untyped.log.warn(
      { keys: unreadable },
      'keys for access tokens were made under a SECRET that is lost: their tokens are refused, programs refresh theirs; if SECRET was only replaced, set SECRET_PREVIOUS to the old one',
    )
  }
  installLogin(untyped, auth, settings)
  installRefresh(untyped, auth, settings)
  installRevocation(untyped, auth, settings)
  installForServices(untyped, auth, settings)
}

function installLogin(untyped: FastifyInstance, auth: Auth, settings: Settings): void {
  const transport = { type: 'string', enum: ['body', 'cookie'] } as const
  const login = object({ email: text, password: text, transport }, ['email', 'password'])
  const config = { access: 'public' } as const
  typed(untyped).post('/tokens', { config, schema: { body: login, response: given } }, async (request, reply) => {
    const { email, password, transport: wanted } = request.body
    const kind = wanted === 'cookie' ? 'token_cookie' : 'token'
    const presented = kind === 'token_cookie' ? presentedCredential(request, settings) : undefined
    const opened = await auth.logIn({ email, password, client: request.client, presented, kind })
    // As with the session cookie: what this browser held before does not stay behind.
    if (kind === 'token_cookie') await leaveTokens(request, reply, auth, settings)
    if (presented !== undefined) clearSessionCookie(reply, settings)
    // A program that keeps its tokens itself keeps no cookie either.
    if (kind === 'token_cookie' && settings.production) setDeviceCookie(reply, opened.deviceCookie, settings)
    return answerTokens(reply, opened, 'logged in', auth, settings)
  })
}

/** What is told of a refresh token that is good for nothing any more; any other refusal leaves it to the browser. */
const WORTHLESS: ReadonlySet<string> = new Set(['refresh_refused', 'refresh_token_reused'])

function installRefresh(untyped: FastifyInstance, auth: Auth, settings: Settings): void {
  const refresh = object({ refresh_token: text }, [])
  const config = { access: 'public' } as const
  typed(untyped).post(REFRESH_PATH, { config, schema: { body: refresh, response: given } }, async (request, reply) => {
    const { refresh_token: sent } = request.body
    const kept = refreshCookie(request, settings)
    if (sent !== undefined) {
      const opened = await auth.tokens.refresh(sent, 'token', request.client)
      return answerTokens(reply, opened, 'refreshed', auth, settings)
    }
    if (kept === undefined) {
      throw new AuthError('field_missing', { field: 'refresh_token', message: 'refresh_token missing' })
    }
    try {
      if (kept === null) throw new AuthError('refresh_refused')
      const opened = await auth.tokens.refresh(kept, 'token_cookie', request.client)
      return await answerTokens(reply, opened, 'refreshed', auth, settings)
    } catch (error) {
      if (error instanceof AuthError && WORTHLESS.has(error.code)) clearTokenCookies(reply, settings)
      throw error
    }
  })
}

function installRevocation(untyped: FastifyInstance, auth: Auth, settings: Settings): void {
  const revocation = object({ token: text, refresh_token: text }, [])
  const revoked = { 200: object({ message: text }, []) }
  const schema = { body: revocation, response: revoked }
  typed(untyped).delete('/tokens', { config: { access: 'public' }, schema }, async (request, reply) => {
    const { token, refresh_token: refreshToken } = request.body
    const bearer = bearerOf(request)
    const kept = accessCookie(request, settings)
    if (bearer !== undefined) await bearerSession(bearer, auth)
    const ofCookie = kept === undefined ? null : await auth.tokens.check(kept, 'token_cookie')
    const presented = [bearer, token, refreshToken, ofCookie === null ? undefined : kept].filter(
      (one) => one !== undefined,
    )
    // A front end whose access token has expired refreshes and comes again: the other cookie is not sent here.
    if (presented.length === 0) throw new AuthError('session_required')
    for (const one of presented) await auth.tokens.revoke(one, request.client)
    if (ofCookie !== null) clearTokenCookies(reply, settings)
    return { message: 'tokens revoked' }
  })
}

function installForServices(untyped: FastifyInstance, auth: Auth, settings: Settings): void {
  const app = typed(untyped)
  const asked = object({ token: text }, ['token'])
  const config = { access: 'operator' } as const

  app.post('/tokens/introspect', { config, schema: { body: asked, response: { 200: told } } }, async (request) => {
    const description = await auth.tokens.describe(request.body.token)
    return description === null ? { active: false } : shown(description, settings)
  })

  const nothing = { 200: object({}, []) }
  app.post('/tokens/revoke', { config, schema: { body: asked, response: nothing } }, async (request) => {
    await auth.tokens.revoke(request.body.token, request.client)
    return {}
  })
}

async function answerTokens(
  reply: FastifyReply,
  opened: OpenedSession,
  message: string,
  auth: Auth,
  settings: Settings,
) {
  const handed = await handOver(reply, opened, auth, settings)
  return isTokenAnswer(handed) ? handed : { message, ...handed }
}

function shown({ jti, ...rest }: TokenDescription, { publicUrl, tokenAudience }: Settings) {
  const ofAccess = jti === undefined ? {} : { aud: tokenAudience, jti, token_type: 'Bearer' }
  return { active: true, iss: publicUrl, ...rest, ...ofAccess }
}
