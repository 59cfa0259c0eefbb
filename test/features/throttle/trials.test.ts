/** What an attack by hand once got through: each hole with the try that found it. */

import { setImmediate } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { throttle } from '../../../src/features/throttle.ts'
import {
  addressOf,
  inTurn,
  NEW_PASSWORD,
  NOBODY,
  OWNER,
  PASSWORD,
  production,
  signedIn,
  stranger,
  Visitor,
  WRONG,
} from '../../production.ts'

/** For what would wait without end, in milliseconds. */
const PATIENCE = 10_000

test('A-06: devices hoarded by somebody who knew the old password are strangers after a new one', async () => {
  const house = await production()
  const owner = await signedIn(house)
  const hoarder = new Visitor(house)
  await hoarder.logIn()
  hoarder.keepDeviceOnly()
  const change = { password: NEW_PASSWORD, current_password: PASSWORD }
  expect((await owner.send('PATCH', '/users/me', change)).statusCode).toBe(200)
  const guesses = await inTurn(12, () => hoarder.at(house, '203.0.113.9').logIn(OWNER, WRONG))
  expect(guesses.map(({ statusCode }) => statusCode)).toEqual([...new Array(10).fill(401), 429, 429])
  owner.keepDeviceOnly()
  expect((await owner.logIn(OWNER, NEW_PASSWORD)).statusCode, 'the device that changed it').toBe(200)
})

test('A-09: asking by a change of address who has an account has the ceiling of registrations', async () => {
  const house = await production()
  const reader = await signedIn(house)
  const ask = (n: number) =>
    reader.send('PATCH', '/users/me', { email: `somebody${n}@byron.example`, current_password: PASSWORD })
  const answers = await inTurn(21, ask)
  expect(answers.map(({ statusCode }) => statusCode).slice(-2)).toEqual([429, 429])
})

test('one who is signed in and always right does not keep all hashes busy', async () => {
  const house = await production({ HASH_CONCURRENCY: '1', HASH_QUEUE: '6' })
  const reader = await signedIn(house)
  const other = stranger(house, 1)
  await other.register('other@byron.example')
  const busy = Array.from({ length: 40 }, () =>
    reader.send('DELETE', '/sessions?others=true', { current_password: PASSWORD }),
  )
  const login = await other.logIn('other@byron.example')
  expect(login.statusCode).toBe(200)
  expect(new Set((await Promise.all(busy)).map(({ statusCode }) => statusCode))).toEqual(new Set([200]))
})

test.each([
  ['an IPv4 address with a port', (n: number) => `203.0.113.92:${1_000 + n}`],
  ['an IPv6 address with a port', (n: number) => `[2001:db8::9]:${1_000 + n}`],
  ['no address at all', (n: number) => `client-${n}`],
])('H-14: a trusted proxy that writes %s does not make each try another network', async (_, written) => {
  const house = await production({ TRUST_PROXY: '10.0.0.1' })
  const answers = await inTurn(11, (n) =>
    new Visitor(house, '10.0.0.1').logIn(`reader${n}@byron.example`, WRONG, { 'x-forwarded-for': written(n) }),
  )
  expect(answers.at(-1)?.statusCode).toBe(429)
})

test('behind a proxy that nobody named, one try of its own machine does not shut out all that it forwards', async () => {
  const house = await production()
  const proxy = (n: number, headers: Record<string, string>) =>
    new Visitor(house, '10.0.0.1').logIn(`reader${n}@byron.example`, WRONG, headers)
  await inTurn(25, (n) => proxy(n, { 'x-forwarded-for': `203.0.113.${n}` }))
  expect((await proxy(100, {})).statusCode).toBe(401)
  expect((await proxy(101, { 'x-forwarded-for': '203.0.113.101' })).statusCode).toBe(401)
})

test('a try that was counted, and is not known to be under way yet, is waited for', async () => {
  const { db, settings } = await production({ LOGIN_FAILURES_PER_ACCOUNT: '1' })
  const { admit } = throttle(db, settings)
  const client = { address: '203.0.113.9', userAgent: '' }
  const tried = async () => admit?.({ kind: 'login', emailKey: OWNER, client, device: null })
  const [counted, refusing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const { note, findBy } = db
  vi.spyOn(db, 'note').mockImplementationOnce(async (statements) => {
    const done = await note.call(db, statements)
    counted.resolve()
    // The answer of the database comes later than others see what it did.
    await refusing.promise
    return done
  })
  const first = tried()
  await counted.promise
  const reads = vi.spyOn(db, 'findBy').mockImplementation(async (table, criteria) => {
    if (reads.mock.calls.length > 1) refusing.resolve()
    await setImmediate()
    return findBy.call(db, table, criteria)
  })
  const second = tried()
  second.catch(() => refusing.resolve())
  const leave = await first
  await Promise.all(reads.mock.results.map(({ value }) => value))
  await setImmediate()
  await leave?.(false)
  await expect(second).resolves.toBeTypeOf('function')
})

test('a try that is blocked is refused at once, whatever else its network has under way', {
  timeout: PATIENCE,
}, async () => {
  const { db, settings } = await production()
  const { admit } = throttle(db, settings)
  const tried = async (emailKey: string, address: string) =>
    admit?.({ kind: 'login', emailKey, client: { address, userAgent: '' }, device: null })
  await inTurn(10, async (n) => {
    const leave = await tried(OWNER, addressOf(n))
    await leave?.(true)
  })
  await tried(NOBODY, '203.0.113.9')
  await expect(tried(OWNER, '203.0.113.9')).rejects.toMatchObject({ code: 'throttled', retryAfter: 30 })
})

test('a try does not wait without end for others that end one after the other', { timeout: PATIENCE }, async () => {
  const { db, settings } = await production({}, { resetsPerAccount: 300 })
  const { admit } = throttle(db, settings)
  const client = { address: '', userAgent: '' }
  const ask = async () => admit?.({ kind: 'request_reset', emailKey: OWNER, client, device: null })
  const held = await inTurn(300, ask)
  const looks = vi.spyOn(db, 'findBy')
  const late = expect(ask()).rejects.toMatchObject({ code: 'throttled' })
  for (const leave of held.slice(0, 250)) {
    await setImmediate()
    await looks.mock.results.at(-1)?.value
    await setImmediate()
    await leave?.(true)
  }
  await late
})
