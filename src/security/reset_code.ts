/**
 * The short code of a reset, for typing on another device. Eight digits can be guessed, so a code is good for a few tries,
 * for ten minutes, and only together with the credential that the browser that asked keeps in a cookie: the row holds one
 * hash of both, which tells nothing of the code without that cookie.
 */

import { hash, randomInt } from 'node:crypto'

const DIGITS = 8

export const CODE_TRIES = 5
/** Milliseconds. */
export const CODE_LIFETIME = 10 * 60_000

export function makeCode(): string {
  return String(randomInt(10 ** DIGITS)).padStart(DIGITS, '0')
}

/** @returns the digits where this was typed as a code, perhaps with white space or a hyphen between, or null */
export function readCode(typed: string): string | null {
  const digits = typed.length > 32 ? '' : typed.replace(/[\s-]/g, '')
  return new RegExp(`^[0-9]{${DIGITS}}$`).test(digits) ? digits : null
}

/** @param browserHash the hash of the credential that the browser keeps */
export function hashCode(browserHash: string, code: string): string {
  return hash('sha256', `${browserHash}.${code}`, 'base64url')
}
