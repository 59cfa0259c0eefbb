/** What the parts of Auth share. */

import { type OneTimeToken, reservation, tokens } from '../db/tokens.ts'
import { type DB, NoResultFound } from '../db.ts'
import type { AuthEvent } from '../feature.ts'
import type { Post } from '../letter.ts'
import { parseCredential, sameHash } from '../security/credential.ts'
import type { DeviceCookies } from '../security/device.ts'
import type { PasswordHasher } from '../security/password.ts'
import { checkPassword, type PasswordPolicy } from '../security/password_policy.ts'
import type { Client } from '../session.ts'
import type { Settings } from '../settings.ts'
import type { User } from '../user.ts'
import type { Events } from './events.ts'
import type { Sessions } from './sessions.ts'

/** A hash that no password has; the row then takes as long to check as any other. */
export const DISABLED = '!'

export interface AuthParts {
  db: DB
  post: Post
  settings: Settings
  hasher: PasswordHasher
  policy: PasswordPolicy
  sessions: Sessions
  devices: DeviceCookies
  events: Events
}

/** For callers inside the process, who have no connection. */
export const NO_CLIENT: Client = { address: '', userAgent: '' }

/** @returns what was found, or null where there is none */
export async function found<T>(search: Promise<T>): Promise<T | null> {
  try {
    return await search
  } catch (error) {
    if (error instanceof NoResultFound) return null
    throw error
  }
}

/** @returns the token of one of these purposes that was presented, or null where it is none, spent or too old */
export async function pendingToken(
  db: DB,
  presented: string,
  purposes: readonly OneTimeToken['purpose'][],
): Promise<OneTimeToken | null> {
  const parsed = parseCredential(presented)
  if (parsed === null) return null
  const token = await found(db.findTokenBy({ id: parsed.id }))
  if (token === null || !purposes.includes(token.purpose) || !sameHash(parsed.secretHash, token.secretHash)) return null
  return db.now() < token.expiresAt ? token : null
}

/**
 * @returns whose address it is, or was until lately: a former address stays reserved as long as it can be brought back, or
 * a thief could register it and so keep what was taken. The user has the address that was asked for.
 */
export async function ownerOf(db: DB, emailKey: string): Promise<User | null> {
  const owner = await found(db.findUserBy({ emailKey }))
  if (owner !== null) return owner
  const [token] = await db.read(reservation(emailKey, db.now()), tokens.read)
  if (token === undefined) return null
  const user = await found(db.findUserBy({ id: token.userId }))
  return user === null ? null : { ...user, email: token.email ?? user.email, emailKey }
}

/** Checks a new password against the policy and hashes it. */
export async function hashNew(
  { hasher, policy }: AuthParts,
  password: string,
  email: string,
  field?: string,
): Promise<string> {
  await checkPassword(password, email, policy, field)
  return hasher.hash(password)
}

/** An event about a user, in the making. */
export function about(user: User, client: Client): Omit<AuthEvent, 'type'> {
  return { userId: user.id, emailKey: user.emailKey, email: user.email, client }
}
