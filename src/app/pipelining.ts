/**
 * Requests sent on without waiting for an answer (pipelining) are all worked on, though their answers go out in turn. No
 * browser and no proxy does that; a stranger who sends thousands in one packet would keep everybody else waiting. So would
 * a body in thousands of tiny chunks, whether anybody reads it or not.
 */

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { BODY_LIMIT } from './bodies.ts'
import { waitsForCheck } from './fast_check.ts'

/** Requests of one connection that come at once, and that wait for an answer. */
const MOST = 16
/** Pieces of bodies of one connection that come at once. */
const MOST_PIECES = 256
/** Bytes of a body that come in though nobody reads them: clients that send all of it before they read lose no answer. */
const MOST_UNREAD = 4 * BODY_LIMIT

/**
 * To be called when everything else that listens for requests does.
 * @param headers of every answer
 */
export function installPipelining(app: FastifyInstance, headers: Record<string, string>): void {
  const requests = new Turn(MOST)
  const takeIn = (request: IncomingMessage) => {
    requests.count(request.socket)
    if (hasBody(request)) limitBody(request)
  }
  app.server.prependListener('request', takeIn)
  // Beyond the most that a connection carries Node refuses them itself.
  app.server.on('dropRequest', takeIn)
  // As Node itself answers it, which tells nobody, and would leave out what every answer carries.
  app.server.on('checkExpectation', (request, response) => {
    takeIn(request)
    response.writeHead(417, headers).end()
  })
}

/**
 * Ends a connection of which too many requests wait for an answer, or on which nothing has gone on for too long though it is
 * the client's turn; to be called before the routes are declared.
 */
export function limitUnanswered(app: FastifyInstance): void {
  const unanswered = new WeakMap<Socket, number>()
  app.server.on('timeout', (socket: Socket) => {
    // It is our turn, behind a long queue of hashes for instance.
    const waits = (unanswered.get(socket) ?? 0) > 0 || waitsForCheck(socket)
    if (waits && socket.writableLength === 0) return
    socket.destroy()
  })
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
 * Counts what comes of a connection in one turn of the event loop, whatever becomes of it: some is done with before the next is
 * read. Node takes all that has come of one connection before it turns to another.
 */
class Turn {
  readonly #most: number
  #socket: Socket | null = null
  #count = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Ends the connection where this is one too many. */
  count(socket: Socket): void {
    if (this.#socket === null) setImmediate(() => this.#forget())
    if (socket !== this.#socket) this.#count = 0
    this.#socket = socket
    this.#count += 1
    if (this.#count > this.#most) end(socket)
  }

  #forget(): void {
    this.#socket = null
  }
}

/** Node's own, of one connection after the other: a callback has the name of a number. No documented way sees a body that nobody reads. */
interface Parser {
  onIncoming: unknown
  readonly incoming: unknown
  [callback: number]: unknown
}

const pieces = new Turn(MOST_PIECES)
const watched = new WeakSet<Parser>()
const bodies = new WeakMap<object, { socket: Socket; bytes: number }>()

/** A request that names neither ends with its headers (RFC 9112 6.3). */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}

function limitBody(request: IncomingMessage): void {
  const { socket } = request
  bodies.set(request, { socket, bytes: 0 })
  const parser = parserOf(socket)
  if (parser === null || watched.has(parser)) return
  const onBody = onBodyOf(parser)
  const takeOn = parser[onBody]
  if (typeof takeOn !== 'function') return
  watched.add(parser)
  parser[onBody] = (piece: Buffer) => {
    takeInPiece(parser.incoming, piece.length)
    Reflect.apply(takeOn, parser, [piece])
  }
}

function takeInPiece(message: unknown, length: number): void {
  const body = typeof message === 'object' && message !== null ? bodies.get(message) : undefined
  if (body === undefined) return
  body.bytes += length
  if (body.bytes > MOST_UNREAD) end(body.socket)
  else pieces.count(body.socket)
}

function parserOf(socket: Socket): Parser | null {
  const parser: unknown = Reflect.get(socket, 'parser')
  return isParser(parser) ? parser : null
}

function isParser(parser: unknown): parser is Parser {
  return typeof parser === 'object' && parser !== null && 'onIncoming' in parser && 'incoming' in parser
}

function onBodyOf(parser: Parser): number {
  return Number(Reflect.get(parser.constructor, 'kOnBody'))
}

/**
 * Node parses all that it has received of a connection, even of one that is destroyed: some two thousand requests, or ten
 * thousand chunks, of a single read. Only the parser's own callbacks can end that, by refusing the next request and by not
 * being there for a body; no documented way does it.
 */
function end(socket: Socket): void {
  const parser = parserOf(socket)
  socket.destroy()
  if (parser === null) return
  parser.onIncoming = () => -1
  const onBody = onBodyOf(parser)
  const takeOn = parser[onBody]
  if (typeof takeOn !== 'function') return
  parser[onBody] = undefined
  // The next connection that gets this parser needs it again.
  setImmediate(() => {
    parser[onBody] = takeOn
  })
}
