/** Who may call what. Every route declares it; the server refuses to boot where one does not. */

import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { CheckedSession } from '../auth/sessions.ts'
import type { Auth } from '../auth.ts'
import { AuthError } from '../errors.ts'
import { isCrossOrigin } from '../security/origin.ts'
import type { Client } from '../session.ts'
import type { Settings } from '../settings.ts'

/** `public`: anyone. `session`: whoever presents a valid session. */
export type Access = 'public' | 'session'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    /** Set on routes with the access `session`; read it with `sessionOf`. */
    checked: CheckedSession | null
  }
}

const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::\d{1,5})?$/i

export function installGuards(app: FastifyInstance, auth: Auth, settings: Settings): void {
  app.decorateRequest('checked', null)
  app.addHook('onRoute', requireAccess)
  app.addHook('onRequest', async (request) => {
    if (!settings.production) refuseForeignHost(request)
    refuseCrossOrigin(request, settings)
    if (request.routeOptions.config.access === 'session') {
      request.checked = await auth.checkSession(presentedCredential(request, settings))
      if (request.checked === null) throw new AuthError('session_required')
    }
  })
}

/** @returns the session credential of the cookie, as the client sent it */
export function presentedCredential(request: FastifyRequest, settings: Settings): string | undefined {
  return request.cookies[settings.cookie.name]
}

/** The session of a request to a route with the access `session`. */
export function sessionOf(request: FastifyRequest): CheckedSession {
  if (request.checked === null) throw new AuthError('session_required')
  return request.checked
}

export function clientOf(request: FastifyRequest): Client {
  return { address: request.ip, userAgent: request.headers['user-agent'] ?? '' }
}

/** @returns whether the peer is on this machine and no proxy stands between */
export function isDirectLoopback(request: FastifyRequest): boolean {
  const peer = request.socket.remoteAddress ?? ''
  const proxied = Object.keys(request.headers).some(
    (name) => name === 'forwarded' || name === 'via' || name.startsWith('x-forwarded-'),
  )
  return !proxied && (peer === '::1' || /^(?:::ffff:)?127\./.test(peer))
}

export function setSessionCookie(reply: FastifyReply, credential: string, settings: Settings): void {
  reply.setCookie(settings.cookie.name, credential, cookieAttributes(settings, settings.sessionLifetime / 1000))
}

export function clearSessionCookie(reply: FastifyReply, settings: Settings): void {
  reply.setCookie(settings.cookie.name, '', cookieAttributes(settings, 0))
}

function cookieAttributes({ cookie: { secure, domain } }: Settings, maxAge: number) {
  const attributes = { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge } as const
  return domain === undefined ? attributes : { ...attributes, domain }
}

function requireAccess({ config, method, url }: RouteOptions): void {
  if (config?.access === undefined) throw new Error(`the route ${method} ${url} does not declare its access`)
}

/** A page elsewhere whose name resolves to this machine must not get in (DNS rebinding). */
function refuseForeignHost(request: FastifyRequest): void {
  if (!LOOPBACK_HOST.test(request.headers.host ?? '')) throw new AuthError('host_refused')
}

function refuseCrossOrigin(request: FastifyRequest, { production, publicUrl }: Settings): void {
  const { origin, host, 'sec-fetch-site': site } = request.headers
  const secFetchSite = Array.isArray(site) ? site.join() : site
  // In development the same service answers under several names of this machine.
  const own = production ? [publicUrl] : [publicUrl, `http://${host}`]
  if (isCrossOrigin({ method: request.method, secFetchSite, origin }, own)) throw new AuthError('cross_origin')
}
