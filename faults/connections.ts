/** Clients that hold on to connections: by the thousand and idle, slow to ask, or never reading what they get. */

import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { CHEAP, type Env, Program, type Service, START, until, whenReady } from './program.ts'
import type { Report } from './report.ts'
import { withTrial } from './trial.ts'

/** How long a connection may take for its headers is 10 s, for all of a request 20 s; then it is looked at every 2 s. */
const HEADERS_END = 15_000
const REQUEST_END = 26_000
/** So many connections are opened at a time. */
const STEP = 200
/** Between two bytes of a slow client, in milliseconds. */
const PAUSE = 200
/** More than is answered to a client that reads nothing of it. */
const PIPELINED = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(2_000)
const ASK = 'GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n'
const POST =
  'POST /sessions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n'

/** @param count of connections that are open, were served once, and say nothing more */
export async function idleConnections(folder: string, count: number): Promise<Report> {
  const room = count + 1_000
  return withTrial(
    folder,
    async (trial) => {
      const before = memoryOf(trial.service)
      const sockets = await opened(trial.service, count)
      try {
        await served(sockets)
        await trial.served(60)
        trial.expect(
          'the idle are left alone',
          sockets.every(({ destroyed }) => !destroyed),
        )
        trial.expect('nobody is refused for them', trial.crowd.misses.length === 0)
        const each = Math.round((memoryOf(trial.service) - before) / count)
        return await trial.end(`${count} idle connections, ${each} KiB of memory for each`)
      } finally {
        for (const socket of sockets) socket.destroy()
      }
    },
    (env, folder) => startWithRoom(env, folder, room),
  )
}

/** @param count of clients of each kind */
export async function slowClients(folder: string, count: number): Promise<Report> {
  return withTrial(folder, async (trial) => {
    const { service } = trial
    const began = performance.now()
    const [silent, headers, bodies, deaf] = await Promise.all([
      opened(service, count),
      opened(service, count),
      opened(service, count),
      opened(service, count),
    ])
    for (const socket of headers) void drip(socket.resume(), 'GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ')
    for (const socket of bodies) void drip(socket.resume(), POST)
    for (const socket of deaf) void drip(socket.pause(), PIPELINED)
    for (const socket of silent) socket.resume()
    await allClosed('those who never read', deaf, HEADERS_END)
    await allClosed('those who say nothing', silent, HEADERS_END)
    await allClosed('slow headers', headers, HEADERS_END)
    await allClosed('slow bodies', bodies, REQUEST_END)
    const took = Math.round((performance.now() - began) / 1_000)
    await trial.served()
    trial.expect('nobody else is refused for them', trial.crowd.misses.length === 0)
    return trial.end(
      `${count} silent clients, ${count} with slow headers, ${count} with slow bodies, ${count} who never read: all ended within ${took} s`,
    )
  })
}

async function opened({ port }: Service, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const step = Math.min(STEP, count - sockets.length)
    sockets.push(...(await Promise.all(Array.from({ length: step }, () => open(port)))))
  }
  return sockets
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => resolve(socket))
    socket.on('error', reject)
  })
}

/** Asks one question over each, and reads the answer. */
async function served(sockets: readonly Socket[]): Promise<void> {
  for (let from = 0; from < sockets.length; from += STEP) {
    const step = sockets.slice(from, from + STEP)
    await Promise.all(
      step.map(
        (socket) =>
          new Promise<void>((resolve) => {
            socket.once('data', () => resolve())
            socket.write(ASK)
          }),
      ),
    )
  }
}

/** Sends the beginning, and then a byte at a time for as long as somebody listens. */
async function drip(socket: Socket, beginning: string): Promise<void> {
  socket.write(beginning)
  while (!socket.destroyed && socket.writable) {
    socket.write('x')
    await setTimeout(PAUSE)
  }
}

async function allClosed(who: string, sockets: readonly Socket[], within: number): Promise<void> {
  await until(`the end of ${who}`, () => sockets.every(({ destroyed }) => destroyed), within)
}

/** A service that may open so many files, where the shell it is started from allows fewer. */
async function startWithRoom(env: Env, folder: string, files: number): Promise<Service> {
  const args = [`--nofile=${files}:${files}`, process.execPath, ...START]
  return whenReady(new Program('prlimit', args, { ...CHEAP, ...env }, folder))
}

/** @returns the resident memory of a service in KiB */
export function memoryOf(service: Service): number {
  return statusOf(service, 'VmRSS')
}

/**
 * @returns what of it the service has made itself, in KiB: that of the program's file, up to 70 MiB, the system takes and
 * brings back as it likes
 */
export function ownMemoryOf(service: Service): number {
  return statusOf(service, 'RssAnon')
}

function statusOf({ child }: Service, field: string): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  const [, found = '0'] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status) ?? []
  return Number(found)
}
