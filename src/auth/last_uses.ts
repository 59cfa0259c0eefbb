/** Uses of sessions that are not in the database yet, as they are collected between two writes. */

import { SessionIndex } from '../db/session_index.ts'
import type { Session } from '../session.ts'

/** Of each: the last use, the last one that is in the database, the end of the session. */
const NUMBERS = 3
const FEWEST = 1_024

export interface Use {
  id: string
  /** Milliseconds since the epoch. */
  at: number
}

export class LastUses {
  readonly #index = new SessionIndex()
  #numbers = new Float64Array(NUMBERS * FEWEST)

  /** @returns the last use of a session, or 0 where none is known that the database does not know */
  of(id: string): number {
    const place = this.#index.find(id)
    return place < 0 ? 0 : (this.#numbers[NUMBERS * place] ?? 0)
  }

  /** @param session as the database has it */
  add({ id, lastSeenAt, expiresAt }: Pick<Session, 'id' | 'lastSeenAt' | 'expiresAt'>, at: number): void {
    const known = this.#index.size
    const place = this.#index.add(id)
    if (place < 0) return
    const from = NUMBERS * place
    if (from >= this.#numbers.length) this.#grow()
    this.#numbers[from] = at
    if (this.#index.size > known) this.#numbers.set([lastSeenAt, expiresAt], from + 1)
  }

  /**
   * @param before of which the last written use is no later than this
   * @returns the sessions, in steps of at most `size`; in the order in which they were opened, and so as they lie in the
   * table: in any other order it takes SQLite five times as long
   */
  *due(before: number, size: number): Generator<Use[]> {
    const numbers = this.#numbers
    const places: number[] = []
    for (let place = 0; place < this.#index.end; place += 1) {
      if (this.#isUsed(place) && (numbers[NUMBERS * place + 1] ?? 0) <= before) places.push(place)
    }
    places.sort((a, b) => (numbers[NUMBERS * a + 2] ?? 0) - (numbers[NUMBERS * b + 2] ?? 0))
    for (let from = 0; from < places.length; from += size) {
      // Some of them may have been written meanwhile.
      const step = places.slice(from, from + size).filter((place) => this.#isUsed(place))
      yield step.map((place) => ({ id: this.#index.idAt(place), at: this.#numbers[NUMBERS * place] ?? 0 }))
    }
  }

  /** Forgets what is in the database now. */
  written(uses: readonly Use[]): void {
    for (const { id, at } of uses) {
      const place = this.#index.find(id)
      if (place < 0) continue
      if (this.#numbers[NUMBERS * place] === at) {
        this.#index.remove(id)
        this.#numbers[NUMBERS * place] = 0
      } else this.#numbers[NUMBERS * place + 1] = at
    }
  }

  #isUsed(place: number): boolean {
    return (this.#numbers[NUMBERS * place] ?? 0) > 0
  }

  #grow(): void {
    const more = new Float64Array(2 * this.#numbers.length)
    more.set(this.#numbers)
    this.#numbers = more
  }
}
