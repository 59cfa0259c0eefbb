/** What a sixth trial by hand found in mails, each as a test. */

import { expect, onTestFinished, test, vi } from 'vitest'
import type { Statement } from '../../src/db.ts'
import type { House } from '../house.ts'
import { MAIL } from '../house.ts'
import { HOUR, inTurn, MINUTE, OWNER, production, stranger } from '../production.ts'
import { deliveryOf, resetLetter } from './room.ts'
import { PATIENCE, startSmtp } from './smtp.ts'

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
  expect(await house.outbox.claim(5, MINUTE)).toHaveLength(5)
  expect(await rowsWhere(house, 'due_at IS NOT NULL')).toBe(20)
  expect(await rowsWhere(house, "sealed <> ''")).toBe(20)
  const claimed = await inTurn(4, () => house.outbox.claim(5, MINUTE))
  expect(claimed.map(({ length }) => length)).toEqual([5, 5, 5, 0])
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

test('R-02: letters are claimed in the order in which they may go, to somebody or to nobody', async () => {
  const house = await production(LIMITS)
  const handIn = async (statements: readonly Statement[]) => {
    await house.db.commit(statements)
    house.clock.advance(1)
  }
  for (const n of [1, 2, 3]) {
    await handIn(house.outbox.decoy(resetLetter(`nobody${n}@nowhere.example`)))
    await handIn(house.outbox.put(resetLetter(n === 1 ? ADA : OWNER)))
  }
  const kinds = async (limit: number) => (await house.outbox.claim(limit, MINUTE)).map(({ kind }) => kind)
  expect(await kinds(3)).toEqual(['decoy', 'password_reset', 'decoy'])
  expect(await kinds(5)).toEqual(['password_reset', 'decoy', 'password_reset'])
})

test('H-19: for letters to nobody the mail server is reached twenty times at once, and once more every second', async () => {
  const smtp = await startSmtp()
  const house = await production({ ...LIMITS, MAILS_PER_ADDRESS: '0', SMTP_URL: smtp.url })
  let time = 0
  const delivery = deliveryOf(house, {}, { clock: () => time })
  onTestFinished(() => delivery.stop())
  const reached: number[] = []
  for (const passed of [0, 900, 2_100, HOUR, 0]) {
    time += passed
    const before = smtp.connections
    await askForNobody(house, 20)
    delivery.wake()
    await vi.waitFor(async () => expect(await rowsWhere(house, 'due_at IS NOT NULL')).toBe(0), { timeout: PATIENCE })
    reached.push(smtp.connections - before)
  }
  expect(reached).toEqual([20, 0, 3, 20, 0])
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
