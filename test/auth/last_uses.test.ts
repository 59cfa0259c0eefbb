/** Uses that wait to be written: none is lost, none is written twice, and they come in the order of the table. */

import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LastUses } from '../../src/auth/last_uses.ts'

function sessionOf(expiresAt: number, lastSeenAt = 10) {
  return { id: randomUUID(), lastSeenAt, expiresAt }
}

function dueOf(uses: LastUses, before: number, size = 500) {
  return [...uses.due(before, size)].flat()
}

test('the last use is known until it is written', () => {
  const uses = new LastUses()
  const session = sessionOf(100)
  expect(uses.of(session.id)).toBe(0)
  uses.add(session, 20)
  uses.add(session, 30)
  expect(uses.of(session.id)).toBe(30)
  const due = dueOf(uses, 10)
  expect(due).toEqual([{ id: session.id, at: 30 }])
  uses.written(due)
  expect(uses.of(session.id)).toBe(0)
  expect(dueOf(uses, 1_000)).toEqual([])
})

test('a use that comes while an earlier one is written waits for its turn', () => {
  const uses = new LastUses()
  const session = sessionOf(100)
  uses.add(session, 20)
  const due = dueOf(uses, 10)
  uses.add(session, 40)
  uses.written(due)
  expect(uses.of(session.id)).toBe(40)
  // The last one written is that of 20 now.
  expect(dueOf(uses, 19)).toEqual([])
  expect(dueOf(uses, 20)).toEqual([{ id: session.id, at: 40 }])
})

test('what was written last a moment ago is not due', () => {
  const uses = new LastUses()
  const [old, recent] = [sessionOf(100, 10), sessionOf(200, 50)]
  for (const session of [old, recent]) uses.add(session, 60)
  expect(dueOf(uses, 49)).toEqual([{ id: old.id, at: 60 }])
})

test('all that are due come once, in steps, as they were opened', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 1_000_000 }), { maxLength: 300 }),
      fc.integer({ min: 1, max: 50 }),
      (ends, size) => {
        const uses = new LastUses()
        const sessions = ends.map((end) => sessionOf(end))
        for (const session of sessions) uses.add(session, 20)
        const steps = [...uses.due(10, size)]
        expect(steps.filter((step) => step.length > size)).toEqual([])
        const endOf = new Map<string, number>(sessions.map(({ id, expiresAt }) => [id, expiresAt]))
        expect(steps.flat().map(({ id }) => endOf.get(id))).toEqual(ends.toSorted((a, b) => a - b))
        expect(new Set(steps.flat().map(({ id }) => id)).size).toBe(ends.length)
        uses.written(steps.flat())
        expect(dueOf(uses, 1_000)).toEqual([])
      },
    ),
  )
})

test('thousands are kept, and their room is taken again', () => {
  const uses = new LastUses()
  for (let round = 0; round < 3; round += 1) {
    const sessions = Array.from({ length: 5_000 }, (_, n) => sessionOf(n))
    for (const session of sessions) uses.add(session, 20 + round)
    expect(sessions.filter(({ id }) => uses.of(id) !== 20 + round)).toEqual([])
    const step: { id: string; at: number }[] = []
    for (const some of uses.due(10, 500)) {
      step.push(...some)
      // While the next steps wait.
      uses.written(some)
    }
    expect(step.length).toBe(5_000)
  }
})
