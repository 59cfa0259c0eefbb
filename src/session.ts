/** What a session is, and how long it lives. */

export interface Session {
  /** A UUID v4: names the row and may be shown. */
  readonly id: string
  /** SHA-256 of the secret that only the client holds. */
  readonly secretHash: string
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
export function isAlive(session: Session, now: number, life: SessionLife): boolean {
  return now < session.expiresAt && now - session.lastSeenAt < life.idle
}

/** @returns whether the password was proven in this session no longer ago than `freshFor` milliseconds */
export function isFresh(session: Session, now: number, freshFor: number): boolean {
  return Math.abs(now - session.authenticatedAt) <= freshFor
}
