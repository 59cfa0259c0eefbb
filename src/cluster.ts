/**
 * Several processes on one port, for a machine with several cores. The primary makes the database ready, holds
 * the port, replaces a worker that ends without being told to, and passes on what a signal asks for. Each worker is the
 * service as it is alone; what they must agree on is in the database.
 */

import cluster, { type Worker } from 'node:cluster'
import { extname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { migrations } from './app.ts'
import { announce } from './banner.ts'
import { DB } from './db.ts'
import { limitsOf } from './engines/open.ts'
import { StartError } from './errors.ts'
import { finishLog, makeLog } from './log.ts'
import { withSecret } from './secret_file.ts'
import { logFaults } from './service.ts'
import type { Settings } from './settings.ts'

const WORKER = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url))
/** Only a worker that ran for this long is replaced at once, in milliseconds. */
const STAYED = 10_000
/** The pause before another one is; it doubles up to the longest, in milliseconds. */
const FIRST_PAUSE = 100
const LONGEST_PAUSE = 10_000
/** A worker that has not obeyed after this long is ended, in milliseconds; it gives itself less. */
const OBEY_LIMIT = 30_000

/** A worker ended before it was ready, and has said why. */
class NeverReady extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super('a worker does not start')
    this.name = 'NeverReady'
    this.exitCode = exitCode
  }
}

/**
 * Starts the workers that the settings ask for; they then run until a signal ends them. Where none can start, the process
 * ends with the first one's exit code; that one has said why.
 * @throws StartError with a line that names the mend
 */
export async function startCluster(settings: Settings): Promise<void> {
  const log = await makeLog(settings)
  await prepare(settings)
  const workers = new Workers(settings, log)
  obeySignals(workers, log)
  logFaults(log)
  try {
    announce(log, settings, await workers.start())
  } catch (error) {
    await workers.stop()
    if (!(error instanceof NeverReady)) throw error
    process.exit(error.exitCode)
  }
}

/** Does once what workers that start at the same time would do side by side. */
async function prepare(settings: Settings): Promise<void> {
  const db = await DB.open(settings.databaseUrl, { migrations, limits: limitsOf(settings) })
  await db.close()
  withSecret(settings)
}

function obeySignals(workers: Workers, log: Logger): void {
  const stop = (signal: NodeJS.Signals) => {
    log.info({ signal }, 'stopping')
    // A second one then does what it does to any process, and without this one no worker lives on.
    process.off('SIGTERM', stop).off('SIGINT', stop)
    void workers.stop().then(async (well) => {
      await finishLog()
      process.exit(well ? 0 : 1)
    })
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
  process.on('SIGHUP', () => workers.renew())
}

class Workers {
  readonly #count: number
  readonly #log: Logger
  readonly #dismissed = new Set<Worker>()
  /** The one whose successor is on its way: it needs no other one, should it end before. */
  #leaving: Worker | null = null
  #started = false
  #stopping = false
  #pause = 0
  #renewal = Promise.resolve()

  constructor({ workers, hashConcurrency, host, port }: Settings, log: Logger) {
    this.#count = workers
    this.#log = log
    // Workers take connections themselves. Handed out by the primary, one would hang on a worker that died meanwhile.
    cluster.schedulingPolicy = cluster.SCHED_NONE
    // After which the policy is fixed.
    cluster.setupPrimary({ exec: WORKER, args: [] })
    // Said to each, so that all are at one address, whatever .env says by then.
    Object.assign(process.env, { HOST: host, PORT: port, HASH_CONCURRENCY: hashConcurrency, WORKERS: 1 })
  }

  /** @returns the port at which they listen @throws NeverReady */
  async start(): Promise<number> {
    // The first one alone: what keeps it from starting would keep all of them, and is said once.
    const port = await this.#begin()
    await Promise.all(Array.from({ length: this.#count - 1 }, () => this.#begin()))
    this.#started = true
    return port
  }

  /** Ends all of them, and waits for it. @returns false where one could not finish its work, of which it has said why */
  async stop(): Promise<boolean> {
    this.#stopping = true
    const ends = await Promise.all(present().map((worker) => this.#dismiss(worker)))
    return ends.every((well) => well)
  }

  /** Replaces one after the other; each goes when another one has come in its place. */
  renew(): void {
    // Before that all are new anyway.
    if (this.#started) this.#renewal = this.#renewal.then(() => this.#renewAll())
  }

  async #renewAll(): Promise<void> {
    for (const worker of present()) {
      if (this.#stopping) return
      // Being replaced already, by one that is new.
      if (worker.isDead()) continue
      this.#leaving = worker
      try {
        await this.#begin()
      } catch (error) {
        this.#log.error({ err: error }, 'a new worker does not start; those that are left stay')
        if (worker.isDead()) void this.#replace(false)
        return
      } finally {
        this.#leaving = null
      }
      await this.#dismiss(worker)
    }
    this.#log.info('all workers were replaced')
  }

  /** @returns the port at which a new worker listens @throws NeverReady */
  async #begin(): Promise<number> {
    const worker = cluster.fork()
    const { promise: port, resolve, reject } = Promise.withResolvers<number>()
    let readyAt = Number.POSITIVE_INFINITY
    worker.once('message', (told: unknown) => {
      readyAt = performance.now()
      resolve(Number(told))
    })
    worker.once('exit', (code: number | null, signal: string | null) => {
      // Also where it was never ready: whoever waits for it would begin another one.
      if (this.#stopping || this.#dismissed.delete(worker)) return
      const leaving = worker === this.#leaving
      if (readyAt === Number.POSITIVE_INFINITY && !leaving) {
        return reject(signal === null ? new NeverReady(code ?? 1) : new StartError(`${signal} has ended a worker.`))
      }
      this.#log.error({ worker: worker.process.pid, code, signal }, 'a worker has ended, and is replaced')
      if (!leaving) void this.#replace(performance.now() - readyAt > STAYED)
    })
    return port
  }

  async #replace(stayed: boolean): Promise<void> {
    this.#pause = stayed ? 0 : Math.min(Math.max(FIRST_PAUSE, this.#pause * 2), LONGEST_PAUSE)
    await pause(this.#pause)
    if (!this.#stopping) await this.#begin().catch(() => this.#replace(false))
  }

  /** @returns whether it ended well */
  async #dismiss(worker: Worker): Promise<boolean> {
    if (worker.isDead()) return true
    this.#dismissed.add(worker)
    const ended = new Promise<number | null>((resolve) => worker.once('exit', resolve))
    const patience = setTimeout(() => worker.process.kill('SIGKILL'), OBEY_LIMIT)
    // One that is ending by itself hears nothing any more.
    worker.send('end', () => {})
    const code = await ended
    clearTimeout(patience)
    return code === 0
  }
}

function present(): Worker[] {
  return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)
}
