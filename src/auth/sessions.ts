/** The life of sessions: opening, checking, recording their use, ending. */

import { endOldest, openSession, seeSession } from '../db/sessions.ts'
import type { DB, Statement } from '../db.ts'
import { makeCredential, parseCredential, sameHash } from '../security/credential.ts'
import { type Client, isAlive, type Session, type SessionLife } from '../session.ts'
import type { User } from '../user.ts'

/** The last use of a session is written at most this often, in milliseconds. */
const WRITE_INTERVAL = 60_000
const FLUSH_STEP = 100

export interface OpenedSession {
  session: Session
  /** `<uuid>.<secret>`, for the client alone. */
  credential: string
}

export interface CheckedSession {
  session: Session
  user: User
}

export class Sessions {
  readonly #db: DB
  readonly #life: SessionLife & { limit: number }
  /** Last uses that are not in the database yet, with the one that is. */
  readonly #seen = new Map<string, { at: number; written: number }>()

  /** @param life with `limit`, the most sessions that one user may have */
  constructor(db: DB, life: SessionLife & { limit: number }) {
    this.#db = db
    this.#life = life
  }

  /**
   * Makes a session that is not stored yet.
   * @returns it with the statements that store it as long as the user's password is still the one that `user` holds,
   * and that end the oldest ones beyond the limit
   */
  make(user: User, client: Client): OpenedSession & { statements: Statement[] } {
    const { id, secretHash, credential } = makeCredential()
    const now = this.#db.now()
    const session = {
      ...{ id, secretHash, userId: user.id, address: client.address, userAgent: client.userAgent.slice(0, 256) },
      ...{ createdAt: now, authenticatedAt: now, lastSeenAt: now, expiresAt: now + this.#life.absolute },
    }
    const statements = [openSession(session, user.hashedPassword), endOldest(user.id, id, this.#life.limit)]
    return { session, credential, statements }
  }

  /**
   * The session check: one read, no write.
   * @param presented whatever the client sent
   * @returns null where it is no session, or one that has ended
   */
  async check(presented: string): Promise<CheckedSession | null> {
    const parsed = parseCredential(presented)
    if (parsed === null) return null
    const found = await this.#db.findSessionAndUser(parsed.id)
    if (found === null || !sameHash(parsed.secretHash, found.session.secretHash)) return null
    const session = this.#current(found.session)
    const now = this.#db.now()
    if (!isAlive(session, now, this.#life)) return null
    if (now > session.lastSeenAt) this.#seen.set(session.id, { at: now, written: found.session.lastSeenAt })
    return { session, user: found.user }
  }

  /** @returns a user's sessions that have not ended, the last used first */
  async list(userId: number): Promise<Session[]> {
    const now = this.#db.now()
    return (await this.#db.findSessionsOf(userId))
      .map((session) => this.#current(session))
      .filter((session) => isAlive(session, now, this.#life))
      .sort((a, b) => b.lastSeenAt - a.lastSeenAt || b.createdAt - a.createdAt)
  }

  /** Writes the last uses that are due, and deletes what has ended. */
  async upkeep(): Promise<void> {
    await this.#flush(WRITE_INTERVAL)
    // Longer than a use can be known to this process alone, or to another one.
    await this.#db.sweep(this.#life.idle + 2 * WRITE_INTERVAL)
  }

  /** Writes all last uses that are not in the database yet; to be called before it closes. */
  async close(): Promise<void> {
    await this.#flush(0)
  }

  async #flush(interval: number): Promise<void> {
    const due = [...this.#seen].filter(([, { written }]) => this.#db.now() - written >= interval)
    for (let from = 0; from < due.length; from += FLUSH_STEP) {
      const step = due.slice(from, from + FLUSH_STEP)
      await this.#db.commit(step.map(([id, { at }]) => seeSession(id, at)))
      for (const [id, use] of step) if (this.#seen.get(id) === use) this.#seen.delete(id)
      await new Promise(setImmediate)
    }
  }

  #current(session: Session): Session {
    const seen = this.#seen.get(session.id)
    return seen === undefined || seen.at <= session.lastSeenAt ? session : { ...session, lastSeenAt: seen.at }
  }
}
