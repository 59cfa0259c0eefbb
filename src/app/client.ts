/** Who is calling: the peer, or the one whom a trusted proxy names. */

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isPrivate } from '../security/network.ts'
import type { Client } from '../session.ts'
import type { Settings } from '../settings.ts'

declare module 'fastify' {
  interface FastifyRequest {
    client: Client
  }
}

/** Made when it is asked for: a session check does not need it. */
export function installClient(app: FastifyInstance, { cookie, trustProxy, production }: Settings): void {
  let warned = false
  const warn = (request: FastifyRequest) => {
    if (warned || !production) return
    warned = true
    request.log.warn(
      { proxy: request.ip },
      'requests come through a proxy that TRUST_PROXY does not name: all clients seem to share one address, and so one throttle; set TRUST_PROXY to the address of the proxy',
    )
  }
  app.decorateRequest('client', {
    getter() {
      const shared = trustProxy.length === 0 && isForwarded(this) && isPrivate(this.ip)
      if (shared) warn(this)
      // A header may hold the control characters of eight bits, which no log and no page should.
      const userAgent = (this.headers['user-agent'] ?? '').replace(/\p{Cc}/gu, '')
      return { address: this.ip, userAgent, deviceCookie: this.cookies[cookie.deviceName], shared }
    },
  })
}

/** @returns whether the peer is on this machine and no proxy stands between */
export function isDirectLoopback(request: FastifyRequest): boolean {
  const peer = request.socket.remoteAddress ?? ''
  return !isForwarded(request) && (peer === '::1' || /^(?:::ffff:)?127\./.test(peer))
}

function isForwarded({ headers }: FastifyRequest): boolean {
  return Object.keys(headers).some(
    (name) => name === 'forwarded' || name === 'via' || name.startsWith('x-forwarded-') || name === 'x-real-ip',
  )
}
