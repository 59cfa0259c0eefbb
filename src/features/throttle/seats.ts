/**
 * Seats: how many checks of one account, and of one network, may be under way at the same time. Whoever is right may be
 * right as often as they like, but not keep all hashes busy with it, from however many known devices and sessions.
 */

import { AuthError } from '../../errors.ts'
import { InFlight } from './in_flight.ts'

export interface Seat {
  key: string
  /** How many there are of this name. */
  most: number
}

export class Seats {
  readonly #taken = new InFlight()

  /**
   * Takes one of each, when all of them are free at once.
   * @returns what gives them back
   * @throws AuthError `throttled` where too many wait already
   */
  async take(wanted: readonly Seat[]): Promise<() => void> {
    for (;;) {
      const full = wanted.find(({ key, most }) => this.#taken.count(key) >= most)
      if (full === undefined) break
      if (!(await this.#taken.next(full.key))) throw new AuthError('throttled', { retryAfter: 1 })
    }
    // In the same breath as they were found free.
    const keys = wanted.map(({ key }) => key)
    this.#taken.enter(keys)
    return () => this.#taken.leave(keys)
  }
}
