/**
 * The outbox: a row for every letter, written in the transaction of what it is about, and claimed by one process at a time
 * when it is due. What it says is sealed, since it may hold a token, and wiped once it is sent.
 */

import { hash, randomInt } from 'node:crypto'
import { type Condition, insertIf, must, update } from '../db/table.ts'
import type { DB, Statement } from '../db.ts'
import { integer, type Row } from '../engines/engine.ts'
import { type Letter, type LetterKind, letterKinds, type Post } from '../letter.ts'
import { makeId } from '../security/credential.ts'
import { Sealer, Unsealable } from '../security/sealed.ts'
import { Secrets } from '../security/secrets.ts'
import { noticeKinds } from '../settings/mail.ts'
import type { Settings } from '../settings.ts'
import { normalEmail } from '../user.ts'
import { limitKeyOf, withinLimit } from './mailbox_limit.ts'
import { type OutboxRow, outboxTable } from './outbox_table.ts'

const HOUR = 3_600_000
/** How long a row is kept after the letter's end, in milliseconds. */
const KEPT = 24 * HOUR

/**
 * Strangers cause one by wrong passwords, and none is written for an address without an account. A letter that is sent can be
 * seen by what others wait; so it goes at a moment that does not follow from the last try, and nobody looks for it earlier.
 */
const DELAYED = 'failed_logins'
/** Within this time, in milliseconds. */
const LONGEST_DELAY = 5 * 60_000
/**
 * Every other letter goes within this time, in milliseconds, at a moment of its own: to compose and to send it keeps others waiting, and
 * of several letters of one's own the distance would tell whether one to somebody else went between them.
 */
const SPREAD = 5_000

/** In the place of a kind: goes to nobody, and counts neither as a letter nor as one that waits. */
export const DECOY = 'decoy'
/**
 * More would be work that strangers make without end. They go in their order, so no letter has more than these before it,
 * however many are asked for: with five lanes four rounds at the most. It has a price: one that is left out keeps no lane,
 * which can be seen where the mail server is slow, by whoever asks for so many others first.
 */
const MOST_DECOYS = 20

/** What waits; exported for a test, as is the next. */
export const WAITING = `SELECT COUNT(*) AS count, COALESCE(MIN(created_at), 0) AS oldest FROM outbox
  WHERE due_at IS NOT NULL AND kind <> ?`

/** What has gone long ago. */
export const SWEPT = {
  nth: `SELECT expires_at AS ended FROM outbox WHERE due_at IS NULL AND expires_at <= ?
    ORDER BY expires_at LIMIT 1 OFFSET ?`,
  remove: 'DELETE FROM outbox WHERE due_at IS NULL AND expires_at <= ?',
}

/** What waits, as a number and the age in milliseconds of what waits longest. */
export interface Waiting {
  count: number
  oldest: number
}

export class Outbox implements Post {
  readonly #db: DB
  readonly #settings: Settings
  readonly #sealer: Sealer
  readonly #spread: () => number
  #stirred = false
  #listener: () => void = () => {}

  /** @param spread after how many milliseconds a letter may go; default: by chance, within `SPREAD` */
  constructor(db: DB, settings: Settings, spread = () => randomInt(SPREAD)) {
    this.#db = db
    this.#settings = settings
    this.#spread = spread
    this.#sealer = new Sealer(new Secrets(settings.secret, settings.secretPrevious).keys('outbox'))
  }

  put(letter: Letter, { onlyIf, owed = false }: { onlyIf?: Condition; owed?: boolean } = {}): readonly Statement[] {
    const { mail, notices, mailsPerAddress } = this.#settings
    const unwanted = noticeKinds.some((kind) => kind === letter.kind) && !notices.some((kind) => kind === letter.kind)
    if (mail === 'none' || unwanted) return []
    const delayed = letter.kind === DELAYED
    this.#stirred ||= !delayed
    const now = this.#db.now()
    const row = { ...this.#rowOf(letter, now), dueAt: now + (delayed ? randomInt(LONGEST_DELAY) : this.#spread()) }
    const conditions = onlyIf === undefined ? [] : [onlyIf]
    if (!owed) conditions.push(...withinLimit(mailsPerAddress, row))
    return [insertIf(outboxTable, row, conditions)]
  }

  decoy(letter: Letter): readonly Statement[] {
    const { mail, mailsPerAddress } = this.#settings
    if (mail === 'none') return []
    this.#stirred = true
    const now = this.#db.now()
    const row = this.#rowOf({ ...letter, to: nobody(letter.to) }, now, DECOY)
    // It is kept for the limit of its address alone.
    const kept = { ...row, dueAt: now + this.#spread(), expiresAt: now + HOUR - KEPT }
    return [insertIf(outboxTable, kept, withinLimit(mailsPerAddress, row))]
  }

  outdate(kind: LetterKind, to: string): readonly Statement[] {
    // Nobody may have had the address a moment ago.
    return this.#outdate(limitKeyOf(kind, to), limitKeyOf(kind, nobody(to)))
  }

  outdateDecoys(kind: LetterKind, to: string): readonly Statement[] {
    const key = limitKeyOf(kind, nobody(to))
    return this.#outdate(key, key)
  }

  forget(kind: LetterKind, to: string): readonly Statement[] {
    if (this.#settings.mail === 'none') return []
    const uncounted = update(outboxTable, { limitKey: '' }, { limitKey: limitKeyOf(kind, to) })
    return [...this.outdate(kind, to), uncounted]
  }

  /** @param listener told when letters were handed in and may be in the database by now */
  listen(listener: () => void): void {
    this.#listener = listener
  }

  /** Tells the listener as long as letters were handed in of which none has been claimed; they may not be committed yet. */
  announce(): void {
    if (this.#stirred) this.#listener()
  }

  /**
   * Claims what is due, the longest due first, to somebody or to nobody: one that goes after the others would leave its place
   * to them, and whoever waits for their own letter would see it.
   * @param lease milliseconds for which nobody else may send it
   */
  async claim(limit: number, lease: number): Promise<OutboxRow[]> {
    const claim = makeId()
    const now = this.#db.now()
    const due = 'due_at <= ? AND claimed_until <= ?'
    // Not by the kind, by which the index goes on.
    const order = 'ORDER BY due_at, id'
    // Said twice, since another process may have claimed one between the two readings.
    const sql = `UPDATE outbox SET claim = ?, claimed_until = ?
      WHERE ${due} AND id IN (SELECT id FROM outbox WHERE ${due} ${order} LIMIT ?)`
    await this.#db.commit([leaveOut(now), { sql, params: [claim, now + lease, now, now, now, now, limit] }])
    // The rows that have gone are many, and none of them is due.
    const read = { sql: `SELECT * FROM outbox WHERE due_at <= ? AND claim = ? ${order}`, params: [now, claim] }
    const claimed = await this.#db.read(read, outboxTable.read)
    if (claimed.length > 0) this.#stirred = false
    return claimed
  }

  /**
   * @param after when it was looked last, in milliseconds since the epoch
   * @returns when the next letter may go that might not then, or null where there is none
   */
  async nextDue(after: number): Promise<number | null> {
    const sql = 'SELECT COALESCE(MIN(due_at), 0) AS due FROM outbox WHERE due_at > ?'
    const [due = 0] = await this.#db.read({ sql, params: [after] }, (row) => integer(row, 'due'))
    return due === 0 ? null : due
  }

  /** @throws Unsealable where SECRET is another one than when it was written */
  open({ id, sealed }: OutboxRow): Letter {
    return letterFrom(JSON.parse(this.#sealer.open(sealed, id)))
  }

  /** @returns the letter, or null where what it said is not kept, or was sealed under another SECRET */
  peek(row: OutboxRow): Letter | null {
    if (row.sealed === '') return null
    try {
      return this.open(row)
    } catch (error) {
      if (error instanceof Unsealable) return null
      throw error
    }
  }

  /**
   * Notes that a letter has gone, or never will, whoever has claimed it since; what it said is kept in development alone, for
   * its page.
   */
  async settle({ id, sealed }: OutboxRow): Promise<void> {
    const kept = this.#settings.mail === 'folder' ? sealed : ''
    await this.#db.commit([update(outboxTable, { dueAt: null, claim: '', sealed: kept }, { id })])
  }

  /**
   * Notes that a claimed letter could not be sent now.
   * @param wait milliseconds until the next try
   * @returns false where there is none: its link has ended meanwhile, or another process has it
   */
  async postpone({ id, claim, dueAt, tries }: OutboxRow, wait: number): Promise<boolean> {
    const changes = { dueAt: this.#db.now() + wait, tries: tries + 1, claim: '', claimedUntil: 0 }
    return this.#db.commit([must(update(outboxTable, changes, { id, claim, dueAt }))])
  }

  /** Returns where the database can be used. @throws StoreUnavailable */
  async reach(): Promise<void> {
    await this.#db.reach()
  }

  /** @returns what is due or will be, with the age of the oldest */
  async waiting(): Promise<Waiting> {
    const read = (row: Row) => ({ count: integer(row, 'count'), oldest: integer(row, 'oldest') })
    const [{ count, oldest } = { count: 0, oldest: 0 }] = await this.#db.read({ sql: WAITING, params: [DECOY] }, read)
    return { count, oldest: count === 0 ? 0 : this.#db.now() - oldest }
  }

  /** @returns the last letters that were written, the newest first */
  async recent(limit: number): Promise<OutboxRow[]> {
    const sql = 'SELECT * FROM outbox WHERE kind <> ? ORDER BY created_at DESC, id LIMIT ?'
    return this.#db.read({ sql, params: [DECOY, limit] }, outboxTable.read)
  }

  /** Deletes what has gone long ago. */
  async sweep(): Promise<void> {
    await this.#db.sweepUntil(this.#db.now() - KEPT, SWEPT)
  }

  #outdate(...keys: [string, string]): readonly Statement[] {
    if (this.#settings.mail === 'none') return []
    // One that is under way as well: should it fail, it is not tried again.
    return [{ sql: 'UPDATE outbox SET due_at = NULL WHERE limit_key IN (?, ?) AND due_at IS NOT NULL', params: keys }]
  }

  #rowOf(letter: Letter, now: number, kind: string = letter.kind): OutboxRow {
    const id = makeId()
    return {
      ...{
        id,
        kind,
        sealed: this.#sealer.seal(JSON.stringify(letter), id),
        limitKey: limitKeyOf(letter.kind, letter.to),
      },
      ...{ createdAt: now, expiresAt: now + letter.lasts, dueAt: now, tries: 0, claim: '', claimedUntil: 0 },
    }
  }
}

/** What was typed may be no address, and is kept for nobody. */
function nobody(to: string): string {
  return `${hash('sha256', normalEmail(to), 'hex')}@nobody.invalid`
}

/**
 * Settles the letters to nobody beyond the most that are due, without work. Not when they are handed in: one that is left out
 * then would not count for its address, and cost less than another letter.
 */
function leaveOut(now: number): Statement {
  const due = 'due_at <= ? AND kind = ?'
  const sql = `UPDATE outbox SET due_at = NULL, claim = '', sealed = '' WHERE ${due} AND id NOT IN (
    SELECT id FROM outbox WHERE ${due} ORDER BY due_at, id LIMIT ?)`
  return { sql, params: [now, DECOY, now, DECOY, MOST_DECOYS] }
}

function letterFrom(stored: unknown): Letter {
  if (typeof stored !== 'object' || stored === null) throw new TypeError('this is no letter')
  const { kind, to, language, lasts, values }: Partial<Record<keyof Letter, unknown>> = stored
  const known = letterKinds.find((one) => one === kind)
  if (known === undefined || typeof to !== 'string' || typeof lasts !== 'number')
    throw new TypeError('this is no letter')
  return {
    kind: known,
    to,
    lasts,
    language: typeof language === 'string' ? language : undefined,
    values: valuesFrom(values),
  }
}

function valuesFrom(stored: unknown): Letter['values'] {
  if (typeof stored !== 'object' || stored === null) return {}
  return Object.fromEntries(Object.entries(stored).filter(([, value]) => typeof value === 'string'))
}
