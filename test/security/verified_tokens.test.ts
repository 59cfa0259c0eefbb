/** What is remembered of verified tokens: until they expire, and not without end. */

import { expect, test } from 'vitest'
import { VerifiedTokens } from '../../src/security/verified_tokens.ts'

function claims(exp: number) {
  return { sub: '1', sid: 'session', jti: 'token', kid: 'key', iat: 0, exp }
}

test('a token is known until the moment in which it expires', () => {
  const known = new VerifiedTokens()
  known.add('token', claims(100))
  expect(known.find('token', 99_999)).toEqual(claims(100))
  expect(known.find('token', 100_000)).toBeNull()
  expect(known.find('token', 99_999), 'it is forgotten for good').toBeNull()
})

test('a token that was not verified is not known, however near it is to one that was', () => {
  const known = new VerifiedTokens()
  known.add('token', claims(100))
  for (const other of ['', 'Token', 'token ', 'toke', 'token.']) expect(known.find(other, 0)).toBeNull()
})

test('only so many are remembered, the oldest is forgotten first', () => {
  const known = new VerifiedTokens(3)
  for (let count = 1; count <= 4; count += 1) known.add(`token ${count}`, claims(100 + count))
  expect([1, 2, 3, 4].map((count) => known.find(`token ${count}`, 0)?.exp)).toEqual([undefined, 102, 103, 104])
})
