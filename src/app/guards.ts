/** Who may call what. Every route declares it; the server refuses to boot where one does not. */

import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { CheckedSession } from '../auth/sessions.ts'
import type { Auth } from '../auth.ts'
import { AuthError } from '../errors.ts'
import { isOperatorKey } from '../security/operator_key.ts'
import { isCrossOrigin } from '../security/origin.ts'
import type { Settings } from '../settings.ts'
import { bearerOf, provenSession } from './carriers.ts'
import { hostsOf } from './headers.ts'
import { looseText } from './schema.ts'

/**
 * `public`: anyone. `session`: whoever presents a valid session. `fresh`: the same, with a password that was proven in
 * the last minutes or comes along as `current_password`. `operator`: whoever has OPERATOR_KEY.
 */
export type Access = 'public' | 'session' | 'fresh' | 'operator'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    /** Set on routes with the access `session` or `fresh`; read it with `sessionOf`. */
    checked: CheckedSession | null
  }
}

const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::\d{1,5})?$/i

export function installGuards(app: FastifyInstance, auth: Auth, settings: Settings): void {
  app.decorateRequest('checked', null)
  app.addHook('onRoute', (route) => {
    requireAccess(route)
    if (route.config?.access === 'fresh') addFreshGuard(route, auth)
  })
  app.addHook('onRequest', async (request, reply) => {
    refuseHostless(request, reply)
    if (!settings.production) refuseForeignHost(request)
    refuseCrossOrigin(request, settings)
    const { access = 'public' } = request.routeOptions.config
    if (access === 'public') return
    if (access === 'operator') return refuseStranger(request, settings)
    request.checked = await provenSession(request, reply, auth, settings)
    if (request.checked === null) throw new AuthError('session_required')
  })
}

/** The session of a request to a route that needs one. */
export function sessionOf(request: FastifyRequest): CheckedSession {
  if (request.checked === null) throw new AuthError('session_required')
  return request.checked
}

function requireAccess({ config, method, url }: RouteOptions): void {
  if (config?.access === undefined) throw new Error(`the route ${method} ${url} does not declare its access`)
}

/** Runs after the body was checked, since the password may come in it. */
function addFreshGuard(route: RouteOptions, auth: Auth): void {
  route.preHandler = [route.preHandler ?? []].flat().concat((request: FastifyRequest) => requireFresh(request, auth))
}

/** @throws AuthError `fresh_password_required`, `current_password_wrong`, `session_required`, `throttled`, `busy` */
export async function requireFresh(request: FastifyRequest, auth: Auth): Promise<void> {
  const checked = sessionOf(request)
  const password = looseText(request.body, 'current_password')
  if (password !== undefined) await auth.confirmPassword(checked, password, request.client)
  else if (!auth.isFresh(checked.session)) throw new AuthError('fresh_password_required')
}

function refuseStranger(request: FastifyRequest, { operatorKey }: Settings): void {
  if (!isOperatorKey(bearerOf(request) ?? '', operatorKey)) throw new AuthError('operator_required')
}

/** RFC 9112 3.2. Who does not name one host may also mean something else by what comes next, so the connection ends. */
function refuseHostless({ raw }: FastifyRequest, reply: FastifyReply): void {
  const hosts = hostsOf(raw)
  if (hosts === 1 || (hosts === 0 && raw.httpVersion !== '1.1')) return
  reply.header('connection', 'close')
  const message = hosts === 0 ? 'the Host header is missing' : 'there must be one Host header'
  throw new AuthError('request_invalid', { message })
}

/** A page elsewhere whose name resolves to this machine must not get in (DNS rebinding). */
function refuseForeignHost(request: FastifyRequest): void {
  if (!LOOPBACK_HOST.test(request.headers.host ?? '')) throw new AuthError('host_refused')
}

function refuseCrossOrigin(request: FastifyRequest, settings: Settings): void {
  const { production, publicUrl, trustedOrigins, corsOrigins } = settings
  const { origin, host, 'sec-fetch-site': site } = request.headers
  const secFetchSite = Array.isArray(site) ? site.join() : site
  // In development the same service answers under several names of this machine.
  const own = production ? [publicUrl] : [publicUrl, `http://${host}`]
  const provenance = { method: request.method, secFetchSite, origin }
  if (isCrossOrigin(provenance, own, [...trustedOrigins, ...corsOrigins])) throw new AuthError('cross_origin')
}
