/** Places for many sessions: each has its own, whatever comes and goes. */

import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SessionIndex } from '../../src/db/session_index.ts'

/** Few that differ, many of which begin alike, so that they meet in the table. */
const IDS = Array.from({ length: 40 }, (_, n) => `5e55105e-1d00-4000-8000-${String(n).padStart(12, '0')}`)

const step = fc.record({ id: fc.constantFrom(...IDS), adds: fc.boolean() })

test('is what a map would be, after any steps', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const index = new SessionIndex()
      const places = new Map<string, number>()
      for (const { id, adds } of steps) {
        if (adds) {
          const place = index.add(id)
          const taken = [...places].filter(([other]) => other !== id).map(([, one]) => one)
          expect(taken).not.toContain(place)
          expect(place).toBe(places.get(id) ?? place)
          places.set(id, place)
        } else {
          expect(index.remove(id)).toBe(places.get(id) ?? -1)
          places.delete(id)
        }
        expect(index.size).toBe(places.size)
      }
      expect(IDS.map((id) => index.find(id))).toEqual(IDS.map((id) => places.get(id) ?? -1))
      for (const [id, place] of places) expect(index.idAt(place)).toBe(id)
    }),
    { numRuns: 300 },
  )
})

test('grows to any number, keeps all, and takes places that were given back', () => {
  const index = new SessionIndex()
  const ids = Array.from({ length: 20_000 }, () => randomUUID())
  const places = ids.map((id) => index.add(id))
  expect(new Set(places).size).toBe(ids.length)
  expect(ids.map((id) => index.find(id))).toEqual(places)
  for (const id of ids.slice(0, 10_000)) index.remove(id)
  for (let n = 0; n < 10_000; n += 1) index.add(randomUUID())
  expect(index.size).toBe(20_000)
  expect(index.end).toBe(20_000)
  expect(ids.map((id) => index.find(id))).toEqual([...Array(10_000).fill(-1), ...places.slice(10_000)])
})

test('S-05: another spelling is another id', () => {
  const index = new SessionIndex()
  const id = 'abcdefab-cdef-4abc-8def-abcdefabcdef'
  index.add(id)
  const others = [
    id.toUpperCase(),
    ` ${id}`,
    id.slice(1),
    id.replace('a', '\u0161'),
    id.replaceAll('-', '_'),
    '',
    '-'.repeat(36),
  ]
  expect(others.map((other) => index.find(other))).toEqual(others.map(() => -1))
  expect(index.find(id)).toBe(0)
})

test('has no place for what cannot be an id', () => {
  const index = new SessionIndex()
  expect(['', 'x', 'x'.repeat(37), '\u0161'.repeat(36)].map((id) => index.add(id))).toEqual([-1, -1, -1, -1])
  expect(index.size).toBe(0)
})

test('is empty once it was cleared', () => {
  const index = new SessionIndex()
  for (const id of IDS) index.add(id)
  index.clear()
  expect(IDS.map((id) => index.find(id))).toEqual(IDS.map(() => -1))
  expect([index.size, index.end]).toEqual([0, 0])
})
