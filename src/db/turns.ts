/** Whose turn it is, among processes on one database, to do what one of them should do for all. */

import type { Statement } from '../engines/engine.ts'
import type { Migration } from './migrations.ts'

export const turnMigrations: readonly Migration[] = [
  {
    id: 12,
    name: 'turns',
    sql: ['CREATE TABLE turns (name TEXT PRIMARY KEY, ends_at BIGINT NOT NULL)'],
  },
]

/**
 * Takes a turn that nobody has; changes no row where somebody does. One that ends later than the next one would was taken before
 * the clock went back, and counts no more.
 * @param endsAt when the next one may be taken, in milliseconds since the epoch
 */
export function takeTurn(name: string, now: number, endsAt: number): Statement {
  return {
    sql: `INSERT INTO turns (name, ends_at) VALUES (?, ?)
      ON CONFLICT (name) DO UPDATE SET ends_at = excluded.ends_at
      WHERE turns.ends_at <= ? OR turns.ends_at > ?`,
    params: [name, endsAt, now, endsAt + (endsAt - now)],
  }
}
