/** The life of sessions: opening, checking, recording their use, ending. */

import { endOldest, openSession, seeSession } from '../db/sessions.ts'
import type { DB, Statement } from '../db.ts'
import { makeCredential, parseCredential, sameHash } from '../security/credential.ts'
import { makeRefreshToken } from '../security/refresh_token.ts'
import { type Client, type Glance, isAlive, type Session, type SessionKind, type SessionLife } from '../session.ts'
import type { User } from '../user.ts'

/** The last use of a session is written at most this often, in milliseconds. */
const WRITE_INTERVAL = 60_000
const FLUSH_STEP = 500

export interface OpenedSession {
  session: Session
  /** `<uuid>.<secret>`, for the client alone; of a session with tokens it is the refresh token. */
  credential: string
}

export interface CheckedSession {
  session: Session
  user: User
}

interface ReadSession extends CheckedSession {
  /** The last use that is in the database. */
  writtenAt: number
}

/** A use that is not in the database yet. */
type Use = Pick<Glance, 'lastSeenAt' | 'writtenAt' | 'expiresAt'>

export class Sessions {
  readonly #db: DB
  readonly #life: SessionLife & { limit: number }
  /** All of which `lastSeenAt` is not `writtenAt`. */
  readonly #seen = new Map<string, Use>()

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
  make(user: User, client: Client, kind: SessionKind): OpenedSession & { statements: Statement[] } {
    const made = kind === 'cookie' ? { ...makeCredential(), familyHash: null } : makeRefreshToken()
    const { id, secretHash, familyHash, credential } = made
    const now = this.#db.now()
    const session = {
      ...{ kind, familyHash, rotatedAt: null },
      ...{ id, secretHash, userId: user.id, address: client.address, userAgent: client.userAgent.slice(0, 256) },
      ...{ createdAt: now, authenticatedAt: now, lastSeenAt: now, expiresAt: now + this.#life.absolute },
    }
    const statements = [openSession(session, user.hashedPassword), endOldest(user.id, id, this.#life.limit)]
    return { session, credential, statements }
  }

  /**
   * The session check for whoever needs no more than who it is: at most one read, no write.
   * @param presented whatever the client sent
   * @returns null where it is no session of a browser's session cookie, or one that has ended
   */
  async glance(presented: string): Promise<Glance | null> {
    const parsed = parseCredential(presented)
    if (parsed === null) return null
    const found = await this.#db.glance(parsed.id)
    if (found?.kind !== 'cookie' || !sameHash(parsed.secretHash, found.secretHash)) return null
    if (found.lastSeenAt === found.writtenAt) this.#recall(found)
    const now = this.#db.now()
    if (!isAlive(found, now, this.#life)) return null
    if (now > found.lastSeenAt) {
      // What is remembered of a session keeps its last use as well, so that one look finds both.
      if (found.lastSeenAt === found.writtenAt) this.#seen.set(found.id, found)
      found.lastSeenAt = now
    }
    return found
  }

  /**
   * The session check: one read, no write.
   * @param presented whatever the client sent
   * @returns null where it is no session, or one that has ended
   */
  async check(presented: string): Promise<CheckedSession | null> {
    const parsed = parseCredential(presented)
    if (parsed === null) return null
    const found = await this.#read(parsed.id)
    if (found?.session.kind !== 'cookie' || !sameHash(parsed.secretHash, found.session.secretHash)) return null
    return this.#used(found)
  }

  /**
   * The same for a session that an access token names, of which the signature was checked: one read, no write.
   * @param kind the only kind that counts
   */
  async use(id: string, kind: SessionKind): Promise<CheckedSession | null> {
    const found = await this.#read(id)
    return found?.session.kind === kind ? this.#used(found) : null
  }

  /** @returns a session that has not ended; to look is not to use it */
  async peek(id: string): Promise<CheckedSession | null> {
    return this.#read(id)
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
    const due = [...this.#seen]
      .filter(([, { writtenAt }]) => this.#db.now() - writtenAt >= interval)
      // As they were opened, and so as they lie in the table: in any other order it takes SQLite five times as long.
      .sort(([, a], [, b]) => a.expiresAt - b.expiresAt)
      .map(([id, use]) => ({ id, use, at: use.lastSeenAt }))
    for (let from = 0; from < due.length; from += FLUSH_STEP) {
      const step = due.slice(from, from + FLUSH_STEP)
      await this.#db.commit(step.map(({ id, at }) => seeSession(id, at)))
      for (const { id, use, at } of step) {
        use.writtenAt = at
        if (use.lastSeenAt === at && this.#seen.get(id) === use) this.#seen.delete(id)
      }
      await new Promise(setImmediate)
    }
  }

  async #read(id: string): Promise<ReadSession | null> {
    const found = await this.#db.findSessionAndUser(id)
    if (found === null) return null
    const session = this.#current(found.session)
    if (!isAlive(session, this.#db.now(), this.#life)) return null
    return { session, user: found.user, writtenAt: found.session.lastSeenAt }
  }

  #used({ session, user, writtenAt }: ReadSession): CheckedSession {
    const now = this.#db.now()
    if (now > session.lastSeenAt) {
      const use = this.#seen.get(session.id)
      if (use === undefined) this.#seen.set(session.id, { lastSeenAt: now, writtenAt, expiresAt: session.expiresAt })
      else use.lastSeenAt = now
    }
    return { session, user }
  }

  /** What was read anew does not know of the last use, where that is not in the database yet. */
  #recall(found: Glance): void {
    const use = this.#seen.get(found.id)
    if (use === undefined || use.lastSeenAt <= found.lastSeenAt) return
    found.lastSeenAt = use.lastSeenAt
    this.#seen.set(found.id, found)
  }

  #current(session: Session): Session {
    const seen = this.#seen.get(session.id)
    return seen === undefined || seen.lastSeenAt <= session.lastSeenAt
      ? session
      : { ...session, lastSeenAt: seen.lastSeenAt }
  }
}
