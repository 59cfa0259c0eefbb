/**
 * Brings what SQLite's log holds into the database (a checkpoint) on a thread of its own. Left to itself SQLite does so inside
 * of a commit, about every hundredth login, and waits for the disk meanwhile, and with it everybody whom this process serves.
 */

import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** Pages of the log that are not in the database yet; as many as with which SQLite itself would begin. */
const ENOUGH = 1_000

const WORKER = new URL(`./checkpoint_worker${extname(import.meta.url)}`, import.meta.url)

export class WalCheckpoint {
  readonly #database: string
  #thread: Worker | undefined
  #running: Promise<unknown> | undefined

  /** @param database the path of the database */
  constructor(database: string) {
    this.#database = database
  }

  /**
   * Begins a checkpoint where it is time for one and none runs. One that fails leaves the log as it is, for the next.
   * @param pages of the log that are not in the database
   */
  consider(pages: number): void {
    if (pages < ENOUGH || this.#running !== undefined) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Waits for a checkpoint that runs; to be called before the database is closed. */
  async close(): Promise<void> {
    await this.#running
    await this.#thread?.terminate()
    this.#thread = undefined
  }

  async #run(): Promise<void> {
    this.#thread ??= new Worker(WORKER, { workerData: this.#database })
    const thread = this.#thread
    // Only a checkpoint at work keeps the process alive.
    thread.ref()
    thread.postMessage('checkpoint')
    try {
      await once(thread, 'message')
      thread.unref()
    } catch {
      // The thread has ended, and the next checkpoint begins another one.
      this.#thread = undefined
    }
  }
}
