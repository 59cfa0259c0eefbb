/** The session check: by cookie and by token, the first time and again, few and many sessions, on both databases. */

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Session } from '../src/session.ts'
import { startPostgres } from '../test/postgres/server.ts'
import { type Contender, nodeProgram, prepareRivals, service } from './contenders.ts'
import { fill } from './databases.ts'
import { type Measured, Track } from './rounds.ts'

export const COUNT = 100_000
const ROUNDS = 8
/** Sessions that warm the compiler up and are not measured. */
const WARMING = 30_000
/** Requests and milliseconds of one round, whichever ends first. */
const ROUND = { requests: COUNT / ROUNDS, duration: 1_000 }
export const CONSTANT = 'Fastify with @fastify/cookie, a constant answer'
export const SERVICE = 'Bienvenue'
export const NODE = "Node's HTTP server, a constant answer"

export interface Checks {
  cold: Measured[]
  warm: Measured[]
  leftOut: string[]
  /** Megabytes of this service: after how many checks it had how much. */
  memory: { checks: number; resident: number }[]
}

/** All contenders on SQLite. */
export async function compareChecks(folder: string): Promise<Checks> {
  const headers = join(folder, 'own.cookies')
  const own = `sqlite:${join(folder, 'own.db')}`
  const logged = `sqlite:${join(folder, 'logged.db')}`
  await fill(own, COUNT, WARMING, headers)
  for (const name of ['logged']) execFileSync('cp', [join(folder, 'own.db'), join(folder, `${name}.db`)])
  const { rivals, leftOut } = prepareRivals(folder, COUNT)
  const ours = { name: SERVICE, program: service(own), headers }
  const contenders: Contender[] = [
    { name: "Node's TCP server, constant bytes", program: nodeProgram('node.mjs', ['tcp']), headers },
    { name: NODE, program: nodeProgram('node.mjs'), headers },
    { name: 'Fastify, a constant answer', program: nodeProgram('fastify.mjs'), headers },
    { name: CONSTANT, program: nodeProgram('fastify.mjs', ['cookie']), headers },
    ours,
    { name: 'Bienvenue, a line in the log for each', program: service(logged, { LOG_REQUESTS: 'true' }), headers },
    await byToken(folder),
    ...rivals,
  ]
  const track = new Track()
  try {
    for (const contender of contenders) {
      await track.enter(contender)
      const from = contender.headers === headers ? COUNT : 0
      await track.run(contender.name, { from, count: WARMING, requests: WARMING, duration: 2_000 })
    }
    const { count, requests } = { count: ROUND.requests, requests: ROUND.requests }
    const cold = await track.rounds([CONSTANT, SERVICE], ROUNDS, (round) => {
      return { from: round * count, count, requests, duration: 60_000 }
    })
    const names = contenders.map(({ name }) => name)
    const warm = await track.rounds(names, ROUNDS, (round) => ({ ...ROUND, from: round * count, count }))
    await track.leave(names.filter((name) => name !== SERVICE))
    return { cold, warm, leftOut, memory: await memoryOf(track) }
  } finally {
    await track.close()
  }
}

async function memoryOf(track: Track): Promise<Checks['memory']> {
  const memory: Checks['memory'] = []
  for (const checks of [1_000_000, 2_000_000]) {
    await track.run(SERVICE, { from: 0, count: COUNT, requests: 1_000_000, duration: 120_000 })
    memory.push({ checks, resident: track.resident(SERVICE) })
  }
  return memory
}

/** Bearer tokens of sessions of their own, each of which is seen again and again. */
async function byToken(folder: string): Promise<Contender> {
  const { Auth } = await import('../src/auth.ts')
  const { migrations } = await import('../src/app.ts')
  const { DB } = await import('../src/db.ts')
  const { readSettings } = await import('../src/settings.ts')
  const program = service(`sqlite:${join(folder, 'tokens.db')}`, { ACCESS_TOKEN_LIFETIME: '1h' })
  const settings = readSettings(program.env)
  const db = await DB.open(settings.databaseUrl, { migrations })
  const auth = new Auth(db, settings)
  const lines: string[] = []
  const now = Date.now()
  for (let index = 0; index < 1_000; index += 1) {
    const { id: userId } = await db.addUser(`user${index}@example.org`, '!')
    const id = crypto.randomUUID()
    const session: Session = {
      ...{ id, userId, secretHash: id, kind: 'token', familyHash: id, rotatedAt: null, address: '', userAgent: '' },
      ...{ createdAt: now, authenticatedAt: now, lastSeenAt: now, expiresAt: now + 86_400_000 },
    }
    await db.addSession(session)
    lines.push(`authorization: Bearer ${(await auth.tokens.issue(session)).accessToken}`)
  }
  await db.close()
  const headers = join(folder, 'tokens.headers')
  writeFileSync(headers, `${lines.join('\n')}\n`)
  return { name: 'Bienvenue, by bearer token', program, headers }
}

/** A thousand sessions against a million, in files that the system has read before. */
export async function compareSizes(folder: string): Promise<Measured[]> {
  const track = new Track()
  try {
    const sizes = [1_000, 1_000_000]
    for (const size of sizes) {
      const [url, headers] = [`sqlite:${join(folder, `${size}.db`)}`, join(folder, `${size}.cookies`)]
      await fill(url, size, 0, headers)
      await track.enter({ name: String(size), program: service(url), headers })
      await track.run(String(size), { from: 0, count: size, requests: 200_000, duration: 20_000 })
    }
    const requests = 20_000
    return await track.rounds(sizes.map(String), ROUNDS, (round, name) => {
      return {
        from: (round * requests) % Number(name),
        count: Math.min(requests, Number(name)),
        requests,
        duration: 5_000,
      }
    })
  } finally {
    await track.close()
  }
}

export const LOOK_UP = 'Fastify, one prepared look-up with pg'

export async function comparePostgres(folder: string): Promise<Measured[]> {
  const server = await startPostgres()
  const track = new Track()
  try {
    const headers = join(folder, 'postgres.cookies')
    await fill(server.url, COUNT, 0, headers)
    await track.enter({
      name: LOOK_UP,
      program: nodeProgram('pg_lookup.mjs', [], { DATABASE_URL: server.url }),
      headers,
    })
    await track.enter({ name: SERVICE, program: service(server.url), headers })
    for (const name of [LOOK_UP, SERVICE]) {
      await track.run(name, { from: 0, count: COUNT, requests: WARMING, duration: 3_000 })
    }
    return await track.rounds([LOOK_UP, SERVICE], ROUNDS, (round) => {
      return { ...ROUND, from: round * ROUND.requests, count: ROUND.requests }
    })
  } finally {
    await track.close()
    await server.remove()
  }
}
