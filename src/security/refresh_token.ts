/**
 * A refresh token is a credential whose secret has two halves of 16 bytes: the first stays the same for as long as the
 * session lives, and the second is new with every refresh. So one that was used before is known again, however long ago it
 * was, and no history is kept (RFC 9700 4.14.2). The next second half follows from the token that is presented, by a key
 * that only the service has: whoever may present it twice gets the same answer twice, and a session never forks.
 */

import { createHmac, hash } from 'node:crypto'
import { makeCredential, type NewCredential, type ParsedCredential, parseCredential } from './credential.ts'

const HALF_BYTES = 16

interface OfFamily {
  /** SHA-256 of the half that stays the same. */
  familyHash: string
}

/** Makes the first refresh token of a session. */
export function makeRefreshToken(): NewCredential & OfFamily {
  const made = makeCredential()
  return { ...made, familyHash: familyHashOf(made.credential) }
}

/** @returns the parts of what a client presents, or null where it cannot be a refresh token */
export function parseRefreshToken(presented: string): (ParsedCredential & OfFamily) | null {
  const parsed = parseCredential(presented)
  return parsed === null ? null : { ...parsed, familyHash: familyHashOf(presented) }
}

/**
 * @param presented a refresh token of the right form
 * @param key of 32 bytes, for this purpose alone
 * @returns the one that takes its place, with the hash of its secret
 */
export function successorOf(presented: string, key: Buffer): Pick<NewCredential, 'credential' | 'secretHash'> {
  const next = createHmac('sha256', key).update(presented).digest().subarray(0, HALF_BYTES)
  const secret = Buffer.concat([familyOf(presented), next]).toString('base64url')
  const credential = `${presented.split('.', 1)[0]}.${secret}`
  const parsed = parseCredential(credential)
  if (parsed === null) throw new TypeError('only a refresh token has a successor')
  return { credential, secretHash: parsed.secretHash }
}

function familyHashOf(credential: string): string {
  return hash('sha256', familyOf(credential), 'base64url')
}

function familyOf(credential: string): Buffer {
  const [, secret = ''] = credential.split('.')
  return Buffer.from(secret, 'base64url').subarray(0, HALF_BYTES)
}
