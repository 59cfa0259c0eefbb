/**
 * Which passwords may be set. Nothing is asked of their composition (NIST SP 800-63B-4 3.1.1.2; OWASP ASVS 5.0 6.2.5):
 * length decides, counted in code points, and whether a stranger would try it first.
 */

import { domainToUnicode } from 'node:url'
import { AuthError } from '../errors.ts'
import { normalEmail } from '../user.ts'
import { isCommonPassword } from './common_passwords.ts'
import { LONGEST_PASSWORD } from './password.ts'

const SHORTEST_WORD = 3

export interface PasswordPolicy {
  /** In Unicode code points, of the password in NFC. */
  minLength: number
  /** Refuse common passwords and those made of the words below. */
  refuseGuessable: boolean
  /** The service's names; the user's address is added to them. */
  contextWords: readonly string[]
}

/**
 * @param email the address of the account, in any spelling: the refusal of a password must not tell which one is registered
 * @param field the name under which the client sent it
 * @throws AuthError `field_missing`, `password_invalid`, `password_too_long`, `password_too_short`, `password_common`, `password_context`
 */
export async function checkPassword(
  password: string,
  email: string,
  { minLength, refuseGuessable, contextWords }: PasswordPolicy,
  field = 'password',
): Promise<void> {
  if (password === '') throw new AuthError('field_missing', { field, message: `${field} missing` })
  if (!password.isWellFormed()) throw new AuthError('password_invalid', { field })
  if (Buffer.byteLength(password) > LONGEST_PASSWORD) throw new AuthError('password_too_long', { field })
  const normal = password.normalize('NFC')
  if ([...normal].length < minLength) {
    throw new AuthError('password_too_short', { field, message: `password must have at least ${minLength} characters` })
  }
  if (!refuseGuessable) return
  if (await isCommonPassword(normal)) throw new AuthError('password_common', { field })
  if (isMadeOf(normal, [...contextWords, ...wordsOf(email)])) throw new AuthError('password_context', { field })
}

/**
 * The words that a guess at this service would begin with.
 * @param serviceName what the service calls itself
 * @param host the public host name, of which all labels but the last count
 */
export function contextWordsOf(serviceName: string, host: string): string[] {
  return [serviceName, host, ...host.split('.').slice(0, -1)]
}

function wordsOf(email: string): string[] {
  const normal = normalEmail(email)
  const [local = '', domain = ''] = normal.split('@')
  return [normal, local, ...local.split(/[.+_-]/), domain, domainToUnicode(domain)]
}

/** Nothing is left of it but digits and signs when these words are taken out. */
function isMadeOf(password: string, words: readonly string[]): boolean {
  const lower = password.toLowerCase()
  const known = words.map((word) => word.normalize('NFC').toLowerCase()).filter((word) => word.length >= SHORTEST_WORD)
  const rest = known.toSorted((a, b) => b.length - a.length).reduce((left, word) => left.replaceAll(word, ''), lower)
  return rest !== lower && !/\p{L}{2}/u.test(rest)
}
