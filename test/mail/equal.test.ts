/**
 * Nobody learns from an answer, or from the time that it takes, whether an address has an account, where mail is sent. As in
 * test/security/equal_time.test.ts the subjects are tried in turn and compared within each round.
 */

import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { migrations } from '../../src/app.ts'
import { DB } from '../../src/db.ts'
import { PasswordHasher } from '../../src/security/password.ts'
import type { Settings } from '../../src/settings.ts'
import { type House, letters, MAIL, openHouse, PRODUCTION } from '../house.ts'
import type { Answer } from '../production.ts'
import { temporaryFolder } from '../started.ts'
import { deliveryOf } from './room.ts'
import { startSmtp } from './smtp.ts'

// A busy machine takes its time, and then what is disturbed is repeated.
vi.setConfig({ testTimeout: 180_000 })

const KNOWN = 'known@example.org'
const REPEATS = 3
/** Some 30 ms for a hash, against which what a commit waits for the disk is small. */
const COST = 9

const UNLIMITED: Partial<Settings> = {
  ...{ resetsPerAccount: 1_000_000, resetsPerNetwork: 1_000_000, registrationsPerNetwork: 1_000_000 },
  ...{ mailsPerAddress: 0, bcryptCost: COST },
}

/** @returns a house on a file, in which one address has an account */
async function houseWithOne(env: Record<string, string>, overrides: Partial<Settings> = {}): Promise<House> {
  const url = `sqlite:${join(temporaryFolder(), 'bienvenue.db')}`
  const db = await DB.open(url, { migrations })
  await db.addUser(KNOWN, await new PasswordHasher({ cost: COST, concurrency: 1, queue: 1 }).hash('right'))
  await db.close()
  const house = await openHouse(
    { ...PRODUCTION, ...MAIL, LOG_LEVEL: 'error', DATABASE_URL: url, ...env },
    { ...UNLIMITED, ...overrides },
  )
  onTestFinished(house.close)
  return house
}

function post({ app }: House, url: string, payload: Record<string, string>): Promise<Answer> {
  return app.inject({ method: 'POST', url, payload, remoteAddress: '192.0.2.1' })
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

type Attempt = () => Promise<unknown>

async function timed(attempt: Attempt): Promise<number> {
  const begun = performance.now()
  await attempt()
  return performance.now() - begun
}

/** @returns the median of how many times as long the second takes as the first */
async function measured(first: Attempt, second: Attempt, rounds: number): Promise<number> {
  const ratios: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    // Each begins every other round.
    const before = round % 2 === 0 ? await timed(first) : await timed(second)
    const after = round % 2 === 0 ? await timed(second) : await timed(first)
    ratios.push(round % 2 === 0 ? after / before : before / after)
  }
  return median(ratios)
}

/** A disturbed measurement is repeated; a step that is missing is missing every time. */
async function expectEqual(first: Attempt, second: Attempt, { equal = 1.35, rounds = 100 } = {}): Promise<void> {
  const ratios: number[] = []
  do ratios.push(await measured(first, second, rounds))
  while (ratios.length < REPEATS && !isEqual(ratios.at(-1), equal))
  expect(isEqual(ratios.at(-1), equal), `as many times as long: ${ratios}`).toBe(true)
}

function isEqual(ratio = Number.NaN, equal = 1): boolean {
  return ratio < equal && ratio > 1 / equal
}

/** @returns what gives an address that nobody has, another one each time */
function strangers(): () => string {
  let count = 0
  return () => {
    count += 1
    return `nobody${count}@example.org`
  }
}

/** All that a stranger sees of an answer; what a cookie holds is random. */
function seen({ statusCode, headers: { date, ...headers }, body, cookies }: Answer): string {
  const names = cookies.map(({ name, value, ...rest }) => [name, value.length, rest])
  return JSON.stringify([statusCode, { ...headers, 'set-cookie': names }, body])
}

test('R-02: 1,000 requests for addresses without an account mail nobody', async () => {
  const smtp = await startSmtp()
  const house = await houseWithOne({ SMTP_URL: smtp.url, LOG_LEVEL: 'info' })
  const delivery = deliveryOf(house)
  house.outbox.listen(() => delivery.wake())
  const answers = new Set<string>()
  for (let n = 0; n < 1_000; n += 1) {
    answers.add(seen(await post(house, '/reset_password', { email: `nobody${n}@example.org` })))
    if (n === 500) answers.add(seen(await post(house, '/reset_password', { email: KNOWN })))
  }
  expect(answers.size).toBe(1)
  expect((await house.outbox.recent(1_000)).length).toBe(1)
  await vi.waitFor(() => expect(smtp.received.map(({ to }) => to)).toEqual([[KNOWN]]), { timeout: 10_000 })
  await delivery.stop()
  expect(smtp.tries).toEqual([KNOWN])
})

test.each(['/reset_password', '/email_verification'])(
  'R-02: %s has the database do the same for every address',
  async (url) => {
    const house = await houseWithOne({})
    const commit = vi.spyOn(house.db, 'commit')
    const batches: string[][] = []
    for (const email of [KNOWN, 'nobody@example.org']) {
      commit.mockClear()
      await post(house, url, { email })
      const batch = commit.mock.calls.map(([statements]) => statements).find((one) => one.length > 1) ?? []
      batches.push(batch.map(({ sql }) => sql))
    }
    expect(batches[0]?.filter((sql) => sql.includes('one_time_tokens')).length).toBeGreaterThan(1)
    expect(batches[1]).toEqual(batches[0])
  },
)

test('A-08: a wrong password has the database do the same for every address', async () => {
  const house = await houseWithOne({})
  const commit = vi.spyOn(house.db, 'commit')
  const written: string[][] = []
  for (const email of [KNOWN, 'nobody@example.org']) {
    commit.mockClear()
    expect((await post(house, '/sessions', { email, password: 'wrong' })).statusCode).toBe(401)
    written.push(commit.mock.calls.flat(2).map(({ sql }) => sql))
  }
  expect(written[0]?.filter((sql) => /outbox|login_failures/.test(sql))).toHaveLength(2)
  expect(written[1]).toEqual(written[0])
})

test('R-02: a reset takes as long for a known address, to which a mail goes, as for an unknown one', async () => {
  const house = await houseWithOne({})
  const stranger = strangers()
  const ask = (email: string) => post(house, '/reset_password', { email })
  await expectEqual(
    () => ask(stranger()),
    () => ask(KNOWN),
  )
})

test('R-02: another confirmation mail takes as long and is answered alike for every address', async () => {
  const house = await houseWithOne({})
  const answers = new Set<string>()
  const stranger = strangers()
  const ask = async (email: string) => answers.add(seen(await post(house, '/email_verification', { email })))
  await expectEqual(
    () => ask(stranger()),
    () => ask(KNOWN),
  )
  expect(answers.size).toBe(1)
})

test('A-13: where accounts are hidden, a registration is answered alike for a taken and a free address', async () => {
  const house = await houseWithOne({ HIDE_ACCOUNTS: 'true', REQUIRE_CONFIRMED_EMAIL: 'true' })
  const register = (email: string) => post(house, '/users', { email, password: 'a quiet corner of the library' })
  // As long as the known one, since the answer repeats what was typed.
  const free = 'newer@example.org'
  const [first, second] = [await register(free), await register(KNOWN)]
  expect(first.statusCode).toBe(200)
  expect(seen(second).replaceAll(KNOWN, 'it')).toBe(seen(first).replaceAll(free, 'it'))
  expect(first.headers['set-cookie']).toBeUndefined()
  const written = (await letters(house)).map(({ kind, to }) => `${kind} ${to}`)
  expect(written.sort()).toEqual([`account_exists ${KNOWN}`, `email_confirmation ${free}`])
  // Nor does a login tell, as long as the address is not confirmed.
  const logIn = async (email: string) =>
    seen(await post(house, '/sessions', { email, password: 'a quiet corner of the library' }))
  expect(await logIn(free)).toBe(await logIn(KNOWN))
})

test('A-13: where accounts are hidden, a registration takes as long for a taken address as for a free one', async () => {
  const house = await houseWithOne({ HIDE_ACCOUNTS: 'true', REQUIRE_CONFIRMED_EMAIL: 'true' })
  const stranger = strangers()
  const register = (email: string) => post(house, '/users', { email, password: 'a quiet corner of the library' })
  await expectEqual(
    () => register(stranger()),
    () => register(KNOWN),
    { equal: 1.3, rounds: 40 },
  )
})
