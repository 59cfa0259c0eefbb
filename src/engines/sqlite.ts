/** The SQLite engine: one file, one connection, every commit on disk before it is acknowledged. */

import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import Database from 'better-sqlite3'
import { StartError } from '../errors.ts'
import { type Engine, type Row, type Statement, StoreUnavailable, UniqueViolation, type Value } from './engine.ts'

/** How long a write waits for another process that holds the file, in milliseconds. */
const BUSY_TIMEOUT = 5_000

const UNIQUE = new Set(['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY'])
const UNAVAILABLE = /^SQLITE_(FULL|BUSY|LOCKED|READONLY|IOERR|CANTOPEN|NOMEM)/

class Rollback extends Error {}

export class SqliteEngine implements Engine {
  readonly #database: Database.Database
  readonly #prepared = new Map<string, Database.Statement<Value[], Row>>()
  readonly #transaction: Database.Transaction<(statements: readonly Statement[]) => void>

  /**
   * Opens or makes the database.
   * @param path a file path, or `:memory:`; a new file has mode 0600, a new folder 0700
   * @throws StartError with a line that names the mend
   */
  constructor(path: string) {
    this.#database = openDatabase(path)
    this.#transaction = this.#database.transaction((statements) => {
      for (const { sql, params, mustChange } of statements) {
        const { changes } = this.#prepare(sql).run(...params)
        if (mustChange === true && changes === 0) throw new Rollback()
      }
    })
  }

  async get(sql: string, params: readonly Value[] = []): Promise<Row | undefined> {
    return translated(() => this.#prepare(sql).get(...params))
  }

  async all(sql: string, params: readonly Value[] = []): Promise<Row[]> {
    return translated(() => this.#prepare(sql).all(...params))
  }

  async run(sql: string, params: readonly Value[] = []): Promise<number> {
    return translated(() => this.#prepare(sql).run(...params).changes)
  }

  async batch(statements: readonly Statement[]): Promise<boolean> {
    try {
      translated(() => this.#transaction.immediate(statements))
      return true
    } catch (error) {
      if (error instanceof Rollback) return false
      throw error
    }
  }

  async close(): Promise<void> {
    this.#database.close()
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

function translated<T>(step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (error instanceof Database.SqliteError) {
      if (UNIQUE.has(error.code)) throw new UniqueViolation(error)
      if (UNAVAILABLE.test(error.code)) throw new StoreUnavailable(error)
    }
    throw error
  }
}

function openDatabase(path: string): Database.Database {
  const memory = path === ':memory:'
  const file = memory ? path : resolve(path)
  try {
    if (!memory) {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      // SQLite would make the file readable by all; its -wal and -shm files take the mode of this one.
      closeSync(openSync(file, 'a', 0o600))
    }
    const database = new Database(file, { timeout: BUSY_TIMEOUT })
    patiently(() => database.pragma('journal_mode = WAL'))
    database.pragma('synchronous = FULL')
    database.pragma('foreign_keys = ON')
    return database
  } catch (error) {
    throw explained(error, file)
  }
}

/** SQLite does not apply its busy time-out to the change into WAL mode, which two first starts may try at once. */
function patiently(step: () => unknown): void {
  const end = Date.now() + BUSY_TIMEOUT
  for (;;) {
    try {
      step()
      return
    } catch (error) {
      if (!(error instanceof Database.SqliteError) || error.code !== 'SQLITE_BUSY' || Date.now() > end) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
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
