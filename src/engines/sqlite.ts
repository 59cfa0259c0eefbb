/** The SQLite engine: one file, one connection, every commit on disk before it is acknowledged. */

import { closeSync, mkdirSync, openSync, realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { StartError } from '../errors.ts'
import {
  type Durability,
  type Engine,
  integer,
  type Near,
  type Row,
  type Statement,
  StoreUnavailable,
  UniqueViolation,
  type Value,
} from './engine.ts'
import { SqliteFiles } from './sqlite_files.ts'
import { ENOUGH, WalCheckpoint } from './wal_checkpoint.ts'
import { type Sync, WalSync } from './wal_sync.ts'

const MEMORY = ':memory:'
/** How long a write waits for another process that holds the file, in milliseconds. */
const PATIENCE = 5_000
/** SQLite itself does not wait at all: it would stop the whole process meanwhile. */
const BUSY_TIMEOUT = 0
/** The pause between two tries, in which the process goes on, in milliseconds. */
const PAUSE = 10
/** Pages of the file that this process keeps, in KiB: half of what the driver would, since what is asked most often is remembered elsewhere. */
const CACHE = 8_000

const UNIQUE = new Set(['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY'])
const UNAVAILABLE = /^SQLITE_(FULL|BUSY|LOCKED|READONLY|IOERR|CANTOPEN|NOMEM)/

class Rollback extends Error {}

export class SqliteEngine implements Engine {
  readonly #database: Database.Database
  readonly #files: SqliteFiles | undefined
  readonly #prepared = new Map<string, Database.Statement<Value[], Row>>()
  readonly #transaction: Database.Transaction<(statements: readonly Statement[]) => void>
  readonly #sync: WalSync | undefined
  readonly #checkpoint: WalCheckpoint | undefined
  readonly near: Near

  /**
   * Opens or makes the database.
   * @param path a file path, or `:memory:`; a new file has mode 0600, a new folder 0700
   * @param sync what brings a file to the disk; default: the system's
   * @throws StartError with a line that names the mend
   */
  constructor(path: string, sync?: Sync) {
    this.#database = openDatabase(path)
    const { name } = this.#database
    this.#files = path === MEMORY ? undefined : new SqliteFiles(name, resolve(path))
    this.#sync = this.#files && new WalSync(name, sync)
    const byItself = () => void this.#database.pragma(`wal_autocheckpoint = ${ENOUGH}`)
    this.#checkpoint = this.#files && new WalCheckpoint(name, byItself)
    this.#transaction = this.#database.transaction((statements) => {
      for (const { sql, params, mustChange } of statements) {
        const { changes } = this.#prepare(sql).run(...params)
        if (mustChange === true && changes === 0) throw new Rollback()
      }
    })
    this.near = this.#near()
  }

  async get(sql: string, params: readonly Value[] = []): Promise<Row | undefined> {
    return patiently(() => this.#prepare(sql).get(...params))
  }

  async all(sql: string, params: readonly Value[] = []): Promise<Row[]> {
    return patiently(() => this.#prepare(sql).all(...params))
  }

  async allOf(sql: string, keys: readonly string[]): Promise<Row[]> {
    return patiently(() => keys.map((key) => this.#prepare(sql).get(key)).filter((row) => row !== undefined))
  }

  async run(sql: string, params: readonly Value[] = []): Promise<number> {
    if (this.#sync?.failed === true) await this.#renewLog(this.#sync)
    const changes = await this.#write(() => this.#prepare(sql).run(...params).changes)
    this.#considerCheckpoint()
    await this.#keep()
    return changes
  }

  async batch(statements: readonly Statement[], durability: Durability = 'now'): Promise<boolean> {
    if (durability === 'now' && this.#sync?.failed === true) await this.#renewLog(this.#sync)
    try {
      await this.#write(() => this.#transaction.immediate(statements))
      this.#considerCheckpoint()
      if (durability === 'now') await this.#keep()
      return true
    } catch (error) {
      if (error instanceof Rollback) return false
      throw error
    }
  }

  async alter(statements: readonly Statement[]): Promise<void> {
    await this.batch(statements)
  }

  async takeNumber(table: string): Promise<number> {
    const first =
      'INSERT INTO sqlite_sequence (name, seq) SELECT ?, 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?)'
    const next = 'UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = ? RETURNING seq'
    const take = this.#database.transaction(() => {
      this.#prepare(first).run(table, table)
      return this.#prepare(next).get(table)
    })
    return integer((await this.#write(() => take.immediate())) ?? {}, 'seq')
  }

  async lastNumber(table: string): Promise<number> {
    const row = await this.get('SELECT seq FROM sqlite_sequence WHERE name = ?', [table])
    return row === undefined ? 0 : integer(row, 'seq')
  }

  async continueAfter(table: string, _column: string, last: number): Promise<void> {
    await this.batch([
      { sql: 'DELETE FROM sqlite_sequence WHERE name = ?', params: [table] },
      { sql: 'INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)', params: [table, last] },
    ])
  }

  async reach(): Promise<void> {
    this.#refuseLostFile()
    await this.get('SELECT 1')
  }

  async close(): Promise<void> {
    await this.#checkpoint?.close()
    await this.#sync?.close()
    this.#database.close()
  }

  /** After a sync that failed: brings all of the log into the database, and that to the disk, before anything is added. */
  async #renewLog(sync: WalSync): Promise<void> {
    const row = await this.#write(() => this.#prepare('PRAGMA wal_checkpoint(TRUNCATE)').get())
    if (integer(row ?? {}, 'busy') !== 0) throw new StoreUnavailable(new Error('the log of a failed sync is in use'))
    sync.renew()
  }

  /** To be called after each commit, which stands whatever becomes of this. */
  #considerCheckpoint(): void {
    if (this.#checkpoint === undefined) return
    try {
      const found = this.#prepare('PRAGMA wal_checkpoint(NOOP)').get() ?? {}
      this.#checkpoint.consider(integer(found, 'log') - integer(found, 'checkpointed'))
    } catch {
      // What is wrong with the file the next write will say.
    }
  }

  /** To be awaited before anybody hears of a commit. */
  async #keep(): Promise<void> {
    try {
      await this.#sync?.wait()
    } catch (error) {
      throw new StoreUnavailable(error)
    }
  }

  /** Asks at each try: the file may be replaced while a write waits for another process. */
  async #write<T>(step: () => T): Promise<T> {
    return patiently(() => {
      this.#refuseLostFile()
      return step()
    })
  }

  #refuseLostFile(): void {
    const lost = this.#files?.lost()
    if (lost === undefined) return
    throw new StoreUnavailable(new Error(`${lost} was deleted or replaced: restart the service on the right file`))
  }

  #near(): Near {
    const begin = this.#database.prepare('BEGIN')
    const commit = this.#database.prepare('COMMIT')
    return {
      step: patiently,
      together: (reads) => {
        begin.run()
        try {
          return reads()
        } finally {
          commit.run()
        }
      },
      get: (sql, key) => this.#prepare(sql).get(key),
      version: () => integer(this.#prepare('PRAGMA data_version').get() ?? {}, 'data_version'),
      watch: (name, told, triggers) => {
        this.#database.function(name, (key, value) => void told(String(key), typeof value === 'number' ? value : null))
        for (const trigger of triggers) this.#database.exec(trigger)
      },
    }
  }

  #prepare(sql: string): Database.Statement<Value[], Row> {
    let statement = this.#prepared.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare<Value[], Row>(sql)
      this.#prepared.set(sql, statement)
    }
    return statement
  }
}

/** Tries again while another process holds the file; a step that meets it has done nothing yet. */
async function patiently<T>(step: () => T): Promise<T> {
  const end = performance.now() + PATIENCE
  for (;;) {
    try {
      return step()
    } catch (error) {
      if (!isBusy(error) || performance.now() > end) throw translated(error)
      await setTimeout(PAUSE)
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')
}

function translated(error: unknown): unknown {
  if (!(error instanceof Database.SqliteError)) return error
  if (UNIQUE.has(error.code)) return new UniqueViolation(error)
  return UNAVAILABLE.test(error.code) ? new StoreUnavailable(error) : error
}

function openDatabase(path: string): Database.Database {
  const memory = path === MEMORY
  const file = memory ? path : resolve(path)
  try {
    if (!memory) {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      // SQLite would make the file readable by all; its -wal and -shm files take the mode of this one.
      closeSync(openSync(file, 'a', 0o600))
    }
    // SQLite keeps those two beside what a link leads to, and they are looked for where it keeps them.
    const database = new Database(memory ? path : realpathSync(file), { timeout: BUSY_TIMEOUT })
    enterWal(database)
    database.pragma('synchronous = NORMAL')
    database.pragma('wal_autocheckpoint = 0')
    database.pragma('foreign_keys = ON')
    database.pragma(`cache_size = -${CACHE}`)
    return database
  } catch (error) {
    throw explained(error, file)
  }
}

/**
 * SQLite does not apply its busy time-out to the change into WAL mode, which two first starts may try at once. The read after it
 * makes the log and its index.
 */
function enterWal(database: Database.Database): void {
  const end = performance.now() + PATIENCE
  for (;;) {
    try {
      database.pragma('journal_mode = WAL')
      database.pragma('data_version')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > end) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE)
    }
  }
}

function explained(error: unknown, file: string): StartError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'SQLITE_NOTADB') {
    return new StartError(
      `${file} is not an SQLite database. Set DATABASE_URL to another path, or move that file away.`,
    )
  }
  if (code === 'ENOSPC' || code === 'SQLITE_FULL') {
    return new StartError(`The disk that holds ${file} is full. Free some space, or set DATABASE_URL to another path.`)
  }
  if (code === 'SQLITE_BUSY') {
    return new StartError(
      `${file} is locked by another process. Stop that process, or set DATABASE_URL to another path.`,
    )
  }
  const cause = error instanceof Error ? error.message : String(error)
  return new StartError(
    `The database ${file} cannot be opened (${cause}). Make its folder writable for this user, or set DATABASE_URL to another path.`,
  )
}
