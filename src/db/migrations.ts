/**
 * The schema, as numbered steps that only go forward. A step is never edited once released; the next one mends it. It only
 * adds to what is there, so that versions before it go on beside it and start on it; one that takes away says so, comes a
 * version after the last use of what it takes, and shuts out those who still use it.
 * Each runs in one transaction together with the row that says so, and that row is also the lock: of two processes that
 * start at once the second finds it taken and goes on.
 */

import { type Engine, integer, type Row, UniqueViolation } from '../engines/engine.ts'
import { StartError } from '../errors.ts'
import { codeTryMigrations } from './code_tries.ts'
import { hashCostMigrations } from './hash_costs.ts'
import { turnMigrations } from './turns.ts'

export interface Migration {
  /** Its place in the one order of all migrations, the features' included. */
  id: number
  name: string
  sql: readonly string[]
  /** Of a step that takes away or changes what was there: the newest step that a version must know to live with it. */
  needs?: number
}

export const coreMigrations: readonly Migration[] = [
  {
    id: 1,
    name: 'users',
    sql: [
      `CREATE TABLE users (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        email TEXT NOT NULL,
        email_key TEXT NOT NULL UNIQUE,
        name TEXT,
        hashed_password TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
      )`,
    ],
  },
  {
    id: 2,
    name: 'sessions',
    sql: [
      `CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        secret_hash TEXT NOT NULL,
        user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        created_at BIGINT NOT NULL,
        authenticated_at BIGINT NOT NULL,
        last_seen_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        address TEXT NOT NULL,
        user_agent TEXT NOT NULL
      )`,
      'CREATE INDEX sessions_user_id ON sessions (user_id)',
    ],
  },
  {
    id: 3,
    name: 'one_time_tokens',
    sql: [
      `CREATE TABLE one_time_tokens (
        id TEXT PRIMARY KEY,
        secret_hash TEXT NOT NULL,
        user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        purpose TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        UNIQUE (user_id, purpose)
      )`,
    ],
  },
  {
    id: 6,
    name: 'email_confirmation',
    sql: [
      'ALTER TABLE users ADD COLUMN email_confirmed_at BIGINT',
      'ALTER TABLE one_time_tokens ADD COLUMN email TEXT',
      'ALTER TABLE one_time_tokens ADD COLUMN tries BIGINT NOT NULL DEFAULT 0',
      'ALTER TABLE one_time_tokens ADD COLUMN reserves TEXT',
      'CREATE INDEX one_time_tokens_reserves ON one_time_tokens (reserves)',
    ],
  },
  {
    id: 9,
    name: 'token_sessions',
    sql: [
      "ALTER TABLE sessions ADD COLUMN kind TEXT NOT NULL DEFAULT 'cookie'",
      'ALTER TABLE sessions ADD COLUMN family_hash TEXT',
      'ALTER TABLE sessions ADD COLUMN rotated_at BIGINT',
    ],
  },
  {
    id: 10,
    name: 'signing_keys',
    sql: [
      `CREATE TABLE signing_keys (
        serial BIGINT PRIMARY KEY,
        kid TEXT NOT NULL UNIQUE,
        sealed_key TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        signs_from BIGINT NOT NULL
      )`,
    ],
  },
  ...hashCostMigrations,
  ...turnMigrations,
  ...codeTryMigrations,
]

/** Marks a database that is being filled from another one; no version of the service starts on it. */
export const UNFINISHED_MOVE: Migration = { id: 2_147_483_647, name: 'unfinished_move', sql: [] }

const MIGRATIONS_TABLE = `CREATE TABLE IF NOT EXISTS schema_migrations (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at BIGINT NOT NULL,
    needs BIGINT NOT NULL DEFAULT 0
  )`

/**
 * Brings the database to the newest schema that this version knows, or leaves it at a newer one that has all of that.
 * @param now milliseconds since the epoch
 * @throws StartError when a newer version has taken away what this one needs
 */
export async function migrate(engine: Engine, migrations: readonly Migration[], now: number): Promise<void> {
  await makeMigrationsTable(engine)
  const rows = await engine.all('SELECT * FROM schema_migrations')
  const applied = new Set(rows.map((row) => integer(row, 'id')))
  const known = new Set(migrations.map((migration) => migration.id))
  if (applied.has(UNFINISHED_MOVE.id) && !known.has(UNFINISHED_MOVE.id)) {
    throw new StartError('A move into this database has not ended. Run it again: it goes on where it stopped.')
  }
  const newest = Math.max(...known, 0)
  if (rows.some((row) => neededBy(row) > newest)) {
    throw new StartError(
      'A newer version of Bienvenue has changed the database so that this one cannot use it. Start that version, or restore a backup made before the upgrade.',
    )
  }
  for (const migration of migrations.filter(({ id }) => !applied.has(id)).sort((a, b) => a.id - b.id)) {
    await apply(engine, migration, now)
  }
}

async function makeMigrationsTable(engine: Engine): Promise<void> {
  const statement = { sql: MIGRATIONS_TABLE, params: [] }
  try {
    await engine.alter([statement])
  } catch {
    // PostgreSQL looks whether it exists before it makes it, and another process may come between; then it is there now.
    await engine.alter([statement])
  }
}

/** Databases from before the first release may lack the column. */
function neededBy(row: Row): number {
  return row.needs === undefined ? 0 : integer(row, 'needs')
}

async function apply(engine: Engine, { id, name, sql, needs = 0 }: Migration, now: number): Promise<void> {
  const mark = { sql: 'INSERT INTO schema_migrations (id, name, applied_at) VALUES (?, ?, ?)', params: [id, name, now] }
  const warning = { sql: 'UPDATE schema_migrations SET needs = ? WHERE id = ?', params: [needs, id] }
  const steps = sql.map((statement) => ({ sql: statement, params: [] }))
  try {
    await engine.alter(needs === 0 ? [mark, ...steps] : [mark, warning, ...steps])
  } catch (error) {
    // Only the mark itself may be taken; a step that breaks on the data it finds must not pass for done.
    const mark = await engine.get('SELECT id FROM schema_migrations WHERE id = ?', [id])
    if (!(error instanceof UniqueViolation) || mark === undefined) throw error
  }
}
