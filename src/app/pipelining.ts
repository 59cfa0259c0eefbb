/**
 * Requests sent on without waiting for an answer (pipelining) are all worked on, though their answers go out in turn. No
 * browser and no proxy does that; a stranger who sends thousands in one packet would keep everybody else waiting.
 */

import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Unanswered requests of one connection. */
const MOST = 16

export function installPipelining(app: FastifyInstance): void {
  const unanswered = new WeakMap<Socket, number>()
  app.addHook('onRequest', (request, reply, done) => {
    const socket = request.raw.socket
    const count = (unanswered.get(socket) ?? 0) + 1
    unanswered.set(socket, count)
    if (count <= MOST && !socket.destroyed) return done()
    // Nothing more is done for this connection, and nothing answered.
    reply.hijack()
    stopReading(socket)
    socket.destroy()
  })
  app.addHook('onResponse', (request, _reply, done) => {
    const socket = request.raw.socket
    unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1)
    done()
  })
}

/**
 * Node parses all that it has received of a connection, even of one that is destroyed: some two thousand requests of a
 * single read. Only the parser's own callback can end that, by refusing the next request; no documented way does it.
 */
function stopReading(socket: Socket): void {
  const parser: unknown = Reflect.get(socket, 'parser')
  if (typeof parser === 'object' && parser !== null && 'onIncoming' in parser) parser.onIncoming = () => -1
}
