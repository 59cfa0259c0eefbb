/** A forgotten password: a one-time token is made for an address, and spent for a new password. */

import { sessions } from '../db/sessions.ts'
import { must, remove } from '../db/table.ts'
import { type OneTimeToken, replaceToken, tokens } from '../db/tokens.ts'
import { changeUser } from '../db/users.ts'
import { AuthError } from '../errors.ts'
import type { Attempt } from '../feature.ts'
import { makeCredential, parseCredential, sameHash } from '../security/credential.ts'
import type { Client } from '../session.ts'
import { normalEmail, type User } from '../user.ts'
import { type AuthParts, about, found, hashNew } from './parts.ts'

export interface ResetRequest {
  user: User
  /** For the owner of the address alone; stored nowhere in this form. */
  resetToken: string
}

export interface ResetCompletion {
  email: string
  resetToken: string
  newPassword: string
  client: Client
}

export class PasswordReset {
  readonly #parts: AuthParts

  constructor(parts: AuthParts) {
    this.#parts = parts
  }

  /**
   * Makes a token in the place of the pending one. For an unknown address it does the same work, to no effect.
   * @returns null for an unknown address
   * @throws AuthError `throttled`
   */
  async request(email: string, client: Client): Promise<ResetRequest | null> {
    const { events } = this.#parts
    const emailKey = normalEmail(email)
    const attempt: Attempt = { kind: 'request_reset', emailKey, client, device: null }
    return events.attempt(attempt, () => this.#make(emailKey, client))
  }

  async #make(emailKey: string, client: Client): Promise<ResetRequest | null> {
    const { db, events, settings } = this.#parts
    const user = await found(db.findUserBy({ emailKey }))
    const { id, secretHash, credential } = makeCredential()
    const createdAt = db.now()
    const expiresAt = createdAt + settings.resetTokenLifetime
    const token = { id, secretHash, purpose: 'password_reset', createdAt, expiresAt } as const
    const statements = user === null ? [] : replaceToken({ ...token, userId: user.id })
    await events.happen({ type: 'password_reset_requested', userId: user?.id ?? null, emailKey, client }, statements)
    return user === null ? null : { user, resetToken: credential }
  }

  /**
   * Spends a token: the password changes and every session ends, in one transaction.
   * @param completion whose address must be the token's
   * @throws AuthError `reset_refused`, `throttled`, `busy`, and the codes of the password policy, which spend nothing
   */
  async complete({ email, resetToken, newPassword, client }: ResetCompletion): Promise<User> {
    const { db, events } = this.#parts
    const emailKey = normalEmail(email)
    return events.attempt({ kind: 'guess_token', emailKey, client, device: null }, async () => {
      const user = await found(db.findUserBy({ emailKey }))
      const token = await this.pending(resetToken)
      if (user === null || token === null || token.userId !== user.id) {
        await events.happen({ type: 'password_reset_refused', userId: user?.id ?? null, emailKey, client })
        throw new AuthError('reset_refused')
      }
      const hashedPassword = await this.spend(token, user, newPassword, client)
      return { ...user, hashedPassword }
    })
  }

  /** @returns the new hash @throws AuthError as `complete` does */
  async spend(token: OneTimeToken, user: User, newPassword: string, client: Client): Promise<string> {
    const { db, events } = this.#parts
    const hashedPassword = await hashNew(this.#parts, newPassword, user.email, 'new_password')
    const spent = await events.happen({ ...about(user, client), type: 'password_reset' }, [
      must(remove(tokens, { id: token.id })),
      must(changeUser({ hashedPassword }, { id: user.id, emailKey: user.emailKey }, db.now())),
      remove(sessions, { userId: user.id }),
      remove(tokens, { userId: user.id }),
    ])
    if (!spent) throw new AuthError('reset_refused')
    return hashedPassword
  }

  /** @returns the token that was presented, or null where it is none, spent or too old */
  async pending(presented: string): Promise<OneTimeToken | null> {
    const parsed = parseCredential(presented)
    if (parsed === null) return null
    const token = await found(this.#parts.db.findTokenBy({ id: parsed.id, purpose: 'password_reset' }))
    if (token === null || !sameHash(parsed.secretHash, token.secretHash)) return null
    return this.#parts.db.now() < token.expiresAt ? token : null
  }
}
