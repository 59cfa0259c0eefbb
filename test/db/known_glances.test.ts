/** What is remembered of sessions comes out as it went in, and is bounded. */

import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KnownGlances } from '../../src/db/known_glances.ts'
import type { Glance } from '../../src/session.ts'

const time = fc.integer({ min: 0, max: 4_102_444_800_000 })
const glance = fc.record<Glance>({
  id: fc.uuid({ version: 4 }),
  secretHash: fc.string({ unit: fc.constantFrom(...'aZ09-_'), minLength: 43, maxLength: 43 }),
  kind: fc.constant('cookie'),
  lastSeenAt: time,
  expiresAt: time,
  email: fc.string({ unit: 'grapheme', minLength: 3, maxLength: 18 }),
})

function glanceOf(id: string): Glance {
  return { id, secretHash: 'h'.repeat(43), kind: 'cookie', lastSeenAt: 1, expiresAt: 2, email: 'ada@lovelace.example' }
}

test('each comes out as it went in, in any number', () => {
  fc.assert(
    fc.property(fc.uniqueArray(glance, { selector: ({ id }) => id, maxLength: 50 }), (glances) => {
      const known = new KnownGlances()
      for (const one of glances) known.set(one)
      const bytes = ({ email }: Glance) => Buffer.byteLength(email)
      // What is too long for its place is not remembered.
      expect(glances.map(({ id }) => known.get(id))).toEqual(glances.map((one) => (bytes(one) > 59 ? null : one)))
    }),
  )
})

test('the longest address that is remembered, and the first that is not', () => {
  const known = new KnownGlances()
  const [fits, tooLong] = [59, 60].map((length) => ({ ...glanceOf(randomUUID()), email: 'a'.repeat(length) }))
  if (fits === undefined || tooLong === undefined) throw new Error('there are two')
  known.set(fits)
  known.set(tooLong)
  expect([known.get(fits.id), known.get(tooLong.id)]).toEqual([fits, null])
})

test('of other kinds of sessions nothing is remembered', () => {
  const known = new KnownGlances()
  const ids = [randomUUID(), randomUUID()]
  for (const [n, kind] of (['token', 'token_cookie'] as const).entries()) known.set({ ...glanceOf(ids[n] ?? ''), kind })
  expect(ids.map((id) => known.get(id))).toEqual([null, null])
})

test('a last use that was written is known, one of a session that is not is nothing', () => {
  const known = new KnownGlances()
  const id = randomUUID()
  known.set(glanceOf(id))
  known.see(id, 7)
  known.see(randomUUID(), 8)
  expect(known.get(id)).toEqual({ ...glanceOf(id), lastSeenAt: 7 })
})

test('S-11: what was deleted is gone, and so is its like of before a clearing', () => {
  const known = new KnownGlances()
  const ids = Array.from({ length: 3_000 }, () => randomUUID())
  for (const id of ids) known.set(glanceOf(id))
  for (const id of ids.slice(0, 1_500)) known.delete(id)
  expect(ids.filter((id) => known.get(id) !== null)).toEqual(ids.slice(1_500))
  known.clear()
  expect(ids.filter((id) => known.get(id) !== null)).toEqual([])
})

test('where there is no room the oldest goes, and no other', () => {
  const known = new KnownGlances(100)
  const ids = Array.from({ length: 250 }, () => randomUUID())
  for (const id of ids) known.set(glanceOf(id))
  expect(ids.filter((id) => known.get(id) !== null)).toEqual(ids.slice(150))
  const kept = ids.slice(150)
  for (const id of kept.slice(0, 20)) known.delete(id)
  const fresh = Array.from({ length: 20 }, () => randomUUID())
  for (const id of fresh) known.set(glanceOf(id))
  expect([...kept.slice(20), ...fresh].filter((id) => known.get(id) === null)).toEqual([])
})
