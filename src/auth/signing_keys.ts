/**
 * The ring of keys that sign and verify access tokens: made at the first start, sealed under SECRET, shared by all instances
 * through the database, replaced in time. A new key is published before it signs, and an old one verifies for as long as
 * there are tokens of it.
 */

import { type StoredSigningKey, signingKeys } from '../db/signing_keys.ts'
import { insert, must, remove } from '../db/table.ts'
import { type DB, type Statement, UniqueViolation } from '../db.ts'
import { StartError } from '../errors.ts'
import { Sealer, Unsealable } from '../security/sealed.ts'
import type { Secrets } from '../security/secrets.ts'
import { makeSigningKey, readSigningKey, type SigningAlgorithm, type SigningKey } from '../security/signing_key.ts'
import type { Events } from './events.ts'
import { NO_CLIENT } from './parts.ts'

/** How long others may keep the list of our keys, in milliseconds. */
export const KEYS_KEPT_FOR = 5 * 60_000
/** A new key is published this much before it signs: longer than others keep the list, and than instances take to read it. */
export const PUBLISHED_AHEAD = 2 * KEYS_KEPT_FOR
/** A key that nobody knows makes the ring be read anew at most this often, in milliseconds. */
const READ_AGAIN = 1_000
/** Keys that another instance made first, before something must be wrong. */
const MOST_RACES = 5

interface KeyLife {
  algorithm: SigningAlgorithm
  /** The age at which a key gets a successor, in milliseconds. */
  rotation: number
  /** The life of an access token, in milliseconds. */
  tokenLifetime: number
}

interface Held extends StoredSigningKey {
  /** Null where it was sealed under another SECRET. */
  readonly key: SigningKey | null
}

export class SigningKeys {
  readonly #db: DB
  readonly #events: Events
  readonly #sealer: Sealer
  readonly #life: KeyLife
  #held: readonly Held[] = []
  #readAt = Number.NEGATIVE_INFINITY

  constructor(db: DB, events: Events, secrets: Secrets, life: KeyLife) {
    this.#db = db
    this.#events = events
    this.#sealer = new Sealer(secrets.keys('signing_keys'))
    this.#life = life
  }

  /**
   * Reads the ring, and makes a key where there is none that can sign; to be called before anything else. Where SECRET was
   * lost, the keys of before are useless: their tokens are refused, and clients refresh.
   * @returns how many keys cannot be read
   * @throws StartError where others make keys that this instance cannot read, faster than it can make its own
   */
  async open(): Promise<number> {
    await this.#read()
    for (let race = 0; this.#signer() === null && race < MOST_RACES; race += 1) await this.#add(this.#db.now())
    if (this.#signer() === null) {
      throw new StartError(
        'No key for access tokens can be made: instances run with different secrets. Set the same SECRET for all.',
      )
    }
    const newest = this.#alive().at(-1)
    if (newest?.key.algorithm !== this.#life.algorithm) await this.#add(this.#db.now() + PUBLISHED_AHEAD)
    return this.#held.filter(({ key }) => key === null).length
  }

  /** The key that signs now, made anew where those that are there cannot be read. @throws StartError as `open` does */
  async signer(): Promise<SigningKey> {
    if (this.#signer() === null) await this.open()
    const signer = this.#signer()
    if (signer === null) throw new Error('there is no key to sign with')
    return signer
  }

  /** @returns a key that is still good for verifying, or null */
  find(kid: string): SigningKey | null {
    return this.#alive().find((held) => held.kid === kid)?.key ?? null
  }

  /** The same, also of one that another instance has made meanwhile. */
  async lookUp(kid: string): Promise<SigningKey | null> {
    const known = this.find(kid)
    if (known !== null || this.#db.now() - this.#readAt < READ_AGAIN) return known
    await this.#read()
    return this.find(kid)
  }

  /** Every key with which a token may be verified now, or soon. */
  async published(): Promise<SigningKey['publicJwk'][]> {
    await this.signer()
    return this.#alive().map(({ key }) => key.publicJwk)
  }

  /**
   * Makes the next key at once, which signs after a while.
   * @param compromised ends all others, and with them every access token: the key signs at once
   * @returns the name of the new key
   * @throws StartError where SECRET opens none of those that are there: the service could not read the new one either; or where
   * others made theirs first every time
   */
  async rotate(compromised = false): Promise<string> {
    for (let race = 0; race < MOST_RACES; race += 1) {
      await this.#read()
      if (this.#held.length > 0 && this.#held.every(({ key }) => key === null)) {
        throw new StartError(
          'SECRET opens none of the keys that are there. Set it, or SECRET_PREVIOUS, to that of the service.',
        )
      }
      const now = this.#db.now()
      const ended = compromised ? this.#held.map(({ serial }) => remove(signingKeys, { serial })) : []
      const kid = await this.#add(compromised ? now : now + PUBLISHED_AHEAD, ended)
      if (kid !== null) return kid
    }
    throw new StartError('Others make keys at this moment, and none was made here. Run this again.')
  }

  /** Reads what others have made, gives the newest key a successor when it is old, and deletes what no token needs. */
  async upkeep(): Promise<void> {
    await this.#read()
    const newest = this.#held.at(-1)
    const now = this.#db.now()
    if (newest !== undefined && now - newest.createdAt >= this.#life.rotation) await this.#add(now + PUBLISHED_AHEAD)
    const gone = this.#held.filter((_, index) => this.#isRetired(index))
    if (gone.length === 0) return
    await this.#db.commit(gone.map(({ serial }) => remove(signingKeys, { serial })))
    await this.#read()
  }

  /** @returns its name, or null where another instance came first; then that one's is in the ring */
  async #add(signsFrom: number, others: readonly Statement[] = []): Promise<string | null> {
    const { key, jwk } = await makeSigningKey(this.#life.algorithm)
    const { kid } = key
    const serial = (this.#held.at(-1)?.serial ?? 0) + 1
    const sealedKey = this.#sealer.seal(jwk, rowOf(kid))
    const row = must(insert(signingKeys, { serial, kid, sealedKey, createdAt: this.#db.now(), signsFrom }))
    const first = this.#held.length === 0
    try {
      if (first) await this.#db.commit([row])
      else await this.#events.happen(addition(kid), [row, ...others])
    } catch (error) {
      if (!(error instanceof UniqueViolation)) throw error
      await this.#read()
      return null
    }
    await this.#read()
    return kid
  }

  async #read(): Promise<void> {
    const rows = await this.#db.findSigningKeys()
    const known = new Map(this.#held.map((held) => [held.kid, held.key]))
    const held: Held[] = []
    for (const row of rows) held.push({ ...row, key: known.get(row.kid) ?? (await this.#opened(row)) })
    this.#held = held
    this.#readAt = this.#db.now()
  }

  async #opened({ kid, sealedKey }: StoredSigningKey): Promise<SigningKey | null> {
    try {
      return await readSigningKey(this.#sealer.open(sealedKey, rowOf(kid)))
    } catch (error) {
      if (error instanceof Unsealable) return null
      throw error
    }
  }

  #signer(): SigningKey | null {
    const alive = this.#alive()
    const now = this.#db.now()
    return (alive.findLast(({ signsFrom }) => signsFrom <= now) ?? alive[0])?.key ?? null
  }

  /** Those that can be read and still verify, the oldest first. */
  #alive(): (Held & { key: SigningKey })[] {
    return this.#held.filter(
      (held, index): held is Held & { key: SigningKey } => held.key !== null && !this.#isRetired(index),
    )
  }

  /** @returns whether the last token that it can have signed has expired, on every instance */
  #isRetired(index: number): boolean {
    const next = this.#held[index + 1]
    return next !== undefined && this.#db.now() >= next.signsFrom + PUBLISHED_AHEAD + this.#life.tokenLifetime
  }
}

function rowOf(kid: string): string {
  return `signing_keys/${kid}`
}

function addition(kid: string) {
  return { type: 'signing_key_added', userId: null, client: NO_CLIENT, reason: kid } as const
}
