/**
 * The PostgreSQL engine: a pool of connections. A batch is one serialisable transaction whose statements are all sent at
 * once, so it costs one round trip and holds its locks for no longer; what loses a race against another is tried again.
 */

import { hash, randomInt } from 'node:crypto'
import { Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { StartError } from '../errors.ts'
import { type Engine, integer, type Row, type Statement, type StoreLimits, type Value } from './engine.ts'
import { numbered } from './placeholders.ts'
import { explained, isBroken, isForbidden, isUnchanged, isWorthAnotherTry, translated } from './postgres_errors.ts'
import { postgresLocation, readPostgresUrl } from './postgres_url.ts'

/** How often a transaction that loses races is tried before the store passes for unavailable. */
const MOST_TRIES = 40
/** The longest pause between two tries, in milliseconds; the first ones are shorter. */
const LONGEST_PAUSE = 50
/** The server ends a statement at its time-out; where the server itself is gone, this much later so do we. */
const GRACE = 1_000
/** Connections that nobody used for this long are closed, in milliseconds. */
const IDLE = 60_000
const OLDEST_VERSION = 13
/** int8, int4, int2 and numeric, which sums are, as PostgreSQL numbers its types. */
const NUMBERS = [20, 21, 23, 1700]

export class PostgresEngine implements Engine {
  readonly #pool: pg.Pool
  readonly #sockets: ReadonlySet<Socket>
  /** The server and database as they may be shown. */
  readonly #place: string
  readonly #named: boolean
  readonly #prepared = new Map<string, { readonly name?: string; readonly text: string }>()

  private constructor(url: string, limits: StoreLimits) {
    const sockets = new Set<Socket>()
    this.#sockets = sockets
    this.#pool = poolOf(url, limits, sockets)
    this.#place = postgresLocation(url)
    this.#named = limits.prepare ?? true
  }

  /**
   * Connects to a server.
   * @param url as `readPostgresUrl` reads it
   * @throws StartError with a line that names the mend
   */
  static async open(url: string, limits: StoreLimits): Promise<PostgresEngine> {
    const engine = new PostgresEngine(url, limits)
    try {
      await engine.#check()
      return engine
    } catch (error) {
      await engine.close()
      throw error instanceof StartError ? error : explained(error, engine.#place)
    }
  }

  async get(sql: string, params: readonly Value[] = []): Promise<Row | undefined> {
    return (await this.all(sql, params))[0]
  }

  async all(sql: string, params: readonly Value[] = []): Promise<Row[]> {
    return this.#persistently(async (client) => (await client.query<Row>(this.#prepare(sql, params))).rows)
  }

  async allOf(sql: string, keys: readonly string[]): Promise<Row[]> {
    return this.#persistently(async (client) => {
      // One parameter that holds them all, however many they are.
      const { values, ...statement } = this.#prepare(sql.replace(/= \?$/, '= ANY(?)'), keys)
      return (await client.query<Row>({ ...statement, values: [values] })).rows
    })
  }

  async run(sql: string, params: readonly Value[] = []): Promise<number> {
    return this.#persistently(async (client) => (await client.query(this.#prepare(sql, params))).rowCount ?? 0)
  }

  async batch(statements: readonly Statement[]): Promise<boolean> {
    if (statements.length === 0) return true
    const queries = statements.map(({ sql, params, mustChange }) =>
      this.#prepare(mustChange === true ? failingUnchanged(sql) : sql, params),
    )
    try {
      await this.#persistently((client) => inTransaction(client, 'BEGIN ISOLATION LEVEL SERIALIZABLE', queries))
      return true
    } catch (error) {
      if (isUnchanged(error)) return false
      throw error
    }
  }

  async alter(statements: readonly Statement[]): Promise<void> {
    const queries = statements.map(({ sql, params }) => ({ text: numbered(withIdentity(sql)), values: [...params] }))
    // A large table may take minutes; the time-outs of requests are no measure for it.
    const patience = { text: 'SET LOCAL statement_timeout = 0', values: [] }
    try {
      await this.#persistently((client) => inTransaction(client, 'BEGIN', [patience, ...queries], UNHURRIED))
    } catch (error) {
      throw isForbidden(error) ? explained(error, this.#place) : error
    }
  }

  async reach(): Promise<void> {
    await this.get('SELECT 1')
  }

  async takeNumber(table: string, column: string): Promise<number> {
    const row = await this.get('SELECT nextval(pg_get_serial_sequence(?, ?)) AS next', [table, column])
    return integer(row ?? {}, 'next')
  }

  async lastNumber(table: string, column: string): Promise<number> {
    const row = await this.get(
      'SELECT COALESCE(pg_sequence_last_value(pg_get_serial_sequence(?, ?)::regclass), 0) AS last',
      [table, column],
    )
    return integer(row ?? {}, 'last')
  }

  async continueAfter(table: string, column: string, last: number): Promise<void> {
    await this.run('SELECT setval(pg_get_serial_sequence(?, ?), ?)', [table, column, last])
  }

  async close(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end()
    // The driver forgets a connection that failed on this side, for want of a password for instance, and leaves it open.
    for (const socket of this.#sockets) socket.destroy()
  }

  /** @throws the driver's errors as they are, which say more than ours about a first connection */
  async #check(): Promise<void> {
    const place = this.#place
    const client = await this.#pool.connect()
    try {
      const text =
        "SELECT current_setting('server_version_num') AS version, current_setting('server_encoding') AS encoding"
      const [found] = (await client.query<{ version: string; encoding: string }>(text)).rows
      const version = Math.floor(Number(found?.version) / 10_000)
      if (version < OLDEST_VERSION) {
        throw new StartError(`${place} is PostgreSQL ${version}. Bienvenue needs ${OLDEST_VERSION} or newer.`)
      }
      if (found?.encoding !== 'UTF8') {
        throw new StartError(`${place} is encoded as ${found?.encoding}. Make it anew with createdb --encoding=UTF8.`)
      }
    } finally {
      client.release()
    }
  }

  /** Named, so that each connection parses and plans a statement once. */
  #prepare(sql: string, params: readonly Value[]) {
    let statement = this.#prepared.get(sql)
    if (statement === undefined) {
      const text = numbered(sql)
      statement = this.#named ? { name: hash('sha256', text, 'base64url'), text } : { text }
      this.#prepared.set(sql, statement)
    }
    return { ...statement, values: params.map(holdable) }
  }

  /** Tries again what lost a race; a try that failed has done nothing. */
  async #persistently<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    if (this.#pool.ending) throw new Error('the database is closed')
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#withClient(work)
      } catch (error) {
        if (isUnchanged(error)) throw error
        if (!isWorthAnotherTry(error) || tries === MOST_TRIES) throw translated(error)
        // By chance, so that those who met do not meet again.
        await setTimeout(randomInt(Math.min(tries * 2, LONGEST_PAUSE)))
      }
    }
  }

  async #withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    let broken = false
    try {
      return await work(client)
    } catch (error) {
      broken = isBroken(error)
      throw error
    } finally {
      client.release(broken)
    }
  }
}

interface Query {
  readonly name?: string
  readonly text: string
  readonly values: Value[]
}

/**
 * PostgreSQL holds every text but one with NUL. Clients may well send one to be looked up, and a sign that Unicode keeps
 * for nobody finds as little as NUL would.
 */
function holdable(value: Value): Value {
  return typeof value === 'string' ? value.replaceAll('\0', '\ufdd0') : value
}

/** Statements that may take as long as they need, in milliseconds. */
const UNHURRIED = { query_timeout: 2 ** 31 - 1 }

/**
 * Sends a whole transaction without waiting for answers. After a failure the server refuses what follows it, and the
 * COMMIT at the end rolls back.
 * @throws the first failure
 */
async function inTransaction(
  client: pg.PoolClient,
  begin: string,
  queries: readonly Query[],
  limits: { query_timeout?: number } = {},
): Promise<void> {
  const all = [{ text: begin }, ...queries, { text: 'COMMIT' }]
  const answers = await Promise.allSettled(all.map((query) => client.query({ ...query, ...limits })))
  const failed = answers.find((answer) => answer.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** A division by zero where no row was changed: so the server itself decides, and nobody waits for us to. */
function failingUnchanged(sql: string): string {
  return `WITH changed AS (${sql} RETURNING 1) SELECT 1 / COUNT(*) FROM changed`
}

/** What SQLite calls a number that is never given twice. */
function withIdentity(sql: string): string {
  return sql.replace('INTEGER PRIMARY KEY AUTOINCREMENT', 'BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY')
}

/** @param sockets where those are that are open */
function poolOf(url: string, { pool: max, timeout }: StoreLimits, sockets: Set<Socket>): pg.Pool {
  const types = new pg.TypeOverrides()
  for (const type of NUMBERS) types.setTypeParser(type, safeInteger)
  const { password, ...address } = readPostgresUrl(url)
  const pool = new pg.Pool({
    ...address,
    ...(password === undefined ? {} : { password }),
    ...{ max, types, pipeline: true, application_name: 'bienvenue', keepAlive: true, idleTimeoutMillis: IDLE },
    ...{ connectionTimeoutMillis: timeout, statement_timeout: timeout, query_timeout: timeout + GRACE },
    idle_in_transaction_session_timeout: timeout,
    stream: () => {
      const socket = new Socket()
      sockets.add(socket.once('close', () => void sockets.delete(socket)))
      return socket
    },
  })
  // A connection that is lost fails what is sent over it; the event beside that must not end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => void client.on('error', () => {}))
  return pool
}

function safeInteger(written: string): number {
  const number = Number(written)
  if (!Number.isSafeInteger(number)) throw new RangeError(`${written} is no safe integer`)
  return number
}
