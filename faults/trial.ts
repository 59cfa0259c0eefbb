/** A service under mixed load while something is done to it. */

import { Crowd, type Miss, summary } from './crowd.ts'
import { type Env, type Service, startService, until } from './program.ts'
import type { Report } from './report.ts'

const PERSONS = 8
/** The log of requests would be all that a trial writes. */
const QUIET: Env = { LOG_LEVEL: 'warn' }

export class Trial {
  readonly crowd = new Crowd(PERSONS)
  readonly failures: string[] = []
  service: Service

  private constructor(service: Service) {
    this.service = service
  }

  /** Starts the service with people who ask all the time. @param start how, if not plainly */
  static async start(folder: string, start: typeof startService = startService): Promise<Trial> {
    const trial = new Trial(await start(QUIET, folder))
    trial.crowd.start(trial.service)
    await trial.served()
    return trial
  }

  /** Waits until so many more requests are answered as they should be. */
  async served(count = 40): Promise<void> {
    const good = () => this.crowd.requests - this.crowd.misses.length
    const before = good()
    await until(`${count} more good answers`, () => good() >= before + count, 120_000)
  }

  /** Waits until so many more requests are refused. @returns the refusals since it was called */
  async refused(count = 10): Promise<Miss[]> {
    const { length } = this.crowd.misses
    await until(`${count} refusals`, () => this.crowd.misses.length >= length + count, 120_000)
    return this.crowd.misses.slice(length)
  }

  /** Notes what should not be. */
  expect(what: string, isSo: boolean): void {
    if (!isSo) this.failures.push(what)
  }

  /**
   * Ends the load, looks whether all that was acknowledged is so, and stops the service.
   * @param line what was survived; the refusals are added
   */
  async end(line: string): Promise<Report> {
    await this.crowd.stop()
    const { misses, requests, acknowledged } = this.crowd
    const other = misses.filter(({ status }) => status !== 503)
    this.expect(`answered with something else than 503: ${summary(other)}`, other.length === 0)
    this.failures.push(...(await this.crowd.verify(this.service)))
    this.crowd.close()
    this.expect('the service ended well', (await this.service.child.stop()) === 0)
    return { line: `${line}; ${misses.length} requests got 503`, requests, acknowledged, failures: this.failures }
  }

  /** Ends what still runs where a trial could not be brought to its end. */
  async abandon(): Promise<void> {
    await this.service.child.kill()
    await this.crowd.stop()
  }
}

/** Runs a trial to its end, whatever becomes of it. */
export async function withTrial(
  folder: string,
  work: (trial: Trial) => Promise<Report>,
  start?: typeof startService,
): Promise<Report> {
  const trial = await Trial.start(folder, start)
  try {
    return await work(trial)
  } catch (error) {
    await trial.abandon()
    throw error
  }
}
