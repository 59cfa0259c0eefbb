/** What users may do to their own account: change name, address and password, delete it. */

import { noteCost } from '../db/hash_costs.ts'
import { endOthers, sessions, stillOpen } from '../db/sessions.ts'
import { must, remove } from '../db/table.ts'
import { endTokens } from '../db/tokens.ts'
import { changeUser, type UserChanges, users } from '../db/users.ts'
import { type Statement, UniqueViolation } from '../db.ts'
import { AuthError } from '../errors.ts'
import type { Attempt, AuthEvent, AuthEventType } from '../feature.ts'
import type { Client } from '../session.ts'
import { checkEmail, checkName, normalEmail, type User } from '../user.ts'
import type { EmailAddress } from './email_address.ts'
import { type AuthParts, about, found, hashNew, ownerOf } from './parts.ts'
import type { CheckedSession, OpenedSession } from './sessions.ts'

export interface AccountChanges {
  name?: string | undefined
  email?: string | undefined
  /** The new password. */
  password?: string | undefined
  /** Needed for a new address or password. */
  currentPassword?: string | undefined
}

export interface ChangedAccount {
  user: User
  /** In the place of the session that asked, where the password was proven anew. */
  opened: OpenedSession | null
  /** For the device cookie, which a new password makes worthless. */
  deviceCookie: string | null
  /** The address that becomes the account's when it is confirmed. */
  pendingEmail: string | null
}

export class Account {
  readonly #parts: AuthParts
  readonly #address: EmailAddress

  constructor(parts: AuthParts, address: EmailAddress) {
    this.#parts = parts
    this.#address = address
  }

  /**
   * Proves the current password of somebody who is signed in.
   * @returns the session and its user as they were when it was proven: both may have changed while the try waited
   * @throws AuthError `current_password_wrong`, `session_required` (it ended meanwhile), `throttled`, `busy`
   */
  async confirm(asking: CheckedSession, currentPassword: string, client: Client): Promise<CheckedSession> {
    return this.#proven(asking, currentPassword, client, async (checked) => checked)
  }

  /** @param work what is done with the proof in the same attempt, so that what it hashes is bounded as the proof is */
  async #proven<T>(
    asking: CheckedSession,
    currentPassword: string,
    client: Client,
    work: (checked: CheckedSession) => Promise<T>,
  ): Promise<T> {
    const { events, hasher } = this.#parts
    const { emailKey } = asking.user
    const attempt: Attempt = { kind: 'confirm', emailKey, client, device: null, sessionId: asking.session.id }
    return events.attempt(attempt, async () => {
      const checked = await this.#asItIs(asking)
      const { user, session } = checked
      const { matches } = await hasher.verify(currentPassword, user.hashedPassword)
      const event = { ...about(user, client), sessionId: session.id }
      await events.happen({ ...event, type: matches ? 'password_confirmed' : 'password_refused' })
      if (!matches) throw new AuthError('current_password_wrong', { field: 'current_password' })
      return work(checked)
    })
  }

  /**
   * Changes the account, all of it or nothing. A new password ends all other sessions and all pending tokens, and gives
   * this session a new id. A new address is mailed a link, and is the account's when that is confirmed; where there is no
   * mail it is at once, which ends the pending tokens and gives this session a new id as well.
   * @throws AuthError `field_missing` (no current password), `current_password_wrong`, `email_invalid`, `email_taken`,
   * `field_invalid` (name), `session_required` (it ended meanwhile), `throttled`, `busy`, and the codes of the password policy
   */
  async change(asking: CheckedSession, changes: AccountChanges, client: Client): Promise<ChangedAccount> {
    const { name, email, password, currentPassword } = changes
    if (email === undefined && password === undefined) return this.#rename(asking, name, client)
    const address = email === undefined ? undefined : checkEmail(email)
    const called = name === undefined ? {} : { name: checkName(name) }
    const hashed = async (checked: CheckedSession) => {
      const owner = address ?? checked.user.email
      const secret = password === undefined ? {} : { hashedPassword: await hashNew(this.#parts, password, owner) }
      return { checked, secret }
    }
    if (currentPassword === undefined) throw missingCurrentPassword()
    const { checked, secret } = await this.#proven(asking, currentPassword, client, hashed)
    const wanted = { ...called, ...secret }
    if (address === undefined) return this.#apply(checked, wanted, client)
    // It tells whether the address is taken, as a registration does, and so has the ceiling of one.
    const emailKey = normalEmail(address)
    return this.#parts.events.attempt({ kind: 'register', emailKey, client, device: null }, () =>
      this.#move(checked, wanted, address, client),
    )
  }

  /**
   * Deletes the account and everything that hangs on it. Whoever could take a change of its address back is told as well: that
   * way back ends with it.
   * @throws AuthError `current_password_wrong`, `session_required` (it ended meanwhile), `throttled`, `busy`
   */
  async delete(asking: CheckedSession, currentPassword: string, client: Client): Promise<void> {
    const { user, session } = await this.confirm(asking, currentPassword, client)
    const formerEmail = await this.#address.former(user)
    const event: AuthEvent = { ...about(user, client), type: 'user_deleted', formerEmail }
    const deletion = must(remove(users, provenIn(user)))
    const deleted = await this.#parts.events.happen(event, [stillOpen(session), deletion])
    if (!deleted) throw await this.#overtaken(session.id)
  }

  /** Another spelling of the same address may be another mailbox, and needs the proof that every new address does. */
  async #move(checked: CheckedSession, wanted: UserChanges, email: string, client: Client): Promise<ChangedAccount> {
    const { db, settings } = this.#parts
    const { user } = checked
    const emailKey = normalEmail(email)
    if (email === user.email) return this.#apply(checked, wanted, client)
    if (settings.mail === 'none') return this.#apply(checked, { ...wanted, email }, client)
    const owner = await ownerOf(db, emailKey)
    // One's own former address is nobody else's.
    const taken = owner?.id === user.id ? null : owner
    if (taken !== null && !settings.hideAccounts) throw new AuthError('email_taken')
    const letters =
      taken === null ? this.#address.change(user, email, client) : this.#address.exists(taken.email, client).map(must)
    return this.#apply(checked, wanted, client, { email, letters })
  }

  /**
   * Reads anew who asks, as whom the request began: its body may have come much later.
   * @throws AuthError `session_required` where the session has ended since
   */
  async #asItIs({ session }: CheckedSession): Promise<CheckedSession> {
    const checked = await this.#parts.sessions.peek(session.id)
    if (checked === null) throw new AuthError('session_required')
    return checked
  }

  async #rename(asking: CheckedSession, name: string | undefined, client: Client): Promise<ChangedAccount> {
    const { db, events } = this.#parts
    const checkedName = name === undefined ? undefined : checkName(name)
    const { user, session } = await this.#asItIs(asking)
    if (checkedName === undefined || checkedName === user.name) return unchanged(user)
    const event: AuthEvent = { ...about(user, client), type: 'name_changed', sessionId: session.id }
    const attempt: Attempt = { kind: 'change', emailKey: user.emailKey, client, device: null }
    const renamed = await events.attempt(attempt, () =>
      events.happen(event, [stillOpen(session), must(changeUser({ name: checkedName }, { id: user.id }, db.now()))]),
    )
    if (!renamed) throw new AuthError('session_required')
    return unchanged({ ...user, name: checkedName })
  }

  async #apply(
    { user, session }: CheckedSession,
    changes: UserChanges,
    client: Client,
    asked?: { email: string; letters: readonly Statement[] },
  ): Promise<ChangedAccount> {
    const { db, devices, events, sessions: keeper } = this.#parts
    const changed: User = { ...user, ...changes }
    const { statements, ...opened } = keeper.make(changed, client, session.kind)
    const happened = typesOf(changes, asked !== undefined).map((type) => ({
      ...{ ...about(user, client), type, sessionId: opened.session.id },
    }))
    const commit = (ended: Statement, letters: readonly Statement[]) =>
      db.commit([
        // Only on top of the password that was just proven: of two changes at once the second is refused.
        must(changeUser({ hashedPassword: user.hashedPassword, ...changes }, provenIn(user), db.now())),
        // Only in place of a session that is still alive.
        must(remove(sessions, { id: session.id })),
        ...(changes.hashedPassword === undefined ? [] : [endOthers(user.id, opened.session.id)]),
        ...noteCost(changes.hashedPassword ?? ''),
        ...statements,
        ended,
        ...letters,
        ...happened.flatMap((event) => events.record(event)),
      ])
    try {
      const { letters = [], email } = asked ?? {}
      // A letter too many for one mailbox is left out, and nobody is told: it would tell whose mailbox it is. The last link stays.
      const committed =
        (await commit(endTokens(user.id), letters)) ||
        (letters.length > 0 && (await commit(endTokens(user.id, email), [])))
      if (!committed) throw await this.#overtaken(session.id)
    } catch (error) {
      if (error instanceof UniqueViolation) throw new AuthError('email_taken')
      throw error
    }
    for (const event of happened) events.tell(event)
    const stored = await found(db.findUserBy({ id: user.id }))
    // Deleted since.
    if (stored === null) throw new AuthError('session_required')
    return { user: stored, opened, deviceCookie: devices.issue(stored, null), pendingEmail: asked?.email ?? null }
  }

  /** @returns what to say where the session ended or the password changed meanwhile */
  async #overtaken(sessionId: string): Promise<AuthError> {
    const session = await this.#parts.db.findBy(sessions, { id: sessionId })
    if (session === null) return new AuthError('session_required')
    return new AuthError('current_password_wrong', { field: 'current_password' })
  }
}

function provenIn({ id, hashedPassword }: User) {
  return { id, hashedPassword }
}

function typesOf(changes: UserChanges, asked: boolean): AuthEventType[] {
  const types: AuthEventType[] = []
  if (changes.email !== undefined) types.push('email_changed')
  if (changes.hashedPassword !== undefined) types.push('password_changed')
  if (asked) types.push('email_change_requested')
  return types
}

function unchanged(user: User): ChangedAccount {
  return { user, opened: null, deviceCookie: null, pendingEmail: null }
}

function missingCurrentPassword(): AuthError {
  return new AuthError('field_missing', { field: 'current_password', message: 'current_password missing' })
}
