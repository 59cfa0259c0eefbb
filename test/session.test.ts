import { expect, test } from 'vitest'
import { isAlive, isFresh, type Session } from '../src/session.ts'

const LIFE = { idle: 1_000, absolute: 10_000 }
const OPENED = 1_000_000

function seenAt(lastSeenAt: number): Session {
  return {
    ...{ id: 'id', secretHash: 'hash', userId: 1, address: '', userAgent: '' },
    ...{ kind: 'cookie', familyHash: null, rotatedAt: null },
    ...{ createdAt: OPENED, authenticatedAt: OPENED, lastSeenAt, expiresAt: OPENED + LIFE.absolute },
  }
}

test.each([
  ['at its opening', { seen: 0, now: 0, alive: true }],
  ['1 ms before the idle end', { seen: 0, now: 999, alive: true }],
  ['at the idle end', { seen: 0, now: 1_000, alive: false }],
  ['1 ms before the idle end that a use has moved', { seen: 500, now: 1_499, alive: true }],
  ['at the idle end that a use has moved', { seen: 500, now: 1_500, alive: false }],
  ['1 ms before the absolute end, just used', { seen: 9_999, now: 9_999, alive: true }],
  ['at the absolute end, just used', { seen: 10_000, now: 10_000, alive: false }],
  ['after both ends', { seen: 0, now: 20_000, alive: false }],
])('%s', (_, { seen, now, alive }) => {
  expect(isAlive(seenAt(OPENED + seen), OPENED + now, LIFE)).toBe(alive)
})

test.each([
  ['at the login', { proven: 0, now: 0, fresh: true }],
  ['at the end of the time', { proven: 0, now: 1_000, fresh: true }],
  ['1 ms after it', { proven: 0, now: 1_001, fresh: false }],
  ['at the end of the time after a later proof', { proven: 500, now: 1_500, fresh: true }],
  ['1 ms after that', { proven: 500, now: 1_501, fresh: false }],
])('the password is fresh or not: %s', (_, { proven, now, fresh }) => {
  const session = { ...seenAt(OPENED + now), authenticatedAt: OPENED + proven }
  expect(isFresh(session, OPENED + now, 1_000)).toBe(fresh)
})
