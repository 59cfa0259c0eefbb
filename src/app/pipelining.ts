/**
 * Requests sent on without waiting for an answer (pipelining) are all worked on, though their answers go out in turn. No
 * browser and no proxy does that; a stranger who sends thousands in one packet would keep everybody else waiting.
 */

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Requests of one connection that come at once, and that wait for an answer. */
const MOST = 16

/** To be called when everything else that listens for requests does. */
export function installPipelining(app: FastifyInstance): void {
  const arrived = new Map<Socket, number>()
  // Those of one turn of the event loop, whatever becomes of them: some are answered before the next one is read.
  const takeIn = ({ socket }: IncomingMessage) => {
    if (arrived.size === 0) setImmediate(() => arrived.clear())
    const count = (arrived.get(socket) ?? 0) + 1
    arrived.set(socket, count)
    if (count > MOST) end(socket)
  }
  app.server.prependListener('request', takeIn)
  // Beyond the most that a connection carries Node refuses them itself.
  app.server.on('dropRequest', takeIn)
  // As Node itself answers it, which tells nobody.
  app.server.on('checkExpectation', (request, response) => {
    takeIn(request)
    response.writeHead(417).end()
  })
}

/** Ends a connection of which too many requests wait for an answer; to be called before the routes are declared. */
export function limitUnanswered(app: FastifyInstance): void {
  const unanswered = new WeakMap<Socket, number>()
  app.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw
    const count = (unanswered.get(socket) ?? 0) + 1
    unanswered.set(socket, count)
    if (count <= MOST && !socket.destroyed) return done()
    // Nothing more is done for this connection, and nothing answered.
    reply.hijack()
    end(socket)
  })
  app.addHook('onResponse', (request, _reply, done) => {
    const { socket } = request.raw
    unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1)
    done()
  })
}

/**
 * Node parses all that it has received of a connection, even of one that is destroyed: some two thousand requests of a
 * single read. Only the parser's own callback can end that, by refusing the next request; no documented way does it.
 */
function end(socket: Socket): void {
  const parser: unknown = Reflect.get(socket, 'parser')
  if (typeof parser === 'object' && parser !== null && 'onIncoming' in parser) parser.onIncoming = () => -1
  socket.destroy()
}
