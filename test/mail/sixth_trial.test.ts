/** What a sixth trial by hand found in mails, each as a test. */

import { expect, onTestFinished, test, vi } from 'vitest'
import type { House } from '../house.ts'
import { MAIL } from '../house.ts'
import { HOUR, inTurn, MINUTE, OWNER, production, stranger } from '../production.ts'
import { deliveryOf, resetLetter } from './room.ts'
import { arrivals, startSmtp } from './smtp.ts'

const LIMITS = { ...MAIL, RESETS_PER_ACCOUNT: '0', RESETS_PER_NETWORK: '0', REGISTRATIONS_PER_NETWORK: '0' }
const ADA = 'ada@lovelace.example'

/** @returns how many rows of the outbox have something in common */
async function rowsWhere({ db }: House, condition: string): Promise<number> {
  const ids = await db.read({ sql: `SELECT id FROM outbox WHERE ${condition}`, params: [] }, ({ id }) => id)
  return ids.length
}

/** Settles all that is due, as if it had gone. */
async function settleAll({ outbox }: House): Promise<void> {
  for (;;) {
    const claimed = await outbox.claim(20, MINUTE)
    for (const row of claimed) await outbox.settle(row)
    if (claimed.length === 0) return
  }
}

function askForNobody(house: House, times: number) {
  return inTurn(times, (n) => stranger(house, n).askForReset(`nobody${n}@nowhere.example`))
}

test('H-19: however many letters to nobody are asked for, twenty wait, and the others are settled without work', async () => {
  const house = await production(LIMITS)
  await askForNobody(house, 60)
  expect(await house.outbox.claim(5, MINUTE)).toHaveLength(1)
  expect(await rowsWhere(house, 'due_at IS NOT NULL')).toBe(20)
  expect(await rowsWhere(house, "sealed <> ''")).toBe(20)
  const claimed = await inTurn(20, () => house.outbox.claim(5, MINUTE))
  expect(claimed.map(({ length }) => length)).toEqual([...Array(19).fill(1), 0])
})

test('H-19: a letter to nobody is kept for the hour in which it counts, and swept then', async () => {
  const house = await production(LIMITS)
  await askForNobody(house, 30)
  await settleAll(house)
  house.clock.advance(HOUR - 1)
  await house.outbox.sweep()
  expect(await rowsWhere(house, "kind = 'decoy'")).toBe(30)
  house.clock.advance(1)
  await house.outbox.sweep()
  expect(await rowsWhere(house, "kind = 'decoy'")).toBe(0)
})

test('H-19: letters are claimed before all that go to nobody, of which one takes a place that is left', async () => {
  const house = await production(LIMITS)
  await askForNobody(house, 10)
  house.clock.advance(MINUTE)
  const letters = [ADA, OWNER].map((to) => house.outbox.put(resetLetter(to)))
  await house.db.commit(letters.flat())
  const kinds = (await house.outbox.claim(5, MINUTE)).map(({ kind }) => kind)
  expect(kinds.sort()).toEqual(['decoy', 'password_reset', 'password_reset'])
  await house.db.commit([ADA, OWNER].flatMap((to) => house.outbox.put(resetLetter(to))))
  const full = await house.outbox.claim(2, MINUTE)
  expect(full.map(({ kind }) => kind)).toEqual(['password_reset', 'password_reset'])
  expect(await house.outbox.claim(5, MINUTE, false)).toEqual([])
  expect((await house.outbox.claim(5, MINUTE)).map(({ kind }) => kind)).toEqual(['decoy'])
})

test('H-19: letters to nobody go one after the other with time between them, and hold up no letter', async () => {
  const smtp = await startSmtp()
  const house = await production({ ...LIMITS, SMTP_URL: smtp.url })
  await askForNobody(house, 30)
  const delivery = deliveryOf(house, {}, () => HOUR)
  onTestFinished(() => delivery.stop())
  delivery.wake()
  await vi.waitFor(() => expect(smtp.connections).toBe(1), { timeout: 10_000 })
  await house.db.commit(house.outbox.put(resetLetter(ADA)))
  delivery.wake()
  await arrivals(smtp, 1)
  await delivery.stop()
  expect(smtp.connections).toBe(2)
  expect(await rowsWhere(house, 'due_at IS NOT NULL')).toBe(19)
})

test('letters to nobody that wait go by themselves when their time has come', async () => {
  const smtp = await startSmtp()
  const house = await production({ ...LIMITS, SMTP_URL: smtp.url })
  await askForNobody(house, 3)
  const delivery = deliveryOf(house, {}, () => 20)
  onTestFinished(() => delivery.stop())
  delivery.wake()
  await vi.waitFor(() => expect(smtp.connections).toBe(3), { timeout: 4_000 })
})

test('R-02: a letter to somebody takes the place of one to nobody', async () => {
  const smtp = await startSmtp()
  const house = await production({ ...LIMITS, SMTP_URL: smtp.url })
  await house.db.commit(house.outbox.put(resetLetter(ADA)))
  const delivery = deliveryOf(house, {}, () => HOUR)
  delivery.wake()
  await arrivals(smtp, 1)
  await askForNobody(house, 1)
  delivery.wake()
  await delivery.stop()
  expect([smtp.connections, await rowsWhere(house, 'due_at IS NOT NULL')]).toEqual([1, 1])
})

test('R-02: for an address without an account as many letters are written in an hour as for another, however many wait', async () => {
  const house = await production({ ...LIMITS, MAILS_PER_ADDRESS: '3' })
  await stranger(house).register(OWNER)
  await askForNobody(house, 40)
  const written = async (email: string) => {
    const before = await rowsWhere(house, 'id IS NOT NULL')
    return inTurn(5, async () => {
      await stranger(house).askForReset(email)
      await settleAll(house)
      return (await rowsWhere(house, 'id IS NOT NULL')) - before
    })
  }
  expect(await written(OWNER)).toEqual([1, 2, 3, 3, 3])
  expect(await written('nobody@nowhere.example')).toEqual([1, 2, 3, 3, 3])
})
