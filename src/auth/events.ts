/** The seams of all features as one: asked in their order, recorded together. */

import type { DB, Statement } from '../db.ts'
import { AuthError } from '../errors.ts'
import type { Attempt, AuthEvent, Leave, Seams } from '../feature.ts'

/** The service was busy, or the secret was right and only the new password was refused. */
const UNJUDGED = /^(?:busy$|password_)/

export class Events {
  readonly #db: DB
  readonly #seams: readonly Seams[]

  constructor(db: DB, seams: readonly Seams[]) {
    this.#db = db
    this.#seams = seams
  }

  /**
   * Does the work of an attempt, if every feature admits it.
   * @throws AuthError where a feature refuses, and whatever the work throws
   */
  async attempt<T>(attempt: Attempt, work: () => Promise<T>): Promise<T> {
    const leaves: Leave[] = []
    let judged = false
    try {
      for (const seam of this.#seams)
        if (seam.admit !== undefined) leaves.push(await this.#admitted(seam.admit, attempt))
      const done = await work()
      judged = true
      return done
    } catch (error) {
      judged = error instanceof AuthError && isJudged(attempt, error)
      throw error
    } finally {
      for (const leave of leaves) await leave(judged)
    }
  }

  /** @returns what the event leaves in the database, for the transaction that makes it happen */
  record(event: AuthEvent): readonly Statement[] {
    return this.#seams.flatMap((seam) => seam.record?.(event) ?? [])
  }

  /** To be called when the event has happened. */
  tell(event: AuthEvent): void {
    for (const seam of this.#seams) seam.observe?.(event)
  }

  /**
   * Makes an event happen: its own statements and what it leaves behind, in one transaction.
   * @returns false where a statement that must change a row did not; then nothing has happened
   */
  async happen(event: AuthEvent, statements: readonly Statement[] = []): Promise<boolean> {
    const happened = await this.#db.commit([...statements, ...this.record(event)])
    if (happened) this.tell(event)
    return happened
  }

  /**
   * Makes an event happen, with the statements if they can be written: a letter too many for one mailbox is left out, with
   * all that goes with it, and nobody is told.
   */
  async happenWith(event: AuthEvent, statements: readonly Statement[]): Promise<boolean> {
    if (await this.happen(event, statements)) return true
    await this.happen(event)
    return false
  }

  async #admitted(admit: (attempt: Attempt) => Promise<Leave>, attempt: Attempt): Promise<Leave> {
    try {
      return await admit(attempt)
    } catch (error) {
      const { kind, emailKey, client } = attempt
      if (error instanceof AuthError) this.tell({ type: 'throttled', userId: null, emailKey, client, reason: kind })
      throw error
    }
  }
}

/** Where a session has ended before the current password was looked at, nothing was learned; anywhere else it may have been. */
function isJudged({ kind }: Attempt, { code }: AuthError): boolean {
  if (kind === 'confirm' && code === 'session_required') return false
  return !UNJUDGED.test(code)
}
