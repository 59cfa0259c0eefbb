/** Which engine a DATABASE_URL means, what of it may be shown, and where on this machine belongs what goes with it. */

import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { StartError } from '../errors.ts'
import type { Settings } from '../settings.ts'
import type { Engine, StoreLimits } from './engine.ts'
import { isPostgres, postgresLocation } from './postgres_url.ts'
import { SqliteEngine } from './sqlite.ts'

const SQLITE = 'sqlite:'
const MEMORY = ':memory:'
/** Of a service whose data is elsewhere. */
const DATA_FOLDER = './data'

/** What one process takes of a server where nobody says otherwise. */
export const DEFAULT_LIMITS: StoreLimits = { pool: 10, timeout: 5_000 }

/** @returns what the settings let an engine take of its server */
export function limitsOf(
  settings: Pick<Settings, 'databasePool' | 'databaseTimeout' | 'databasePrepare'>,
): StoreLimits {
  const { databasePool: pool, databaseTimeout: timeout, databasePrepare: prepare } = settings
  return { pool, timeout, prepare }
}

/**
 * @param databaseUrl `sqlite:<path>`, `sqlite::memory:` or `postgres://...`
 * @throws StartError with a line that names the mend
 */
export async function openEngine(databaseUrl: string, limits: StoreLimits = DEFAULT_LIMITS): Promise<Engine> {
  if (databaseUrl.startsWith(SQLITE)) return new SqliteEngine(databaseUrl.slice(SQLITE.length))
  if (!isPostgres(databaseUrl)) {
    throw new StartError(
      'DATABASE_URL must start with sqlite: (for example sqlite:./data/bienvenue.db) or with postgres:// (for example postgres://user:password@db.example.org/bienvenue).',
    )
  }
  // Its driver takes longer to load than SQLite's to open a file; who has no server does not wait for it.
  const { PostgresEngine } = await import('./postgres.ts')
  return PostgresEngine.open(databaseUrl, limits)
}

/** @returns the database as it may be shown: never with a password */
export function databaseLocation(databaseUrl: string): string {
  if (isPostgres(databaseUrl)) return postgresLocation(databaseUrl)
  const path = databaseUrl.slice(SQLITE.length)
  return path === MEMORY ? 'in memory, gone at the end' : resolve(path)
}

/** @returns whether it is a file that an open would make */
export function isMissing(databaseUrl: string): boolean {
  return databaseUrl.startsWith(SQLITE) && !existsSync(databaseUrl.slice(SQLITE.length))
}

/** @returns the folder of what is kept beside the database, or undefined where all is gone at the end */
export function dataFolder(databaseUrl: string): string | undefined {
  if (!databaseUrl.startsWith(SQLITE)) return resolve(DATA_FOLDER)
  const path = databaseUrl.slice(SQLITE.length)
  return path === MEMORY ? undefined : dirname(resolve(path))
}
