/**
 * Tokens for programs: a session like any other, whose credential is a refresh token and in whose name short-lived access
 * tokens are signed. An access token is checked here against its session every time, so that it ends when the session does.
 */

import { rotateSession, sessions } from '../db/sessions.ts'
import { must, remove } from '../db/table.ts'
import { withdrawChange } from '../db/tokens.ts'
import { AuthError } from '../errors.ts'
import type { Attempt } from '../feature.ts'
import {
  type AccessClaims,
  claimedKey,
  type Parties,
  signAccessToken,
  type VerifiedClaims,
  verifyAccessToken,
} from '../security/access_token.ts'
import { sameHash } from '../security/credential.ts'
import { parseRefreshToken, successorOf } from '../security/refresh_token.ts'
import type { Secrets } from '../security/secrets.ts'
import { VerifiedTokens } from '../security/verified_tokens.ts'
import type { Client, Session, SessionKind } from '../session.ts'
import { type AuthParts, about } from './parts.ts'
import type { CheckedSession, OpenedSession } from './sessions.ts'
import { SigningKeys } from './signing_keys.ts'

export interface AccessToken {
  accessToken: string
  /** Seconds from now. */
  expiresIn: number
}

export interface CheckedToken extends CheckedSession {
  /** When the token ends, in milliseconds since the epoch. */
  expiresAt: number
}

/** What others are told of a token that is good; times in seconds (RFC 7662 2.2). */
export interface TokenDescription extends AccessClaims {
  /** Of an access token alone. */
  jti?: string
}

export class Tokens {
  readonly keys: SigningKeys
  readonly #parts: AuthParts
  readonly #parties: Parties
  /** Of each SECRET, the one in use first. */
  readonly #successorKeys: readonly Buffer[]
  readonly #verified = new VerifiedTokens()

  constructor(parts: AuthParts, secrets: Secrets) {
    const {
      accessTokenLifetime: tokenLifetime,
      signingKeyRotation: rotation,
      tokenAlgorithm: algorithm,
    } = parts.settings
    this.#parts = parts
    this.#parties = { issuer: parts.settings.publicUrl, audience: parts.settings.tokenAudience }
    this.#successorKeys = secrets.keys('refresh_token')
    this.keys = new SigningKeys(parts.db, parts.events, secrets, { algorithm, rotation, tokenLifetime })
  }

  /** Signs an access token in the name of a session, which it never outlives. */
  async issue({ id, userId, expiresAt }: Session): Promise<AccessToken> {
    const iat = Math.floor(this.#parts.db.now() / 1_000)
    const exp = Math.min(iat + this.#parts.settings.accessTokenLifetime / 1_000, Math.floor(expiresAt / 1_000))
    const claims = { sub: String(userId), sid: id, iat, exp }
    return { accessToken: await signAccessToken(claims, this.#parties, await this.keys.signer()), expiresIn: exp - iat }
  }

  /**
   * Checks an access token and the session that it names: one read, and a write where that was nearly idle.
   * @param kind the only kind of session that counts here
   * @returns null where it is none, has expired, or its session has ended
   */
  async check(accessToken: string, kind: SessionKind): Promise<CheckedToken | null> {
    const claims = await this.#verify(accessToken)
    if (claims === null) return null
    const checked = await this.#parts.sessions.use(claims.sid, kind)
    if (checked === null || String(checked.user.id) !== claims.sub) return null
    return { session: checked.session, user: checked.user, expiresAt: claims.exp * 1_000 }
  }

  /**
   * Spends a refresh token for the next one (RFC 9700 4.14.2). One that was spent before ends its session: whether the thief
   * or the owner comes second, nobody can tell. Within REFRESH_GRACE the last one gets the same successor again.
   * @param kind the only kind of session that counts here
   * @throws AuthError `refresh_refused`, `refresh_token_reused`, `throttled`, which spends nothing
   */
  async refresh(presented: string, kind: SessionKind, client: Client): Promise<OpenedSession> {
    const parsed = parseRefreshToken(presented)
    const checked = parsed === null ? null : await this.#ofFamily(parsed)
    if (parsed === null || checked?.session.kind !== kind) throw new AuthError('refresh_refused')
    const { session, user } = checked
    if (sameHash(parsed.secretHash, session.secretHash)) {
      const attempt: Attempt = { kind: 'refresh', emailKey: user.emailKey, client, device: null, sessionId: session.id }
      const rotated = await this.#parts.events.attempt(attempt, () => this.#rotate(session, presented))
      // Somebody else who presents it at this moment came first: it is spent by now.
      return rotated ?? this.refresh(presented, kind, client)
    }
    const again = this.#withinGrace(session, presented)
    if (again !== null) return again
    await this.#end(checked, 'refresh_token_reused', client)
    throw new AuthError('refresh_token_reused')
  }

  /** Ends the session of an access or refresh token, whatever its kind; what is no good token ends nothing (RFC 7009 2.2). */
  async revoke(presented: string, client: Client): Promise<void> {
    const { sessions: keeper } = this.#parts
    const claims = await this.#verify(presented)
    const parsed = claims === null ? parseRefreshToken(presented) : null
    const id = claims?.sid ?? parsed?.id
    const checked = id === undefined ? null : await keeper.stored(id)
    const proven = claims === null ? isOfFamily(checked, parsed) : isNamed(checked, claims)
    if (checked !== null && proven) await this.#end(checked, 'logged_out', client)
  }

  /** @returns what a token says, or null where it is not good; asking uses up nothing */
  async describe(presented: string): Promise<TokenDescription | null> {
    const claims = await this.#verify(presented)
    if (claims !== null) {
      const { kid: _, ...told } = claims
      return (await this.#named(claims)) === null ? null : told
    }
    const parsed = parseRefreshToken(presented)
    const checked = parsed === null ? null : await this.#ofFamily(parsed)
    if (parsed === null || checked === null || !sameHash(parsed.secretHash, checked.session.secretHash)) return null
    const { id, userId, createdAt, rotatedAt, expiresAt } = checked.session
    const iat = Math.floor((rotatedAt ?? createdAt) / 1_000)
    return { sub: String(userId), sid: id, iat, exp: Math.floor(expiresAt / 1_000) }
  }

  async #verify(accessToken: string): Promise<VerifiedClaims | null> {
    const now = this.#parts.db.now()
    const known = this.#verified.find(accessToken, now)
    if (known !== null) return this.keys.find(known.kid) === null ? null : known
    const kid = claimedKey(accessToken)
    const key = kid === null ? null : await this.keys.lookUp(kid)
    const claims = key === null ? null : await verifyAccessToken(accessToken, key, this.#parties, now)
    if (claims !== null) this.#verified.add(accessToken, claims)
    return claims
  }

  /** The session that an access token names, without using it. */
  async #named(claims: VerifiedClaims): Promise<CheckedSession | null> {
    const checked = await this.#parts.sessions.peek(claims.sid)
    return isNamed(checked, claims) ? checked : null
  }

  /** The session of a refresh token, be it the one that counts or one before. */
  async #ofFamily(parsed: OfFamily): Promise<CheckedSession | null> {
    const checked = await this.#parts.sessions.peek(parsed.id)
    return isOfFamily(checked, parsed) ? checked : null
  }

  async #rotate(session: Session, presented: string): Promise<OpenedSession | null> {
    const [key] = this.#successorKeys
    if (key === undefined) throw new Error('there is no key')
    const { credential, secretHash } = successorOf(presented, key)
    const now = this.#parts.db.now()
    const rotated = await this.#parts.db.commit([rotateSession(session, secretHash, now)])
    return rotated ? { session: { ...session, secretHash, rotatedAt: now, lastSeenAt: now }, credential } : null
  }

  #withinGrace(session: Session, presented: string): OpenedSession | null {
    const { db, settings } = this.#parts
    if (session.rotatedAt === null || db.now() - session.rotatedAt >= settings.refreshGrace) return null
    const successors = this.#successorKeys.map((key) => successorOf(presented, key))
    const next = successors.find(({ secretHash }) => sameHash(secretHash, session.secretHash))
    return next === undefined ? null : { session, credential: next.credential }
  }

  /** Of several who end it at once a single one does, and is heard of. A change of address may be the doing of a thief. */
  async #end({ session, user }: CheckedSession, type: 'refresh_token_reused' | 'logged_out', client: Client) {
    const event = { ...about(user, client), type, sessionId: session.id } as const
    const withdrawn = type === 'logged_out' ? [] : [withdrawChange(user.id)]
    await this.#parts.events.happen(event, [must(remove(sessions, { id: session.id })), ...withdrawn])
  }
}

interface OfFamily {
  id: string
  familyHash: string
}

function isNamed(checked: CheckedSession | null, { sub }: VerifiedClaims): boolean {
  return checked !== null && String(checked.user.id) === sub
}

/** Who merely knows the id proves nothing. */
function isOfFamily(checked: CheckedSession | null, parsed: OfFamily | null): boolean {
  const ours = checked?.session.familyHash ?? null
  return ours !== null && parsed !== null && sameHash(parsed.familyHash, ours)
}
