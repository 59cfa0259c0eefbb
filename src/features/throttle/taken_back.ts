/** What is taken back of the counts, because a try was right or was never judged. */

import { remove } from '../../db/table.ts'
import type { Statement } from '../../db.ts'
import type { AuthEvent } from '../../feature.ts'
import { normalEmail } from '../../user.ts'
import { buckets, NEVER, type Rule } from './bucket.ts'
import { accountKey, confirmKey, deviceKey, networkKey, resetsKey, SHARED_FACTOR, shareKey } from './keys.ts'

/**
 * What a success empties: the count of the account, and of the network only what that account had added to it. That of
 * strangers stays at a login from a known device: they would see by it that the address has an account, and who comes home when.
 * Where a reset is the only way in from now on, and its links have ended, their count ends as well.
 */
export function takenBack(
  event: AuthEvent,
  { account: rule, network }: { account: Rule; network: Rule },
  now: number,
): Statement[] {
  const { type, email = '', emailKey = '', client, device = null, sessionId = '' } = event
  const account = accountKey(emailKey)
  const share = shareKey(emailKey, client)
  const limit = client.shared === true ? network.limit * SHARED_FACTOR : network.limit
  const refunded = [refund(networkKey('failures', client), limit, { of: share }), emptied(share)]
  switch (type) {
    case 'login_succeeded':
      return device === null
        ? [...refunded, emptied(account)]
        : [emptied(deviceKey(device)), lessened(account, rule, now)]
    case 'password_reset':
      return [...refunded, emptied(account)]
    case 'email_confirmed':
    case 'email_changed':
      return refunded
    case 'email_change_undone':
      return [...refunded, emptied(resetsKey(normalEmail(email)))]
    case 'password_disabled':
      return [emptied(resetsKey(emailKey))]
    case 'password_confirmed':
      return [emptied(confirmKey(sessionId))]
    default:
      return []
  }
}

function emptied(key: string): Statement {
  return remove(buckets, { key })
}

/**
 * Takes back as much of a count as nobody sees: the next try still has the longest wait, but the end of all tries is as far
 * as it was when that began. Where it was there, the longest wait takes its place.
 */
function lessened(key: string, { limit, waits, memory, most = NEVER }: Rule, now: number): Statement {
  const tries = Math.min(limit + waits.length, most) - 1
  return {
    sql: `UPDATE throttle_buckets SET tries = ?, expires_at = ?,
        blocked_until = CASE WHEN blocked_until = ? THEN ? ELSE blocked_until END
      WHERE key = ? AND tries > ?`,
    params: [tries, now + memory, NEVER, now + Math.max(0, ...waits), key, tries],
  }
}

/** A bucket that is empty again needs no row. */
export function dropped(key: string): Statement {
  return remove(buckets, { key, tries: 0, blockedUntil: 0 })
}

/**
 * Takes one try back from a count.
 * @param share what another bucket has counted of it is taken back instead, or at most so many of that: what a success has taken
 * back already is no try any more, though it be still under way, nor is what was counted before the count began anew
 * @param block what the try itself has blocked it until, which ends with it
 */
export function refund(key: string, limit: number, share?: { of: string; most?: number }, block = 0): Statement {
  const taken =
    share === undefined
      ? '1'
      : 'COALESCE((SELECT CASE WHEN o.tries < ? THEN o.tries ELSE ? END FROM throttle_buckets o WHERE o.key = ? AND o.expires_at = throttle_buckets.expires_at), 0)'
  const most = share?.most ?? Number.MAX_SAFE_INTEGER
  const params = share === undefined ? [] : [most, most, share.of]
  return {
    sql: `UPDATE throttle_buckets SET
        tries = CASE WHEN tries < ${taken} THEN 0 ELSE tries - ${taken} END,
        blocked_until = CASE WHEN tries - ${taken} < ? OR blocked_until = ? THEN 0 ELSE blocked_until END
      WHERE key = ?`,
    params: [...params, ...params, ...params, limit, block, key],
  }
}
