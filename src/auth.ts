/**
 * Auth: the rules of accounts, sessions and password resets. It knows no HTTP and no SQL; what must happen together is
 * given to the DB as one list of statements, and nothing is hashed while one is being written.
 * The parts are in auth/; this is what the app and every other caller sees of them.
 */

import { Account, type AccountChanges, type ChangedAccount } from './auth/account.ts'
import { EmailAddress } from './auth/email_address.ts'
import { Events } from './auth/events.ts'
import { type Login, type LoginAttempt, Logins } from './auth/logins.ts'
import { type AuthParts, about, DISABLED, found, NO_CLIENT } from './auth/parts.ts'
import { PasswordReset, type RequestedReset, type ResetCompletion } from './auth/password_reset.ts'
import { type NewAccount, Registration } from './auth/registration.ts'
import { type CheckedSession, Sessions } from './auth/sessions.ts'
import { Tokens } from './auth/tokens.ts'
import { endOthers, sessions, stillOpen } from './db/sessions.ts'
import { must, remove } from './db/table.ts'
import { endTokens, withdrawChange } from './db/tokens.ts'
import { changeUser } from './db/users.ts'
import type { DB } from './db.ts'
import { AuthError } from './errors.ts'
import type { AuthEvent, Seams } from './feature.ts'
import { noPost, type Post } from './letter.ts'
import type { ParsedCredential } from './security/credential.ts'
import { DeviceCookies } from './security/device.ts'
import { PasswordHasher } from './security/password.ts'
import { contextWordsOf } from './security/password_policy.ts'
import { Secrets } from './security/secrets.ts'
import { type Glance, isFresh, type Session } from './session.ts'
import { readSettings, type Settings } from './settings.ts'
import { checkEmail, type User } from './user.ts'

export class Auth {
  /** What proves, changes and brings back the address of an account. */
  readonly address: EmailAddress
  readonly tokens: Tokens
  readonly #parts: AuthParts
  readonly #account: Account
  readonly #logins: Logins
  readonly #registration: Registration
  readonly #reset: PasswordReset

  /**
   * @param seams the features that take part, in order
   * @param post where letters are handed in; default: nothing is mailed
   */
  constructor(db: DB, settings: Settings = readSettings({}), seams: readonly Seams[] = [], post: Post = noPost) {
    const secrets = new Secrets(settings.secret, settings.secretPrevious)
    this.#parts = {
      ...{ db, post, settings },
      hasher: new PasswordHasher({
        cost: settings.bcryptCost,
        concurrency: settings.hashConcurrency,
        queue: settings.hashQueue,
        highestStoredCost: db.highestHashCost,
      }),
      policy: {
        minLength: settings.passwordMinLength,
        refuseGuessable: settings.production,
        contextWords: contextWordsOf(settings.serviceName, new URL(settings.publicUrl).hostname),
      },
      sessions: new Sessions(db, {
        idle: settings.sessionIdle,
        absolute: settings.sessionLifetime,
        limit: settings.sessionsPerUser,
      }),
      devices: new DeviceCookies(secrets),
      events: new Events(db, seams),
    }
    this.tokens = new Tokens(this.#parts, secrets)
    this.address = new EmailAddress(this.#parts)
    this.#account = new Account(this.#parts, this.address)
    this.#logins = new Logins(this.#parts)
    this.#registration = new Registration(this.#parts, this.address)
    this.#reset = new PasswordReset(this.#parts)
  }

  /**
   * Registers a user; see `Registration.register`.
   * @throws AuthError `email_taken` as well
   */
  async registerUser(email: string, password: string, name = '', client = NO_CLIENT): Promise<User> {
    const user = await this.#registration.register({ email, password, name, client })
    if (user === null) throw new AuthError('email_taken')
    return user
  }

  /**
   * Registers a user for somebody who is not to learn which addresses have accounts, where the settings say so.
   * @returns the address as it is registered, or would be
   * @throws AuthError as `registerUser` does, `email_taken` only where accounts are not hidden
   */
  async register(account: NewAccount): Promise<string> {
    const user = await this.#registration.register(account)
    if (user === null && !this.#parts.settings.hideAccounts) throw new AuthError('email_taken')
    return user?.email ?? checkEmail(account.email)
  }

  /** @returns whether this is the user's password; false for an unknown address, in the same time */
  async validLogin(email: string, password: string): Promise<boolean> {
    return (await this.#logins.proven(await this.#findUser(email), password)) !== null
  }

  /** Checks a password and opens a session, in one step; see `Logins.logIn`. */
  async logIn(attempt: LoginAttempt): Promise<Login> {
    return this.#logins.logIn(attempt)
  }

  /**
   * Opens a session without a password, for a caller that has proven the user otherwise.
   * @returns the credential for the cookie
   * @throws AuthError `email_unknown`
   */
  async createSession(email: string, client = NO_CLIENT): Promise<string> {
    const user = await this.#findUser(email)
    const opened = user === null ? null : await this.#logins.open(user, client, 'cookie')
    if (opened === null) throw new AuthError('email_unknown', { field: 'email' })
    return opened.credential
  }

  /** @returns the user of a session credential, or null where it is none, or has ended */
  async getUserFromSessionId(sessionId: string | null | undefined): Promise<User | null> {
    return (await this.checkSession(sessionId))?.user ?? null
  }

  /** @returns whose session cookie each of these is, or null where it is none, or its session has ended */
  glances(credentials: readonly ParsedCredential[]): Promise<(Glance | null)[]> {
    return this.#parts.sessions.glances(credentials)
  }

  /** @returns the session of a credential with its user, or null where it is none, or has ended */
  async checkSession(credential: string | null | undefined): Promise<CheckedSession | null> {
    return credential ? this.#parts.sessions.check(credential) : null
  }

  /** @returns the sessions of a user that have not ended, the last used first */
  async listSessions(userId: number): Promise<Session[]> {
    return this.#parts.sessions.list(userId)
  }

  /**
   * Ends one session of a user; where it is another one than that which asks, also a pending change of address, which may be
   * the doing of whoever was there.
   * @returns false where the user has no such session
   * @throws AuthError `session_required` where the one that asks ended meanwhile
   */
  async endSession(id: string, { user, session }: CheckedSession, client = NO_CLIENT): Promise<boolean> {
    const own = id === session.id
    const event: AuthEvent = { ...about(user, client), type: own ? 'logged_out' : 'session_ended', sessionId: id }
    const ended = must(remove(sessions, { id, userId: user.id }))
    const another = [stillOpen(session), ended, withdrawChange(user.id)]
    // What is not there is looked for, and not tried: a database may log each try that fails.
    const there = own || (await this.#parts.db.findBy(sessions, { id, userId: user.id })) !== null
    const happened = there && (await this.#parts.events.happen(event, own ? [ended] : another))
    if (!happened && !own && (await this.#parts.sessions.peek(session.id)) === null)
      throw new AuthError('session_required')
    return happened
  }

  /**
   * Ends all sessions of a user but the one that asks, and a pending change of address.
   * @throws AuthError `session_required` where that one ended meanwhile
   */
  async endOtherSessions({ user, session }: CheckedSession, client = NO_CLIENT): Promise<void> {
    const event: AuthEvent = { ...about(user, client), type: 'sessions_ended', sessionId: session.id }
    const withdrawn = [stillOpen(session), withdrawChange(user.id)]
    const areOthersOpen = async () => (await this.#parts.db.findSessionsOf(user.id)).some(({ id }) => id !== session.id)
    const ended =
      (await areOthersOpen()) &&
      (await this.#parts.events.happen(event, [must(endOthers(user.id, session.id)), ...withdrawn]))
    if (ended) return
    // Nothing has happened where there are no others, but who asked for the change may have left.
    if (!(await this.#parts.db.commit(withdrawn))) throw new AuthError('session_required')
    // Opened between the look and the withdrawal.
    if (await areOthersOpen()) await this.endOtherSessions({ user, session }, client)
  }

  /** Ends all sessions of a user, and a pending change of address. */
  async destroySession(userId: number): Promise<void> {
    const event: AuthEvent = { type: 'sessions_ended', userId, client: NO_CLIENT }
    await this.#parts.events.happen(event, [remove(sessions, { userId }), withdrawChange(userId)])
  }

  /** Proves the current password of somebody who is signed in; see `Account.confirm`. */
  async confirmPassword(checked: CheckedSession, currentPassword: string, client = NO_CLIENT): Promise<void> {
    await this.#account.confirm(checked, currentPassword, client)
  }

  /** The time by the one clock of the service, in milliseconds since the epoch. */
  now(): number {
    return this.#parts.db.now()
  }

  /** @returns whether the password was proven in this session in the last minutes */
  isFresh(session: Session): boolean {
    return isFresh(session, this.#parts.db.now(), this.#parts.settings.freshFor)
  }

  /** Changes name, address or password of the caller's own account; see `Account.change`. */
  async changeAccount(checked: CheckedSession, changes: AccountChanges, client = NO_CLIENT): Promise<ChangedAccount> {
    return this.#account.change(checked, changes, client)
  }

  /** Deletes the caller's own account; see `Account.delete`. */
  async deleteAccount(checked: CheckedSession, currentPassword: string, client = NO_CLIENT): Promise<void> {
    await this.#account.delete(checked, currentPassword, client)
  }

  /** Makes a password useless until it is reset, and ends all sessions: for an account that is known to be compromised. */
  async disablePassword(userId: number): Promise<void> {
    const user = await found(this.#parts.db.findUserBy({ id: userId }))
    if (user === null) return
    const event: AuthEvent = { ...about(user, NO_CLIENT), type: 'password_disabled' }
    await this.#parts.events.happen(event, [
      must(changeUser({ hashedPassword: DISABLED }, { id: userId }, this.#parts.db.now())),
      remove(sessions, { userId }),
      endTokens(userId),
      ...this.#parts.post.forget('password_reset', user.email),
    ])
  }

  /** Makes a reset token for an address and mails it. @throws AuthError `throttled` */
  async requestPasswordReset(email: string, client = NO_CLIENT): Promise<RequestedReset> {
    return this.#reset.request(email, client)
  }

  /** Makes a reset token in the place of the pending one. @returns the token @throws AuthError `email_unknown` */
  async getResetPasswordToken(email: string): Promise<string> {
    const { owner } = await this.#reset.request(email, NO_CLIENT)
    if (owner === null) throw new AuthError('email_unknown', { field: 'email' })
    return owner.resetToken
  }

  /**
   * Spends a reset token: the password changes and every session ends, in one transaction.
   * @throws AuthError `reset_refused`, `busy`, and the codes of the password policy, which spend nothing
   */
  async updatePassword(resetToken: string, password: string): Promise<void> {
    const token = await this.#reset.pending(resetToken)
    const user = token === null ? null : await found(this.#parts.db.findUserBy({ id: token.userId }))
    if (token === null || user === null) throw new AuthError('reset_refused')
    await this.#reset.spend(token, user, password, NO_CLIENT)
  }

  /** Like `updatePassword`, for the owner of an address; see `PasswordReset.complete`. Not a login. */
  async resetPassword(completion: ResetCompletion): Promise<{ user: User; deviceCookie: string }> {
    const user = await this.#reset.complete(completion)
    // So that the owner gets in even while strangers keep trying (the cure of OWASP's device cookies).
    return { user, deviceCookie: this.#parts.devices.issue(user, null) }
  }

  /** Tells the features of something that the app refused. */
  report(event: AuthEvent): void {
    this.#parts.events.tell(event)
  }

  /** What must be done now and then: recording last uses, deleting what has ended. */
  async upkeep(): Promise<void> {
    await this.#parts.sessions.upkeep()
    await this.tokens.keys.upkeep()
  }

  /** Writes what is only in memory; to be called before the database closes. */
  async close(): Promise<void> {
    await this.#parts.sessions.close()
  }

  async #findUser(email: string): Promise<User | null> {
    return found(this.#parts.db.findUserBy({ email }))
  }
}
