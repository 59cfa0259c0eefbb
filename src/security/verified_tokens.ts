/**
 * What a signature was found to prove is kept until the token expires, since checking one costs more than all the rest of a
 * request. It is only the signature that is remembered: whether the session lives is asked every time.
 */

import { hash } from 'node:crypto'
import type { VerifiedClaims } from './access_token.ts'

/** About 4 MB; beyond that the oldest is checked again when it comes. */
const MOST = 10_000

export class VerifiedTokens {
  readonly #claims = new Map<string, VerifiedClaims>()
  readonly #most: number

  /** @param most tokens that are remembered */
  constructor(most = MOST) {
    this.#most = most
  }

  /** @param now milliseconds since the epoch @returns null where it is not known or has expired */
  find(token: string, now: number): VerifiedClaims | null {
    const name = nameOf(token)
    const claims = this.#claims.get(name)
    if (claims === undefined) return null
    if (now < claims.exp * 1_000) return claims
    this.#claims.delete(name)
    return null
  }

  add(token: string, claims: VerifiedClaims): void {
    const [oldest] = this.#claims.size < this.#most ? [] : this.#claims.keys()
    if (oldest !== undefined) this.#claims.delete(oldest)
    this.#claims.set(nameOf(token), claims)
  }
}

/** Not the token itself: a dump of the memory should hold as few of them as can be. */
function nameOf(token: string): string {
  return hash('sha256', token, 'base64url')
}
