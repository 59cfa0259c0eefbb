/**
 * What an optional feature is: a plug for the seams of Auth. Features never import each other; auth.ts names none of
 * them; app.ts lists them.
 */

import type { Migration } from './db/migrations.ts'
import type { Statement } from './db.ts'
import type { Client } from './session.ts'

/** Something that somebody tries, before any work is done for it. */
export interface Attempt {
  /**
   * `guess_token` is a reset or a confirmation with a token, `confirm` the current password of somebody who is signed in,
   * `change` a change of the own account that needs none, `refresh` a right refresh token.
   */
  kind:
    | 'login'
    | 'register'
    | 'request_reset'
    | 'request_confirmation'
    | 'guess_token'
    | 'confirm'
    | 'change'
    | 'refresh'
  /** The normal form of the address, known or not. */
  emailKey: string
  client: Client
  /** Names a device on which this account was logged in to before; null on any other. */
  device: string | null
  /** The session in which the current password is asked for, or whose tokens are refreshed. */
  sessionId?: string
  /** Names the token that was presented, good or not; only who was mailed it, or asked for it, knows that of a good one. */
  tokenId?: string
}

export type AuthEventType =
  | 'user_registered'
  | 'registration_refused'
  | 'login_succeeded'
  | 'login_failed'
  | 'logged_out'
  | 'session_ended'
  | 'sessions_ended'
  | 'password_confirmed'
  | 'password_refused'
  | 'password_changed'
  | 'password_disabled'
  | 'email_change_requested'
  | 'email_changed'
  | 'email_change_undone'
  | 'email_confirmation_requested'
  | 'email_confirmed'
  | 'name_changed'
  | 'password_reset_requested'
  | 'password_reset'
  | 'password_reset_refused'
  | 'user_deleted'
  | 'refresh_token_reused'
  | 'signing_key_added'
  | 'throttled'
  | 'request_refused'

/** Something that happened; never holds a secret. */
export interface AuthEvent {
  type: AuthEventType
  /** Null where no account is concerned, or where it is not known yet. */
  userId: number | null
  /** The normal form of the address concerned, if any. */
  emailKey?: string
  /** The address of the account as it is registered, where there is one. */
  email?: string
  /** The address that could take a change back until now, where it is told as well. */
  formerEmail?: string | undefined
  client: Client
  /** The public id of the session concerned. */
  sessionId?: string
  device?: string | null
  /** Why, as a code. */
  reason?: string
}

/** @param judged false where it never turned out whether the attempt was right, because the service could not do its work */
export type Leave = (judged: boolean) => Promise<void>

/** Where a feature takes part in what Auth does. */
export interface Seams {
  /**
   * Asked before any work is done.
   * @returns what to call when the attempt is over
   * @throws AuthError to refuse
   */
  admit?(attempt: Attempt): Promise<Leave>
  /** What an event leaves in the database, written in the one transaction that makes it happen. */
  record?(event: AuthEvent): readonly Statement[]
  /** Told when it has happened; must not throw. */
  observe?(event: AuthEvent): void
}

export interface Feature extends Seams {
  name: string
  migrations?: readonly Migration[]
  /** What must be done now and then. */
  upkeep?(): Promise<void>
}
