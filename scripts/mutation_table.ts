/**
 * Mutation testing of the security list: every defence with the edit that takes it out. A row counts as proven only when a
 * test that names it was seen to fail under such an edit. docs/mutations.md is the record of that; `npm run mutations` makes
 * it anew.
 */

import { line, plain } from './markdown.ts'
import { accessTokens } from './mutations/access_tokens.ts'
import { addresses } from './mutations/addresses.ts'
import { cookies } from './mutations/cookies.ts'
import { cors } from './mutations/cors.ts'
import { hiddenAccounts } from './mutations/hidden_accounts.ts'
import { http } from './mutations/http.ts'
import { limits } from './mutations/limits.ts'
import { lockOut } from './mutations/lock_out.ts'
import { mailedCodes } from './mutations/mailed_codes.ts'
import { mailedLinks } from './mutations/mailed_links.ts'
import { meanwhile } from './mutations/meanwhile.ts'
import { notices } from './mutations/notices.ts'
import { operation } from './mutations/operation.ts'
import { otherCookies } from './mutations/other_cookies.ts'
import { pages } from './mutations/pages.ts'
import { passwordReset } from './mutations/password_reset.ts'
import { passwords } from './mutations/passwords.ts'
import { refreshTokens } from './mutations/refresh_tokens.ts'
import { sessions } from './mutations/sessions.ts'
import { signIn } from './mutations/sign_in.ts'
import { tokenKeys } from './mutations/token_keys.ts'

export interface Edit {
  /** From the root of the repository. */
  readonly file: string
  /** Stands exactly once in the file. */
  readonly find: string
  readonly replace: string
}

export interface Mutation extends Edit {
  /** Of each of these rows a test must fail. */
  readonly rows: readonly string[]
  /** Which defence is gone, in a few words. */
  readonly takesOut: string
  /** Where one defence stands in two places, or two hold the same. */
  readonly also?: readonly Edit[]
  /** The one test file to run, where the others of the row are slow and do not look at this defence. */
  readonly tests?: string
}

export const mutations: readonly Mutation[] = [
  ...passwords,
  ...signIn,
  ...sessions,
  ...cookies,
  ...passwordReset,
  ...http,
  ...pages,
  ...otherCookies,
  ...cors,
  ...hiddenAccounts,
  ...notices,
  ...mailedLinks,
  ...addresses,
  ...mailedCodes,
  ...limits,
  ...lockOut,
  ...accessTokens,
  ...refreshTokens,
  ...tokenKeys,
  ...operation,
  ...meanwhile,
]

/** A test that failed when a defence was out. */
export interface Failure {
  /** From the root of the repository. */
  file: string
  title: string
  /** It hung, and Vitest ended it. */
  timedOut: boolean
}

export function editsOf({ file, find, replace, also = [] }: Mutation): Edit[] {
  return [{ file, find, replace }, ...also]
}

/** @throws Error where the text does not stand in the source exactly once */
export function edited(source: string, { file, find, replace }: Edit): string {
  const [before = '', after, ...more] = source.split(find)
  if (after === undefined || more.length > 0) throw new Error(`not exactly once in ${file}: ${find}`)
  return before + replace + after
}

const READING = `# Mutations

Every row of [security.md](security.md) that is proven was tried against code with the defence taken out, one defence at a time, and a
test whose title begins with the row's id was seen to fail. This page is the record: each defence was
taken out when its mutation was written or changed, one by one. \`npm run mutations\` takes them all out again and writes the page anew. The edits are in \`scripts/mutations/\`. A test holds this page to them.

`

const HEAD = ['row', 'what is taken out', 'file', 'the test that failed']

/** docs/mutations.md: what was seen, in the order of the table. */
export function recordPage(seen: readonly { mutation: Mutation; failures: readonly Failure[] }[]): string {
  const rows = seen.map(({ mutation, failures }) =>
    line([...cellsOf(mutation), failures.map(failureText).join('<br>')]),
  )
  return `${READING}${line(HEAD)}${line(HEAD.map(() => '---'))}${rows.join('')}`
}

function failureText({ file, title, timedOut }: Failure): string {
  return `\`${file}\`: ${plain(title)}${timedOut ? ' (timed out)' : ''}`
}

/** What the record says of a mutation before it names the test. */
export function cellsOf(mutation: Mutation): [rows: string, takesOut: string, files: string] {
  const files = new Set(editsOf(mutation).map(({ file }) => `\`${file}\``))
  return [mutation.rows.join(', '), plain(mutation.takesOut), [...files].join('<br>')]
}
