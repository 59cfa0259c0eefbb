/** The table of one-time tokens: at most one of a purpose per user. */

import { integer, optionalText, type Statement, text } from '../engines/engine.ts'
import { insert, insertIf, must, remove, type Table } from './table.ts'

const purposes = ['password_reset', 'reset_code', 'email_confirmation', 'email_change', 'email_undo'] as const

export type TokenPurpose = (typeof purposes)[number]

export interface OneTimeToken {
  readonly id: string
  readonly secretHash: string
  readonly userId: number
  readonly purpose: TokenPurpose
  readonly createdAt: number
  readonly expiresAt: number
  /** The address that it confirms or brings back, as it was typed; null where it is about none. */
  readonly email: string | null
  /** The normal form of an address that nobody else may take as long as it is pending. */
  readonly reserves: string | null
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
    email: 'email',
    reserves: 'reserves',
  },
  read: (row) => ({
    id: text(row, 'id'),
    secretHash: text(row, 'secret_hash'),
    userId: integer(row, 'user_id'),
    purpose: purpose(text(row, 'purpose')),
    createdAt: integer(row, 'created_at'),
    expiresAt: integer(row, 'expires_at'),
    email: optionalText(row, 'email'),
    reserves: optionalText(row, 'reserves'),
  }),
}

/**
 * Puts a token in the place of the pending one of its purpose, or refuses all where the account was deleted meanwhile.
 * @param emailKey the address that must still be the account's, if it matters
 */
export function replaceToken(token: OneTimeToken, emailKey?: string): Statement[] {
  const { userId, purpose } = token
  const there =
    emailKey === undefined
      ? { sql: 'EXISTS (SELECT 1 FROM users WHERE id = ?)', params: [userId] }
      : { sql: 'EXISTS (SELECT 1 FROM users WHERE id = ? AND email_key = ?)', params: [userId, emailKey] }
  return [remove(tokens, { userId, purpose }), must(insertIf(tokens, token, [there]))]
}

/** Adds a token unless one of its purpose is pending. */
export function addToken(token: OneTimeToken): Statement[] {
  const { sql, params } = insert(tokens, token)
  const ended = 'DELETE FROM one_time_tokens WHERE user_id = ? AND purpose = ? AND expires_at <= ?'
  return [
    { sql: ended, params: [token.userId, token.purpose, token.createdAt] },
    { sql: `${sql} ON CONFLICT DO NOTHING`, params },
  ]
}

/**
 * Ends the pending tokens of a user. The one that brings back a former address stays: a thief who changed the address
 * would otherwise only have to change the password as well.
 * @param wanted the address, as it was typed, of which a change that waits for its proof stays too; default: none
 */
export function endTokens(userId: number, wanted = ''): Statement {
  const sql = `DELETE FROM one_time_tokens WHERE user_id = ? AND purpose <> 'email_undo'
    AND NOT (purpose = 'email_change' AND email = ?)`
  return { sql, params: [userId, wanted] }
}

/** Reads the token that reserves an address at this time, if there is one. */
export function reservation(emailKey: string, now: number): Statement {
  return { sql: 'SELECT * FROM one_time_tokens WHERE reserves = ? AND expires_at > ?', params: [emailKey, now] }
}

/** Spends a token that gives an address to its user, unless another one can still bring that address back. */
export function spendFor({ id, userId }: OneTimeToken, emailKey: string, now: number): Statement {
  const sql = `DELETE FROM one_time_tokens WHERE id = ? AND NOT EXISTS (
    SELECT 1 FROM one_time_tokens o WHERE o.reserves = ? AND o.user_id <> ? AND o.expires_at > ?)`
  return must({ sql, params: [id, emailKey, userId, now] })
}

/** Withdraws a change of address that waits for its proof. */
export function withdrawChange(userId: number): Statement {
  return remove(tokens, { userId, purpose: 'email_change' })
}

export function sweepTokens(now: number): Statement {
  return { sql: 'DELETE FROM one_time_tokens WHERE expires_at <= ?', params: [now] }
}

function purpose(value: string): TokenPurpose {
  const known = purposes.find((one) => one === value)
  if (known === undefined) throw new TypeError(`unknown token purpose ${value}`)
  return known
}
