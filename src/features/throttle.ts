/**
 * Throttling without a lock-out button. Every try is counted before it is checked, so that parallel tries cannot slip
 * through, and taken back when it succeeds. Strangers to an account wait longer and longer; a device that logged in to it
 * before has a count of its own and does not wait for them; a network has a ceiling over all accounts. The counters are
 * in the database and so hold across restarts and instances. docs/throttling.md has the numbers and the reasons.
 */

import type { DB, Statement } from '../db.ts'
import { AuthError } from '../errors.ts'
import type { Attempt, Feature, Leave } from '../feature.ts'
import type { Client } from '../session.ts'
import type { Settings } from '../settings.ts'
import { afterTry, buckets, type Rule, replaceBucket, throttleMigrations } from './throttle/bucket.ts'
import { InFlight, MOST_WAITING } from './throttle/in_flight.ts'
import {
  accountKey,
  confirmKey,
  deviceKey,
  digest,
  networkKey,
  resetsKey,
  SHARED_FACTOR,
  shareKey,
} from './throttle/keys.ts'
import { type Seat, Seats } from './throttle/seats.ts'
import { dropped, refund, takenBack } from './throttle/taken_back.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** The waits of strangers to an account, from half a minute to an hour. */
export const GROWING_WAITS = [30, 60, 120, 240, 480, 960, 1920, 3600].map((seconds) => seconds * 1_000)
/** NIST SP 800-63B-4 3.2.2: no more consecutive failures than this, then only a reset or a known device. */
export const MOST_FAILURES = 100
/** A limit that nobody reaches, as an integer that every database knows. */
const COUNTLESS = 1_000_000_000
/** Lost races for one bucket after which the try is refused. */
const MOST_RACES = 50
/** How often a try waits for another one to end: twice as often as the last of those that may wait for one bucket has to. */
const MOST_WAITS = 2 * MOST_WAITING

/**
 * How long a count that is over is kept, in milliseconds: a try under way may have to be taken back from it, and the wait of a
 * network may last so much longer.
 */
const KEPT = 10 * MINUTE

/** Checks that may be under way at the same time: of one account, and of one network. */
export const SEATS_PER_ACCOUNT = 4
export const SEATS_PER_NETWORK = 10

/** Changes of an account in an hour that need no password, before one waits between them. */
export const CHANGES_PER_ACCOUNT = 30
/** Refreshes of one session in an hour, before one waits between them: twice as many as its shortest tokens need. */
export const REFRESHES_PER_SESSION = 120

interface Counted {
  key: string
  rule: Rule
  /** The key of the part of it that is this account's, which is counted as well. */
  share?: string
  /** The key of that of which it is a part: it is forgotten together with that. */
  partOf?: string
}

/** Until when a try blocks what it was counted in, by the keys. */
type Blocks = ReadonlyMap<string, number>

export function throttle(db: DB, settings: Settings): Feature {
  const rules = rulesOf(settings)
  const inFlight = new InFlight()
  const seats = new Seats()

  /** @returns what counts one more try in each of these, and until when it blocks them; or the key of one that is blocked */
  async function countingIn(
    limited: readonly Counted[],
  ): Promise<{ statements: Statement[]; blocks: Blocks } | string> {
    const statements: Statement[] = []
    const blocks = new Map<string, number>()
    const ends = new Map<string, number>()
    for (const { key, rule, partOf = key } of limited) {
      const found = await db.findBy(buckets, { key })
      const next = afterTry(found ?? { key, tries: 0, blockedUntil: 0, expiresAt: 0 }, rule, db.now())
      if (next === null) return key
      ends.set(key, next.expiresAt)
      blocks.set(key, next.blockedUntil)
      statements.push(replaceBucket(found, { ...next, expiresAt: ends.get(partOf) ?? next.expiresAt }))
    }
    return { statements, blocks }
  }

  /** @returns the key of one that is blocked, so that the try was counted in none of these; else until when it blocks each */
  async function count(counted: readonly Counted[]): Promise<string | Blocks> {
    const limited = counted.filter(({ rule }) => rule.limit > 0)
    const [first] = limited
    if (first === undefined) return new Map()
    for (let race = 0; race < MOST_RACES; race += 1) {
      const counting = await countingIn(limited)
      if (typeof counting === 'string') return counting
      if (await db.note(counting.statements)) return counting.blocks
    }
    return first.key
  }

  async function secondsUntilFree(counted: readonly Counted[]): Promise<number> {
    const found = await Promise.all(counted.map(({ key }) => db.findBy(buckets, { key })))
    const wait = Math.max(0, ...found.map((bucket) => bucket?.blockedUntil ?? 0)) - db.now()
    return Math.ceil(Math.min(Math.max(wait, 1_000), HOUR) / 1_000)
  }

  /** Marks a counted try as being checked, until it turns out how it ended; one that was not judged does not count. */
  function leaving(counted: readonly Counted[], blocks: Blocks): Leave {
    const keys = counted.map(({ key }) => key)
    inFlight.enter(keys)
    return async (judged) => {
      try {
        if (!judged) await db.note(counted.flatMap((one) => notCounted(one, blocks)))
      } finally {
        inFlight.leave(keys)
      }
    }
  }

  /** Waits until a try in the bucket that is full has ended. @throws AuthError `throttled` where there is none to wait for */
  async function waitIn(full: string, counted: readonly Counted[]): Promise<void> {
    if (await inFlight.next(full)) return
    const retryAfter = await secondsUntilFree(counted)
    // The try that filled it may have been counted just before, and is known to be under way by now.
    if (!(await inFlight.next(full))) throw new AuthError('throttled', { retryAfter })
  }

  /** @throws AuthError `throttled` */
  async function counting(attempt: Attempt): Promise<Leave> {
    const device = deviceOf(attempt, rules)
    for (let waits = 0; device.length > 0 && waits < MOST_WAITS; waits += 1) {
      const blocks = await count(device)
      if (typeof blocks !== 'string') return leaving(device, blocks)
      // Full because of wrong ones, and not of tries under way: it counts as a stranger.
      if (!(await inFlight.next(blocks))) break
    }
    const counted = countedOf(attempt, rules)
    for (let waits = 0; waits < MOST_WAITS; waits += 1) {
      const blocks = await count(counted)
      if (typeof blocks !== 'string') return leaving(counted, blocks)
      await waitIn(blocks, counted)
    }
    throw new AuthError('throttled', { retryAfter: await secondsUntilFree(counted) })
  }

  return {
    name: 'throttle',
    migrations: throttleMigrations,
    // Counted first: strangers who are refused anyway must not wait in the owner's way.
    async admit(attempt) {
      const leave = await counting(attempt)
      try {
        const giveBack = await seats.take(seatsOf(attempt, settings))
        return async (judged) => {
          giveBack()
          await leave(judged)
        }
      } catch (error) {
        await leave(false)
        throw error
      }
    },
    record: (event) => takenBack(event, rules, db.now()),
    async upkeep() {
      await db.commit([{ sql: 'DELETE FROM throttle_buckets WHERE expires_at <= ?', params: [db.now() - KEPT] }])
    },
  }
}

type Rules = ReturnType<typeof rulesOf>

function rulesOf(settings: Settings) {
  const { resetTokenLifetime, confirmationLifetime } = settings
  return {
    account: {
      ...{ limit: settings.loginFailuresPerAccount, waits: GROWING_WAITS },
      ...{ memory: 365 * 24 * HOUR, most: MOST_FAILURES },
    },
    confirm: { limit: settings.loginFailuresPerAccount, waits: GROWING_WAITS, memory: 24 * HOUR },
    device: { limit: settings.loginFailuresPerAccount, waits: [HOUR], memory: HOUR },
    // What one account has added to the count of a network; never full.
    share: { limit: settings.failuresPerNetwork > 0 ? COUNTLESS : 0, waits: [0], memory: 10 * MINUTE },
    network: { limit: settings.failuresPerNetwork, waits: [10 * MINUTE], memory: 10 * MINUTE, fromFirst: true },
    changes: { limit: CHANGES_PER_ACCOUNT, waits: [2 * MINUTE], memory: HOUR },
    refreshes: { limit: REFRESHES_PER_SESSION, waits: [MINUTE / 2], memory: HOUR },
    registrations: { limit: settings.registrationsPerNetwork, waits: [10 * MINUTE], memory: HOUR },
    resetsOfAccount: { limit: settings.resetsPerAccount, waits: [waitFor(resetTokenLifetime)], memory: HOUR },
    confirmationsOfAccount: { limit: settings.resetsPerAccount, waits: [waitFor(confirmationLifetime)], memory: HOUR },
    resetsOfNetwork: { limit: settings.resetsPerNetwork, waits: [10 * MINUTE], memory: HOUR },
  } satisfies Record<string, Rule>
}

/** The last link that was mailed had half of its life before it, and so is good until another one may be asked for. */
function waitFor(lifetime: number): number {
  return Math.min(20 * MINUTE, lifetime / 2)
}

/** A try that was not judged counts nowhere, and blocks nothing. */
function notCounted({ key, rule, share }: Counted, blocks: Blocks): Statement[] {
  const part = share === undefined ? undefined : { of: share, most: 1 }
  return [refund(key, rule.limit, part, blocks.get(key)), dropped(key)]
}

/** Where the try from a known device counts. */
function deviceOf({ device }: Attempt, rules: Rules): Counted[] {
  return device === null ? [] : [{ key: deviceKey(device), rule: rules.device }]
}

/** What needs no hash needs no seat. */
const SEATLESS: readonly Attempt['kind'][] = ['request_reset', 'request_confirmation', 'change', 'refresh']

/** In development everybody is on one machine, and so in one network. */
function seatsOf(attempt: Attempt, { production }: Settings): Seat[] {
  const { kind, client } = attempt
  if (SEATLESS.includes(kind)) return []
  const account = { key: seatKeyOf(attempt), most: SEATS_PER_ACCOUNT }
  if (client.address === '' || !production) return [account]
  const most = SEATS_PER_NETWORK * (client.shared === true ? SHARED_FACTOR : 1)
  return [account, { key: networkKey('seats', client), most }]
}

/**
 * The seats of an account are of several names. Strangers know its address alone: they must not sit where its owner comes
 * with a mailed link, from a known device or with the current password.
 */
function seatKeyOf({ kind, emailKey, device, tokenId = '' }: Attempt): string {
  if (kind === 'guess_token') return `token ${tokenId}`
  const known = kind === 'confirm' || device !== null
  return `${known ? 'known' : kind} ${digest(emailKey)}`
}

/** Where the try of a stranger counts. */
function countedOf({ kind, emailKey, client, sessionId = '' }: Attempt, rules: Rules): Counted[] {
  switch (kind) {
    case 'login':
      return [{ key: accountKey(emailKey), rule: rules.account }, ...failuresOf(emailKey, client, rules)]
    case 'guess_token':
      return failuresOf(emailKey, client, rules)
    case 'confirm':
      return [{ key: confirmKey(sessionId), rule: rules.confirm }]
    case 'change':
      return [{ key: `changes ${digest(emailKey)}`, rule: rules.changes }]
    case 'refresh':
      return [{ key: `refreshes ${sessionId}`, rule: rules.refreshes }]
    case 'register':
      return ofNetwork('registrations', rules.registrations, client)
    case 'request_confirmation':
      return [
        { key: `confirmations ${digest(emailKey)}`, rule: rules.confirmationsOfAccount },
        ...ofNetwork('resets', rules.resetsOfNetwork, client),
      ]
    case 'request_reset':
      return [
        { key: resetsKey(emailKey), rule: rules.resetsOfAccount },
        ...ofNetwork('resets', rules.resetsOfNetwork, client),
      ]
  }
}

/** What an account adds to the count of a network is taken from there before it is forgotten. */
function failuresOf(emailKey: string, client: Client, rules: Rules): Counted[] {
  const share = shareKey(emailKey, client)
  return ofNetwork('failures', rules.network, client).flatMap((network) => [
    { ...network, share },
    { key: share, rule: rules.share, partOf: network.key },
  ])
}

/** A caller inside the process has no network. */
function ofNetwork(what: string, rule: Rule, client: Client): Counted[] {
  const { address, shared = false } = client
  if (address === '') return []
  return [{ key: networkKey(what, client), rule: shared ? { ...rule, limit: rule.limit * SHARED_FACTOR } : rule }]
}
