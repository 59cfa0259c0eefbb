/** What the parts of Auth share. */

import { type DB, NoResultFound } from '../db.ts'
import type { AuthEvent } from '../feature.ts'
import type { DeviceCookies } from '../security/device.ts'
import type { PasswordHasher } from '../security/password.ts'
import { checkPassword, type PasswordPolicy } from '../security/password_policy.ts'
import type { Client } from '../session.ts'
import type { Settings } from '../settings.ts'
import type { User } from '../user.ts'
import type { Events } from './events.ts'
import type { Sessions } from './sessions.ts'

export interface AuthParts {
  db: DB
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
  return { userId: user.id, emailKey: user.emailKey, client }
}
