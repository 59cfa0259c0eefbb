/** The table of the outbox: a row for every letter that waits or has gone lately. */

import type { Migration } from '../db/migrations.ts'
import type { Table } from '../db/table.ts'
import { integer, optionalInteger, text } from '../engines/engine.ts'

export interface OutboxRow {
  readonly id: string
  readonly kind: string
  /** The letter, sealed for this row; '' once it has gone. */
  readonly sealed: string
  /** Tells letters of one kind to one address, without the address. */
  readonly limitKey: string
  readonly createdAt: number
  readonly expiresAt: number
  /** When the next try is due; null when there is none to come. */
  readonly dueAt: number | null
  readonly tries: number
  /** Who sends it at this moment, and until when nobody else may. */
  readonly claim: string
  readonly claimedUntil: number
}

export const outboxTable: Table<OutboxRow> = {
  name: 'outbox',
  columns: {
    ...{ id: 'id', kind: 'kind', sealed: 'sealed', limitKey: 'limit_key', createdAt: 'created_at' },
    ...{ expiresAt: 'expires_at', dueAt: 'due_at', tries: 'tries', claim: 'claim', claimedUntil: 'claimed_until' },
  },
  read: (row) => ({
    ...{ id: text(row, 'id'), kind: text(row, 'kind'), sealed: text(row, 'sealed'), limitKey: text(row, 'limit_key') },
    ...{ createdAt: integer(row, 'created_at'), expiresAt: integer(row, 'expires_at') },
    ...{ dueAt: optionalInteger(row, 'due_at'), tries: integer(row, 'tries') },
    ...{ claim: text(row, 'claim'), claimedUntil: integer(row, 'claimed_until') },
  }),
}

export const outboxMigrations: readonly Migration[] = [
  {
    id: 7,
    name: 'outbox',
    sql: [
      `CREATE TABLE outbox (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        sealed TEXT NOT NULL,
        limit_key TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        due_at BIGINT,
        tries BIGINT NOT NULL,
        claim TEXT NOT NULL,
        claimed_until BIGINT NOT NULL
      )`,
      'CREATE INDEX outbox_due_at ON outbox (due_at)',
      'CREATE INDEX outbox_limit_key ON outbox (limit_key, created_at)',
    ],
  },
  {
    id: 14,
    name: 'outbox_by_state',
    sql: [
      // Most rows have gone: those are looked for when they are swept, and no others then.
      'DROP INDEX outbox_due_at',
      'CREATE INDEX outbox_due ON outbox (due_at, kind, created_at) WHERE due_at IS NOT NULL',
      'CREATE INDEX outbox_settled ON outbox (expires_at) WHERE due_at IS NULL',
    ],
  },
]
