/**
 * Equal time for known and unknown addresses, in production. The subjects are tried in turn, round after round, and each
 * try is compared with one of an unknown address in the same round, so that what slows the machine slows both. A hash that
 * is missing or too many changes the median of these ratios by a factor of two or more; what is let pass is far from that.
 * It shows on the clock on the wall, which is what a stranger has, and in the time of the processor, which a busy machine
 * does not stretch: where work is compared it must show in both.
 */

import { join } from 'node:path'
import bcrypt from 'bcrypt'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { migrations } from '../../src/app.ts'
import { DB } from '../../src/db.ts'
import { PasswordHasher } from '../../src/security/password.ts'
import type { Settings } from '../../src/settings.ts'
import { type House, openHouse, PRODUCTION } from '../house.ts'
import { temporaryFolder } from '../started.ts'

// A busy machine hashes slowly, and then what is disturbed is repeated.
vi.setConfig({ testTimeout: 120_000 })

/** Of one hash: 7 ms and more, against which all else that a login does is small. */
const COST = 7
/** One is lower and one higher than the configured one. */
const COSTS = [COST - 1, COST, COST + 1]
const ROUNDS = 11
/** A disturbed measurement is repeated; a missing hash is missing every time. */
const REPEATS = 3
/** The ratio that counts as equal; a row of half the rounds that is not topped up comes to 0.5, no hash at all to under 0.1. */
const EQUAL = 1.25

const UNKNOWN = 'nobody@example.org'
const PASSWORDS = { short: 'not the right one', long: `${'wrong '.repeat(16)}long` }

const UNLIMITED: Partial<Settings> = {
  ...{ loginFailuresPerAccount: 1_000_000, failuresPerNetwork: 0, registrationsPerNetwork: 1_000_000 },
  ...{ resetsPerAccount: 1_000_000, resetsPerNetwork: 1_000_000 },
}

/** The stored hash of every account, by its address. */
const rows = new Map<string, string>()

beforeAll(async () => {
  for (const cost of COSTS) {
    const plain = await new PasswordHasher({ cost, concurrency: 1, queue: 1 }).hash('right')
    const long = await new PasswordHasher({ cost, concurrency: 1, queue: 1 }).hash('right '.repeat(20))
    for (const tag of ['2a', '2b', '2y']) rows.set(`${tag}-${cost}@example.org`, plain.replace('$2b$', `$${tag}$`))
    rows.set(`sha256-${cost}@example.org`, long)
  }
  rows.set('unusable@example.org', '!')
  expect([...rows.values()].map((row) => row.slice(0, 29))).toContainEqual(
    expect.stringContaining(`v=2,t=2b,r=${COST + 1}$`),
  )
  expect(bcrypt.getRounds(rows.get(`2b-${COST + 1}@example.org`) ?? '')).toBe(COST + 1)
})

/** The highest cost is read when the database is opened, and so the rows are there before. */
async function houseWith(accounts: ReadonlyMap<string, string>, overrides: Partial<Settings> = {}): Promise<House> {
  const url = `sqlite:${join(temporaryFolder(), 'bienvenue.db')}`
  const db = await DB.open(url, { migrations })
  for (const [email, row] of accounts) await db.addUser(email, row)
  await db.close()
  const house = await openHouse(
    { ...PRODUCTION, DATABASE_URL: url, LOG_LEVEL: 'error' },
    { bcryptCost: COST, ...UNLIMITED, ...overrides },
  )
  onTestFinished(house.close)
  return house
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

type Clock = () => number

const wall: Clock = () => performance.now()
const processor: Clock = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/** @returns by round what each clock says of each subject; each round begins with another one */
async function timed(subjects: readonly string[], rounds: number, clocks: readonly Clock[], attempt: Attempt) {
  // The first tries start threads and compile code.
  for (const subject of subjects) await attempt(subject)
  const times: Map<string, number[]>[] = []
  for (let round = 0; round < rounds; round += 1) {
    const first = (round * 5) % subjects.length
    const taken = new Map<string, number[]>()
    for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      const begun = clocks.map((clock) => clock())
      await attempt(subject)
      taken.set(
        subject,
        clocks.map((clock, index) => clock() - (begun[index] ?? 0)),
      )
    }
    times.push(taken)
  }
  return times
}

type Attempt = (subject: string) => Promise<unknown>

interface Measure {
  clocks?: readonly Clock[]
  equal?: number
  rounds?: number
}

/** @returns the subjects that a stranger could tell from the first one by the time, with the ratios by each clock */
async function distinguishable(
  [reference = '', ...others]: readonly string[],
  attempt: Attempt,
  { clocks = [wall, processor], equal = EQUAL, rounds = ROUNDS }: Measure = {},
) {
  let told = others.map((subject) => ({ subject, ratios: [Number.NaN] }))
  for (let repeat = 0; repeat < REPEATS && told.length > 0; repeat += 1) {
    const suspects = told.map(({ subject }) => subject)
    const times = await timed([reference, ...suspects], rounds, clocks, attempt)
    const ratioOf = (subject: string, clock: number) =>
      median(times.map((taken) => (taken.get(subject)?.[clock] ?? 0) / (taken.get(reference)?.[clock] ?? 0)))
    told = suspects
      .map((subject) => ({ subject, ratios: clocks.map((_, clock) => ratioOf(subject, clock)) }))
      .filter(({ ratios }) => ratios.every((ratio) => !(ratio < equal && ratio > 1 / equal)))
  }
  return told
}

function logIn({ app }: House, email: string, password: string) {
  return app.inject({ method: 'POST', url: '/sessions', payload: { email, password } })
}

test.each([
  ['short', PASSWORDS.short],
  ['of 100 bytes', PASSWORDS.long],
])(
  'A-12: a login takes as long for every stored hash as for an unknown address, with a password %s',
  async (_, password) => {
    const house = await houseWith(rows)
    const told = await distinguishable([UNKNOWN, ...rows.keys()], async (email) => {
      expect((await logIn(house, email, password)).statusCode).toBe(401)
    })
    expect(told).toEqual([])
  },
)

test('A-12: a login takes as long where no stored hash is as dear as the configured cost', async () => {
  const cheaper = new Map([...rows].filter(([email]) => !email.includes(`-${COST + 1}@`)))
  const house = await houseWith(cheaper, { bcryptCost: COST + 1 })
  // One that has come since the database was opened.
  const { email: latest } = await house.auth.registerUser('latest@example.org', 'a quiet corner of the library')
  const told = await distinguishable([UNKNOWN, latest, ...cheaper.keys()], async (email) => {
    expect((await logIn(house, email, PASSWORDS.long)).statusCode).toBe(401)
  })
  expect(told).toEqual([])
})

test.each([
  ['that was known at the start', { highestStoredCost: COST + 2 }, null],
  ['that was met since', {}, COST + 2],
])('A-12: an unknown address takes as long as the dearest password, one %s', async (_, options, met) => {
  const limits = { concurrency: 1, queue: 1 }
  const hashers = new Map([
    ['dear', new PasswordHasher({ cost: COST + 2, ...limits })],
    ['cheap', new PasswordHasher({ cost: COST, ...limits, ...options })],
  ])
  if (met !== null) await hashers.get('cheap')?.verify('wrong', `$2b$0${met}$${'a'.repeat(53)}`)
  const told = await distinguishable([...hashers.keys()], async (which) => hashers.get(which)?.verify('wrong', null))
  expect(told).toEqual([])
})

test('A-12: an unknown address, a wrong password and a disabled account have one answer', async () => {
  const house = await houseWith(rows)
  const answers = []
  for (const password of Object.values(PASSWORDS)) {
    for (const email of [UNKNOWN, ...rows.keys()]) answers.push(await logIn(house, email, password))
  }
  const [first] = answers.map(({ statusCode, headers: { date, ...headers }, body }) =>
    JSON.stringify({ statusCode, headers, body }),
  )
  expect(first).toContain('"statusCode":401')
  for (const {
    statusCode,
    headers: { date, ...headers },
    body,
  } of answers) {
    expect(JSON.stringify({ statusCode, headers, body })).toBe(first)
  }
})

/**
 * A free address ends with a commit, which waits for the disk, and a taken one with a rollback, which does not: 1 to 10 ms.
 * Here the hash takes some 30 ms, so that the wait is a fraction of it and a missing hash is not; in production it is ten
 * times less still. (The answer itself tells the two apart as long as there is no mail.)
 */
test('a registration takes as long for a taken address as for a free one', async () => {
  const house = await houseWith(rows, { bcryptCost: COST + 2 })
  const [taken = ''] = rows.keys()
  let count = 0
  const told = await distinguishable(
    ['free', 'taken'],
    async (which) => {
      count += 1
      const email = which === 'free' ? `free${count}@example.net` : taken
      const payload = { email, password: 'a quiet corner of the library' }
      const { statusCode } = await house.app.inject({ method: 'POST', url: '/users', payload })
      expect(statusCode).toBe(which === 'free' ? 200 : 400)
    },
    { equal: 1.6, rounds: 25 },
  )
  expect(told).toEqual([])
})

/**
 * Both ask the disk for two commits (the throttle's and the event's), of 1 to 10 ms each; a known address writes two rows
 * more within the second, some hundredths of that. An address that is let go without its commit comes to half the time.
 */
test('R-02: a reset request has the same answer in the same time for known and unknown addresses', async () => {
  const house = await houseWith(rows)
  const [known = ''] = rows.keys()
  const answers = new Set<string>()
  const told = await distinguishable(
    [UNKNOWN, known, 'unusable@example.org'],
    async (email) => {
      const {
        statusCode,
        headers: { date, 'set-cookie': cookie, ...headers },
        body,
      } = await house.app.inject({ method: 'POST', url: '/reset_password', payload: { email } })
      expect(statusCode).toBe(200)
      // Every browser gets a secret of its own, in the same form.
      const form = String(cookie).replace(/=[\w-]{36}\.[\w-]{43}(?=;)/, '=')
      answers.add(JSON.stringify({ statusCode, headers, body, form }))
    },
    { clocks: [wall], equal: 1.35, rounds: 60 },
  )
  expect(told).toEqual([])
  expect(answers.size).toBe(1)
})
