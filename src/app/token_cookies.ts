/**
 * The cookies of a session of the kind `token_cookie`, for front ends that keep no token in script: the access token for every
 * path, and the refresh token for the one that takes it. No script reads them, and no domain shares them. A host beside this
 * one could plant a refresh token of its own account; so a third one names the session, with a prefix that forbids it that.
 */

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AccessToken } from '../auth/tokens.ts'
import type { Settings } from '../settings.ts'

/** The one path that the refresh token is sent to. */
export const REFRESH_PATH = '/tokens/refresh'

export function accessCookie({ cookies }: FastifyRequest, { cookie }: Settings): string | undefined {
  return cookies[cookie.accessName]
}

/** @returns whether a browser has them, be the access token over or not */
export function holdsTokens({ cookies }: FastifyRequest, { cookie }: Settings): boolean {
  return cookies[cookie.accessName] !== undefined || cookies[cookie.refreshSessionName] !== undefined
}

/**
 * Of several cookies of that name any may come first, and only the first one is among those that were read.
 * @returns the refresh token of this browser's own session, null where there are only others, undefined where there is none
 */
export function refreshCookie({ cookies, headers }: FastifyRequest, { cookie }: Settings): string | null | undefined {
  if (cookies[cookie.refreshName] === undefined) return undefined
  const own = `${cookie.refreshName}=${cookies[cookie.refreshSessionName] ?? ''}.`
  const pair = headers.cookie?.split(/; ?/).find((one) => one.startsWith(own))
  return pair?.slice(cookie.refreshName.length + 1) ?? null
}

export function setAccessCookie(
  reply: FastifyReply,
  { accessToken, expiresIn }: AccessToken,
  settings: Settings,
): void {
  reply.setCookie(settings.cookie.accessName, accessToken, accessAttributes(settings, expiresIn))
}

/** @param seconds until the session ends, however much it is used */
export function setRefreshCookie(reply: FastifyReply, refreshToken: string, seconds: number, settings: Settings): void {
  const [session = ''] = refreshToken.split('.', 1)
  reply.setCookie(settings.cookie.refreshName, refreshToken, refreshAttributes(settings, seconds))
  reply.setCookie(settings.cookie.refreshSessionName, session, sessionAttributes(settings, seconds))
}

export function clearTokenCookies(reply: FastifyReply, settings: Settings): void {
  reply.setCookie(settings.cookie.accessName, '', accessAttributes(settings, 0))
  reply.setCookie(settings.cookie.refreshName, '', refreshAttributes(settings, 0))
  reply.setCookie(settings.cookie.refreshSessionName, '', sessionAttributes(settings, 0))
}

function accessAttributes({ cookie: { secure } }: Settings, maxAge: number) {
  return { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge } as const
}

/** No link leads there, so nothing is lost by the stricter rule. */
function refreshAttributes({ cookie: { secure } }: Settings, maxAge: number) {
  return { path: REFRESH_PATH, httpOnly: true, sameSite: 'strict', secure, maxAge } as const
}

function sessionAttributes(settings: Settings, maxAge: number) {
  return { ...refreshAttributes(settings, maxAge), path: '/' } as const
}
