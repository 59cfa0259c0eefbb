/**
 * How often a mailed code was tried, by what the browser that asked for it keeps. It is counted for those as well who asked
 * for an address without an account, where there is no code: a try that writes nothing would tell them by its time.
 */

import type { Statement } from '../engines/engine.ts'
import type { Migration } from './migrations.ts'

/** Before, they were counted in `one_time_tokens.tries`, which is there for older versions alone. */
export const codeTryMigrations: readonly Migration[] = [
  {
    id: 13,
    name: 'code_tries',
    sql: [
      'CREATE TABLE code_tries (id TEXT PRIMARY KEY, tries BIGINT NOT NULL, expires_at BIGINT NOT NULL)',
      'CREATE INDEX code_tries_expires_at ON code_tries (expires_at)',
    ],
  },
]

/**
 * Counts a try; changes no row where there were `most` already.
 * @param id public, of the browser's credential
 * @param expiresAt when no code that it could be about is good any more, in milliseconds since the epoch
 */
export function countTry(id: string, most: number, expiresAt: number): Statement {
  return {
    sql: `INSERT INTO code_tries (id, tries, expires_at) VALUES (?, 1, ?)
      ON CONFLICT (id) DO UPDATE SET tries = code_tries.tries + 1 WHERE code_tries.tries < ?`,
    params: [id, expiresAt, most],
  }
}

export function sweepTries(now: number): Statement {
  return { sql: 'DELETE FROM code_tries WHERE expires_at <= ?', params: [now] }
}
