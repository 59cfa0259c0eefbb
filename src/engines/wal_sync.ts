/**
 * Brings SQLite's commits to the disk without stopping the process for it: a commit writes its pages to the log beside the file
 * (WAL), and one of libuv's threads makes the disk keep them. Only then is the commit acknowledged, as with SQLite's own
 * `synchronous = FULL`, which would do the same inside the commit. What is committed while a sync runs shares the next one.
 *
 * The log is whole whatever is lost of its end, since each page of it proves itself; before a page goes from there to the
 * database, SQLite syncs by itself (`synchronous = NORMAL`).
 *
 * Where a sync fails, the system may take the pages for written all the same and never try them again. So nothing is believed
 * after that until the log was begun anew.
 */

import { closeSync, constants, fdatasync, openSync } from 'node:fs'
import { promisify } from 'node:util'

/** Brings what was written to a file to the disk. */
export type Sync = (file: number) => Promise<void>

export class WalSync {
  readonly #path: string
  readonly #sync: Sync
  #file: number | undefined
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #failure: { cause: unknown } | undefined

  /** @param database the path of the database, whose connection keeps the log in being */
  constructor(database: string, sync: Sync = promisify(fdatasync)) {
    this.#path = `${database}-wal`
    this.#sync = sync
  }

  /** Whether a sync has failed since the log was begun. */
  get failed(): boolean {
    return this.#failure !== undefined
  }

  /** To be called when all of the log is in the database, and that on the disk. */
  renew(): void {
    this.#failure = undefined
  }

  /** @returns when all that was committed before this call is on the disk @throws whatever the disk says, or has said */
  async wait(): Promise<void> {
    this.#next ??= this.#after(this.#running)
    await this.#next
  }

  /** To be called when nothing is committed any more. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#running, this.#next])
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  /** A sync that began earlier may have missed what was committed since. */
  async #after(earlier: Promise<void> | undefined): Promise<void> {
    await earlier?.catch(() => undefined)
    this.#running = this.#next
    this.#next = undefined
    // Windows lets only those sync who may write.
    this.#file ??= openSync(this.#path, constants.O_RDWR)
    if (this.#failure !== undefined) throw this.#failure.cause
    try {
      await this.#sync(this.#file)
    } catch (cause) {
      this.#failure = { cause }
      throw cause
    }
  }
}
