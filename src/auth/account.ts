/** What users may do to their own account: change name, address and password, delete it. */

import { endOthers, sessions } from '../db/sessions.ts'
import { must, remove } from '../db/table.ts'
import { tokens } from '../db/tokens.ts'
import { changeUser, type UserChanges, users } from '../db/users.ts'
import { UniqueViolation } from '../db.ts'
import { AuthError } from '../errors.ts'
import type { Attempt, AuthEvent, AuthEventType } from '../feature.ts'
import type { Client } from '../session.ts'
import { checkEmail, checkName, normalEmail, type User } from '../user.ts'
import { type AuthParts, about, hashNew } from './parts.ts'
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
}

export class Account {
  readonly #parts: AuthParts

  constructor(parts: AuthParts) {
    this.#parts = parts
  }

  /**
   * Proves the current password of somebody who is signed in.
   * @throws AuthError `current_password_wrong`, `throttled`, `busy`
   */
  async confirm({ user, session }: CheckedSession, currentPassword: string, client: Client): Promise<void> {
    const { events, hasher } = this.#parts
    const attempt: Attempt = { kind: 'confirm', emailKey: user.emailKey, client, device: null, sessionId: session.id }
    await events.attempt(attempt, async () => {
      const { matches } = await hasher.verify(currentPassword, user.hashedPassword)
      const event = { ...about(user, client), sessionId: session.id }
      await events.happen({ ...event, type: matches ? 'password_confirmed' : 'password_refused' })
      if (!matches) throw new AuthError('current_password_wrong', { field: 'current_password' })
    })
  }

  /**
   * Changes the account, all of it or nothing. A new password ends all other sessions and all pending tokens; a new
   * address ends the pending tokens; both give this session a new id.
   * @throws AuthError `field_missing` (no current password), `current_password_wrong`, `email_invalid`, `email_taken`,
   * `field_invalid` (name), `throttled`, `busy`, and the codes of the password policy
   */
  async change(checked: CheckedSession, changes: AccountChanges, client: Client): Promise<ChangedAccount> {
    const { name, email, password, currentPassword } = changes
    if (email === undefined && password === undefined) {
      return name === undefined ? unchanged(checked.user) : this.#rename(checked, name, client)
    }
    const address = email === undefined ? {} : { email: checkEmail(email) }
    const called = name === undefined ? {} : { name: checkName(name) }
    if (currentPassword === undefined) throw missingCurrentPassword()
    await this.confirm(checked, currentPassword, client)
    const owner = address.email ?? checked.user.email
    const secret = password === undefined ? {} : { hashedPassword: await hashNew(this.#parts, password, owner) }
    const apply = () => this.#apply(checked, { ...called, ...address, ...secret }, client)
    if (address.email === undefined) return apply()
    // It tells whether the address is taken, as a registration does, and so has the ceiling of one.
    const emailKey = normalEmail(address.email)
    return this.#parts.events.attempt({ kind: 'register', emailKey, client, device: null }, apply)
  }

  /**
   * Deletes the account and everything that hangs on it.
   * @throws AuthError `current_password_wrong`, `throttled`, `busy`
   */
  async delete(checked: CheckedSession, currentPassword: string, client: Client): Promise<void> {
    await this.confirm(checked, currentPassword, client)
    const event: AuthEvent = { ...about(checked.user, client), type: 'user_deleted' }
    const { id, hashedPassword } = checked.user
    const deleted = await this.#parts.events.happen(event, [must(remove(users, { id, hashedPassword }))])
    if (!deleted) throw new AuthError('current_password_wrong', { field: 'current_password' })
  }

  async #rename({ user, session }: CheckedSession, name: string, client: Client): Promise<ChangedAccount> {
    const { db, events } = this.#parts
    const checkedName = checkName(name)
    const event: AuthEvent = { ...about(user, client), type: 'name_changed', sessionId: session.id }
    const renamed = await events.happen(event, [must(changeUser({ name: checkedName }, { id: user.id }, db.now()))])
    if (!renamed) throw new AuthError('session_required')
    return unchanged({ ...user, name: checkedName })
  }

  async #apply({ user, session }: CheckedSession, changes: UserChanges, client: Client): Promise<ChangedAccount> {
    const { db, devices, events, sessions: keeper } = this.#parts
    const changed: User = { ...user, ...changes }
    const { statements, ...opened } = keeper.make(changed, client, session.kind)
    const types: AuthEventType[] = []
    if (changes.email !== undefined) types.push('email_changed')
    if (changes.hashedPassword !== undefined) types.push('password_changed')
    const happened = types.map((type) => ({ ...about(user, client), type, sessionId: opened.session.id }))
    try {
      const committed = await db.commit([
        // Only on top of the password that was just proven: of two changes at once the second is refused.
        must(changeUser(changes, { id: user.id, hashedPassword: user.hashedPassword }, db.now())),
        changes.hashedPassword === undefined
          ? remove(sessions, { id: session.id })
          : endOthers(user.id, opened.session.id),
        ...statements,
        remove(tokens, { userId: user.id }),
        ...happened.flatMap((event) => events.record(event)),
      ])
      if (!committed) throw new AuthError('current_password_wrong', { field: 'current_password' })
    } catch (error) {
      if (error instanceof UniqueViolation) throw new AuthError('email_taken')
      throw error
    }
    for (const event of happened) events.tell(event)
    const stored = await db.findUserBy({ id: user.id })
    return { user: stored, opened, deviceCookie: devices.issue(stored, null) }
  }
}

function unchanged(user: User): ChangedAccount {
  return { user, opened: null, deviceCookie: null }
}

function missingCurrentPassword(): AuthError {
  return new AuthError('field_missing', { field: 'current_password', message: 'current_password missing' })
}
