/** Refresh tokens: what stays and what changes from one to the next. */

import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseCredential } from '../../src/security/credential.ts'
import { makeRefreshToken, parseRefreshToken, successorOf } from '../../src/security/refresh_token.ts'

const KEY = Buffer.alloc(32, 7)

test('one is a credential, and reads back as it was made', () => {
  const made = makeRefreshToken()
  const { id, secretHash, familyHash } = made
  expect(parseRefreshToken(made.credential)).toEqual({ id, secretHash, familyHash })
  expect(parseCredential(made.credential)).toEqual({ id, secretHash })
  expect(familyHash).not.toBe(secretHash)
})

test('its successors keep the id and the family, and are all different', () => {
  const first = makeRefreshToken()
  const hashes = new Set([first.secretHash])
  let last = first.credential
  for (let count = 0; count < 100; count += 1) {
    const next = successorOf(last, KEY)
    expect(parseRefreshToken(next.credential)).toEqual({
      id: first.id,
      familyHash: first.familyHash,
      secretHash: next.secretHash,
    })
    hashes.add(next.secretHash)
    last = next.credential
  }
  expect(hashes.size).toBe(101)
})

test('the successor follows from the token and the key alone', () => {
  const { credential } = makeRefreshToken()
  expect(successorOf(credential, KEY)).toEqual(successorOf(credential, KEY))
  expect(successorOf(credential, randomBytes(32)).secretHash).not.toBe(successorOf(credential, KEY).secretHash)
  // Of another session with the same secret it is another one.
  const other = `${makeRefreshToken().id}${credential.slice(36)}`
  expect(successorOf(other, KEY).credential.slice(36)).not.toBe(successorOf(credential, KEY).credential.slice(36))
})

test('two logins have nothing in common', () => {
  const made = Array.from({ length: 200 }, makeRefreshToken)
  expect(new Set(made.map(({ familyHash }) => familyHash)).size).toBe(200)
  expect(new Set(made.map(({ credential }) => credential.slice(59))).size).toBe(200)
})

test('whatever a client sends is read or refused, never more', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary', maxLength: 120 }), fc.string({ minLength: 80, maxLength: 80 })),
      (text) => {
        const parsed = parseRefreshToken(text)
        if (parsed !== null) expect(text.startsWith(`${parsed.id}.`)).toBe(true)
      },
    ),
  )
  const { credential } = makeRefreshToken()
  fc.assert(
    fc.property(fc.nat(79), fc.string({ minLength: 1, maxLength: 1 }), (at, sign) => {
      const changed = credential.slice(0, at) + sign + credential.slice(at + 1)
      const parsed = parseRefreshToken(changed)
      if (changed !== credential && parsed !== null) {
        expect({ ...parsed }).not.toEqual(parseRefreshToken(credential))
      }
    }),
  )
})
