/**
 * Writes an answer to its connection in one piece. Node puts the head of every answer together anew and examines each header
 * of it, which costs more than the session check itself; of the answers of the fast path all but the body is known before.
 * Whatever decides the fate of a connection (its last request, a stop, a client that ends it) stays with Node.
 */

import type { Server, ServerResponse } from 'node:http'

const SECOND = 1_000

export class WholeAnswer {
  readonly #server: Server
  readonly #headers: string[]
  readonly #lines: string
  #head = ''
  #second = Number.NaN

  /**
   * @param server as it will run: its time for an idle connection and its requests for each are told to clients
   * @param headers of every answer, but those of its length, its date and its connection
   */
  constructor(server: Server, headers: Readonly<Record<string, string>>) {
    this.#server = server
    this.#headers = Object.entries(headers).flat()
    const keepAlive = `timeout=${Math.floor(server.keepAliveTimeout / SECOND)}, max=${server.maxRequestsPerSocket}`
    this.#lines = Object.entries({ ...headers, connection: 'keep-alive', 'keep-alive': keepAlive })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')
  }

  /** Answers a request that has its turn with 200, and ends it; where its client is gone nothing happens. */
  send(response: ServerResponse, body: string): void {
    const { socket } = response
    const length = Buffer.byteLength(body)
    if (socket?.writable !== true || this.#mayBeLast(response)) {
      const closing = this.#server.listening ? [] : ['connection', 'close']
      response.writeHead(200, this.#headers.concat(closing, 'content-length', String(length))).end(body)
      return
    }
    socket.write(`${this.#headNow()}content-length: ${length}\r\n\r\n${body}`, (error) => {
      // Node listens for it too: the connection goes on to its next request, or may rest.
      if (!error) response.emit('finish')
    })
  }

  #mayBeLast(response: ServerResponse): boolean {
    if (!this.#server.listening || !response.shouldKeepAlive) return true
    // Node's own, of the last request that it takes from a connection.
    return Reflect.get(response, 'maxRequestsOnConnectionReached') !== false
  }

  /** All but the length, with the date of this second (RFC 9110 6.6.1). */
  #headNow(): string {
    const now = Date.now()
    if (Math.floor(now / SECOND) !== this.#second) {
      this.#second = Math.floor(now / SECOND)
      this.#head = `HTTP/1.1 200 OK\r\ndate: ${new Date(now).toUTCString()}\r\n${this.#lines}`
    }
    return this.#head
  }
}
