/**
 * The audit log: a row and a JSON line for everything that happens to an account, and for what was refused. What changes
 * an account is written in the transaction that changes it; what was merely refused is collected, logged the first time and
 * then with its number, and written a little later, so that a stranger's flood costs no line and no disk write per request.
 */

import type { FastifyBaseLogger } from 'fastify'
import type { Migration } from '../db/migrations.ts'
import type { Table } from '../db/table.ts'
import { type DB, type Statement, StoreUnavailable } from '../db.ts'
import { integer, text } from '../engines/engine.ts'
import type { AuthEvent, AuthEventType, Feature } from '../feature.ts'
import { networkOf } from '../security/network.ts'
import type { Settings } from '../settings.ts'

/** Kinds of refusals that are told apart until the next write; those on top of them are counted by reason alone. */
const MOST_PENDING = 1_000

/** What is older than is kept. */
const SWEPT = {
  nth: 'SELECT at AS ended FROM audit_log WHERE at <= ? ORDER BY at LIMIT 1 OFFSET ?',
  remove: 'DELETE FROM audit_log WHERE at <= ?',
}

/** Where those were that are not told apart. */
const ELSEWHERE: AuthEvent['client'] = { address: '', userAgent: '' }

const REFUSALS: ReadonlySet<AuthEventType> = new Set(['throttled', 'request_refused'])

/** What does nothing in an account, and what strangers may so do as often as the throttle lets them. */
const TRIES: ReadonlySet<AuthEventType> = new Set([
  ...REFUSALS,
  ...(['registration_refused', 'login_failed', 'password_refused', 'password_reset_refused'] as const),
  ...(['password_reset_requested', 'email_confirmation_requested'] as const),
])

/** The most that the owner of an account is told of what was done in it, and of what was tried. */
const MOST_TOLD = { done: 20, tried: 10 }

export const auditMigrations: readonly Migration[] = [
  {
    id: 5,
    name: 'audit_log',
    sql: [
      `CREATE TABLE audit_log (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at BIGINT NOT NULL,
        type TEXT NOT NULL,
        user_id BIGINT,
        session_id TEXT,
        address TEXT NOT NULL,
        user_agent TEXT NOT NULL,
        reason TEXT,
        times BIGINT NOT NULL
      )`,
      'CREATE INDEX audit_log_at ON audit_log (at)',
      'CREATE INDEX audit_log_user_id ON audit_log (user_id, at)',
    ],
  },
  {
    id: 15,
    name: 'audit_log_tried',
    sql: [
      'ALTER TABLE audit_log ADD COLUMN tried BIGINT NOT NULL DEFAULT 0',
      'CREATE INDEX audit_log_told ON audit_log (user_id, tried, at)',
    ],
  },
  {
    id: 16,
    name: 'audit_log_told_alone',
    // Whoever asks by user alone is served by the one of what is told.
    sql: ['DROP INDEX audit_log_user_id'],
  },
]

/** What a row tells the owner of the account. */
export interface Activity {
  readonly id: number
  /** Milliseconds since the epoch. */
  readonly at: number
  /** An AuthEventType, perhaps of an older version. */
  readonly type: string
  readonly userId: number
  readonly address: string
  readonly userAgent: string
  /** 1 where nothing was done in the account. */
  readonly tried: number
}

const activities: Table<Activity> = {
  name: 'audit_log',
  columns: {
    ...{ id: 'id', at: 'at', type: 'type', userId: 'user_id' },
    ...{ address: 'address', userAgent: 'user_agent', tried: 'tried' },
  },
  read: (row) => ({
    ...{ id: integer(row, 'id'), at: integer(row, 'at'), type: text(row, 'type'), userId: integer(row, 'user_id') },
    ...{ address: text(row, 'address'), userAgent: text(row, 'user_agent'), tried: integer(row, 'tried') },
  }),
}

/** @returns what happened to an account last, the newest first; what strangers try does not crowd out what was done in it */
export async function recentActivity(db: DB, userId: number): Promise<Activity[]> {
  const last = (tried: number, most: number) => db.findLastBy(activities, { userId, tried }, ['at', 'id'], most)
  const told = [...(await last(0, MOST_TOLD.done)), ...(await last(1, MOST_TOLD.tried))]
  return told.sort((one, other) => other.at - one.at || other.id - one.id)
}

/** @param log where the lines go, as JSON with the time in UTC */
export function auditLog(db: DB, { auditRetention }: Settings, log: FastifyBaseLogger): Feature {
  /** By what tells two refusals apart; a hundred of the same kind from the same network are one row that says so. */
  let pending = new Map<string, Refused>()

  function tell(event: AuthEvent, times?: number): void {
    const { type, userId, sessionId, client, reason } = event
    log.info({ event: type, user: userId, session: sessionId, ...where(client), reason, times }, type)
  }

  /** One line for those of a kind that have none yet. */
  function tellRest(refused: Refused): void {
    if (refused.times > refused.told) tell(refused.event, refused.times - refused.told)
    refused.told = refused.times
  }

  return {
    name: 'audit_log',
    migrations: auditMigrations,
    record: (event) => (REFUSALS.has(event.type) ? [] : [row({ event, at: db.now(), times: 1 })]),
    observe(event) {
      if (!REFUSALS.has(event.type)) return tell(event)
      const refused = collect(pending, event, db.now())
      if (refused.times > 1) return
      tell(refused.event)
      refused.told = 1
    },
    async upkeep() {
      const collected = pending
      pending = new Map()
      for (const refused of collected.values()) tellRest(refused)
      try {
        await db.commit([...collected.values()].map(row))
      } catch (error) {
        // Only what may be written another time is kept for it.
        if (error instanceof StoreUnavailable) pending = merged(collected, pending)
        throw error
      }
      // Afterwards: it may take its time.
      await db.sweepUntil(db.now() - auditRetention, SWEPT)
    },
  }
}

interface Refused {
  event: AuthEvent
  /** Of the first one, in milliseconds since the epoch. */
  at: number
  times: number
  /** How many of them the log knows. */
  told: number
}

/** @returns the kind to which it was added */
function collect(pending: Map<string, Refused>, event: AuthEvent, at: number): Refused {
  const { type, reason, userId, client } = event
  const key = JSON.stringify([type, reason, userId, client.address && networkOf(client.address)])
  return add(pending, key, { event, at, times: 1, told: 0 })
}

function merged(earlier: Map<string, Refused>, later: Map<string, Refused>): Map<string, Refused> {
  const all = new Map(earlier)
  for (const [key, refused] of later) add(all, key, refused)
  return all
}

/** Beyond the most kinds it is added to those of its reason, from wherever. */
function add(pending: Map<string, Refused>, key: string, refused: Refused): Refused {
  const { type, reason } = refused.event
  const rest = JSON.stringify([type, reason])
  const place = pending.has(key) || pending.size < MOST_PENDING ? key : rest
  const same = pending.get(place)
  if (same !== undefined) {
    same.times += refused.times
    same.told += refused.told
    return same
  }
  const why = reason === undefined ? {} : { reason }
  const added = place === key ? refused : { ...refused, event: { type, userId: null, client: ELSEWHERE, ...why } }
  pending.set(place, added)
  return added
}

function row({ event, at, times }: Omit<Refused, 'told'>): Statement {
  const { type, userId, emailKey = '', sessionId, client, reason } = event
  const { address, userAgent } = where(client)
  const tried = TRIES.has(type) ? 1 : 0
  return {
    // A try that is throttled names an address alone.
    sql: `INSERT INTO audit_log (at, type, tried, user_id, session_id, address, user_agent, reason, times)
      VALUES (?, ?, ?, COALESCE(?, (SELECT id FROM users WHERE email_key = ?)), ?, ?, ?, ?, ?)`,
    params: [at, type, tried, userId, emailKey, sessionId ?? null, address, userAgent, reason ?? null, times],
  }
}

function where({ address, userAgent }: AuthEvent['client']) {
  return { address, userAgent: userAgent.slice(0, 256) }
}
