/**
 * A gate for work that fills a core: so many at once, so many waiting behind them, and an honest refusal beyond, so that a
 * flood of logins costs those who flood and not everybody else (OWASP ASVS 5.0 15.2.2).
 */

import { AuthError } from '../errors.ts'

export class Gate {
  readonly #atOnce: number
  readonly #longestQueue: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  /**
   * @param atOnce jobs that run in parallel
   * @param longestQueue jobs that may wait; one more is refused
   */
  constructor(atOnce: number, longestQueue: number) {
    this.#atOnce = atOnce
    this.#longestQueue = longestQueue
  }

  /** @throws AuthError `busy`, with the seconds after which another try makes sense */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#atOnce) await this.#turn()
    else this.#running += 1
    try {
      return await job()
    } finally {
      const next = this.#waiting.shift()
      // The place is handed on, not freed: otherwise a newcomer could take it before the one who waited.
      if (next === undefined) this.#running -= 1
      else next()
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#longestQueue) throw new AuthError('busy', { retryAfter: 2 })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}
