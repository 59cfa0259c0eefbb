/** The address of an account: proven by a mail, changed only when the new one is proven, brought back from the former one. */

import { sessions } from '../db/sessions.ts'
import { may, must, remove } from '../db/table.ts'
import { addToken, endTokens, type OneTimeToken, replaceToken, spendFor, tokens } from '../db/tokens.ts'
import { changeUser } from '../db/users.ts'
import { type Statement, UniqueViolation } from '../db.ts'
import { AuthError } from '../errors.ts'
import type { AuthEvent } from '../feature.ts'
import type { Letter } from '../letter.ts'
import { makeCredential, parseCredential } from '../security/credential.ts'
import type { Client } from '../session.ts'
import { checkEmail, isSameMailbox, NOBODY, normalEmail, type User } from '../user.ts'
import { type AuthParts, about, DISABLED, found, ownerOf, pendingToken } from './parts.ts'

/** What is said of a change to both addresses. */
type Notice = Omit<Letter, 'to'>

export class EmailAddress {
  readonly #parts: AuthParts

  constructor(parts: AuthParts) {
    this.#parts = parts
  }

  /**
   * Mails a link that confirms an address, in the place of an earlier one. For an address that has no account, or is
   * confirmed, it does the same work, to no effect.
   * @throws AuthError `email_invalid`, `throttled`
   */
  async request(email: string, client: Client): Promise<void> {
    const { db, events } = this.#parts
    const emailKey = normalEmail(checkEmail(email))
    await events.attempt({ kind: 'request_confirmation', emailKey, client, device: null }, async () => {
      const user = await found(db.findUserBy({ emailKey }))
      const waits = user !== null && user.emailConfirmedAt === null
      const statements = waits
        ? this.#linkTo(user.id, 'email_confirmation', user.email, client)
        : this.#decoy(emailKey, client)
      const event = { type: 'email_confirmation_requested', userId: user?.id ?? null, emailKey, client } as const
      await events.happenWith(event, statements)
    })
  }

  /** @returns what mails a link to the new address of an account, which changes when it is confirmed */
  change(user: User, email: string, client: Client): Statement[] {
    return this.#linkTo(user.id, 'email_change', email, client)
  }

  /** @returns the address that can take the last change back, as long as one can */
  async former(user: User): Promise<string | undefined> {
    const { db } = this.#parts
    const undo = await db.findBy(tokens, { userId: user.id, purpose: 'email_undo' })
    return undo !== null && undo.expiresAt > db.now() ? (undo.email ?? undefined) : undefined
  }

  /** @returns what tells the owner of a taken address that somebody wanted it */
  exists(owner: string, { language, address, userAgent }: Client): readonly Statement[] {
    const lasts = this.#parts.settings.confirmationLifetime
    return this.#parts.post.put({ kind: 'account_exists', to: owner, language, lasts, values: { address, userAgent } })
  }

  /**
   * Spends the token of a mailed link: the address is confirmed, and becomes that of the account where a change was asked for.
   * Not a login.
   * @returns the user, with a device cookie for the browser of whoever reads the mail
   * @throws AuthError `verification_refused`, `email_taken`, `throttled`
   */
  async confirm(presented: string, client: Client): Promise<{ user: User; deviceCookie: string }> {
    const { token, user } = await this.#owned(presented, ['email_confirmation', 'email_change'], client)
    if (token.purpose === 'email_change') await this.#switch(token, user, client)
    else await this.#confirmed(token, user, client)
    const stored = await found(this.#parts.db.findUserBy({ id: user.id }))
    // Deleted since.
    if (stored === null) throw new AuthError('verification_refused')
    return { user: stored, deviceCookie: this.#parts.devices.issue(stored, null) }
  }

  /**
   * Spends the token that went to the former address: the account gets it back, every session ends, and the password, which
   * somebody else may know, is good for nothing until it is reset.
   * @throws AuthError `verification_refused`, `email_taken`, `throttled`
   */
  async undo(presented: string, client: Client): Promise<void> {
    const { token, user } = await this.#owned(presented, ['email_undo'], client)
    const { db, post, settings } = this.#parts
    const email = token.email ?? user.email
    const event: AuthEvent = { ...about({ ...user, email }, client), type: 'email_change_undone' }
    const { language, address, userAgent } = client
    const lasts = settings.emailUndoLifetime
    await this.#give(token, email, event, [
      ...post.put(
        { kind: 'email_changed', to: user.email, language, lasts, values: { address, userAgent, email } },
        { owed: isProven(user) },
      ),
      must(changeUser({ email, emailConfirmedAt: db.now(), hashedPassword: DISABLED }, { id: user.id }, db.now())),
      remove(sessions, { userId: user.id }),
      remove(tokens, { userId: user.id }),
      // The way in leads over a reset now, however many a thief has asked for.
      ...post.forget('password_reset', email),
    ])
  }

  async #confirmed(token: OneTimeToken, user: User, client: Client): Promise<void> {
    const { db, events } = this.#parts
    const happened = await events.happen({ ...about(user, client), type: 'email_confirmed' }, [
      must(remove(tokens, { id: token.id })),
      // Only the address to which the link went.
      must(
        changeUser({ emailConfirmedAt: db.now() }, { id: user.id, emailKey: normalEmail(token.email ?? '') }, db.now()),
      ),
    ])
    if (!happened) throw new AuthError('verification_refused')
  }

  async #switch(token: OneTimeToken, user: User, client: Client): Promise<void> {
    const { db, post, settings } = this.#parts
    const email = token.email ?? user.email
    const undo = await db.findBy(tokens, { userId: user.id, purpose: 'email_undo' })
    const { language, address, userAgent } = client
    const lasts = settings.emailUndoLifetime
    const notice: Notice = { kind: 'email_changed', language, lasts, values: { address, userAgent, email } }
    // Another spelling of it may be another mailbox, and takes the way back from nobody.
    const returns = isSameMailbox(undo?.email ?? '', email)
    await this.#give(token, email, { ...about({ ...user, email }, client), type: 'email_changed' }, [
      must(changeUser({ email, emailConfirmedAt: db.now() }, { id: user.id, emailKey: user.emailKey }, db.now())),
      endTokens(user.id),
      ...(returns ? this.#returned(user, notice) : this.#left(user, notice)),
      ...post.put({ ...notice, to: email }, { owed: true }),
    ])
  }

  /** The address that could take a change back is the account's again: the next change begins anew. */
  #returned(user: User, notice: Notice): Statement[] {
    const { post } = this.#parts
    const told = post.put({ ...notice, to: user.email }, { owed: isProven(user) })
    return [remove(tokens, { userId: user.id, purpose: 'email_undo' }), ...told]
  }

  /** The former address can take the change back; where an earlier one can already, it stays the one that can. */
  #left(user: User, notice: Notice): Statement[] {
    const { db, post } = this.#parts
    const { id, secretHash, credential } = makeCredential()
    const now = db.now()
    const undo = { id, secretHash, userId: user.id, purpose: 'email_undo', email: user.email } as const
    const owed = isProven(user)
    const reserves = owed ? user.emailKey : null
    const added = { sql: 'EXISTS (SELECT 1 FROM one_time_tokens WHERE id = ?)', params: [id] }
    const notAdded = { sql: 'NOT EXISTS (SELECT 1 FROM one_time_tokens WHERE id = ?)', params: [id] }
    const withUndo = { ...notice, to: user.email, values: { ...notice.values, token: credential } }
    return [
      ...addToken({ ...undo, reserves, createdAt: now, expiresAt: now + notice.lasts }),
      ...post.put(withUndo, { onlyIf: added, owed }),
      ...post.put({ ...notice, to: user.email }, { onlyIf: notAdded, owed }),
    ]
  }

  #linkTo(userId: number, kind: 'email_confirmation' | 'email_change', email: string, client: Client): Statement[] {
    const { post, settings } = this.#parts
    const { credential, token } = this.#tokenOf(userId, kind, email)
    const lasts = settings.confirmationLifetime
    const letter = { kind, to: email, language: client.language, lasts, values: { token: credential } }
    // Only together with its letter: a token that nobody is sent must not take the place of one that somebody was.
    // Of an address for which several accounts ask each link is good.
    const outdated = kind === 'email_confirmation' ? post.outdate(kind, email) : []
    return [...outdated, ...post.put(letter).map(must), ...replaceToken(token)]
  }

  /** The work of a link that confirms an address, for one that is not mailed. */
  #decoy(email: string, { language }: Client): Statement[] {
    const { post, settings } = this.#parts
    const lasts = settings.confirmationLifetime
    const { credential, token } = this.#tokenOf(NOBODY, 'email_confirmation', email)
    const letter: Letter = { kind: 'email_confirmation', to: email, language, lasts, values: { token: credential } }
    const outdated = post.outdateDecoys(letter.kind, email)
    return [...outdated, ...post.decoy(letter).map(must), ...replaceToken(token).map(may)]
  }

  #tokenOf(userId: number, purpose: 'email_confirmation' | 'email_change', email: string) {
    const { db, settings } = this.#parts
    const { id, secretHash, credential } = makeCredential()
    const createdAt = db.now()
    const expiresAt = createdAt + settings.confirmationLifetime
    const token: OneTimeToken = { id, secretHash, userId, purpose, email, reserves: null, createdAt, expiresAt }
    return { credential, token }
  }

  async #owned(presented: string, purposes: readonly OneTimeToken['purpose'][], client: Client) {
    const { db, events } = this.#parts
    const token = await pendingToken(db, presented, purposes)
    const user = token === null ? null : await found(db.findUserBy({ id: token.userId }))
    const named = { emailKey: user?.emailKey ?? '', tokenId: parseCredential(presented)?.id ?? '' }
    return events.attempt({ kind: 'guess_token', ...named, client, device: null }, async () => {
      if (token === null || user === null) throw new AuthError('verification_refused')
      return { token, user }
    })
  }

  /** Spends a token for an address. It may be somebody else's by now, or their way back to it. */
  async #give(token: OneTimeToken, email: string, event: AuthEvent, statements: readonly Statement[]): Promise<void> {
    const { db, events } = this.#parts
    const emailKey = normalEmail(email)
    try {
      if (await events.happen(event, [spendFor(token, emailKey, db.now()), ...statements])) return
    } catch (error) {
      if (error instanceof UniqueViolation) throw new AuthError('email_taken')
      throw error
    }
    // It may have been brought back between the two looks of the first.
    const owner = (await ownerOf(db, emailKey)) ?? (await found(db.findUserBy({ emailKey })))
    throw new AuthError(owner === null || token.userId === owner.id ? 'verification_refused' : 'email_taken')
  }
}

/** An address that was never proven may be somebody else's, which whoever registered it has given: it reserves nothing, and its mailbox is owed nothing. */
function isProven({ emailConfirmedAt }: User): boolean {
  return emailConfirmedAt !== null
}
