/** The table of one-time tokens: at most one of a purpose per user. */

import { integer, type Statement, text } from '../engines/engine.ts'
import { insert, remove, type Table } from './table.ts'

export type TokenPurpose = 'password_reset'

export interface OneTimeToken {
  readonly id: string
  readonly secretHash: string
  readonly userId: number
  readonly purpose: TokenPurpose
  readonly createdAt: number
  readonly expiresAt: number
}

export const tokens: Table<OneTimeToken> = {
  name: 'one_time_tokens',
  columns: {
    id: 'id',
    secretHash: 'secret_hash',
    userId: 'user_id',
    purpose: 'purpose',
    createdAt: 'created_at',
    expiresAt: 'expires_at',
  },
  read: (row) => ({
    id: text(row, 'id'),
    secretHash: text(row, 'secret_hash'),
    userId: integer(row, 'user_id'),
    purpose: purpose(text(row, 'purpose')),
    createdAt: integer(row, 'created_at'),
    expiresAt: integer(row, 'expires_at'),
  }),
}

/** Puts a token in the place of the pending one of its purpose. */
export function replaceToken(token: OneTimeToken): Statement[] {
  return [remove(tokens, { userId: token.userId, purpose: token.purpose }), insert(tokens, token)]
}

export function sweepTokens(now: number): Statement {
  return { sql: 'DELETE FROM one_time_tokens WHERE expires_at <= ?', params: [now] }
}

function purpose(value: string): TokenPurpose {
  if (value !== 'password_reset') throw new TypeError(`unknown token purpose ${value}`)
  return value
}
