/**
 * Cross-origin resource sharing (Fetch standard, 3.3): which other origins may call from their scripts and read the answers.
 * Exactly those that the operator lists, never `*`; where none is listed nothing is said at all.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Settings } from '../settings.ts'

/** How long a browser may remember a preflight, in seconds. */
const REMEMBERED = 600

export function installCors(app: FastifyInstance, { corsOrigins }: Settings): void {
  if (corsOrigins.length === 0) return
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers
    if (origin === undefined || !corsOrigins.includes(origin)) return
    reply.headers({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'Retry-After, WWW-Authenticate',
    })
    if (isPreflight(request)) return answerPreflight(reply)
  })
  // Also where no origin is named: a cache must not give one origin the answer to another.
  app.addHook('onSend', async (_request, reply) => {
    reply.header('vary', [reply.getHeader('vary') ?? [], 'Origin'].flat().join(', '))
  })
}

function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined
}

function answerPreflight(reply: FastifyReply): FastifyReply {
  return reply
    .code(204)
    .headers({
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': 'Authorization, Content-Type',
      'access-control-max-age': REMEMBERED,
    })
    .send()
}
