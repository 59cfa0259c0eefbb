/**
 * A credential is an id that may be shown and a secret that may not: `<uuid>.<secret>`, a UUID v4 that names a row and
 * 32 random bytes in base64url, of which the row keeps SHA-256. Sessions and one-time tokens are all of this form.
 * 256 bits, where OWASP ASVS 5.0 7.2.3 asks for 128; an unsalted fast hash is right for a secret of that size.
 */

import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { v4 as uuid } from 'uuid'

const SECRET_BYTES = 32
const ID_LENGTH = 36
const SECRET_LENGTH = 43
/** Of the whole credential. */
export const CREDENTIAL_LENGTH = ID_LENGTH + 1 + SECRET_LENGTH
const FORM = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\.[\w-]{43}$/

export interface NewCredential {
  id: string
  secretHash: string
  /** What the client gets, once; not stored anywhere. */
  credential: string
}

export interface ParsedCredential {
  id: string
  secretHash: string
}

/** Names a row, and may be shown. */
export function makeId(): string {
  return uuid()
}

/** Makes a fresh credential from the system's random source. */
export function makeCredential(): NewCredential {
  const id = makeId()
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  return { id, secretHash: hashSecret(secret), credential: `${id}.${secret}` }
}

/**
 * Reads what a client presents; hostile input is the normal case.
 * @returns the id and the hash of the presented secret, or null where it cannot be a credential
 */
export function parseCredential(presented: string): ParsedCredential | null {
  if (presented.length !== CREDENTIAL_LENGTH || !FORM.test(presented)) return null
  return { id: presented.slice(0, ID_LENGTH), secretHash: hashSecret(presented.slice(ID_LENGTH + 1)) }
}

/** Compares two hashes of secrets without an early exit. */
export function sameHash(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

function hashSecret(secret: string): string {
  return hash('sha256', secret, 'base64url')
}
