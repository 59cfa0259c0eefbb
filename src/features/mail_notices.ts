/**
 * Mails that tell an owner what happened to the account: each says when, from where and on what device, and what to do if
 * it was somebody else. NOTICES turns each off. What needs a token, or goes to two addresses, is written by Auth itself.
 */

import type { Migration } from '../db/migrations.ts'
import type { Condition } from '../db/table.ts'
import type { Statement } from '../db.ts'
import type { AuthEvent, Feature } from '../feature.ts'
import type { Letter, Post } from '../letter.ts'
import type { Settings } from '../settings.ts'
import { NOBODY } from '../user.ts'

const DAY = 86_400_000

/** Wrong passwords since the last good one. */
export const noticeMigrations: readonly Migration[] = [
  {
    id: 8,
    name: 'login_failures',
    sql: [
      `CREATE TABLE login_failures (
        user_id BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
        failures BIGINT NOT NULL
      )`,
    ],
  },
]

/** Compare the failures of a user with a number. */
const EXACTLY = 'COALESCE((SELECT failures FROM login_failures WHERE user_id = ?), 0) = ?'
const AT_LEAST = 'COALESCE((SELECT failures FROM login_failures WHERE user_id = ?), 0) >= ?'
const FEWER = 'COALESCE((SELECT failures FROM login_failures WHERE user_id = ?), 0) < ?'

/** @param post where the notices are handed in */
export function mailNotices({ production, loginFailuresPerAccount: many }: Settings, post: Post): Feature {
  const write = (kind: Letter['kind'], event: AuthEvent, onlyIf?: Condition): readonly Statement[] =>
    event.email === undefined ? [] : post.put(noticeOf(kind, event.email, event, many), onlyIf && { onlyIf })

  return {
    name: 'mail_notices',
    migrations: noticeMigrations,
    record(event) {
      const { type, userId, device, formerEmail } = event
      switch (type) {
        case 'password_changed':
        case 'password_reset':
        case 'password_disabled':
        case 'email_change_undone':
          return write('password_changed', event)
        case 'refresh_token_reused':
          return write('token_reused', event)
        case 'user_deleted':
          return [
            ...write('account_deleted', event),
            ...(formerEmail === undefined ? [] : write('account_deleted', { ...event, email: formerEmail })),
          ]
        case 'login_failed': {
          // For an address without an account the same, to no effect: how long it occupies the process can be seen as well.
          const { email = event.emailKey ?? '' } = event
          const id = userId ?? NOBODY
          return [counted(id), ...write('failed_logins', { ...event, email }, { sql: EXACTLY, params: [id, many] })]
        }
        case 'login_succeeded':
          if (userId === null) return []
          return [
            ...write('login_after_failures', event, { sql: AT_LEAST, params: [userId, many] }),
            // In development no browser keeps a device cookie, so every login would be one on a new device.
            ...(production && device === null
              ? write('new_device', event, { sql: FEWER, params: [userId, many] })
              : []),
            { sql: 'DELETE FROM login_failures WHERE user_id = ?', params: [userId] },
          ]
        default:
          return []
      }
    },
  }
}

function noticeOf(kind: Letter['kind'], to: string, { client }: AuthEvent, many: number): Letter {
  const { address, userAgent, language } = client
  return { kind, to, language, lasts: DAY, values: { address, userAgent, count: String(many) } }
}

/** Of an account that was deleted meanwhile nothing is counted. */
function counted(userId: number): Statement {
  return {
    sql: `INSERT INTO login_failures (user_id, failures) SELECT id, 1 FROM users WHERE id = ?
      ON CONFLICT (user_id) DO UPDATE SET failures = login_failures.failures + 1`,
    params: [userId],
  }
}
