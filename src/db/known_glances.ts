/** What db/glances.ts remembers: a map of sessions to glances, as bytes and numbers in slabs, 150 bytes a session. */

import type { Glance } from '../session.ts'
import { SessionIndex } from './session_index.ts'

/** Where more sessions than these are in use, whoever asks next takes the place of one that was asked for long ago. */
const MOST = 1_048_576
/** Of a slab. */
const PLACES = 1_024
/** Bytes of a place: two lengths, the hash of the secret, the address. What is longer, which is rare, is not remembered. */
const ROOM = 104
const LENGTHS = 2
/** Of a place: the last use in the database, the end. */
const NUMBERS = 2

interface Slab {
  readonly bytes: Buffer
  readonly numbers: Float64Array
}

export class KnownGlances {
  readonly #index = new SessionIndex()
  readonly #slabs: Slab[] = []
  readonly #most: number
  /** Of the one that goes next where there is no room. */
  #oldest = 0

  /** @param most sessions that are remembered */
  constructor(most = MOST) {
    this.#most = most
  }

  get(id: string): Glance | null {
    const place = this.#index.find(id)
    const slab = this.#slabs[Math.floor(place / PLACES)]
    if (slab === undefined) return null
    const { bytes, numbers } = slab
    const from = ROOM * (place % PLACES)
    const middle = from + LENGTHS + (bytes[from] ?? 0)
    const at = NUMBERS * (place % PLACES)
    return {
      id,
      secretHash: bytes.toString('utf8', from + LENGTHS, middle),
      kind: 'cookie',
      lastSeenAt: numbers[at] ?? 0,
      expiresAt: numbers[at + 1] ?? 0,
      email: bytes.toString('utf8', middle, middle + (bytes[from + 1] ?? 0)),
    }
  }

  /** Remembers a session, if it is one of a cookie, as nearly all are, and fits. */
  set({ id, secretHash, kind, lastSeenAt, expiresAt, email }: Glance): void {
    const [hash, address] = [Buffer.from(secretHash), Buffer.from(email)]
    if (kind !== 'cookie' || LENGTHS + hash.length + address.length > ROOM) return
    if (this.#index.size >= this.#most && this.#index.find(id) < 0) this.#giveUp()
    const place = this.#index.add(id)
    if (place < 0) return
    const { bytes, numbers } = this.#slabOf(place)
    const from = ROOM * (place % PLACES)
    bytes.set([hash.length, address.length, ...hash, ...address], from)
    numbers.set([lastSeenAt, expiresAt], NUMBERS * (place % PLACES))
  }

  delete(id: string): void {
    this.#index.remove(id)
  }

  /** Takes note of a last use that is written. */
  see(id: string, at: number): void {
    const place = this.#index.find(id)
    const numbers = this.#slabs[Math.floor(place / PLACES)]?.numbers
    if (numbers !== undefined) numbers[NUMBERS * (place % PLACES)] = at
  }

  clear(): void {
    this.#index.clear()
    this.#oldest = 0
  }

  #slabOf(place: number): Slab {
    const number = Math.floor(place / PLACES)
    this.#slabs[number] ??= { bytes: Buffer.alloc(ROOM * PLACES), numbers: new Float64Array(NUMBERS * PLACES) }
    return this.#slabs[number]
  }

  #giveUp(): void {
    this.#index.remove(this.#index.idAt(this.#oldest))
    this.#oldest = (this.#oldest + 1) % this.#most
  }
}
