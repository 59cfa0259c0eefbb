/** What the deployment is put through: parts of it stop under load, and nobody may lose what was promised to them. */

import { setTimeout } from 'node:timers/promises'
import { Browser } from '../faults/browser.ts'
import { Crowd, type Miss, summary } from '../faults/crowd.ts'
import type { Habits } from '../faults/person.ts'
import { until } from '../faults/program.ts'
import type { Report } from '../faults/report.ts'
import type { Stack } from './stack.ts'

/** Production mails its reset tokens. */
const HABITS: Habits = { logOut: 10, changePassword: 10, reset: 0, logIn: 15 }
const PERSONS = 12
/** Programs that ask whether a token is good: POSTs that nginx does not send twice, and cheap, so that many are under way. */
const PROGRAMS = 8
/** Between two questions of one program, in milliseconds. */
const PAUSE = 2
/** Within this long after PostgreSQL is back everybody is served, in milliseconds. */
const RECOVERY = 5_000

/** Everybody asks from an address of their own, as the limits for one network expect it. */
class Load {
  readonly crowd = new Crowd(PERSONS, (n) => `127.1.0.${n + 1}`)
  readonly #stack: Stack
  readonly #programs = new Crowd(0)
  #asking: Promise<void>[] = []
  #stopped = false

  constructor(stack: Stack) {
    this.#stack = stack
  }

  get misses(): readonly Miss[] {
    return [...this.crowd.misses, ...this.#programs.misses]
  }

  get requests(): number {
    return this.crowd.requests + this.#programs.requests
  }

  start(): void {
    this.crowd.start(this.#stack.target, HABITS)
    this.#asking = Array.from({ length: PROGRAMS }, (_, n) => this.#introspect(`127.2.0.${n + 1}`))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all([this.crowd.stop(), ...this.#asking])
  }

  /** Lets the persons do so much more. */
  async pass(count = 40): Promise<void> {
    const { requests } = this.crowd
    await until(`${count} more requests`, () => this.crowd.requests >= requests + count, 120_000)
  }

  /** @returns what came of it, with what is no longer as it was promised */
  async report(line: string, failures: readonly string[]): Promise<Report> {
    await this.stop()
    const lost = await this.crowd.verify(this.#stack.target)
    this.crowd.close()
    const { requests } = this
    return { line, requests, acknowledged: this.crowd.acknowledged, failures: [...failures, ...lost] }
  }

  async #introspect(address: string): Promise<void> {
    const browser = new Browser(this.#stack.target, address)
    const bearer = { authorization: `Bearer ${this.#stack.operatorKey}` }
    while (!this.#stopped) {
      const answer = await browser.send('POST', '/tokens/introspect', { fields: { token: 'none' }, headers: bearer })
      this.#programs.saw('POST /tokens/introspect', answer, answer.status === 200)
      await setTimeout(PAUSE)
    }
    browser.close()
  }
}

/** One instance after the other stops as at an upgrade, and starts again: nobody notices. */
export async function stopInstances(stack: Stack, rounds: number): Promise<Report> {
  const load = new Load(stack)
  load.start()
  const codes: (number | null)[] = []
  for (let round = 0; round < rounds; round += 1) {
    const n = round % 2 === 0 ? 0 : 1
    await load.pass()
    const { child } = stack.instance(n)
    child.signal('SIGTERM')
    codes.push(await child.ended)
    await load.pass()
    await stack.startInstance(n)
  }
  await load.pass()
  const failures = load.misses.length === 0 ? [] : [`requests failed: ${summary(load.misses)}`]
  if (codes.some((code) => code !== 0)) failures.push(`instances ended with ${codes}`)
  return load.report(`${rounds} instances stopped under load, ${load.misses.length} requests failed`, failures)
}

/** One instance after the other is killed: what it was answering fails, and nothing else. */
export async function killInstances(stack: Stack, rounds: number): Promise<Report> {
  const load = new Load(stack)
  load.start()
  const deaths: { at: number; over: number }[] = []
  for (let round = 0; round < rounds; round += 1) {
    const n = round % 2 === 0 ? 0 : 1
    await load.pass()
    const { child } = stack.instance(n)
    const at = performance.now()
    await child.kill()
    deaths.push({ at, over: performance.now() })
    await load.pass()
    await stack.startInstance(n)
  }
  await load.pass()
  const innocent = load.misses.filter(
    ({ began, ended }) => !deaths.some(({ at, over }) => began <= over && ended >= at),
  )
  const failures = innocent.length === 0 ? [] : [`not in flight, and failed: ${summary(innocent)}`]
  const line = `${rounds} instances killed under load, ${load.misses.length} requests in flight failed, ${innocent.length} others`
  return load.report(line, failures)
}

/** PostgreSQL is stopped and started, by turns in good order and as in a crash: 503 meanwhile, and then all goes on. */
export async function restartPostgres(stack: Stack, rounds: number): Promise<Report> {
  const load = new Load(stack)
  load.start()
  const failures: string[] = []
  let slowest = 0
  for (let round = 0; round < rounds; round += 1) {
    await load.pass()
    await stack.postgres.stop(round % 2 === 0 ? 'SIGINT' : 'SIGQUIT')
    await load.pass(10)
    await stack.postgres.start()
    const back = performance.now()
    await load.pass()
    const last = load.misses.at(-1)?.ended ?? 0
    slowest = Math.max(slowest, last - back)
  }
  const other = load.misses.filter(({ status }) => status !== 503)
  if (other.length > 0) failures.push(`answered with something else than 503: ${summary(other)}`)
  if (load.misses.length === 0) failures.push('nobody noticed, so nothing was tried')
  if (slowest > RECOVERY) failures.push(`the last refusal came ${Math.round(slowest)} ms after PostgreSQL was back`)
  const line = `PostgreSQL restarted ${rounds} times under load, ${load.misses.length} requests refused with 503, the last one ${Math.max(0, Math.round(slowest))} ms after its return at most`
  return load.report(line, failures)
}
