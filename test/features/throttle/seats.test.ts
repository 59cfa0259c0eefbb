/** How much of what is right may be under way at the same time: nobody keeps all hashes busy. */

import { expect, test } from 'vitest'
import { Auth } from '../../../src/auth.ts'
import type { Attempt, Seams } from '../../../src/feature.ts'
import { Seats } from '../../../src/features/throttle/seats.ts'
import { CHANGES_PER_ACCOUNT, SEATS_PER_ACCOUNT, SEATS_PER_NETWORK, throttle } from '../../../src/features/throttle.ts'
import {
  addressOf,
  HOUR,
  inTurn,
  OWNER,
  PASSWORD,
  production,
  productionOnFile,
  signedIn,
  stranger,
  tally,
  Visitor,
} from '../../production.ts'

/** For what would wait without end, in milliseconds. */
const PATIENCE = 10_000
const OTHER = 'grace@hopper.example'

test('H-19: the known devices of one account leave a login of somebody else its place in a short queue', async () => {
  const house = await production({}, { hashConcurrency: 1, hashQueue: 2 * SEATS_PER_ACCOUNT })
  await signedIn(house)
  await signedIn(house, OTHER, addressOf(1))
  const devices = await inTurn(8, async (n) => {
    const device = new Visitor(house, addressOf(100 + n))
    await device.logIn()
    device.keepDeviceOnly()
    return device
  })
  const flood = devices.flatMap((device) => Array.from({ length: 9 }, () => device.at(house).logIn()))
  const others = await inTurn(5, () => stranger(house, 1).logIn(OTHER))
  expect(tally(others)).toEqual({ 200: 5 })
  expect(tally(await Promise.all(flood))[503]).toBeUndefined()
})

test('H-19: many accounts behind one address leave a login from elsewhere its place in a short queue', async () => {
  const house = await production(
    { REGISTRATIONS_PER_NETWORK: '0' },
    { hashConcurrency: 1, hashQueue: 2 * SEATS_PER_NETWORK },
  )
  const readers = await inTurn(30, (n) => signedIn(house, `reader${n}@byron.example`))
  await signedIn(house, OTHER, addressOf(1))
  const confirmed = { current_password: 'the long way round' }
  const flood = readers.map((reader) => reader.send('DELETE', '/sessions?others=true', confirmed))
  const others = await inTurn(5, () => stranger(house, 1).logIn(OTHER))
  expect(tally(others)).toEqual({ 200: 5 })
  expect(tally(await Promise.all(flood))).toEqual({ 200: 30 })
})

/** Lets 125 strangers do something again and again while the work is done. */
async function beside(attack: (n: number) => Promise<unknown>, work: () => Promise<void>): Promise<void> {
  let over = false
  const flood = Array.from({ length: 125 }, async (_, n) => {
    while (!over) await attack(100 + n)
  })
  try {
    await work()
  } finally {
    over = true
    await Promise.all(flood)
  }
}

test('A-06: whoever registers the address of an owner again and again takes no seat of theirs, nor of others', async () => {
  const house = await production({}, { hashConcurrency: 1 })
  const owner = await signedIn(house)
  await signedIn(house, OTHER, addressOf(1))
  const phone = owner.at(house)
  phone.keepDeviceOnly()
  const token = await house.auth.getResetPasswordToken(OWNER)
  await beside(
    (n) => stranger(house, n).register(),
    async () => {
      const logins = [await phone.logIn(), await stranger(house, 2).logIn(OTHER), await stranger(house, 3).logIn()]
      const ended = await owner.send('DELETE', '/sessions?others=true', { current_password: PASSWORD })
      expect(tally([...logins, ended, await stranger(house, 4).reset(token)])).toEqual({ 200: 5 })
    },
  )
})

test('A-06: a known device, a session and a mailed link have seats beside those of strangers', {
  timeout: PATIENCE,
}, async () => {
  const { db, settings } = await production()
  const { admit } = throttle(db, settings)
  const enter = async (kind: Attempt['kind'], n: number, named: Partial<Attempt> = {}) =>
    admit?.({ kind, emailKey: OWNER, client: { address: addressOf(n), userAgent: '' }, device: null, ...named })
  await inTurn(SEATS_PER_ACCOUNT, (n) => enter('login', n))
  await inTurn(SEATS_PER_ACCOUNT, (n) => enter('register', n))
  await inTurn(SEATS_PER_ACCOUNT, (n) => enter('guess_token', n, { tokenId: 'made up' }))
  let entered = false
  void enter('login', 5).then(() => {
    entered = true
  })
  await enter('login', 6, { device: 'known' })
  await enter('confirm', 7, { sessionId: 'alive' })
  await enter('guess_token', 8, { tokenId: 'mailed' })
  expect(entered).toBe(false)
})

test('H-19: a new password is hashed in the seat in which the current one was proven', async () => {
  const { db, settings } = await production()
  const left: string[] = []
  const seats: Seams = {
    admit:
      async ({ kind }) =>
      async (judged) =>
        void left.push(`${kind} ${judged}`),
  }
  const auth = new Auth(db, settings, [seats])
  await auth.registerUser(OWNER, PASSWORD)
  const checked = await auth.checkSession(await auth.createSession(OWNER))
  if (checked === null) throw new Error('there is no session')
  const change = { password: 'short', currentPassword: PASSWORD }
  await expect(auth.changeAccount(checked, change)).rejects.toMatchObject({ code: 'password_too_short' })
  // The seat is left with the refusal, and so not before.
  expect(left).toEqual(['register true', 'confirm false'])
})

test('a seat that is given back goes to whoever waits, and too many that wait are refused at once', async () => {
  const seats = new Seats()
  const wanted = [{ key: 'account', most: 2 }]
  const giveBack = [await seats.take(wanted), await seats.take(wanted)]
  let taken = 0
  const waiting = Array.from({ length: 100 }, () =>
    seats.take(wanted).then((back) => {
      taken += 1
      return back
    }),
  )
  await expect(seats.take(wanted)).rejects.toMatchObject({ code: 'throttled', retryAfter: 1 })
  await expect(seats.take([{ key: 'another', most: 1 }])).resolves.toBeTypeOf('function')
  expect(taken).toBe(0)
  for (const back of giveBack) back()
  for (const one of waiting) {
    const back = await one
    expect(taken).toBeLessThanOrEqual(waiting.length)
    back()
  }
  expect(taken).toBe(100)
})

test('H-19: a try that the full queue sent away leaves no count behind', async () => {
  const house = await productionOnFile({ HASH_CONCURRENCY: '1', HASH_QUEUE: '0' })
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, n) => stranger(house, n).logIn(`nobody${n}@example.org`, 'no way through here')),
  )
  const { 401: checked = 0, 503: busy = 0 } = tally(answers)
  expect(busy).toBeGreaterThan(10)
  expect(checked + busy).toBe(30)
  const left = house.rows("SELECT key FROM throttle_buckets WHERE key LIKE 'account %'")
  expect(left).toHaveLength(checked)
})

test.each([10, 12, 99])('H-19: nor a wait, where %i wrong ones came before it', async (before) => {
  const { db, settings, clock } = await production()
  const { admit } = throttle(db, settings)
  const tried = (n: number) =>
    admit?.({ kind: 'login', emailKey: OWNER, client: { address: addressOf(n), userAgent: '' }, device: null })
  for (let n = 0; n < before; n += 1) {
    await (await tried(n))?.(true)
    clock.advance(HOUR)
  }
  await (await tried(200))?.(false)
  await (await tried(201))?.(true)
  await expect(tried(202)).rejects.toMatchObject({ code: 'throttled' })
})

test('O-10: changes that need no password have an end, and what changes nothing leaves no row', async () => {
  const house = await productionOnFile()
  const laptop = await signedIn(house)
  const count = async () => {
    await house.upkeep()
    return house.rows("SELECT id FROM audit_log WHERE type IN ('name_changed', 'sessions_ended')").length
  }
  for (const _ of Array(50)) await laptop.send('PATCH', '/users/me', { name: '' })
  for (const _ of Array(50)) await laptop.send('DELETE', '/sessions?others=true')
  expect(await count()).toBe(0)
  const renamed = await inTurn(CHANGES_PER_ACCOUNT + 1, (n) => laptop.send('PATCH', '/users/me', { name: `Ada ${n}` }))
  expect(tally(renamed)).toEqual({ 200: CHANGES_PER_ACCOUNT, 429: 1 })
  expect(await count()).toBe(CHANGES_PER_ACCOUNT)
  expect((await laptop.logIn(OWNER)).statusCode).toBe(200)
})
