/**
 * What a storage engine is: four calls over portable SQL with `?` placeholders. Nothing awaits inside a transaction:
 * an atomic step is a list of statements given to `batch` at once, so that no two requests can interleave in it.
 */

export type Value = string | number | null

/** One row as the engine hands it out; read it with `text`, `integer` and their optional forms. */
export type Row = Readonly<Record<string, unknown>>

export interface Statement {
  readonly sql: string
  readonly params: readonly Value[]
  /** The whole batch rolls back when this statement changes no row. */
  readonly mustChange?: boolean
}

/** When a transaction must be on the disk: before anybody hears of it, which is the default, or with the next one that must. */
export type Durability = 'now' | 'later'

/** What an engine with a server may take of it. */
export interface StoreLimits {
  /** The most connections of this process. */
  readonly pool: number
  /** How long a statement may run, and how long one waits for a connection, in milliseconds. */
  readonly timeout: number
  /** Whether statements are kept prepared on its connections, which not every pooler lets one do. Default: they are. */
  readonly prepare?: boolean
}

export interface Engine {
  /** @returns the first row, or undefined */
  get(sql: string, params?: readonly Value[]): Promise<Row | undefined>
  all(sql: string, params?: readonly Value[]): Promise<Row[]>
  /**
   * Looks up the rows of many keys by one statement.
   * @param sql ends in `= ?`, for a key
   * @returns the rows there are, in no order
   */
  allOf(sql: string, keys: readonly string[]): Promise<Row[]>
  /** @returns the number of rows changed */
  run(sql: string, params?: readonly Value[]): Promise<number>
  /**
   * Runs all statements in one transaction.
   * @param durability `later` for what nobody is told of: a crash of the process loses nothing of it, one of the machine may
   * @returns true when committed; false when a `mustChange` statement changed no row and all was rolled back
   */
  batch(statements: readonly Statement[], durability?: Durability): Promise<boolean>
  /**
   * Changes the schema: all statements in one transaction, for as long as they take. They are written as for SQLite; what
   * it calls `INTEGER PRIMARY KEY AUTOINCREMENT` is a number that is never given twice, however an engine says so.
   */
  alter(statements: readonly Statement[]): Promise<void>
  /** @returns the next number of such a column, which no row gets by itself any more, be it used or not */
  takeNumber(table: string, column: string): Promise<number>
  /** @returns the highest number that a column of `alter`'s numbering kind has ever been given, or 0 */
  lastNumber(table: string, column: string): Promise<number>
  /** Lets the numbers of such a column go on after `last`, so that none is given twice. */
  continueAfter(table: string, column: string, last: number): Promise<void>
  /** @returns where rows can be read, and nothing is known that keeps them from being written @throws StoreUnavailable */
  reach(): Promise<void>
  /** Of an engine that runs inside this process. */
  readonly near?: Near
  close(): Promise<void>
}

/** What an engine can do where no message lies between the process and its rows: several things in one step. */
export interface Near {
  /** Does a step that only reads; nothing else happens in this process meanwhile. Where another one locks the file it is begun again. */
  step<T>(step: () => T): Promise<T>
  /** For a step, or a part of it. @returns what `reads` does, all of it in one transaction */
  together<T>(reads: () => T): T
  /** For a step. @returns the row of a key, or undefined */
  get(sql: string, key: string): Row | undefined
  /** For a step. @returns a number that is another one whenever another connection has written meanwhile */
  version(): number
  /**
   * Lets triggers of this connection tell of its own changes.
   * @param name what SQL calls the function `told`, which takes a key and a number or NULL
   */
  watch(name: string, told: (key: string, value: number | null) => void, triggers: readonly string[]): void
}

/** A unique index refused a row. */
export class UniqueViolation extends Error {
  constructor(cause: unknown) {
    super('a row with this key exists', { cause })
    this.name = 'UniqueViolation'
  }
}

/** The database cannot be used now (full disk, locked or read-only file); nothing was written. */
export class StoreUnavailable extends Error {
  constructor(cause: unknown) {
    super(`the database cannot be used now: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.name = 'StoreUnavailable'
  }
}

export function text(row: Row, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw new TypeError(`column ${column} holds no text`)
  return value
}

export function integer(row: Row, column: string): number {
  const value = row[column]
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw new TypeError(`column ${column} holds no integer`)
  return value
}

export function optionalText(row: Row, column: string): string | null {
  return row[column] === null ? null : text(row, column)
}

export function optionalInteger(row: Row, column: string): number | null {
  return row[column] === null ? null : integer(row, column)
}
