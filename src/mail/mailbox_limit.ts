/** How many letters of a kind one mailbox gets in an hour. */

import { hash } from 'node:crypto'
import type { Condition } from '../db/table.ts'
import type { LetterKind } from '../letter.ts'
import { normalEmail } from '../user.ts'
import type { OutboxRow } from './outbox_table.ts'

const HOUR = 3_600_000

/** Tells letters of one kind to one address, without the address. */
export function limitKeyOf(kind: LetterKind, to: string): string {
  return hash('sha256', `${kind} ${normalEmail(to)}`, 'base64url')
}

/**
 * So that nobody's mailbox can be flooded, by asking for resets for instance; nor can a link be used up: when the last one has
 * half of its life behind it, another one goes. Letters of an hour that is still to come were written before the clock went back.
 */
export function withinLimit(limit: number, { limitKey, createdAt, expiresAt }: OutboxRow): Condition[] {
  if (limit === 0) return []
  const few = '(SELECT COUNT(*) FROM outbox WHERE limit_key = ? AND created_at > ? AND created_at < ?) < ?'
  const old = 'NOT EXISTS (SELECT 1 FROM outbox WHERE limit_key = ? AND created_at > ? AND created_at < ?)'
  const half = (expiresAt - createdAt) / 2
  const ahead = createdAt + HOUR
  const params = [limitKey, createdAt - HOUR, ahead, limit, limitKey, createdAt - half, ahead]
  return [{ sql: `(${few} OR ${old})`, params }]
}
