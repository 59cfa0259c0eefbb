/** The routes that cost a hash or a mail have a ceiling, for each network and for each address. */

import { describe, expect, test, vi } from 'vitest'
import { REFRESHES_PER_SESSION } from '../../../src/features/throttle.ts'
import { Program, programOf } from '../../app/program.ts'
import type { House } from '../../house.ts'
import {
  type Answer,
  addressOf,
  guess,
  HOUR,
  inTurn,
  linesOf,
  MADE_UP,
  MINUTE,
  NEW_PASSWORD,
  NOBODY,
  OWNER,
  PASSWORD,
  production,
  seen,
  signedIn,
  stranger,
  tally,
  Visitor,
  WRONG,
  waitOf,
} from '../../production.ts'

const OTHER_NETWORKS = 5_000

type Call = (house: House, from: number, n: number) => Promise<Answer>

const register: Call = (house, from, n) => stranger(house, from).register(`reader${from}.${n}@byron.example`)
const askForReset: Call = (house, from, n) => stranger(house, from).askForReset(`reader${n}@byron.example`)

/** Checks a password, and answers when the row has been read, so that the hash is what is under way. */
async function longHash({ auth, db }: House): Promise<{ hashing: Promise<boolean> }> {
  const read = vi.spyOn(db, 'findUserBy')
  const hashing = auth.validLogin(OWNER, PASSWORD)
  await read.mock.results.at(-1)?.value
  read.mockRestore()
  return { hashing }
}

describe('each network', () => {
  test.each<[string, Call, number]>([
    ['registers 20 times an hour', register, 20],
    ['asks for 20 resets an hour, whatever the addresses', askForReset, 20],
  ])('A-09: %s, then once in ten minutes; another network is not hit', async (_, call, ceiling) => {
    const house = await production()
    const answers = await inTurn(ceiling + 1, (n) => call(house, 1, n))
    expect(tally(answers)).toEqual({ 200: ceiling, 429: 1 })
    expect(answers.map(waitOf).at(-1)).toBe(600)
    expect((await call(house, 2, 0)).statusCode, 'another network').toBe(200)
    house.clock.advance(10 * MINUTE)
    expect([(await call(house, 1, 100)).statusCode, (await call(house, 1, 101)).statusCode]).toEqual([200, 429])
    house.clock.advance(HOUR)
    expect(tally(await inTurn(ceiling, (n) => call(house, 1, 200 + n)))).toEqual({ 200: ceiling })
  })

  test('A-09: a registration that is refused for its address counts like any other', async () => {
    const house = await production()
    await signedIn(house)
    expect(tally(await inTurn(21, () => stranger(house).register()))).toEqual({ 400: 20, 429: 1 })
  })

  test('A-09: a registration over the ceiling makes no account, whether the address is taken or free', async () => {
    const house = await production({ REGISTRATIONS_PER_NETWORK: '1' })
    await new Visitor(house).register()
    await stranger(house).register('reader@byron.example')
    const [taken, free] = [await stranger(house).register(OWNER), await stranger(house).register(NOBODY)]
    expect(seen(taken)).toEqual(seen(free))
    expect(free.statusCode).toBe(429)
    await expect(house.db.findUserBy({ email: NOBODY })).rejects.toThrow(/no row/)
  })

  test('A-09: a session is refreshed 120 times an hour, then once in half a minute, and a refused token is good later', async () => {
    const house = await production()
    const program = await programOf(house, OWNER, PASSWORD)
    const other = new Program(house)
    await other.logIn(OWNER, PASSWORD)
    const answers = await inTurn(REFRESHES_PER_SESSION + 1, () => program.refresh())
    expect(tally(answers)).toEqual({ 200: REFRESHES_PER_SESSION, 429: 1 })
    expect(answers.map(waitOf).at(-1)).toBe(30)
    expect((await other.refresh()).statusCode, 'another session').toBe(200)
    house.clock.advance(MINUTE / 2)
    expect([(await program.refresh()).statusCode, (await program.refresh()).statusCode]).toEqual([200, 429])
    house.clock.advance(HOUR)
    expect((await program.refresh()).statusCode).toBe(200)
  })

  test('A-09: no password is hashed for a try over the ceiling', async () => {
    const ceilings = { REGISTRATIONS_PER_NETWORK: '1', FAILURES_PER_NETWORK: '1', LOGIN_FAILURES_PER_ACCOUNT: '1' }
    // One hash at a time and none that waits for it, so that a try which needs one is told to come back.
    const house = await production(ceilings, { hashConcurrency: 1, hashQueue: 0, bcryptCost: 12 })
    await signedIn(house)
    await stranger(house, 1).register('reader@byron.example')
    await stranger(house, 1).logIn(OWNER, WRONG)
    const tries: [string, (from: number) => Promise<Answer>][] = [
      ['register', (from) => stranger(house, from).register(NOBODY)],
      ['log in', (from) => stranger(house, from).logIn(`reader${from}@byron.example`)],
      ['log in to an account that is guarded', (from) => stranger(house, from).logIn(from === 1 ? OWNER : NOBODY)],
    ]
    for (const [name, call] of tries) {
      const { hashing } = await longHash(house)
      expect((await call(2)).statusCode, `${name}, before`).toBe(503)
      expect((await call(1)).statusCode, name).toBe(429)
      expect((await call(2)).statusCode, `${name}, after`).toBe(503)
      expect(await hashing).toBe(true)
    }
  })

  test('a try that found no hash free does not count', async () => {
    const house = await production({}, { hashConcurrency: 1, hashQueue: 0, bcryptCost: 12 })
    await new Visitor(house).register()
    const { hashing } = await longHash(house)
    const busy = await inTurn(15, () => stranger(house).logIn(OWNER, WRONG))
    expect(tally(busy)).toEqual({ 503: 15 })
    expect(await hashing).toBe(true)
    expect((await stranger(house).logIn()).statusCode).toBe(200)
  })
})

describe('the reset', () => {
  test('R-10: is asked for five times an hour for one address, from wherever, known or not', async () => {
    const house = await production()
    await signedIn(house)
    const [known, unknown] = [
      await inTurn(6, (n) => stranger(house, n).askForReset(OWNER)),
      await inTurn(6, (n) => stranger(house, n).askForReset(NOBODY)),
    ]
    expect(tally(known)).toEqual({ 200: 5, 429: 1 })
    expect(known.map(seen)).toEqual(unknown.map(seen))
    expect(known.map(waitOf)).toEqual(unknown.map(waitOf))
    expect(known.map(waitOf).at(-1)).toBe(20 * 60)
    expect(linesOf(house, 'throttled').map(({ reason, address }) => [reason, address])).toEqual([
      ['request_reset', addressOf(5)],
    ])
    house.clock.advance(20 * MINUTE)
    expect((await stranger(house, 10).askForReset(OWNER)).statusCode).toBe(200)
  })

  test('R-10: the token of the last request stays good when further ones are refused', async () => {
    const house = await production()
    await signedIn(house)
    await inTurn(4, (n) => stranger(house, n).askForReset(OWNER))
    const token = await house.auth.getResetPasswordToken(OWNER)
    expect(tally(await inTurn(50, (n) => stranger(house, 10 + n).askForReset(OWNER)))).toEqual({ 429: 50 })
    expect((await stranger(house, OTHER_NETWORKS).reset(token)).statusCode).toBe(200)
  })

  test('R-10: of 1,000 wrong tokens from one network ten are looked at, and the owner is not locked out', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    const guessed = await inTurn(1_000, () => stranger(house).reset(MADE_UP))
    expect(tally(guessed)).toEqual({ 403: 10, 429: 990 })
    expect((await laptop.profile()).statusCode, 'a live session').toBe(200)
    expect((await new Visitor(house).logIn()).statusCode, 'a login').toBe(200)
    const token = await house.auth.getResetPasswordToken(OWNER)
    expect((await stranger(house).reset(token)).statusCode, 'the network of the guesses').toBe(429)
    expect((await stranger(house, 1).reset(token)).statusCode, 'another one').toBe(200)
  })

  test('R-10: wrong tokens and wrong passwords of one network are one count', async () => {
    const house = await production()
    const wrong = await inTurn(11, (n) =>
      n % 2 === 0 ? stranger(house).reset(MADE_UP) : stranger(house).logIn(`reader${n}@byron.example`, WRONG),
    )
    expect(tally(wrong)).toEqual({ 401: 5, 403: 5, 429: 1 })
  })

  test('R-10: asking for resets does not keep the owner from logging in', async () => {
    const house = await production()
    await signedIn(house)
    await inTurn(30, (n) => stranger(house, n).askForReset(OWNER))
    expect((await stranger(house, OTHER_NETWORKS).logIn()).statusCode).toBe(200)
  })

  test('R-10: good tokens are no guesses: twelve readers behind one address set their passwords', async () => {
    const house = await production({ REGISTRATIONS_PER_NETWORK: '0', RESETS_PER_NETWORK: '0' })
    const resets = await inTurn(12, async (n) => {
      const email = `reader${n}@byron.example`
      await stranger(house).register(email)
      return stranger(house).reset(await house.auth.getResetPasswordToken(email), NEW_PASSWORD, email)
    })
    expect(tally(resets)).toEqual({ 200: 12 })
  })

  test('empties the count of the account, so that the new password is not kept waiting', async () => {
    const house = await production()
    await signedIn(house)
    await guess(house, 11)
    const token = await house.auth.getResetPasswordToken(OWNER)
    const owner = stranger(house, OTHER_NETWORKS)
    expect((await owner.reset(token)).statusCode).toBe(200)
    expect((await owner.logIn(OWNER, NEW_PASSWORD)).statusCode).toBe(200)
  })
})
