/**
 * Stored passwords. One that bcrypt can hold whole (at most 72 bytes of UTF-8, no NUL) is stored as plain `$2b$`, which every
 * other system reads; any other in passlib's published format `$bcrypt-sha256$v=2`: HMAC-SHA-256 keyed by the salt, base64,
 * then bcrypt. The stored row's tag decides how a candidate is checked, never the candidate's own length.
 * Sources: OWASP Password Storage Cheat Sheet; passlib, "bcrypt_sha256"; NIST SP 800-63B-4 3.1.1.2 (NFC, whole password).
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import bcrypt from 'bcrypt'
import { bcryptHash } from './bcrypt_threads.ts'
import { Gate } from './gate.ts'

const BCRYPT_LIMIT = 72
/** In bytes of UTF-8; a bound for the work of normalising and hashing. */
export const LONGEST_PASSWORD = 4096
/** bcrypt's own floor, and a ceiling of about a minute: a row beyond it would hold a thread for hours. */
const LOWEST_COST = 4
const HIGHEST_COST = 20
const SALT_LENGTH = 22
const DIGEST_LENGTH = 31
const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const PLAIN = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/
const HASHED_FIRST = /^\$bcrypt-sha256\$v=2,t=2[aby],r=(\d{1,2})\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})$/

interface Stored {
  hashedFirst: boolean
  cost: number
  salt: string
  digest: string
}

interface HasherOptions {
  /** bcrypt's cost for new hashes: two to this power rounds. */
  cost: number
  /** Hashes computed in parallel. */
  concurrency: number
  /** Tries that may wait for a hash; one more is refused. */
  queue: number
  /** The highest cost among the rows there are; checks take as long as this one, whatever row they meet. */
  highestStoredCost?: number
}

export interface Verdict {
  matches: boolean
  /** The row was made with another cost or an older tag and should be hashed anew, now that the password is known. */
  outdated: boolean
}

export class PasswordHasher {
  readonly #cost: number
  #equalCost: number
  readonly #gate: Gate

  constructor({ cost, concurrency, queue, highestStoredCost = 0 }: HasherOptions) {
    this.#cost = cost
    this.#equalCost = Math.max(cost, highestStoredCost)
    this.#gate = new Gate(concurrency, queue)
  }

  /**
   * @param password any well-formed text; taken in NFC
   * @throws AuthError `busy` when too many wait already
   */
  async hash(password: string): Promise<string> {
    const normal = password.normalize('NFC')
    const salt = bcrypt.genSaltSync(this.#cost)
    if (fits(normal)) return this.#gate.run(() => bcryptHash(normal, salt))
    const saltText = salt.slice(-SALT_LENGTH)
    const hashed = await this.#gate.run(() => bcryptHash(shorten(normal, saltText), salt))
    return `$bcrypt-sha256$v=2,t=2b,r=${this.#cost}$${saltText}$${hashed.slice(-DIGEST_LENGTH)}`
  }

  /**
   * Checks a password. The time taken is that of one hash of the highest cost there is, for every row, for none, and for a
   * row that cannot be read: no one learns from it whether an account exists or when it was made.
   * @param stored the row's value, or null where there is no such user
   * @throws AuthError `busy` when too many wait already
   */
  async verify(password: string, stored: string | null): Promise<Verdict> {
    // One that may not be set cannot match; it is checked all the same, as no password.
    const settable = Buffer.byteLength(password) <= LONGEST_PASSWORD && password.isWellFormed()
    const normal = settable ? password.normalize('NFC') : ''
    const row = stored === null ? null : parse(stored)
    // A row that somebody wrote past this service may cost more than any before.
    this.#equalCost = Math.max(this.#equalCost, row?.cost ?? 0)
    // Made for every row: how long that occupies the process can be seen.
    const nobodys = decoy(this.#equalCost)
    const matches = await this.#gate.run(() => check(normal, row ?? nobodys, this.#equalCost))
    return {
      matches: matches && row !== null && settable,
      outdated: row !== null && this.#isOutdated(row, stored),
    }
  }

  #isOutdated(row: Stored, stored: string | null): boolean {
    return row.cost !== this.#cost || (!row.hashedFirst && stored?.startsWith('$2b$') !== true)
  }
}

/** @returns whether bcrypt sees the whole of this password */
function fits(password: string): boolean {
  return Buffer.byteLength(password) <= BCRYPT_LIMIT && !password.includes('\0')
}

/** @param equalCost whose time it takes, whatever the row costs; no part of it passes this thread, where others could see it */
async function check(
  password: string,
  { hashedFirst, cost, salt, digest }: Stored,
  equalCost: number,
): Promise<boolean> {
  const shortened = shorten(password, salt)
  const candidate = hashedFirst ? shortened : password
  // Of the tags 2a, 2b and 2y the bcrypt library reads the first two; for what fits they all mean the same.
  const computed = await bcryptHash(candidate, `$2b$${String(cost).padStart(2, '0')}$${salt}`, equalCost)
  const matches = timingSafeEqual(Buffer.from(computed.slice(-DIGEST_LENGTH)), Buffer.from(digest))
  // Compared even where it cannot match, so that a long candidate takes as long as any other (CVE-2025-22234).
  return matches && fits(candidate)
}

function shorten(password: string, salt: string): string {
  return createHmac('sha256', salt).update(password).digest('base64')
}

function parse(stored: string): Stored | null {
  const plain = PLAIN.exec(stored)
  const found = plain ?? HASHED_FIRST.exec(stored)
  const [, rounds = '', salt = '', digest = ''] = found ?? []
  const cost = Number(rounds)
  if (found === null || cost < LOWEST_COST || cost > HIGHEST_COST) return null
  return { hashedFirst: plain === null, cost, salt, digest }
}

/** What no password is known for: random characters in the place of salt and digest. It costs nothing to make. */
function decoy(cost: number): Stored {
  const characters = [...randomBytes(SALT_LENGTH + DIGEST_LENGTH)].map((byte) => ALPHABET.charAt(byte % 64)).join('')
  return { hashedFirst: false, cost, salt: characters.slice(0, SALT_LENGTH), digest: characters.slice(SALT_LENGTH) }
}
