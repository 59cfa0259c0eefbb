/** What is not a session check: logins against the limit that bcrypt sets, starts, memory at rest, checks under a flood. */

import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import bcrypt from 'bcrypt'
import { nodeProgram, service } from './contenders.ts'
import { type Program, Server } from './processes.ts'

const PASSWORD = 'four horses walk'
const AT_ONCE = 2
const HASHES = 24

export interface Rates {
  /** A second, in each round. */
  limit: number[]
  logins: number[]
}

/** Both use all processors; what is counted is what was done in a second. */
export async function compareLogins(folder: string, rounds = 4): Promise<Rates> {
  const url = `sqlite:${join(folder, 'logins.db')}`
  const server = await Server.start(service(url, { FAILURES_PER_NETWORK: '0', REGISTRATIONS_PER_NETWORK: '0' }), '0-1')
  const users = Array.from({ length: 2 * AT_ONCE }, (_, index) => `email=user${index}@example.org&password=${PASSWORD}`)
  for (const user of users) await post(server.port, '/users', user)
  const hash = await bcrypt.hash(PASSWORD, 12)
  const rates: Rates = { limit: [], logins: [] }
  for (let round = 0; round < rounds; round += 1) {
    rates.limit.push(await rateOf(AT_ONCE, () => bcrypt.compare(PASSWORD, hash)))
    rates.logins.push(await rateOf(users.length, (lane) => post(server.port, '/sessions', users[lane] ?? '')))
  }
  await server.stop()
  return rates
}

/** @returns how often a second `work` was done, by so many lanes at once */
async function rateOf(lanes: number, work: (lane: number) => Promise<unknown>): Promise<number> {
  const start = performance.now()
  const each = Array.from({ length: lanes }, async (_, lane) => {
    for (let done = 0; done < HASHES / lanes; done += 1) await work(lane)
  })
  await Promise.all(each)
  return (HASHES / (performance.now() - start)) * 1_000
}

function post(port: number, path: string, fields: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': fields.length }
    const sent = request({ port, host: '127.0.0.1', method: 'POST', path, headers }, (response) => {
      response.resume().on('end', () => {
        if (response.statusCode === 200) resolve()
        else reject(new Error(`${path} was answered with ${response.statusCode}`))
      })
    })
    sent.on('error', reject).end(fields)
  })
}

export interface Starts {
  /** Milliseconds from the command to the first answer. */
  fastify: number[]
  own: number[]
  /** Megabytes a second after that. */
  idle: number[]
}

/** An empty database each time. */
export async function compareStarts(folder: string, rounds = 6): Promise<Starts> {
  const starts: Starts = { fastify: [], own: [], idle: [] }
  const file = join(folder, 'starts.db')
  const own = service(`sqlite:${file}`)
  // The first start of a checkout compiles; what Node made of the sources is kept for all others.
  await startOf(own)
  for (let round = 0; round < rounds; round += 1) {
    starts.fastify.push((await startOf(nodeProgram('fastify.mjs', ['cookie']))).took)
    for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true })
    const { took, resident } = await startOf(own)
    starts.own.push(took)
    starts.idle.push(resident)
  }
  return starts
}

async function startOf(program: Program): Promise<{ took: number; resident: number }> {
  const start = performance.now()
  const server = await Server.start(program)
  await fetch(`http://127.0.0.1:${server.port}/profile`).then((answer) => answer.text())
  const took = performance.now() - start
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  const resident = server.resident()
  await server.stop()
  return { took, resident }
}

/** Ratios of the times of session checks with fifty logins at once to those without, in each round. */
export interface Flood {
  median: number[]
  p99: number[]
}

export function compareFlood(rounds = 5): Flood {
  const said = execFileSync(process.execPath, [join(import.meta.dirname, 'overload.ts'), String(rounds)]).toString()
  return JSON.parse(said.trim().split('\n').at(-1) ?? '')
}
