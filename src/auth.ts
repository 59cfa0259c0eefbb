/**
 * Auth: the rules of accounts, sessions and password resets. It knows no HTTP and no SQL; what must happen together is
 * given to the DB as one list of statements, and nothing is hashed while one is being written.
 */

import { type CheckedSession, type OpenedSession, Sessions } from './auth/sessions.ts'
import { sessions } from './db/sessions.ts'
import { must, remove } from './db/table.ts'
import { type OneTimeToken, tokens } from './db/tokens.ts'
import { changeUser } from './db/users.ts'
import { type DB, NoResultFound, UniqueViolation } from './db.ts'
import { AuthError } from './errors.ts'
import type { AuthEvent, Seams } from './feature.ts'
import { makeCredential, parseCredential, sameHash } from './security/credential.ts'
import { PasswordHasher } from './security/password.ts'
import { checkPassword } from './security/password_policy.ts'
import type { Client, Session } from './session.ts'
import { readSettings, type Settings } from './settings.ts'
import { checkEmail, checkName, type User } from './user.ts'

/** For callers inside the process, who have no connection. */
const NO_CLIENT: Client = { address: '', userAgent: '' }


export interface LoginAttempt {
  email: string
  password: string
  client: Client
  /** The session credential that came with the request, if any; that session ends when this login succeeds. */
  presented?: string | undefined
}

export interface PasswordReset {
  email: string
  resetToken: string
  newPassword: string
  client: Client
}

export class Auth {
  readonly #db: DB
  readonly #settings: Settings
  readonly #seams: readonly Seams[]
  readonly #hasher: PasswordHasher
  readonly #sessions: Sessions

  /** @param seams the features that take part, in order */
  constructor(db: DB, settings: Settings = readSettings({}), seams: readonly Seams[] = []) {
    this.#db = db
    this.#settings = settings
    this.#seams = seams
    this.#hasher = new PasswordHasher({
      cost: settings.bcryptCost,
      concurrency: settings.hashConcurrency,
      queue: settings.hashQueue,
    })
    this.#sessions = new Sessions(db, { idle: settings.sessionIdle, absolute: settings.sessionLifetime })
  }

  /**
   * Registers a user. A taken address costs a hash as well, so that it takes as long as a free one.
   * @throws AuthError `email_invalid`, `email_taken`, `field_invalid` (name), `busy`, and the codes of the password policy
   */
  async registerUser(email: string, password: string, name = '', client = NO_CLIENT): Promise<User> {
    const address = checkEmail(email)
    const checkedName = checkName(name)
    this.#checkPassword(password)
    const hashedPassword = await this.#hasher.hash(password)
    try {
      const user = await this.#db.addUser(address, hashedPassword, checkedName)
      this.#observe({ type: 'user_registered', userId: user.id, client })
      return user
    } catch (error) {
      if (error instanceof UniqueViolation) throw new AuthError('email_taken')
      throw error
    }
  }

  /** @returns whether this is the user's password; false for an unknown address, in the same time */
  async validLogin(email: string, password: string): Promise<boolean> {
    return (await this.#proven(email, password)) !== null
  }

  /**
   * Checks a password and opens a session, in one step.
   * @throws AuthError `credentials_invalid`, `busy`
   */
  async logIn({ email, password, client, presented }: LoginAttempt): Promise<OpenedSession & { user: User }> {
    const user = await this.#proven(email, password)
    const opened = user === null ? null : await this.#sessions.open(user, client, presented)
    if (user === null || opened === null) {
      this.#observe({ type: 'login_failed', userId: (await this.#findUser(email))?.id ?? null, client })
      throw new AuthError('credentials_invalid')
    }
    this.#observe({ type: 'login_succeeded', userId: user.id, client, sessionId: opened.session.id })
    return { ...opened, user }
  }

  /**
   * Opens a session without a password, for a caller that has proven the user otherwise.
   * @returns the credential for the cookie
   * @throws AuthError `email_unknown`
   */
  async createSession(email: string, client = NO_CLIENT): Promise<string> {
    const user = await this.#findUser(email)
    const opened = user === null ? null : await this.#sessions.open(user, client)
    if (opened === null) throw new AuthError('email_unknown', { field: 'email' })
    return opened.credential
  }

  /** @returns the user of a session credential, or null where it is none, or has ended */
  async getUserFromSessionId(sessionId: string | null | undefined): Promise<User | null> {
    return (await this.checkSession(sessionId))?.user ?? null
  }

  /** @returns the session of a credential with its user, or null where it is none, or has ended */
  async checkSession(credential: string | null | undefined): Promise<CheckedSession | null> {
    return credential ? this.#sessions.check(credential) : null
  }

  /** @returns the sessions of a user that have not ended, the last used first */
  async listSessions(userId: number): Promise<Session[]> {
    return this.#sessions.list(userId)
  }

  /** Ends one session of a user. @returns false where the user has no such session */
  async endSession(id: string, userId: number, client = NO_CLIENT): Promise<boolean> {
    const ended = await this.#sessions.end(id, userId)
    if (ended) this.#observe({ type: 'logged_out', userId, client, sessionId: id })
    return ended
  }

  /** Ends all sessions of a user. */
  async destroySession(userId: number): Promise<void> {
    await this.#db.commit([remove(sessions, { userId })])
  }

  /**
   * Makes a reset token in the place of the pending one.
   * @returns the token, stored nowhere in this form, with the user who may have it; null for an unknown address
   */
  async requestPasswordReset(email: string, client = NO_CLIENT): Promise<{ user: User; resetToken: string } | null> {
    const user = await this.#findUser(email)
    this.#observe({ type: 'password_reset_requested', userId: user?.id ?? null, client })
    if (user === null) return null
    const { id, secretHash, credential } = makeCredential()
    const createdAt = this.#db.now()
    const expiresAt = createdAt + this.#settings.resetTokenLifetime
    await this.#db.addToken({ id, secretHash, userId: user.id, purpose: 'password_reset', createdAt, expiresAt })
    return { user, resetToken: credential }
  }

  /**
   * Makes a reset token in the place of the pending one.
   * @returns the token
   * @throws AuthError `email_unknown`
   */
  async getResetPasswordToken(email: string): Promise<string> {
    const requested = await this.requestPasswordReset(email)
    if (requested === null) throw new AuthError('email_unknown', { field: 'email' })
    return requested.resetToken
  }

  /**
   * Spends a reset token: the password changes and every session ends, in one transaction.
   * @throws AuthError `reset_refused`, `busy`, and the codes of the password policy, which spend nothing
   */
  async updatePassword(resetToken: string, password: string): Promise<void> {
    const found = await this.#resetToken(resetToken)
    if (found === null) throw new AuthError('reset_refused')
    await this.#reset(found, password, NO_CLIENT)
  }

  /**
   * Like `updatePassword`, for the owner of an address: a token of someone else is refused and stays unspent.
   * @throws AuthError `reset_refused`, `busy`, and the codes of the password policy, which spend nothing
   */
  async resetPassword({ email, resetToken, newPassword, client }: PasswordReset): Promise<User> {
    const [user, found] = [await this.#findUser(email), await this.#resetToken(resetToken)]
    if (user === null || found === null || found.userId !== user.id) {
      this.#observe({ type: 'password_reset_refused', userId: user?.id ?? null, client })
      throw new AuthError('reset_refused')
    }
    await this.#reset(found, newPassword, client)
    return user
  }

  /** What must be done now and then: recording last uses, deleting what has ended. */
  async upkeep(): Promise<void> {
    await this.#sessions.upkeep()
  }

  /** Writes what is only in memory; to be called before the database closes. */
  async flush(): Promise<void> {
    await this.#sessions.flush()
  }

  async #reset(token: OneTimeToken, password: string, client: Client): Promise<void> {
    const { id, userId } = token
    this.#checkPassword(password, 'new_password')
    const hashedPassword = await this.#hasher.hash(password)
    const spent = await this.#db.commit([
      must(remove(tokens, { id })),
      must(changeUser({ hashedPassword }, { id: userId }, this.#db.now())),
      remove(sessions, { userId }),
    ])
    if (!spent) throw new AuthError('reset_refused')
    this.#observe({ type: 'password_reset', userId, client })
  }

  async #resetToken(presented: string): Promise<OneTimeToken | null> {
    const parsed = parseCredential(presented)
    if (parsed === null) return null
    const token = await found(this.#db.findTokenBy({ id: parsed.id, purpose: 'password_reset' }))
    if (token === null || !sameHash(parsed.secretHash, token.secretHash)) return null
    return this.#db.now() < token.expiresAt ? token : null
  }

  /**
   * @returns the user as stored when the password was proven, hashed anew where the row was outdated; null where it is
   * wrong. One check is computed in every case.
   */
  async #proven(email: string, password: string): Promise<User | null> {
    const user = await this.#findUser(email)
    const { matches, outdated } = await this.#hasher.verify(password, user?.hashedPassword ?? null)
    if (!matches || user === null) return null
    if (!outdated) return user
    const hashedPassword = await this.#hasher.hash(password)
    const expected = { id: user.id, hashedPassword: user.hashedPassword }
    const changed = await this.#db.commit([must(changeUser({ hashedPassword }, expected, this.#db.now()))])
    // Another login or a new password came first: what the row holds now must be proven instead.
    return changed ? { ...user, hashedPassword } : this.#proven(email, password)
  }

  #checkPassword(password: string, field?: string): void {
    checkPassword(password, { minLength: this.#settings.passwordMinLength }, field)
  }

  async #findUser(email: string): Promise<User | null> {
    return found(this.#db.findUserBy({ email }))
  }

  #observe(event: AuthEvent): void {
    for (const seam of this.#seams) seam.observe?.(event)
  }
}

async function found<T>(search: Promise<T>): Promise<T | null> {
  try {
    return await search
  } catch (error) {
    if (error instanceof NoResultFound) return null
    throw error
  }
}
