/** The life of sessions: opening, checking, recording their use, ending. */

import { setTimeout as rest } from 'node:timers/promises'
import { endOldest, openSession, seeSession } from '../db/sessions.ts'
import type { DB, Statement } from '../db.ts'
import { makeCredential, type ParsedCredential, parseCredential, sameHash } from '../security/credential.ts'
import { makeRefreshToken } from '../security/refresh_token.ts'
import { type Client, type Glance, isAlive, type Session, type SessionKind, type SessionLife } from '../session.ts'
import type { User } from '../user.ts'
import { LastUses, type Use } from './last_uses.ts'

/** The last use of a session is written at most this often, in milliseconds. */
const WRITE_INTERVAL = 60_000
/** Longer than a use is known to one process alone, in milliseconds. */
const UNWRITTEN = 2 * WRITE_INTERVAL
/** How long a check waits until its use is written, in milliseconds. */
const PATIENCE = 100
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

export class Sessions {
  readonly #db: DB
  readonly #life: SessionLife & { limit: number }
  readonly #uses = new LastUses()

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
   * The session check for those who need no more than who it is, as many as ask at the same time: at most one read each, and a
   * write for those alone that were nearly idle.
   * @param presented what each sent
   * @returns for each null where it is no session of a browser's session cookie, or one that has ended
   */
  async glances(presented: readonly ParsedCredential[]): Promise<(Glance | null)[]> {
    const found = await this.#db.glances(presented.map(({ id }) => id))
    const now = this.#db.now()
    const late: Use[] = []
    const glances = presented.map(({ secretHash }, index) => {
      const glance = found[index]
      if (glance?.kind !== 'cookie' || !sameHash(secretHash, glance.secretHash)) return null
      const lastSeenAt = Math.max(glance.lastSeenAt, this.#uses.of(glance.id))
      if (!isAlive({ expiresAt: glance.expiresAt, lastSeenAt }, now, this.#life)) return null
      if (this.#used(glance, lastSeenAt, now)) late.push({ id: glance.id, at: now })
      return glance
    })
    if (late.length > 0) await this.#writeAtOnce(late)
    return glances
  }

  /**
   * The session check: one read, and a write where the session was nearly idle.
   * @param presented whatever the client sent
   * @returns null where it is no session, or one that has ended
   */
  async check(presented: string): Promise<CheckedSession | null> {
    const parsed = parseCredential(presented)
    if (parsed === null) return null
    const found = await this.#read(parsed.id)
    if (found?.session.kind !== 'cookie' || !sameHash(parsed.secretHash, found.session.secretHash)) return null
    await this.#use(found.session)
    return found
  }

  /**
   * The same for a session that an access token names, of which the signature was checked.
   * @param kind the only kind that counts
   */
  async use(id: string, kind: SessionKind): Promise<CheckedSession | null> {
    const found = await this.#read(id)
    if (found?.session.kind !== kind) return null
    await this.#use(found.session)
    return found
  }

  /** @returns a session that has not ended; to look is not to use it */
  async peek(id: string): Promise<CheckedSession | null> {
    return this.#read(id)
  }

  /** The same, be it that it looks idle: another process may know of a use that it could not write yet. */
  async stored(id: string): Promise<CheckedSession | null> {
    return this.#db.findSessionAndUser(id)
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
    await this.#db.sweep(this.#life.idle + UNWRITTEN)
  }

  /** Writes all last uses that are not in the database yet; to be called before it closes. */
  async close(): Promise<void> {
    await this.#flush(0)
  }

  async #flush(interval: number): Promise<void> {
    for (const step of this.#uses.due(this.#db.now() - interval, FLUSH_STEP)) {
      await this.#write(step)
      await new Promise(setImmediate)
    }
  }

  async #write(uses: readonly Use[]): Promise<void> {
    await this.#db.note(uses.map(({ id, at }) => seeSession(id, at)))
    this.#uses.written(uses)
  }

  /** No check fails for it, or waits for long: what cannot be written now is left to the upkeep. */
  async #writeAtOnce(uses: readonly Use[]): Promise<void> {
    await Promise.race([this.#write(uses).catch(() => {}), rest(PATIENCE, undefined, { ref: false })])
  }

  async #read(id: string): Promise<CheckedSession | null> {
    const found = await this.#db.findSessionAndUser(id)
    if (found === null) return null
    const session = this.#current(found.session)
    return isAlive(session, this.#db.now(), this.#life) ? { session, user: found.user } : null
  }

  async #use(session: Session): Promise<void> {
    const now = this.#db.now()
    if (this.#used(session, session.lastSeenAt, now)) await this.#writeAtOnce([{ id: session.id, at: now }])
  }

  /**
   * Takes note of a use.
   * @returns whether it may not wait: to other processes the session would look idle before the upkeep has written it
   */
  #used(session: Pick<Session, 'id' | 'lastSeenAt' | 'expiresAt'>, lastSeenAt: number, now: number): boolean {
    if (now <= lastSeenAt) return false
    this.#uses.add(session, now)
    return now - lastSeenAt >= this.#life.idle - UNWRITTEN
  }

  /** @returns a session with the last use, where that is not in the database yet */
  #current<S extends Pick<Session, 'id' | 'lastSeenAt'>>(session: S): S {
    const at = this.#uses.of(session.id)
    return at > session.lastSeenAt ? { ...session, lastSeenAt: at } : session
  }
}
