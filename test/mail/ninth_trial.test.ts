/** What a ninth trial by hand found in mails, as tests: what is seen of a mail server that takes its time. */

import { expect, onTestFinished, test, vi } from 'vitest'
import type { Delivery } from '../../src/mail/delivery.ts'
import { type House, MAIL } from '../house.ts'
import { NOBODY, OWNER, production, stranger } from '../production.ts'
import { deliveryOf, resetLetter } from './room.ts'
import { PATIENCE } from './smtp.ts'

const LIMITS = { ...MAIL, MAILS_PER_ADDRESS: '0', RESETS_PER_ACCOUNT: '0', RESETS_PER_NETWORK: '0' }
/** What the mail server takes for a letter, in milliseconds; less than until the next connection for nobody. */
const TAKEN_IN = 900
const LANES = 5

interface Slow {
  house: House
  /** For each letter to nobody, whether the mail server might be reached. */
  reached: boolean[]
  /** Lets all that waits go. @returns who was handed a letter, round by round */
  rounds(): Promise<string[][]>
  /** How long all of it has taken, in milliseconds. */
  time(): number
}

/** Time passes only when all lanes wait for it: what is seen is the order, not how fast the machine is. */
async function slowHouse(takes = TAKEN_IN): Promise<Slow> {
  const house = await production(LIMITS)
  const reached: boolean[] = []
  let now = 0
  let handed: string[] = []
  let asleep: { until: number; wake: () => void }[] = []
  const pause = (time: number) => new Promise<void>((wake) => void asleep.push({ until: now + time, wake }))
  const transport = {
    async send({ to }: { to: string }) {
      await pause(takes)
      handed.push(to)
    },
    async pretend(_message: unknown, reaches: boolean) {
      reached.push(reaches)
    },
  }
  const delivery: Delivery = deliveryOf(house, {}, { transport, pause, clock: () => now })
  onTestFinished(async () => {
    for (const { wake } of asleep) wake()
    await delivery.stop()
  })

  /** Waits until every lane is kept, or as many as there are letters. @returns how many */
  const atRest = () =>
    vi.waitFor(
      async () => {
        const sql = 'SELECT id FROM outbox WHERE due_at IS NOT NULL'
        const left = await house.db.read({ sql, params: [] }, ({ id }) => id)
        expect(asleep.length).toBe(Math.min(LANES, left.length))
        return left.length
      },
      { timeout: PATIENCE / 2, interval: 5 },
    )

  async function rounds() {
    const seen: string[][] = []
    delivery.wake()
    while ((await atRest()) > 0) {
      now = Math.min(...asleep.map(({ until }) => until))
      const awake = asleep.filter(({ until }) => until <= now)
      asleep = asleep.filter(({ until }) => until > now)
      for (const { wake } of awake) wake()
      await atRest()
      seen.push(handed.sort())
      handed = []
    }
    return seen
  }
  return { house, reached, rounds, time: () => now }
}

/** Hands letters in, each of them due a little later than the one before. */
async function post({ db, outbox, clock }: House, kind: 'put' | 'decoy', names: readonly string[]): Promise<void> {
  for (const name of names) {
    await db.commit(outbox[kind](resetLetter(`${name}@example.org`)))
    clock.advance(1)
  }
}

function named(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${name}${10 + n}`)
}

/**
 * A stranger asks for a reset of an address among many of their own.
 * @param wasted how many letters to nobody went before
 * @returns in which rounds the stranger's own go, and whether the mail server might be reached for the last one to nobody
 */
async function seenByStranger(email: string, wasted: number) {
  const { house, reached, rounds } = await slowHouse()
  await post(house, 'decoy', named('nobody', wasted))
  await rounds()
  await stranger(house).register(OWNER)
  expect(await rounds()).toEqual([[OWNER]])
  const own = named('own', 12)
  await post(house, 'put', own.slice(0, 3))
  await stranger(house).askForReset(email)
  house.clock.advance(1)
  await post(house, 'put', own.slice(3))
  const seen = (await rounds()).map((round) => round.filter((to) => to !== OWNER))
  return { seen, reached: reached.slice(wasted) }
}

test.each([
  ['the mail server is reached', 0, true],
  ['it has been reached too often', 20, false],
] as const)(
  'R-02: a stranger’s letters go in the same rounds, whether another address is mailed or not: for nobody %s',
  async (_, wasted, reaches) => {
    const known = await seenByStranger(OWNER, wasted)
    expect(known.seen.map(({ length }) => length)).toEqual([4, 5, 3])
    expect(known.reached).toEqual([])
    expect(await seenByStranger(NOBODY, wasted)).toEqual({ seen: known.seen, reached: [reaches] })
  },
)

test('H-19: however many letters to nobody are asked for, a letter waits for four rounds of them at the most', async () => {
  const { house, rounds } = await slowHouse()
  await post(house, 'put', ['first'])
  await rounds()
  await post(house, 'decoy', named('nobody', 60))
  await post(house, 'put', ['somebody'])
  expect(await rounds()).toEqual([[], [], [], [], ['somebody@example.org']])
})

test('H-19: one letter that takes minutes does not make those to nobody keep their places as long', async () => {
  const { house, rounds, time } = await slowHouse(80_000)
  await post(house, 'put', ['first'])
  await rounds()
  await post(house, 'decoy', named('nobody', LANES))
  await rounds()
  expect(time()).toBe(85_000)
})

test('R-02: a letter to nobody whose link has ended leaves its lane as one to somebody does', async () => {
  const seen = async (kind: 'put' | 'decoy') => {
    const { house, rounds } = await slowHouse()
    await post(house, 'put', ['first'])
    await rounds()
    for (const _ of Array(3)) {
      const outdate = kind === 'put' ? 'outdate' : 'outdateDecoys'
      await house.db.commit(house.outbox[outdate]('password_reset', 'asked@example.org'))
      await post(house, kind, ['asked'])
    }
    const own = named('own', LANES)
    await post(house, 'put', own)
    return (await rounds()).map((round) => round.filter((to) => to.startsWith('own')).length)
  }
  const known = await seen('put')
  expect(known).toEqual([LANES - 1, 1])
  expect(await seen('decoy')).toEqual(known)
})
