/**
 * The DB: adds, finds, updates and deletes users, sessions and one-time tokens. It knows no rules: what may happen is
 * decided in auth.ts. Single writes are methods here; what must happen together is given to `commit` as statements.
 */

import { sweepTries } from './db/code_tries.ts'
import { Glances } from './db/glances.ts'
import { HIGHEST_HASH_COST, noteCost } from './db/hash_costs.ts'
import { coreMigrations, type Migration, migrate } from './db/migrations.ts'
import { nextSessions, sessions, sweepSessions } from './db/sessions.ts'
import { SIGNING_KEYS, type StoredSigningKey, signingKeys } from './db/signing_keys.ts'
import { insert, must, NoResultFound, remove, select, selectLast, type Table, update } from './db/table.ts'
import { type OneTimeToken, replaceToken, sweepTokens, tokens } from './db/tokens.ts'
import { takeTurn } from './db/turns.ts'
import { changeUser, insertUser, type UserChanges, users } from './db/users.ts'
import {
  type Engine,
  integer,
  type Row,
  type Statement,
  type StoreLimits,
  StoreUnavailable,
  text,
} from './engines/engine.ts'
import { DEFAULT_LIMITS, databaseLocation, openEngine } from './engines/open.ts'
import { StartError } from './errors.ts'
import type { Glance, Session } from './session.ts'
import { normalEmail, type User } from './user.ts'

export { InvalidRequest, NoResultFound } from './db/table.ts'
export { type Statement, StoreUnavailable, UniqueViolation } from './engines/engine.ts'

/** Milliseconds since the epoch. */
export type Clock = () => number

interface DBOptions {
  /** The one clock of the service. Default: the system's. */
  clock?: Clock
  /** All migrations, the features' included. Default: the core's. */
  migrations?: readonly Migration[]
  /** What a database server is asked for. */
  limits?: StoreLimits
}

const SWEEP_STEP = 500
/** Rows that `sweepUntil` deletes in one step. */
export const SWEPT_AT_ONCE = 1_000
/** Less than processes take from one sweep to their next, so that one of them always sweeps, in milliseconds. */
const SWEEP_TURN = 25_000

export class DB {
  readonly now: Clock
  /** The highest bcrypt cost that a stored password had by the time the database was opened; 0 where there is none. */
  readonly highestHashCost: number
  readonly #engine: Engine
  readonly #glances: Glances

  private constructor(engine: Engine, clock: Clock, highestHashCost: number) {
    this.#engine = engine
    this.#glances = new Glances(engine)
    this.now = clock
    this.highestHashCost = highestHashCost
  }

  /**
   * Opens a database and brings it to the newest schema.
   * @param url `sqlite:<path>`, `sqlite::memory:` or `postgres://...`
   * @throws StartError with a line that names the mend
   */
  static async open(url: string, options: DBOptions = {}): Promise<DB> {
    const { clock = Date.now, migrations = coreMigrations, limits = DEFAULT_LIMITS } = options
    const engine = await openEngine(url, limits)
    try {
      await migrate(engine, migrations, clock())
      return new DB(engine, clock, integer((await engine.get(HIGHEST_HASH_COST)) ?? {}, 'cost'))
    } catch (error) {
      await engine.close()
      if (error instanceof StoreUnavailable)
        throw new StartError(`${databaseLocation(url)} cannot be used: ${error.message}. Free it, or its disk.`)
      throw error
    }
  }

  /**
   * @param email a checked address; stored as given, unique by its normal form
   * @throws UniqueViolation when the address is taken
   */
  async addUser(email: string, hashedPassword: string, name: string | null = null): Promise<User> {
    await this.commit([insertUser({ email, hashedPassword, name }, this.now()), ...noteCost(hashedPassword)])
    return this.findUserBy({ email })
  }

  /** @returns the number of a user to be added, which no other one gets, whatever becomes of this one */
  async takeUserNumber(): Promise<number> {
    return this.#engine.takeNumber(users.name, users.columns.id)
  }

  /**
   * @param criteria fields that must all be equal; an `email` is compared by its normal form
   * @throws NoResultFound, InvalidRequest (unknown field, or none)
   */
  async findUserBy(criteria: Partial<User>): Promise<User> {
    const { email, ...rest } = criteria
    return this.#find(users, email === undefined ? criteria : { ...rest, emailKey: normalEmail(email) })
  }

  /** @throws NoResultFound, InvalidRequest (unknown field, or none), UniqueViolation (address taken) */
  async updateUser(id: number, changes: UserChanges): Promise<void> {
    const noted = noteCost(changes.hashedPassword ?? '')
    if (!(await this.commit([must(changeUser(changes, { id }, this.now())), ...noted])))
      throw new NoResultFound(users.name)
  }

  /** Deletes the user and all that hangs on it. @throws NoResultFound */
  async deleteUser(id: number): Promise<void> {
    await this.#write(users, remove(users, { id }))
  }

  async addSession(session: Session): Promise<void> {
    await this.commit([insert(sessions, session)])
  }

  /** @throws NoResultFound, InvalidRequest */
  async findSessionBy(criteria: Partial<Session>): Promise<Session> {
    return this.#find(sessions, criteria)
  }

  /** @returns what a session check needs to know of each session, or null, as of a moment after this call: at most one read each */
  glances(ids: readonly string[]): Promise<(Glance | null)[]> {
    return this.#glances.find(ids)
  }

  /** @returns a session and its user, all of both, by one read, or null */
  async findSessionAndUser(id: string): Promise<{ session: Session; user: User } | null> {
    const row = await this.#engine.get(SESSION_AND_USER, [id])
    if (row === undefined) return null
    return {
      session: sessions.read(row),
      user: users.read({ ...row, id: row.user_id, created_at: row.user_created_at }),
    }
  }

  async findSessionsOf(userId: number): Promise<Session[]> {
    const { sql, params } = select(sessions, { userId })
    return (await this.#engine.all(sql, params)).map(sessions.read)
  }

  /** @throws NoResultFound, InvalidRequest */
  async updateSession(id: string, changes: Partial<Omit<Session, 'id'>>): Promise<void> {
    await this.#write(sessions, update(sessions, changes, { id }))
  }

  /** @throws NoResultFound */
  async deleteSession(id: string): Promise<void> {
    await this.#write(sessions, remove(sessions, { id }))
  }

  /** @returns all keys that sign access tokens, the oldest first */
  async findSigningKeys(): Promise<StoredSigningKey[]> {
    return (await this.#engine.all(SIGNING_KEYS)).map(signingKeys.read)
  }

  /** Adds a token in the place of the user's pending one of that purpose. @throws NoResultFound (no such user) */
  async addToken(token: OneTimeToken): Promise<void> {
    if (!(await this.commit(replaceToken(token)))) throw new NoResultFound(users.name)
  }

  /** @throws NoResultFound, InvalidRequest */
  async findTokenBy(criteria: Partial<OneTimeToken>): Promise<OneTimeToken> {
    return this.#find(tokens, criteria)
  }

  /** @throws NoResultFound */
  async deleteToken(id: string): Promise<void> {
    await this.#write(tokens, remove(tokens, { id }))
  }

  /** @returns the first row of any table, a feature's for instance, that answers the criteria, or null */
  async findBy<T>(table: Table<T>, criteria: Partial<NoInfer<T>>): Promise<T | null> {
    const { sql, params } = select(table, criteria)
    const row = await this.#engine.get(sql, params)
    return row === undefined ? null : table.read(row)
  }

  /** @returns at most `limit` rows that answer the criteria, those first that are highest by `order` */
  async findLastBy<T>(
    table: Table<T>,
    criteria: Partial<NoInfer<T>>,
    order: readonly (keyof NoInfer<T>)[],
    limit: number,
  ): Promise<T[]> {
    const { sql, params } = selectLast(table, criteria, order, limit)
    return (await this.#engine.all(sql, params)).map(table.read)
  }

  /** @returns what `read` makes of each row that a statement yields, for what no table and criteria can say */
  async read<T>({ sql, params }: Statement, read: (row: Row) => T): Promise<T[]> {
    return (await this.#engine.all(sql, params)).map(read)
  }

  /**
   * Writes all statements or none.
   * @returns true when committed, false when a statement that must change a row did not
   */
  async commit(statements: readonly Statement[]): Promise<boolean> {
    return this.#engine.batch(statements)
  }

  /** Like `commit`, without waiting for the disk: for what is counted and for what nobody is told of. */
  async note(statements: readonly Statement[]): Promise<boolean> {
    return this.#engine.batch(statements, 'later')
  }

  /**
   * Deletes what has ended, in steps short enough that nobody waits for them; or nothing, where another process just has.
   * @param idle sessions unused for this many milliseconds have ended
   */
  async sweep(idle: number): Promise<void> {
    const now = this.now()
    if (!(await this.commit([must(takeTurn('sweep', now, now + SWEEP_TURN)), sweepTokens(now), sweepTries(now)])))
      return
    let after = ''
    for (;;) {
      const next = nextSessions(after, SWEEP_STEP)
      const last = (await this.#engine.all(next.sql, next.params)).at(-1)
      if (last === undefined) return
      const lastId = text(last, 'id')
      await this.commit([sweepSessions(after, lastId, this.now(), this.now() - idle)])
      after = lastId
      await new Promise(setImmediate)
    }
  }

  /**
   * Deletes rows by a time of theirs, in short steps too.
   * @param end the latest time of those that go, in milliseconds since the epoch
   * @param nth reads, as `ended`, the time of one of them: by `end`, and how many come before it
   * @param remove deletes those up to a time
   */
  async sweepUntil(end: number, { nth, remove }: { nth: string; remove: string }): Promise<void> {
    for (;;) {
      const [last] = await this.#engine.all(nth, [end, SWEPT_AT_ONCE - 1])
      await this.commit([{ sql: remove, params: [last === undefined ? end : integer(last, 'ended')] }])
      if (last === undefined) return
      await new Promise(setImmediate)
    }
  }

  /** Returns where the database can be used, at the cost of one look at nothing. @throws StoreUnavailable */
  async reach(): Promise<void> {
    await this.#engine.reach()
  }

  async close(): Promise<void> {
    await this.#engine.close()
  }

  async #find<T>(table: Table<T>, criteria: Partial<NoInfer<T>>): Promise<T> {
    const found = await this.findBy(table, criteria)
    if (found === null) throw new NoResultFound(table.name)
    return found
  }

  async #write<T>(table: Table<T>, statement: Statement): Promise<void> {
    if (!(await this.commit([must(statement)]))) throw new NoResultFound(table.name)
  }
}

/** The look-up behind every session check; a test holds it to the indexes of both engines. */
export const SESSION_AND_USER = `
  SELECT s.id, s.secret_hash, s.user_id, s.created_at, s.authenticated_at, s.last_seen_at, s.expires_at, s.address,
    s.user_agent, s.kind, s.family_hash, s.rotated_at, u.email, u.email_key, u.name, u.hashed_password,
    u.created_at AS user_created_at, u.updated_at, u.email_confirmed_at
  FROM sessions s JOIN users u ON u.id = s.user_id
  WHERE s.id = ?`
