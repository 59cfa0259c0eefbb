/**
 * What a bearer token costs beside the session cookie: `node bench/bearer.ts [rounds]`. One process, the app as it runs in
 * production, the same route by the one and by the other in turns, and the processor time of each round, so that other
 * programs on the machine count less than a clock would make them. docs/tokens.md keeps the results.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { buildApp, listFeatures, migrations } from '../src/app.ts'
import { Auth } from '../src/auth.ts'
import { DB } from '../src/db.ts'
import { makeLog } from '../src/log.ts'
import { Outbox } from '../src/mail/outbox.ts'
import { readSettings } from '../src/settings.ts'

const ROUNDS = Number(process.argv[2] ?? 40)
const PER_ROUND = 1_000
const COOKIE = 'session cookie'
const LOGIN = { email: 'ada@lovelace.example', password: 'four horses walk' }

type Headers = Record<string, string>

interface Opened {
  app: FastifyInstance
  auth: Auth
  db: DB
}

async function opened(folder: string): Promise<Opened> {
  const settings = readSettings({
    NODE_ENV: 'production',
    PUBLIC_URL: 'https://auth.example.org',
    SECRET: 'b7Qx0mT9rVw2Zk4LpN8sYc6HdJ1fGu3A',
    DATABASE_URL: `sqlite:${join(folder, 'bienvenue.db')}`,
    ACCESS_TOKEN_LIFETIME: '1h',
    BCRYPT_COST: '10',
  })
  const log = await makeLog(settings, { write: () => undefined })
  const db = await DB.open(settings.databaseUrl, { migrations })
  const outbox = new Outbox(db, settings)
  const auth = new Auth(db, settings, listFeatures(db, settings, log, outbox))
  return { app: await buildApp({ auth, settings, log, outbox }), auth, db }
}

async function carriers(app: FastifyInstance): Promise<Map<string, Headers>> {
  await app.inject({ method: 'POST', url: '/users', payload: LOGIN })
  const session = await app.inject({ method: 'POST', url: '/sessions', payload: LOGIN })
  const tokens = await app.inject({ method: 'POST', url: '/tokens', payload: LOGIN })
  const front = await app.inject({ method: 'POST', url: '/tokens', payload: { ...LOGIN, transport: 'cookie' } })
  const pair = (answer: typeof session, name: string) => {
    const cookie = answer.cookies.find((one) => one.name.endsWith(name))
    return `${cookie?.name}=${cookie?.value}`
  }
  return new Map([
    [COOKIE, { cookie: pair(session, 'session_id') }],
    ['bearer token', { authorization: `Bearer ${tokens.json().access_token}` }],
    ['token in a cookie', { cookie: pair(front, 'access_token') }],
  ])
}

/** @returns microseconds of processor time for one request, each with the next of these headers */
async function round(app: FastifyInstance, all: readonly Headers[]): Promise<number> {
  const before = process.cpuUsage()
  for (let sent = 0; sent < PER_ROUND; sent += 1) {
    const headers = all[sent % all.length] ?? {}
    const { statusCode } = await app.inject({ url: '/profile', headers })
    if (statusCode !== 200) throw new Error(`a request was answered with ${statusCode}`)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / PER_ROUND
}

/** Tokens of which no signature was checked yet. */
async function unseen({ db, auth }: Opened): Promise<Headers[]> {
  const session = (await db.findSessionsOf(1)).find(({ kind }) => kind === 'token')
  if (session === undefined) throw new Error('no program has logged in')
  const headers: Headers[] = []
  while (headers.length < PER_ROUND) {
    headers.push({ authorization: `Bearer ${(await auth.tokens.issue(session)).accessToken}` })
  }
  return headers
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}

const folder = mkdtempSync(join(tmpdir(), 'bienvenue-bench-'))
try {
  const house = await opened(folder)
  const { app, db } = house
  const all = await carriers(app)
  const cookie = [all.get(COOKIE) ?? {}]
  const compare = async (name: string, made: () => Promise<Headers[]>, rounds: number) => {
    const [own, beside]: [number[], number[]] = [[], []]
    for (let done = 0; done < rounds; done += 1) {
      const headers = await made()
      // In turns, so that a busy minute weighs on both.
      beside.push(await round(app, cookie))
      own.push(await round(app, headers))
    }
    const ratio = median(own.map((time, index) => time / (beside[index] ?? time)))
    const [left, right] = [median(own).toFixed(1), median(beside).toFixed(1)]
    console.log(`${name}: ${left} µs of processor time a request, the cookie ${right} µs: ${ratio.toFixed(2)} times`)
  }
  for (const headers of all.values()) await round(app, [headers])
  for (const [name, headers] of all) await compare(name, async () => [headers], ROUNDS)
  // Last, since a thousand signatures leave much behind to be cleared.
  await compare('bearer token, its first time', () => unseen(house), ROUNDS / 4)
  await app.close()
  await db.close()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
