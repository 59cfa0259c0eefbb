/** Sealing: what comes back, and that nothing else does. */

import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Sealer, Unsealable } from '../../src/security/sealed.ts'

const [key, other] = [randomBytes(32), randomBytes(32)]

test('whatever is sealed for a row opens for that row', () => {
  const sealer = new Sealer([key])
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (plain, row) => {
      expect(sealer.open(sealer.seal(plain, row), row)).toBe(plain)
    }),
  )
})

test('the same text is never sealed alike, and is not to be seen in it', () => {
  const sealer = new Sealer([key])
  const sealed = Array.from({ length: 100 }, () => sealer.seal('bob@example.org', 'row'))
  expect(new Set(sealed).size).toBe(100)
  for (const one of sealed) expect(Buffer.from(one, 'base64url').includes('bob@')).toBe(false)
})

test('it opens for no other row and with no other key', () => {
  const sealed = new Sealer([key]).seal('plain', 'row 1')
  expect(() => new Sealer([key]).open(sealed, 'row 2')).toThrow(Unsealable)
  expect(() => new Sealer([other]).open(sealed, 'row 1')).toThrow(Unsealable)
  expect(() => new Sealer([]).open(sealed, 'row 1')).toThrow(Unsealable)
})

test('what was sealed under the previous key opens, and is sealed anew under the current one', () => {
  const before = new Sealer([key]).seal('plain', 'row')
  const rotated = new Sealer([other, key])
  expect(rotated.open(before, 'row')).toBe('plain')
  expect(new Sealer([other]).open(rotated.seal('plain', 'row'), 'row')).toBe('plain')
})

test('every changed bit and every cut is noticed', () => {
  const sealer = new Sealer([key])
  const bytes = Buffer.from(sealer.seal('plain', 'row'), 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(() => sealer.open(changed.toString('base64url'), 'row')).toThrow(Unsealable)
  }
  for (let length = 0; length < bytes.length; length += 1) {
    expect(() => sealer.open(bytes.subarray(0, length).toString('base64url'), 'row')).toThrow(Unsealable)
  }
})

test('sealing needs a key', () => {
  expect(() => new Sealer([]).seal('plain', 'row')).toThrow('no key')
})
