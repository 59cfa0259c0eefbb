/** What a session is, and how long it lives. */

/**
 * Who holds what proves a session. `cookie`: a browser, in the session cookie. `token`: a program, which has a refresh
 * token and sends access tokens as bearer. `token_cookie`: a browser again, with these two tokens in cookies.
 */
export type SessionKind = 'cookie' | 'token' | 'token_cookie'

export interface Session {
  /** A UUID v4: names the row and may be shown. */
  readonly id: string
  /** SHA-256 of the secret that only the client holds. */
  readonly secretHash: string
  readonly kind: SessionKind
  /** SHA-256 of what all refresh tokens of this session have in common; null where there are none. */
  readonly familyHash: string | null
  /** When the refresh token was last replaced; null before the first time. */
  readonly rotatedAt: number | null
  readonly userId: number
  /** Milliseconds since the epoch, like all times here. */
  readonly createdAt: number
  /** When the password was last proven in this session. */
  readonly authenticatedAt: number
  /** At most a minute behind the last use. */
  readonly lastSeenAt: number
  /** The absolute end, whatever the use. */
  readonly expiresAt: number
  /** The client's address and user agent at login. */
  readonly address: string
  readonly userAgent: string
}

/** What one look at a session tells of it and of its user. */
export interface Glance extends Pick<Session, 'id' | 'secretHash' | 'kind' | 'lastSeenAt' | 'expiresAt'> {
  /** The user's address. */
  readonly email: string
}

/** Who is calling, as far as the connection tells. */
export interface Client {
  address: string
  userAgent: string
  /** The device cookie that came along, not yet believed. */
  deviceCookie?: string | undefined
  /** The address seems to be a proxy's that nobody told us of, and so that of many. */
  shared?: boolean
  /** The tag of the language in which this person reads, if known. */
  language?: string
}

/** Both in milliseconds. */
export interface SessionLife {
  idle: number
  absolute: number
}

/** @returns whether neither the idle nor the absolute end has come */
export function isAlive(session: Pick<Session, 'expiresAt' | 'lastSeenAt'>, now: number, life: SessionLife): boolean {
  return now < session.expiresAt && now - session.lastSeenAt < life.idle
}

/**
 * @returns whether the password was proven in this session no longer ago than `freshFor` milliseconds. Of a token it never
 * was: that one is presented tells nothing about who is there (NIST SP 800-63B-4 5.1.2).
 */
export function isFresh(session: Session, now: number, freshFor: number): boolean {
  return session.kind === 'cookie' && Math.abs(now - session.authenticatedAt) <= freshFor
}
