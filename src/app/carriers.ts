/**
 * What a request proves a session with: a bearer token, the session cookie, or an access token in a cookie. Each counts in
 * its own place alone, for the kind of session that it was made for; none is taken from the address or the body.
 */

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CheckedSession, OpenedSession } from '../auth/sessions.ts'
import type { CheckedToken } from '../auth/tokens.ts'
import type { Auth } from '../auth.ts'
import { AuthError } from '../errors.ts'
import type { Settings } from '../settings.ts'
import type { User } from '../user.ts'
import { clearSessionCookie, presentedCredential, setSessionCookie } from './cookies.ts'
import { rethrowFailedCheck } from './fast_check.ts'
import { accessCookie, clearTokenCookies, holdsTokens, setAccessCookie, setRefreshCookie } from './token_cookies.ts'

/** @returns what follows `Bearer` in the Authorization header (RFC 6750 2.1), or undefined where there is no such header */
export function bearerOf({ headers }: FastifyRequest): string | undefined {
  const found = /^bearer(?: +(.*))?$/i.exec(headers.authorization ?? '')
  return found === null ? undefined : (found[1] ?? '')
}

/**
 * The session that a request proves, or null. A bearer token decides alone where there is one.
 * @throws AuthError `token_invalid` for a bearer token that is no good
 */
export async function provenSession(
  request: FastifyRequest,
  reply: FastifyReply,
  auth: Auth,
  settings: Settings,
): Promise<CheckedSession | null> {
  const bearer = bearerOf(request)
  if (bearer !== undefined) return bearerSession(bearer, auth)
  return (await cookieSession(request, auth, settings)) ?? (await renewedSession(request, reply, auth, settings))
}

/** @throws AuthError `token_invalid` */
export async function bearerSession(bearer: string, auth: Auth): Promise<CheckedSession> {
  const checked = await auth.tokens.check(bearer, 'token')
  if (checked === null) throw new AuthError('token_invalid')
  return checked
}

async function cookieSession(request: FastifyRequest, auth: Auth, settings: Settings): Promise<CheckedSession | null> {
  rethrowFailedCheck(request.raw)
  return auth.checkSession(presentedCredential(request, settings))
}

async function tokenCookieSession(
  request: FastifyRequest,
  auth: Auth,
  settings: Settings,
): Promise<CheckedToken | null> {
  const token = accessCookie(request, settings)
  return token === undefined ? null : auth.tokens.check(token, 'token_cookie')
}

/** Whoever is signed in, on a page that is for everybody. */
export async function visitor(
  request: FastifyRequest,
  { auth, settings }: { auth: Auth; settings: Settings },
): Promise<CheckedSession | null> {
  return (await cookieSession(request, auth, settings)) ?? (await tokenCookieSession(request, auth, settings))
}

/** The session of an access token in a cookie, which gets a new one when less than half its life is left. */
async function renewedSession(
  request: FastifyRequest,
  reply: FastifyReply,
  auth: Auth,
  settings: Settings,
): Promise<CheckedSession | null> {
  const checked = await tokenCookieSession(request, auth, settings)
  if (checked === null) return null
  const left = checked.expiresAt - auth.now()
  if (left < settings.accessTokenLifetime / 2)
    setAccessCookie(reply, await auth.tokens.issue(checked.session), settings)
  return checked
}

/** What a program gets (RFC 6749 5.1). */
export type TokenAnswer = {
  access_token: string
  token_type: 'Bearer'
  expires_in: number
  refresh_token: string
}

/** Where cookies carry the tokens the body says no more than this. */
type Handed = TokenAnswer | { expires_in: number } | null

/** Hands a session to whoever opened it, in cookies or for the body. */
export async function handOver(
  reply: FastifyReply,
  { session, credential }: OpenedSession,
  auth: Auth,
  settings: Settings,
): Promise<Handed> {
  if (session.kind === 'cookie') {
    setSessionCookie(reply, credential, settings)
    return null
  }
  const access = await auth.tokens.issue(session)
  const { accessToken, expiresIn } = access
  if (session.kind === 'token') {
    return { access_token: accessToken, token_type: 'Bearer', expires_in: expiresIn, refresh_token: credential }
  }
  setAccessCookie(reply, access, settings)
  setRefreshCookie(reply, credential, Math.floor((session.expiresAt - auth.now()) / 1_000), settings)
  return { expires_in: expiresIn }
}

export function isTokenAnswer(handed: Handed): handed is TokenAnswer {
  return handed !== null && 'access_token' in handed
}

/** Clears the cookies of a session that has ended; a program has none. */
export function clearCookies(reply: FastifyReply, { session }: CheckedSession, settings: Settings): void {
  if (session.kind === 'cookie') clearSessionCookie(reply, settings)
  else if (session.kind === 'token_cookie') clearTokenCookies(reply, settings)
}

/** Clears the tokens that a browser holds in cookies, if it does, and ends their session where the access token is still good. */
export async function leaveTokens(
  request: FastifyRequest,
  reply: FastifyReply,
  auth: Auth,
  settings: Settings,
): Promise<void> {
  if (!holdsTokens(request, settings)) return
  const left = accessCookie(request, settings)
  if (left !== undefined) await auth.tokens.revoke(left, request.client)
  clearTokenCookies(reply, settings)
}

/** The same where they are not of the account that logs in: beside its session cookie they would go on in another name. */
export async function leaveTokensOfOthers(
  request: FastifyRequest,
  reply: FastifyReply,
  user: User,
  auth: Auth,
  settings: Settings,
): Promise<void> {
  const beside = await tokenCookieSession(request, auth, settings)
  if (beside?.user.id !== user.id) await leaveTokens(request, reply, auth, settings)
}

/** What a logout leaves behind in a browser: nothing. */
export async function leaveBrowser(
  request: FastifyRequest,
  reply: FastifyReply,
  checked: CheckedSession,
  auth: Auth,
  settings: Settings,
): Promise<void> {
  clearCookies(reply, checked, settings)
  if (checked.session.kind === 'cookie') await leaveTokens(request, reply, auth, settings)
}
