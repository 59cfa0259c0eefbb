/**
 * What the service writes to people, before it has words: a kind, an address and a few values. Whoever has something to
 * say hands a letter in at the post, which answers with the statements for the transaction that it belongs to; nobody
 * waits for a mail server. How a letter becomes a mail is told in mail/.
 */

import type { Condition } from './db/table.ts'
import type { Statement } from './db.ts'
import { noticeKinds } from './settings/mail.ts'

export const letterKinds = [
  'password_reset',
  'email_confirmation',
  'email_change',
  'account_exists',
  'test',
  ...noticeKinds,
] as const

export type LetterKind = (typeof letterKinds)[number]

export interface LetterValues {
  /** A credential for the link, and the short code for the browser that asked. */
  readonly token?: string
  readonly code?: string
  /** What happened where, for a notice. */
  readonly address?: string
  readonly userAgent?: string
  /** The address that is asked for, or was given up. */
  readonly email?: string
  /** How often, in digits. */
  readonly count?: string
}

export interface Letter {
  readonly kind: LetterKind
  /** One checked address. */
  readonly to: string
  /** The tag of a language; undefined for the default one. */
  readonly language: string | undefined
  /** Milliseconds after which it is of no use to anybody. */
  readonly lasts: number
  readonly values: LetterValues
}

export interface Post {
  /**
   * @param onlyIf must hold in the database, or the letter is not sent
   * @param owed it goes however many others went to this address; to be said of nothing that a stranger can cause
   * @returns the statements that hand it in; none where letters of this kind are not sent
   */
  put(letter: Letter, how?: { onlyIf?: Condition; owed?: boolean }): readonly Statement[]
  /**
   * For an address to which nothing is written where a letter would tell that it has an account.
   * @returns the statements that hand in a letter which costs what another one does, and goes to nobody
   */
  decoy(letter: Letter): readonly Statement[]
  /**
   * To be called where the links in all letters of this kind to an address end, be it somebody's or nobody's.
   * @returns the statements by which those that have not gone stay behind: they would only mislead whoever reads them last
   */
  outdate(kind: LetterKind, to: string): readonly Statement[]
  /** The same work where nobody has the address: what goes to whoever registers it at this moment is left alone. */
  outdateDecoys(kind: LetterKind, to: string): readonly Statement[]
  /** The same, after which they count no more either, so that another one may go at once. */
  forget(kind: LetterKind, to: string): readonly Statement[]
}

/** Where there is no mail. */
export const noPost: Post = {
  put: () => [],
  decoy: () => [],
  outdate: () => [],
  outdateDecoys: () => [],
  forget: () => [],
}
