/** A forgotten password: a one-time token is made for an address, and spent for a new password. */

import { countTry } from '../db/code_tries.ts'
import { noteCost } from '../db/hash_costs.ts'
import { sessions } from '../db/sessions.ts'
import { may, must, remove } from '../db/table.ts'
import { endTokens, type OneTimeToken, replaceToken, tokens } from '../db/tokens.ts'
import { changeUser } from '../db/users.ts'
import { AuthError } from '../errors.ts'
import type { Attempt } from '../feature.ts'
import type { Letter } from '../letter.ts'
import { makeCredential, parseCredential, sameHash } from '../security/credential.ts'
import { checkPassword } from '../security/password_policy.ts'
import { CODE_LIFETIME, CODE_TRIES, hashCode, makeCode, readCode } from '../security/reset_code.ts'
import type { Client } from '../session.ts'
import { LONGEST_EMAIL, NOBODY, normalEmail, type User } from '../user.ts'
import { type AuthParts, about, found, hashNew, pendingToken } from './parts.ts'

export interface RequestedReset {
  /** Null for an unknown address. */
  owner: { user: User; resetToken: string } | null
  /** For a cookie of the browser that asked, in which alone the mailed code is good; made for unknown addresses as well. */
  browser: string
}

export interface ResetCompletion {
  email: string
  /** The credential of the mailed link, or the code beside it. */
  resetToken: string
  newPassword: string
  client: Client
  /** What the browser kept since it asked. */
  browser?: string | undefined
}

export class PasswordReset {
  readonly #parts: AuthParts

  constructor(parts: AuthParts) {
    this.#parts = parts
  }

  /**
   * Makes a token in the place of the pending one, and mails it. For an unknown address it does the same work, to no effect.
   * @throws AuthError `throttled`
   */
  async request(email: string, client: Client): Promise<RequestedReset> {
    const { events } = this.#parts
    const emailKey = normalEmail(email)
    const attempt: Attempt = { kind: 'request_reset', emailKey, client, device: null }
    return events.attempt(attempt, () => this.#make(emailKey, client))
  }

  async #make(emailKey: string, client: Client): Promise<RequestedReset> {
    const { db, events, post, settings } = this.#parts
    const user = await found(db.findUserBy({ emailKey }))
    const link = makeCredential()
    const browser = makeCredential()
    const code = makeCode()
    const createdAt = db.now()
    const token = { userId: user?.id ?? NOBODY, createdAt, email: null, reserves: null }
    const lasts = settings.resetTokenLifetime
    const codeHash = hashCode(browser.secretHash, code)
    const letter: Letter = {
      ...{ kind: 'password_reset', to: user?.email ?? emailKey, language: client.language, lasts },
      values: { token: link.credential, code },
    }
    const handedIn = user === null ? post.decoy(letter) : post.put(letter)
    // Only together with the letter: a token that nobody is sent must not take the place of one that somebody was.
    const outdated = user === null ? post.outdateDecoys(letter.kind, emailKey) : post.outdate(letter.kind, user.email)
    const mailed = [...outdated, ...(settings.production ? handedIn.map(must) : handedIn)]
    const made = [
      ...replaceToken(
        {
          ...{ ...token, id: link.id, secretHash: link.secretHash, purpose: 'password_reset' },
          expiresAt: createdAt + lasts,
        },
        emailKey,
      ),
      ...replaceToken(
        {
          ...{ ...token, id: browser.id, secretHash: codeHash, purpose: 'reset_code' },
          expiresAt: createdAt + Math.min(CODE_LIFETIME, lasts),
        },
        emailKey,
      ),
    ]
    const event = { type: 'password_reset_requested', userId: user?.id ?? null, emailKey, client } as const
    // For nobody the same, which changes nothing.
    await events.happenWith(event, [...mailed, ...(user === null ? made.map(may) : made)])
    const owner = user === null ? null : { user, resetToken: link.credential }
    return { owner, browser: browser.credential }
  }

  /**
   * Spends a token: the password changes and every session ends, in one transaction.
   * @param completion whose address must be the token's
   * @throws AuthError `reset_refused`, `throttled`, `busy`, and the codes of the password policy, which spend nothing
   */
  async complete({ email, resetToken, newPassword, client, browser }: ResetCompletion): Promise<User> {
    const { db, events, policy } = this.#parts
    const emailKey = normalEmail(email)
    const code = readCode(resetToken)
    const tokenId = parseCredential((code === null ? resetToken : browser) ?? '')?.id ?? ''
    // A password that is refused anyway costs none of the few tries, and no work. Nobody has a longer address, whose words would be too much.
    if (code !== null && emailKey.length <= LONGEST_EMAIL)
      await checkPassword(newPassword, emailKey, policy, 'new_password')
    return events.attempt({ kind: 'guess_token', emailKey, client, device: null, tokenId }, async () => {
      const user = await found(db.findUserBy({ emailKey }))
      const token = code === null ? await this.pending(resetToken) : await this.#pendingCode(code, browser)
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
    const { db, events, settings } = this.#parts
    const hashedPassword = await hashNew(this.#parts, newPassword, user.email, 'new_password')
    // In production a token comes by mail alone, and so proves the address as well.
    const proven = settings.production ? { emailConfirmedAt: user.emailConfirmedAt ?? db.now() } : {}
    const spent = await events.happen({ ...about(user, client), type: 'password_reset' }, [
      must(remove(tokens, { id: token.id })),
      must(changeUser({ hashedPassword, ...proven }, { id: user.id, emailKey: user.emailKey }, db.now())),
      remove(sessions, { userId: user.id }),
      endTokens(user.id),
      ...noteCost(hashedPassword),
    ])
    if (!spent) throw new AuthError('reset_refused')
    return hashedPassword
  }

  /** @returns the token that was presented, or null where it is none, spent or too old */
  async pending(presented: string): Promise<OneTimeToken | null> {
    return pendingToken(this.#parts.db, presented, ['password_reset'])
  }

  /** Counts the try before it looks, so that parallel ones get no more of them. */
  async #pendingCode(code: string, browser: string | undefined): Promise<OneTimeToken | null> {
    const { db } = this.#parts
    const asked = parseCredential(browser ?? '')
    if (asked === null) return null
    const counted = await db.commit([must(countTry(asked.id, CODE_TRIES, db.now() + CODE_LIFETIME))])
    const token = counted ? await found(db.findTokenBy({ id: asked.id, purpose: 'reset_code' })) : null
    if (token === null || !sameHash(hashCode(asked.secretHash, code), token.secretHash)) return null
    return db.now() < token.expiresAt ? token : null
  }
}
