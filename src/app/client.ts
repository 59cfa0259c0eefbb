/** Who is calling: the peer, or the one whom a trusted proxy names. */

import { isIP } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isPrivate } from '../security/network.ts'
import type { Client } from '../session.ts'
import type { Settings } from '../settings.ts'
import { chooseLanguage } from '../texts.ts'

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
  // Node asks the system for a peer when it is first wanted, keeps the answer, and gets none once the client has reset the
  // connection: whoever did that behind each request would be of no network.
  app.server.on('connection', (socket) => {
    if (socket.remoteAddress === undefined) socket.destroy()
  })
  app.decorateRequest('client', {
    getter() {
      const shared = trustProxy.length === 0 && isForwarded(this) && isPrivate(addressOf(this))
      if (shared) warn(this)
      // A header may hold the control characters of eight bits, which no log and no page should.
      const userAgent = (this.headers['user-agent'] ?? '').replace(/\p{Cc}/gu, '')
      const language = chooseLanguage(this.headers['accept-language'], this.server.site.language)
      return { address: addressOf(this), userAgent, deviceCookie: this.cookies[cookie.deviceName], shared, language }
    },
  })
}

/** @returns whether the peer is on this machine and no proxy stands between */
export function isDirectLoopback(request: FastifyRequest): boolean {
  const peer = request.socket.remoteAddress ?? ''
  return !isForwarded(request) && (peer === '::1' || /^(?:::ffff:)?127\./.test(peer))
}

/** Where a peer could not be told after all: one network for all of them. */
const NOWHERE = '::'

/** Some proxies write the port as well; what is no address at all is the proxy's. */
function addressOf({ ip, socket }: FastifyRequest): string {
  const named = ip ?? ''
  const [, bracketed, plain] = /^\[([^\]]*)\](?::\d+)?$|^([\d.]+):\d+$/.exec(named) ?? []
  const address = bracketed ?? plain ?? named
  return isIP(address) === 0 ? (socket.remoteAddress ?? NOWHERE) : address
}

const FORWARDED = /^(?:forwarded|via|x-forwarded-.*|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/

function isForwarded({ headers }: FastifyRequest): boolean {
  return Object.keys(headers).some((name) => FORWARDED.test(name))
}
