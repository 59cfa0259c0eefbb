/** The settings of the database. */

import { duration, flag, integer, text } from './kinds.ts'
import type { Reader } from './table.ts'

export function declareDatabase(read: Reader) {
  return {
    databaseUrl: read({
      variable: 'DATABASE_URL',
      kind: text,
      fallback: 'sqlite:./data/bienvenue.db',
      meaning:
        'The database: `sqlite:` and a path, whose file and folder are made if absent, or `postgres://user:password@host:port/name`. A server elsewhere is reached by TLS and its certificate checked (`?sslrootcert=file` names an authority), but with `?sslmode=disable`.',
    }),
    databasePool: read({
      variable: 'DATABASE_POOL',
      kind: integer(1, 1_000),
      fallback: 10,
      meaning: 'The most connections to PostgreSQL that one process opens.',
    }),
    databaseTimeout: read({
      variable: 'DATABASE_TIMEOUT',
      kind: duration('1s', '5m'),
      fallback: 5_000,
      shown: '`5s`',
      meaning:
        'How long a statement may run on PostgreSQL, and how long a request waits for a connection; then it gets `503`.',
    }),
    databasePrepare: read({
      variable: 'DATABASE_PREPARE',
      kind: flag,
      fallback: true,
      meaning:
        'Keeps statements prepared on the connections to PostgreSQL. `false` is for a pooler in transaction mode that does not know them, as PgBouncer before 1.21.',
    }),
  }
}
