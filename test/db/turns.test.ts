/** What one process does for all: a turn is taken by one of those who ask at once, and by whoever asks when it is over. */

import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { must } from '../../src/db/table.ts'
import { takeTurn } from '../../src/db/turns.ts'
import { DB } from '../../src/db.ts'
import { TestClock } from '../house.ts'
import { emptyDatabase } from '../postgres/databases.ts'
import { temporaryFolder } from '../started.ts'

describe.each([
  ['SQLite', async () => `sqlite:${join(temporaryFolder(), 'bienvenue.db')}`],
  ['PostgreSQL', emptyDatabase],
])('on %s', (_, urlOf) => {
  async function processes(count: number, { now: clock }: TestClock): Promise<DB[]> {
    const url = await urlOf()
    const opened: DB[] = []
    for (let n = 0; n < count; n += 1) opened.push(await DB.open(url, { clock }))
    onTestFinished(async () => {
      for (const db of opened) await db.close()
    })
    return opened
  }

  test('of 20 who ask at once one gets the turn, and again when it is over', async () => {
    const dbs = await processes(4, new TestClock())
    const ask = async (now: number) => {
      const asked = Array.from({ length: 20 }, (_value, n) => dbs[n % 4]?.commit([must(takeTurn('x', now, now + 10))]))
      return (await Promise.all(asked)).filter((taken) => taken === true).length
    }
    expect([await ask(100), await ask(109), await ask(110)]).toEqual([1, 0, 1])
  })

  test('a turn that was taken before the clock went back keeps nobody from the next one', async () => {
    const [db] = await processes(1, new TestClock())
    const ask = (now: number) => db?.commit([must(takeTurn('x', now, now + 10))])
    // Other machines may be a little ahead.
    expect([await ask(1_000), await ask(995), await ask(100), await ask(109)]).toEqual([true, false, true, false])
  })

  test('what has ended is deleted by one process, and by any other half a minute later', async () => {
    const clock = new TestClock()
    const [one, other] = await processes(2, clock)
    if (one === undefined || other === undefined) throw new Error('there are no two')
    const { id: userId } = await one.addUser('bob@example.org', 'hash')
    const ended = (id: string) => ({
      ...{ id, userId, secretHash: 'x', kind: 'cookie' as const, familyHash: null, rotatedAt: null, address: '' },
      ...{ userAgent: '', createdAt: 0, authenticatedAt: 0, lastSeenAt: 0, expiresAt: 1 },
    })
    const left = async () => (await one.findSessionsOf(userId)).map(({ id }) => id)
    await one.addSession(ended('first'))
    await one.sweep(1_000)
    expect(await left()).toEqual([])
    await one.addSession(ended('second'))
    await other.sweep(1_000)
    expect(await left()).toEqual(['second'])
    clock.advance(30_000)
    await other.sweep(1_000)
    expect(await left()).toEqual([])
  })
})
