/**
 * The load: a client that keeps connections busy with session checks, each with the next of many cookies. A process of its
 * own, so that it has a processor of its own; plain sockets, since every client from a package costs more than the
 * server it measures. It is told what to do by messages, and answers each with what it saw.
 */

import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'

export interface Load {
  port: number
  path: string
  /** The header of each request, in the order of their use: a file of lines such as `cookie: a=b`. */
  headers: string
  /** The first line to use, and how many there are to go round; after the last of the file comes its first. */
  from: number
  count: number
  connections: number
  /** Requests, or milliseconds, whichever ends first. */
  requests: number
  duration: number
}

export interface Seen {
  answered: number
  /** Milliseconds of the clock. */
  took: number
  /** Times of single answers in milliseconds: median and 99th percentile. */
  median: number
  p99: number
}

const files = new Map<string, string[]>()

function linesOf(path: string): string[] {
  const known = files.get(path)
  if (known !== undefined) return known
  const lines = readFileSync(path, 'latin1').trimEnd().split('\n')
  files.set(path, lines)
  return lines
}

/** What one round has sent and got. */
class Round {
  readonly #load: Load
  readonly #lines: readonly string[]
  readonly #end: number
  readonly #finish: (error?: Error) => void
  readonly times: number[] = []
  #sent = 0
  #open: number

  constructor(load: Load, finish: (error?: Error) => void) {
    this.#load = load
    this.#lines = linesOf(load.headers)
    this.#end = performance.now() + load.duration
    this.#finish = finish
    this.#open = load.connections
    for (let index = 0; index < load.connections; index += 1) this.#connect()
  }

  #next(): string | null {
    const { requests, from, count, path } = this.#load
    if (this.#sent >= requests || performance.now() >= this.#end) return null
    const line = this.#lines[(from + (this.#sent % count)) % this.#lines.length] ?? ''
    this.#sent += 1
    return `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${line}\r\n\r\n`
  }

  /** @param unanswered a request that an earlier connection took along when it ended */
  #connect(unanswered: string | null = null): void {
    const socket = connect({ port: this.#load.port, host: '127.0.0.1', noDelay: true })
    let got = ''
    let at = 0
    let waiting = unanswered
    const send = () => {
      const request = waiting ?? this.#next()
      waiting = request
      if (request === null) return this.#leave(socket)
      at = performance.now()
      socket.write(request, 'latin1')
    }
    socket.setEncoding('latin1')
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' || waiting === null) return this.#finish(error)
      this.#connect(waiting)
    })
    socket.on('connect', send)
    socket.on('end', () => {
      socket.destroy()
      if (waiting !== null) this.#connect(waiting)
    })
    socket.on('data', (chunk: string) => {
      got += chunk
      const answer = readAnswer(got)
      if (answer === null) return
      if (!got.startsWith('200', 9)) return this.#finish(new Error(`answered with ${got}`))
      this.times.push(performance.now() - at)
      got = ''
      waiting = null
      if (answer.keptOpen) return send()
      // Servers end a connection after a number of requests; the next request takes a new one.
      socket.removeAllListeners('end')
      socket.destroy()
      this.#connect()
    })
  }

  #leave(socket: Socket): void {
    socket.destroy()
    this.#open -= 1
    if (this.#open === 0) this.#finish()
  }
}

/** @returns null as long as the answer is not complete */
function readAnswer(text: string): { keptOpen: boolean } | null {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
  if (length === undefined ? !text.endsWith('0\r\n\r\n') : text.length < end + 4 + Number(length)) return null
  return { keptOpen: !/\r\nconnection: *close/i.test(text.slice(0, end)) }
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

async function run(load: Load): Promise<Seen> {
  const start = performance.now()
  const times = await new Promise<number[]>((resolve, reject) => {
    const round = new Round(load, (error) => (error === undefined ? resolve(round.times) : reject(error)))
  })
  const took = performance.now() - start
  const sorted = times.sort((a, b) => a - b)
  return { answered: times.length, took, median: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) }
}

process.on('message', (load: Load) => {
  run(load).then(
    (seen) => process.send?.(seen),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
