/**
 * What an optional feature is: a plug for the seams of Auth and for the app. Features never import each other; auth.ts
 * names none of them; app.ts lists them.
 */

import type { Client } from './session.ts'

export type AuthEventType =
  | 'user_registered'
  | 'login_succeeded'
  | 'login_failed'
  | 'logged_out'
  | 'password_reset_requested'
  | 'password_reset'
  | 'password_reset_refused'

/** Something that happened to an account; never holds a secret. */
export interface AuthEvent {
  type: AuthEventType
  /** Null where no account is concerned. */
  userId: number | null
  client: Client
  /** The public id of the session concerned. */
  sessionId?: string
}

/** Where a feature takes part in what Auth does. */
export interface Seams {
  /** Told afterwards; must not throw and is not awaited. */
  observe?(event: AuthEvent): void
}

export interface Feature extends Seams {
  name: string
}
