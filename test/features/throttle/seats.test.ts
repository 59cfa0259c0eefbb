/** How much of what is right may be under way at the same time: nobody keeps all hashes busy. */

import { expect, test } from 'vitest'
import { Seats } from '../../../src/features/throttle/seats.ts'
import { CHANGES_PER_ACCOUNT, SEATS_PER_ACCOUNT, SEATS_PER_NETWORK } from '../../../src/features/throttle.ts'
import {
  addressOf,
  inTurn,
  OWNER,
  production,
  productionOnFile,
  signedIn,
  stranger,
  tally,
  Visitor,
} from '../../production.ts'

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
