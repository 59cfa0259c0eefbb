/**
 * Every requirement that the security of this service is held to: what is asked, by whom, and what the service does about it.
 * A row is proven by tests whose title begins with its id, as in `P-02: ...`; one that no test names says why.
 */

import { cookies } from './security_rows/cookies.ts'
import { http } from './security_rows/http.ts'
import { operation } from './security_rows/operation.ts'
import { pages } from './security_rows/pages.ts'
import { passwordReset } from './security_rows/password_reset.ts'
import { passwords } from './security_rows/passwords.ts'
import { secondFactor } from './security_rows/second_factor.ts'
import { sessions } from './security_rows/sessions.ts'
import { signIn } from './security_rows/sign_in.ts'
import { tokens } from './security_rows/tokens.ts'

export interface SecurityRow {
  /** Its section's letter and two digits. */
  readonly id: string
  /** The part of the service that it belongs to; `core` is what there is from the first version on. */
  readonly part: 'core' | 'tokens' | 'pages' | 'mfa' | 'ops'
  /** Where it comes from. */
  readonly standard: string
  readonly demand: string
  /** What the service does as it is. */
  readonly does: string
  /** Why it is not proven. */
  readonly open?: string
  /** What the operator does, since the service cannot. */
  readonly operator?: string
}

export interface Section {
  readonly title: string
  readonly rows: readonly SecurityRow[]
}

export const sections: readonly Section[] = [
  { title: 'Passwords', rows: passwords },
  { title: 'Sign-in, brute force, accounts', rows: signIn },
  { title: 'Sessions', rows: sessions },
  { title: 'Cookies', rows: cookies },
  { title: 'Password reset', rows: passwordReset },
  { title: 'HTTP, input, data', rows: http },
  { title: 'Browser pages, requests from elsewhere', rows: pages },
  { title: 'Tokens for programs', rows: tokens },
  { title: 'Second factors', rows: secondFactor },
  { title: 'Configuration, secrets, logging, errors', rows: operation },
]

export const securityRows: readonly SecurityRow[] = sections.flatMap(({ rows }) => rows)

/** @returns the ids with which the title of a test begins, like `R-15, S-14: ...`; none for most */
export function idsOf(title: string): string[] {
  const [, ids] = /^([A-Z]-\d\d(?:, [A-Z]-\d\d)*): /.exec(title) ?? []
  return ids?.split(', ') ?? []
}
