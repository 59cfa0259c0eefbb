/** An allowance of something that costs: some at once, and more as time goes by. */

export class Allowance {
  readonly #most: number
  readonly #interval: number
  readonly #clock: () => number
  #left: number
  /** When `#left` was counted. */
  #counted: number

  /**
   * @param most how many at once
   * @param interval milliseconds until there is one more
   * @param clock milliseconds, of a clock that is never set back
   */
  constructor(most: number, interval: number, clock: () => number) {
    this.#most = most
    this.#interval = interval
    this.#clock = clock
    this.#left = most
    this.#counted = clock()
  }

  /** @returns whether there was one */
  take(): boolean {
    const now = this.#clock()
    this.#left = Math.min(this.#most, this.#left + (now - this.#counted) / this.#interval)
    this.#counted = now
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}
