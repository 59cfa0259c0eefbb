/** What a sixth trial by hand found in mails, each as a test. */

import { expect, test } from 'vitest'
import type { House } from '../house.ts'
import { MAIL } from '../house.ts'
import { HOUR, inTurn, MINUTE, OWNER, production, stranger } from '../production.ts'
import { resetLetter } from './room.ts'

const LIMITS = { ...MAIL, RESETS_PER_ACCOUNT: '0', RESETS_PER_NETWORK: '0', REGISTRATIONS_PER_NETWORK: '0' }
const ADA = 'ada@lovelace.example'

/** @returns how many rows of the outbox have something in common */
async function rowsWhere({ db }: House, condition: string): Promise<number> {
  const ids = await db.read({ sql: `SELECT id FROM outbox WHERE ${condition}`, params: [] }, ({ id }) => id)
  return ids.length
}

function askForNobody(house: House, times: number) {
  return inTurn(times, (n) => stranger(house, n).askForReset(`nobody${n}@nowhere.example`))
}

test('H-19: however many letters to nobody are asked for, twenty wait, and the others are settled without work', async () => {
  const house = await production(LIMITS)
  await askForNobody(house, 60)
  expect(await house.outbox.claim(5, MINUTE)).toHaveLength(5)
  expect(await rowsWhere(house, 'due_at IS NOT NULL')).toBe(20)
  expect(await rowsWhere(house, "sealed <> ''")).toBe(20)
  for (const left of [15, 10, 5, 0]) {
    expect((await house.outbox.claim(5, MINUTE)).length, `${left} wait`).toBe(Math.min(left, 5))
  }
})

test('H-19: a letter to nobody is kept for the hour in which it counts, and swept then', async () => {
  const house = await production(LIMITS)
  await askForNobody(house, 30)
  for (const row of await house.outbox.claim(20, MINUTE)) await house.outbox.settle(row)
  house.clock.advance(HOUR - 1)
  await house.outbox.sweep()
  expect(await rowsWhere(house, "kind = 'decoy'")).toBe(30)
  house.clock.advance(1)
  await house.outbox.sweep()
  expect(await rowsWhere(house, "kind = 'decoy'")).toBe(0)
})

test('H-19: letters are claimed before all that go to nobody, which take the places that are left', async () => {
  const house = await production(LIMITS)
  await askForNobody(house, 10)
  house.clock.advance(MINUTE)
  const letters = [ADA, OWNER].map((to) => house.outbox.put(resetLetter(to)))
  await house.db.commit(letters.flat())
  const kinds = (await house.outbox.claim(5, MINUTE)).map(({ kind }) => kind)
  expect(kinds.sort()).toEqual(['decoy', 'decoy', 'decoy', 'password_reset', 'password_reset'])
  expect((await house.outbox.claim(20, MINUTE)).map(({ kind }) => kind)).toEqual(Array(7).fill('decoy'))
})

test('R-02: for an address without an account as many letters are written in an hour as for another, however many wait', async () => {
  const house = await production({ ...LIMITS, MAILS_PER_ADDRESS: '3' })
  await stranger(house).register(OWNER)
  await askForNobody(house, 40)
  const written = async (email: string) => {
    const before = await rowsWhere(house, 'id IS NOT NULL')
    return inTurn(5, async () => {
      await stranger(house).askForReset(email)
      for (const row of await house.outbox.claim(20, MINUTE)) await house.outbox.settle(row)
      return (await rowsWhere(house, 'id IS NOT NULL')) - before
    })
  }
  expect(await written(OWNER)).toEqual([1, 2, 3, 3, 3])
  expect(await written('nobody@nowhere.example')).toEqual([1, 2, 3, 3, 3])
})
