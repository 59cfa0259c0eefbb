/** The cookies: the session, the device that only tells that it was here before, the browser that asked for a reset. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { CODE_LIFETIME } from '../security/reset_code.ts'
import type { Settings } from '../settings.ts'

/** A year: well under the 400 days that browsers allow (RFC 6265bis 5.5). */
const DEVICE_SECONDS = 365 * 24 * 3600

/** @returns the session credential of the cookie, as the client sent it */
export function presentedCredential(request: FastifyRequest, { cookie }: Settings): string | undefined {
  return request.cookies[cookie.name]
}

export function setSessionCookie(reply: FastifyReply, credential: string, settings: Settings): void {
  reply.setCookie(settings.cookie.name, credential, sessionAttributes(settings, settings.sessionLifetime / 1000))
}

/** The same name, path and flags as when it was set, or the browser would keep it. */
export function clearSessionCookie(reply: FastifyReply, settings: Settings): void {
  reply.setCookie(settings.cookie.name, '', sessionAttributes(settings, 0))
}

export function setDeviceCookie(reply: FastifyReply, value: string, { cookie }: Settings): void {
  const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure: cookie.secure } as const
  reply.setCookie(cookie.deviceName, value, { ...attributes, maxAge: DEVICE_SECONDS })
}

/** @param value makes the mailed code good in this browser alone, for as long as the code is */
export function setResetCookie(reply: FastifyReply, value: string, { cookie }: Settings): void {
  const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure: cookie.secure } as const
  reply.setCookie(cookie.resetName, value, { ...attributes, maxAge: CODE_LIFETIME / 1_000 })
}

export function clearResetCookie(reply: FastifyReply, { cookie }: Settings): void {
  reply.setCookie(cookie.resetName, '', {
    path: '/',
    httpOnly: true,
    sameSite: 'strict',
    secure: cookie.secure,
    maxAge: 0,
  })
}

function sessionAttributes({ cookie: { secure, domain } }: Settings, maxAge: number) {
  const attributes = { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge } as const
  return domain === undefined ? attributes : { ...attributes, domain }
}
