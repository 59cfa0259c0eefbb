/** The registration of an account, for an address that is free or, unseen, taken. */

import { noteCost } from '../db/hash_costs.ts'
import { replaceToken } from '../db/tokens.ts'
import { insertUser } from '../db/users.ts'
import { type Statement, UniqueViolation } from '../db.ts'
import type { Attempt, AuthEvent } from '../feature.ts'
import { makeCredential } from '../security/credential.ts'
import { checkPassword } from '../security/password_policy.ts'
import type { Client } from '../session.ts'
import { checkEmail, checkName, normalEmail, type User } from '../user.ts'
import type { EmailAddress } from './email_address.ts'
import { type AuthParts, about, found, ownerOf } from './parts.ts'

export interface NewAccount {
  email: string
  password: string
  name: string
  client: Client
}

export class Registration {
  readonly #parts: AuthParts
  readonly #address: EmailAddress

  constructor(parts: AuthParts, address: EmailAddress) {
    this.#parts = parts
    this.#address = address
  }

  /**
   * Registers an account and mails a link that confirms its address. A taken address costs a hash as well and, where
   * accounts are hidden, a write and a mail to its owner, so that it takes as long as a free one.
   * @returns the new user, or null where the address is taken, or was and is free again
   * @throws AuthError `email_invalid`, `field_invalid` (name), `throttled`, `busy`, and the codes of the password policy
   */
  async register({ email, password, name, client }: NewAccount): Promise<User | null> {
    const { db, events, hasher, policy } = this.#parts
    const address = checkEmail(email)
    const emailKey = normalEmail(address)
    const checkedName = checkName(name)
    await checkPassword(password, address, policy)
    const attempt: Attempt = { kind: 'register', emailKey, client, device: null }
    const hashedPassword = await events.attempt(attempt, () => hasher.hash(password))
    // Whatever becomes of it: whoever registers before and after must not see by their own numbers whether somebody was added.
    const id = await db.takeUserNumber()
    const owner = await ownerOf(db, emailKey)
    if (owner !== null) return this.#refuse(owner, client)
    const event: AuthEvent = { type: 'user_registered', userId: id, emailKey, client }
    const row = insertUser({ email: address, hashedPassword, name: checkedName }, db.now(), id)
    try {
      await db.commit([
        row,
        ...noteCost(hashedPassword),
        ...this.#welcome(id, address, client),
        ...events.record(event),
      ])
    } catch (error) {
      if (!(error instanceof UniqueViolation)) throw error
      const winner = await ownerOf(db, emailKey)
      return winner === null ? null : this.#refuse(winner, client)
    }
    events.tell(event)
    return found(db.findUserBy({ id }))
  }

  async #refuse(owner: User, client: Client): Promise<null> {
    const { events, settings } = this.#parts
    const event: AuthEvent = { ...about(owner, client), type: 'registration_refused' }
    if (settings.hideAccounts) await events.happen(event, this.#address.exists(owner.email, client))
    return null
  }

  #welcome(userId: number, email: string, { language }: Client): Statement[] {
    const { db, post, settings } = this.#parts
    if (settings.mail === 'none') return []
    const { id, secretHash, credential } = makeCredential()
    const now = db.now()
    const lasts = settings.confirmationLifetime
    const token = { id, secretHash, userId, purpose: 'email_confirmation', email, reserves: null } as const
    return [
      ...replaceToken({ ...token, createdAt: now, expiresAt: now + lasts }),
      ...post.put({ kind: 'email_confirmation', to: email, language, lasts, values: { token: credential } }),
    ]
  }
}
