/**
 * Brings what SQLite's log holds into the database (a checkpoint) on a thread of its own. Left to itself SQLite does so inside
 * of a commit, about every hundredth login, and waits for the disk meanwhile, and with it everybody whom this process serves.
 */

import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** Pages of the log that are not in the database yet; as many as with which SQLite itself would begin. */
export const ENOUGH = 1_000

const WORKER = new URL(`./checkpoint_worker${extname(import.meta.url)}`, import.meta.url)

export class WalCheckpoint {
  readonly #database: string
  readonly #instead: () => void
  #thread: Worker | undefined
  #running: Promise<unknown> | undefined
  #failed = false
  /** Pages that the last one had to leave, since somebody still reads what is older: they are no reason for the next. */
  #left = 0

  /**
   * @param database the path of the database
   * @param instead called once, where a thread cannot be had: from then on nothing is done here
   */
  constructor(database: string, instead: () => void) {
    this.#database = database
    this.#instead = instead
  }

  /**
   * Begins a checkpoint where it is time for one and none runs. One that fails leaves the log as it is, for the next.
   * @param pages of the log that are not in the database
   */
  consider(pages: number): void {
    this.#left = Math.min(this.#left, pages)
    if (pages - this.#left < ENOUGH || this.#running !== undefined || this.#failed) return
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
    try {
      this.#thread ??= new Worker(WORKER, { workerData: this.#database })
      const thread = this.#thread
      // Only a checkpoint at work keeps the process alive.
      thread.ref()
      thread.postMessage('checkpoint')
      await once(thread, 'message')
      thread.unref()
      // As many as the next commit finds.
      this.#left = Number.POSITIVE_INFINITY
    } catch {
      // Its source was moved away, or no file can be opened: the log would grow without end.
      this.#failed = true
      this.#instead()
    }
  }
}
