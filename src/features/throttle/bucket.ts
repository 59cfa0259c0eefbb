/** A bucket counts tries: some are free, then each is followed by a wait. The rule is pure; the table keeps the state. */

import type { Migration } from '../../db/migrations.ts'
import { insert, must, type Table, update } from '../../db/table.ts'
import { integer, type Statement, text } from '../../engines/engine.ts'

/** Times in milliseconds. */
export interface Rule {
  /** Tries that are free; 0 stands for no limit at all. */
  limit: number
  /** The wait after each try from the last free one on; the last of them stays. */
  waits: readonly number[]
  /** A bucket that was left alone this long is empty again. */
  memory: number
  /** Counts from the first try on, so that it is empty again after that time however many follow. */
  fromFirst?: boolean
  /** After this many tries there is no further one until the bucket is emptied. */
  most?: number
}

export interface Bucket {
  readonly key: string
  readonly tries: number
  readonly blockedUntil: number
  /** When it is as good as empty, unless it is still blocked. */
  readonly expiresAt: number
}

export const NEVER = Number.MAX_SAFE_INTEGER

export const buckets: Table<Bucket> = {
  name: 'throttle_buckets',
  columns: { key: 'key', tries: 'tries', blockedUntil: 'blocked_until', expiresAt: 'expires_at' },
  read: (row) => ({
    key: text(row, 'key'),
    tries: integer(row, 'tries'),
    blockedUntil: integer(row, 'blocked_until'),
    expiresAt: integer(row, 'expires_at'),
  }),
}

export const throttleMigrations: readonly Migration[] = [
  {
    id: 4,
    name: 'throttle_buckets',
    sql: [
      `CREATE TABLE throttle_buckets (
        key TEXT PRIMARY KEY,
        tries BIGINT NOT NULL,
        blocked_until BIGINT NOT NULL,
        expires_at BIGINT NOT NULL
      )`,
    ],
  },
]

/** @returns the bucket after one more try, or null where it is blocked and there is none */
export function afterTry(bucket: Bucket, rule: Rule, now: number): Bucket | null {
  if (isBlocked(bucket, rule, now)) return null
  const tries = bucket.expiresAt <= now ? 1 : bucket.tries + 1
  const blockedUntil = blockAfter(tries, rule, now)
  return { ...bucket, tries, blockedUntil, expiresAt: endAfter(bucket, blockedUntil, rule, now) }
}

/** A try that is taken back later must leave no trace: where it is the first that counts, a block prolongs nothing. */
function endAfter({ expiresAt }: Bucket, blockedUntil: number, { memory, fromFirst }: Rule, now: number): number {
  const whole = now + memory
  if (fromFirst !== true) return Math.max(whole, blockedUntil)
  return expiresAt <= now ? whole : Math.min(expiresAt, whole)
}

/** A block that has longer to go than any wait of the rule was made before the clock went back, and counts no more. */
function isBlocked({ blockedUntil }: Bucket, { waits }: Rule, now: number): boolean {
  return blockedUntil === NEVER || (blockedUntil > now && blockedUntil <= now + Math.max(0, ...waits))
}

/** Writes `next` over `bucket` as it was read; changes no row where another try came between. */
export function replaceBucket(bucket: Bucket | null, next: Bucket): Statement {
  if (bucket !== null) return must(update(buckets, next, bucket))
  const { sql, params } = insert(buckets, next)
  return must({ sql: `${sql} ON CONFLICT DO NOTHING`, params })
}

function blockAfter(tries: number, { limit, waits, most = Number.POSITIVE_INFINITY }: Rule, now: number): number {
  if (tries >= most) return NEVER
  if (tries < limit) return 0
  return now + (waits[Math.min(tries - limit, waits.length - 1)] ?? 0)
}
