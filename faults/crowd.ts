/** Many persons at once: a mixed load, what came of every request, and whether all that was acknowledged is still so. */

import type { Answer, Target } from './browser.ts'
import { BUSY, type Habits, Person, type Witness } from './person.ts'

/** A request that was not answered as it should have been. */
export interface Miss {
  readonly asked: string
  readonly status: number
  readonly began: number
  readonly ended: number
}

export class Crowd implements Witness {
  readonly persons: Person[]
  /** Every request so far. */
  requests = 0
  readonly misses: Miss[] = []
  #running: Promise<void>[] = []
  #stopped = false

  /** @param addressOf the address from which the nth asks; any where there is none */
  constructor(size: number, addressOf: (n: number) => string | undefined = () => undefined) {
    this.persons = Array.from({ length: size }, (_, n) => new Person(this, addressOf(n)))
  }

  /** Counts a request. @param asExpected whether it was answered as it should be */
  saw(asked: string, { status, began, ended }: Answer, asExpected: boolean): void {
    this.requests += 1
    if (!asExpected) this.misses.push({ asked, status, began, ended })
  }

  /** @returns how much was acknowledged to all of them */
  get acknowledged(): number {
    return this.persons.reduce((sum, person) => sum + person.acknowledged, 0)
  }

  /** Lets all of them do one thing after the other until `stop`. */
  start(target: Target, habits: Habits = BUSY): void {
    this.#stopped = false
    this.#running = this.persons.map(async (person) => {
      while (!this.#stopped) {
        const { length } = this.misses
        await person.act(target, habits)
        // Whoever is turned away does not ask again at once.
        if (this.misses.length > length) await new Promise((resolve) => setTimeout(resolve, 50))
      }
    })
  }

  /** Lets each end what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#running)
  }

  /** @returns what was acknowledged and is not so, in words; empty where all is well */
  async verify(target: Target): Promise<string[]> {
    const wrong: string[] = []
    // A few at a time, so that no hash is refused for want of room.
    const left = [...this.persons]
    const one = async () => {
      for (let person = left.pop(); person !== undefined; person = left.pop()) {
        wrong.push(...(await person.verify(target)))
      }
    }
    await Promise.all([one(), one(), one(), one()])
    return wrong
  }

  close(): void {
    for (const person of this.persons) person.close()
  }
}

/** @returns the misses by what was asked and answered, like `GET /profile 503: 12` */
export function summary(misses: readonly Miss[]): string {
  const counts = new Map<string, number>()
  for (const { asked, status } of misses) {
    const kind = `${asked} ${status === 0 ? 'unanswered' : status}`
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return [...counts].map(([kind, count]) => `${kind}: ${count}`).join(', ')
}
