/**
 * The keys of the service: each purpose has its own, derived from the one SECRET (HKDF, RFC 5869), so that no key is used
 * twice and one secret is all that must be kept. What was made under the previous SECRET is still read.
 */

import { hkdfSync, randomBytes } from 'node:crypto'

const KEY_BYTES = 32

export class Secrets {
  readonly #secrets: readonly string[]

  /**
   * @param current the SECRET; '' for one that nobody keeps, where the database is in memory as well
   * @param previous the SECRET before the last rotation, or ''
   */
  constructor(current: string, previous = '') {
    const secret = current || randomBytes(KEY_BYTES).toString('hex')
    this.#secrets = previous === '' ? [secret] : [secret, previous]
  }

  /** @returns the keys of a purpose: the one to make with first, then the one that is only read with */
  keys(purpose: 'device_cookie' | 'outbox' | 'refresh_token' | 'signing_keys'): Buffer[] {
    return this.#secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', `bienvenue/${purpose}`, KEY_BYTES)))
  }
}
