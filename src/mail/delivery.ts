/**
 * The delivery: takes letters out of the outbox, a few at a time side by side, so that a slow one holds up its own place
 * alone, tries again later what could not go now, and gives up in the end. A mail goes twice only where its acceptance is
 * not noted: the process ends in between, or another one claims the letter before it can be; or the mail server takes the
 * mail and does not say so in time, or the process stands still meanwhile.
 */

import { setTimeout as rest } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Letter } from '../letter.ts'
import { Allowance } from './allowance.ts'
import type { Message } from './message.ts'
import { DECOY, type Outbox } from './outbox.ts'
import type { OutboxRow } from './outbox_table.ts'
import { NotSent, SEND_LIMIT, type Transport } from './transport.ts'

/** Mails on their way at the same time. */
const LANES = 5
/** Longer than a try can take, in milliseconds. */
const LEASE = 2 * SEND_LIMIT
/** The pauses after each failed try, in milliseconds; the last one stays, until the letter is of no use any more. */
const PAUSES = [10, 30, 60, 300, 900, 1800, 3600].map((seconds) => seconds * 1_000)
/** How often it looks for letters that other processes wrote, in milliseconds. */
const ROUND = 5_000
/** How long after a letter was handed in it is in the database for certain, in milliseconds; none has to go so early. */
const SOON = 100
/**
 * Strangers can ask for any number of letters to nobody, and each is a connection to the mail server: so many at once, and one
 * more after each interval, in milliseconds.
 */
const WASTED_AT_ONCE = 20
const WASTE_INTERVAL = 1_000
/**
 * How long a letter to nobody keeps its lane at the most, in milliseconds: by one letter that takes minutes strangers could
 * otherwise keep all lanes for hours.
 */
const LONGEST_KEPT = 5_000
/** How long a stop waits for a mail server, in milliseconds. */
const STOP_LIMIT = 8_000
/** A letter that has waited this long is worth a line in the log, in milliseconds. */
export const LATE = 10 * 60_000

interface Parts {
  outbox: Outbox
  transport: Transport
  compose: (row: OutboxRow, letter: Letter) => Message
  log: FastifyBaseLogger
  /** Milliseconds since the epoch. */
  now: () => number
  /** Milliseconds, of a clock that is never set back. Default: that of the process. */
  clock?: () => number
  /** Waits for so many milliseconds by that clock, or until the signal. */
  pause?: (time: number, signal: AbortSignal) => Promise<void>
}

export class Delivery {
  readonly #parts: Required<Parts>
  readonly #wasted: Allowance
  /** By the id of the letter. */
  readonly #underWay = new Map<string, Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #again = false
  #stirred: NodeJS.Timeout | undefined
  #alarm: NodeJS.Timeout | undefined
  /** How long the last letter that was taken kept its lane, in milliseconds. */
  #lasted = 0
  readonly #stopping = new AbortController()
  readonly #leaving = new AbortController()

  constructor(parts: Parts) {
    this.#parts = { clock: () => performance.now(), pause, ...parts }
    this.#wasted = new Allowance(WASTED_AT_ONCE, WASTE_INTERVAL, this.#parts.clock)
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted
  }

  /** Begins to deliver, now and whenever something is due. */
  start(): void {
    this.#timer = setInterval(() => this.wake(), ROUND)
    this.#timer.unref()
    this.wake()
  }

  /** Says that a letter was handed in, which may not be in the database yet. */
  stir(): void {
    if (this.#stopped || this.#stirred !== undefined) return
    this.#stirred = setTimeout(() => {
      this.#stirred = undefined
      this.wake()
    }, SOON)
    this.#stirred.unref()
  }

  /** Says that there may be something to deliver; returns at once. */
  wake(): void {
    if (this.#stopped) return
    this.#again = true
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
      // Somebody may have called after the last look and before this line.
      if (this.#again) this.wake()
    })
  }

  /** Takes no more letters, and waits a little for those under way; what does not go in time goes after the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    clearInterval(this.#timer)
    clearTimeout(this.#stirred)
    clearTimeout(this.#alarm)
    const patience = setTimeout(() => this.#leaving.abort(), STOP_LIMIT)
    await this.#looking
    await Promise.all(this.#underWay.values())
    clearTimeout(patience)
  }

  async #look(): Promise<void> {
    const { outbox, log, now } = this.#parts
    let looked = now()
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false
        looked = now()
        const free = LANES - this.#underWay.size
        const claimed = free > 0 ? await outbox.claim(free, LEASE) : []
        for (const row of claimed) this.#carry(row)
        if (claimed.length === free && free > 0) this.#again = true
      }
      await this.#setAlarm(looked)
    } catch (error) {
      log.error({ err: error }, 'the outbox cannot be read')
    }
  }

  /**
   * Letters may go at moments of their own: it looks again when the next one may.
   * @param looked when it looked last: what has become due since was not seen
   */
  async #setAlarm(looked: number): Promise<void> {
    const { outbox, now } = this.#parts
    const due = await outbox.nextDue(looked)
    clearTimeout(this.#alarm)
    if (due === null || this.#stopped) return
    this.#alarm = setTimeout(() => this.wake(), Math.min(Math.max(0, due - now()), ROUND))
    this.#alarm.unref()
  }

  #carry(row: OutboxRow): void {
    // It was claimed for less time than it takes, since the process stood still or cannot note that it was taken.
    if (this.#underWay.has(row.id)) return
    const carried = this.#deliver(row)
      .catch((error: unknown) => this.#parts.log.error({ err: error, letter: row.id }, 'the outbox cannot be written'))
      .finally(() => {
        this.#underWay.delete(row.id)
        this.wake()
      })
    this.#underWay.set(row.id, carried)
  }

  /** Says in the log what became of a letter, once the outbox knows it: who reads the line finds the row as it says. */
  async #deliver(row: OutboxRow): Promise<void> {
    const { outbox, transport, compose, log, now, clock } = this.#parts
    if (row.kind === DECOY) return this.#waste(row)
    const about = { letter: row.id, kind: row.kind, tries: row.tries + 1 }
    if (row.expiresAt <= now()) {
      const line = 'a mail was never sent: it could not go before it was of no use any more'
      return outbox.settle(row).finally(() => log.error(about, line))
    }
    const begun = clock()
    try {
      await transport.send(compose(row, outbox.open(row)), this.#leaving.signal)
      // One that is refused may be so at once, and strangers can cause it: by that those to nobody would keep no lane.
      this.#lasted = Math.min(clock() - begun, LONGEST_KEPT)
    } catch (error) {
      const reason = reasonOf(error)
      if (error instanceof NotSent && error.permanent) {
        return outbox.settle(row).finally(() => log.error({ ...about, ...reason }, 'a mail was refused for good'))
      }
      return this.#postponed(row, { ...about, ...reason })
    }
    await this.#settled(row).finally(() => log.info(about, 'mail sent'))
  }

  async #postponed(row: OutboxRow, line: object): Promise<void> {
    const { outbox, log } = this.#parts
    const wait = PAUSES[Math.min(row.tries, PAUSES.length - 1)] ?? LATE
    let again = true
    try {
      again = await outbox.postpone(row, wait)
    } finally {
      if (again) log.warn({ ...line, wait: wait / 1_000 }, 'a mail could not be sent yet')
      else
        log.warn(
          line,
          'a mail could not be sent, and this try is the last: its link has ended, or another try has begun',
        )
    }
  }

  /**
   * Does for a letter to nobody what is done for others, but hands nothing over and says nothing. Its lane is kept as long as
   * that of others, whether the mail server may be reached or not: a stranger's next letter would go earlier otherwise.
   */
  async #waste(row: OutboxRow): Promise<void> {
    const { outbox, transport, compose, clock } = this.#parts
    const begun = clock()
    try {
      await transport.pretend(compose(row, outbox.open(row)), this.#wasted.take(), this.#leaving.signal)
    } catch {
      // Nobody waits for it.
    }
    const left = begun + this.#lasted - clock()
    // At a stop there is no next letter.
    if (left > 0) await this.#parts.pause(left, this.#stopping.signal)
    await outbox.settle(row)
  }

  /** What was accepted must be noted, or it would be sent again; so a database that cannot be used is waited for. */
  async #settled(row: OutboxRow): Promise<void> {
    const { outbox, log } = this.#parts
    const { signal } = this.#leaving
    for (let tries = 0; ; tries += 1) {
      try {
        return await outbox.settle(row)
      } catch (error) {
        if (tries === 0) log.error({ err: error, letter: row.id }, 'a sent mail cannot be noted yet')
        if (signal.aborted) throw error
        await pause(PAUSE_TO_NOTE, signal)
      }
    }
  }
}

const PAUSE_TO_NOTE = 1_000

async function pause(time: number, signal: AbortSignal): Promise<void> {
  await rest(time, undefined, { signal }).catch(() => {})
}

/** What the log tells of a failure: what the server said, or what went wrong before it could. */
function reasonOf(error: unknown) {
  if (!(error instanceof NotSent)) return { err: error }
  const { code, reply, message } = error
  return reply === '' ? { code, reason: withoutAddresses(message) } : { code, reply: withoutAddresses(reply) }
}

/** Mail servers repeat the address that they refuse, or a link, and the log holds neither addresses nor tokens. */
function withoutAddresses(reply: string): string {
  return reply
    .slice(0, 500)
    .replace(/[^\s<>]+(?:@|%40)[^\s<>]+/gi, '(address)')
    .replace(/[\w.-]{36,}/g, '(token)')
}
