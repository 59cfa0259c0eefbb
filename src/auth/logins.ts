/** The login: a password is proven, or not, in the same time, and a session opened on it. */

import { noteCost } from '../db/hash_costs.ts'
import { sessions as sessionTable } from '../db/sessions.ts'
import { must, remove } from '../db/table.ts'
import { changeUser } from '../db/users.ts'
import { AuthError } from '../errors.ts'
import type { AuthEvent } from '../feature.ts'
import type { Client, SessionKind } from '../session.ts'
import { normalEmail, type User } from '../user.ts'
import { type AuthParts, about, found } from './parts.ts'
import type { OpenedSession } from './sessions.ts'

export interface LoginAttempt {
  email: string
  password: string
  client: Client
  /** The session credential that came with the request, if any; that session ends when this login succeeds. */
  presented?: string | undefined
  /** Who is to hold the session. Default: a cookie. */
  kind?: SessionKind
}

export interface Login extends OpenedSession {
  user: User
  /** For the device cookie: tells next time that this device was here before. */
  deviceCookie: string
}

export class Logins {
  readonly #parts: AuthParts

  constructor(parts: AuthParts) {
    this.#parts = parts
  }

  /**
   * Checks a password and opens a session, in one step.
   * @throws AuthError `credentials_invalid`, `email_unconfirmed`, `throttled`, `busy`
   */
  async logIn({ email, password, client, presented, kind = 'cookie' }: LoginAttempt): Promise<Login> {
    const { db, devices, events } = this.#parts
    const emailKey = normalEmail(email)
    const known = await found(db.findUserBy({ emailKey }))
    const device = known === null ? null : devices.read(client.deviceCookie, known)
    return events.attempt({ kind: 'login', emailKey, client, device }, async () => {
      const user = await this.proven(known, password)
      if (user !== null) await this.#requireConfirmed(user, client, device)
      const opened = user === null ? null : await this.open(user, client, kind, device, presented)
      if (user === null || opened === null) {
        const owner = known === null ? {} : { email: known.email }
        await events.happen({ type: 'login_failed', userId: known?.id ?? null, ...owner, emailKey, client, device })
        throw new AuthError('credentials_invalid')
      }
      return { ...opened, user, deviceCookie: devices.issue(user, device) }
    })
  }

  /** @returns null where the password has changed since `user` was read */
  async open(
    user: User,
    client: Client,
    kind: SessionKind,
    device: string | null = null,
    presented?: string,
  ): Promise<OpenedSession | null> {
    const { events, sessions } = this.#parts
    const { statements, ...opened } = sessions.make(user, client, kind)
    const left = presented === undefined ? null : await sessions.check(presented)
    // Before the oldest are ended: the one that leaves makes room.
    if (left !== null) statements.unshift(remove(sessionTable, { id: left.session.id }))
    const event: AuthEvent = { ...about(user, client), type: 'login_succeeded', sessionId: opened.session.id, device }
    return (await events.happen(event, statements)) ? opened : null
  }

  /**
   * @returns the user as stored when the password was proven, hashed anew where the row was outdated; null where it is
   * wrong. One check is computed in every case.
   */
  async proven(user: User | null, password: string): Promise<User | null> {
    const { db, hasher } = this.#parts
    const { matches, outdated } = await hasher.verify(password, user?.hashedPassword ?? null)
    if (!matches || user === null) return null
    // Who may not log in yet gets no second hash: the time of it would tell whose account it is.
    if (!outdated || this.#isUnconfirmed(user)) return user
    const hashedPassword = await hasher.hash(password)
    const expected = { id: user.id, hashedPassword: user.hashedPassword }
    const change = must(changeUser({ hashedPassword }, expected, db.now()))
    const changed = await db.commit([change, ...noteCost(hashedPassword)])
    // Another login or a new password came first: what the row holds now must be proven instead.
    return changed ? { ...user, hashedPassword } : this.proven(await found(db.findUserBy({ id: user.id })), password)
  }

  /** Mails nothing: how long other letters wait then would tell whose account it is. */
  async #requireConfirmed(user: User, client: Client, device: string | null): Promise<void> {
    const { events, settings } = this.#parts
    if (!this.#isUnconfirmed(user)) return
    await events.happen({ ...about(user, client), type: 'login_failed', device, reason: 'email_unconfirmed' })
    throw new AuthError(settings.hideAccounts ? 'credentials_invalid' : 'email_unconfirmed')
  }

  #isUnconfirmed({ emailConfirmedAt }: User): boolean {
    return this.#parts.settings.requireConfirmed && emailConfirmedAt === null
  }
}
