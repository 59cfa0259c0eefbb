/**
 * Tries that are being checked at this moment. One that finds its bucket full only because of them waits for how they end:
 * twenty right logins at once are no attack, and twenty wrong ones are refused as soon as they turn out to be.
 */

import { AuthError } from '../../errors.ts'

/** Tries that may wait for one bucket; one more is refused. */
export const MOST_WAITING = 100

export class InFlight {
  readonly #flying = new Map<string, number>()
  readonly #waiting = new Map<string, (() => void)[]>()

  enter(keys: readonly string[]): void {
    for (const key of keys) this.#flying.set(key, (this.#flying.get(key) ?? 0) + 1)
  }

  /** @returns how many are being checked */
  count(key: string): number {
    return this.#flying.get(key) ?? 0
  }

  /** Wakes whoever waits for one of these. */
  leave(keys: readonly string[]): void {
    for (const key of keys) {
      const left = (this.#flying.get(key) ?? 1) - 1
      if (left === 0) this.#flying.delete(key)
      else this.#flying.set(key, left)
      const waiting = this.#waiting.get(key) ?? []
      this.#waiting.delete(key)
      for (const wake of waiting) wake()
    }
  }

  /**
   * @returns true when a try in this bucket has ended, false at once where there is none to wait for
   * @throws AuthError `throttled` where too many wait: it is not known yet whether the bucket is full
   */
  async next(key: string): Promise<boolean> {
    if (!this.#flying.has(key)) return false
    const waiting = this.#waiting.get(key) ?? []
    if (waiting.length >= MOST_WAITING) throw new AuthError('throttled', { retryAfter: 1 })
    await new Promise<void>((resolve) => {
      this.#waiting.set(key, [...waiting, resolve])
    })
    return true
  }
}
