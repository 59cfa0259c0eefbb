/** The table of sessions. */

import { integer, optionalInteger, optionalText, type Row, type Statement, text } from '../engines/engine.ts'
import type { Session, SessionKind } from '../session.ts'
import { insert, must, type Table, update } from './table.ts'

export const sessions: Table<Session> = {
  name: 'sessions',
  columns: {
    id: 'id',
    secretHash: 'secret_hash',
    kind: 'kind',
    familyHash: 'family_hash',
    rotatedAt: 'rotated_at',
    userId: 'user_id',
    createdAt: 'created_at',
    authenticatedAt: 'authenticated_at',
    lastSeenAt: 'last_seen_at',
    expiresAt: 'expires_at',
    address: 'address',
    userAgent: 'user_agent',
  },
  read: (row) => ({
    id: text(row, 'id'),
    secretHash: text(row, 'secret_hash'),
    kind: kindOf(row),
    familyHash: optionalText(row, 'family_hash'),
    rotatedAt: optionalInteger(row, 'rotated_at'),
    userId: integer(row, 'user_id'),
    createdAt: integer(row, 'created_at'),
    authenticatedAt: integer(row, 'authenticated_at'),
    lastSeenAt: integer(row, 'last_seen_at'),
    expiresAt: integer(row, 'expires_at'),
    address: text(row, 'address'),
    userAgent: text(row, 'user_agent'),
  }),
}

/**
 * Adds a session for as long as the user's password is the one that was just proven: a login that was being checked
 * while the password changed opens nothing.
 */
export function openSession(session: Session, hashedPassword: string): Statement {
  const { sql, params } = insert(sessions, session)
  const guarded = sql.replace(/VALUES \((.*)\)$/, 'SELECT $1 FROM users WHERE id = ? AND hashed_password = ?')
  return must({ sql: guarded, params: [...params, session.userId, hashedPassword] })
}

/**
 * Puts the next refresh token in the place of the one that was presented, as long as that is still the one: of many who
 * present it at once a single one succeeds.
 */
export function rotateSession({ id, secretHash }: Session, next: string, now: number): Statement {
  return must(update(sessions, { secretHash: next, rotatedAt: now, lastSeenAt: now }, { id, secretHash }))
}

/** Ends the user's oldest sessions beyond `limit`, of which `kept` is one that stays. */
export function endOldest(userId: number, kept: string, limit: number): Statement {
  return {
    sql: `DELETE FROM sessions WHERE user_id = ? AND id <> ? AND id NOT IN (
      SELECT id FROM sessions WHERE user_id = ? AND id <> ? ORDER BY created_at DESC, id LIMIT ?)`,
    params: [userId, kept, userId, kept, limit - 1],
  }
}

/** Lets the whole batch happen only as long as the session that asks for it is there: it may end while a password is checked. */
export function stillOpen({ id, userId }: Session): Statement {
  return must(update(sessions, { userId }, { id, userId }))
}

export function endOthers(userId: number, kept: string): Statement {
  return { sql: 'DELETE FROM sessions WHERE user_id = ? AND id <> ?', params: [userId, kept] }
}

/** Moves the last use forward, never back. */
export function seeSession(id: string, seenAt: number): Statement {
  return {
    sql: 'UPDATE sessions SET last_seen_at = ? WHERE id = ? AND last_seen_at < ?',
    params: [seenAt, id, seenAt],
  }
}

/**
 * Looks at the next `limit` sessions after `after` in order of id, so that a sweep of any table is made of short steps.
 * @returns a statement that yields their ids
 */
export function nextSessions(after: string, limit: number): Statement {
  return { sql: 'SELECT id FROM sessions WHERE id > ? ORDER BY id LIMIT ?', params: [after, limit] }
}

/** Deletes the ended ones among the sessions with `after < id <= last`. */
export function sweepSessions(after: string, last: string, now: number, idleSince: number): Statement {
  return {
    sql: 'DELETE FROM sessions WHERE id > ? AND id <= ? AND (expires_at <= ? OR last_seen_at <= ?)',
    params: [after, last, now, idleSince],
  }
}

/** @throws TypeError where the row holds none */
export function kindOf(row: Row): SessionKind {
  const kind = text(row, 'kind')
  if (kind === 'cookie' || kind === 'token' || kind === 'token_cookie') return kind
  throw new TypeError(`unknown kind of session ${kind}`)
}
