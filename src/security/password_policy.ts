/**
 * Which passwords may be set. Nothing is asked of their composition (NIST SP 800-63B-4 3.1.1.2; OWASP ASVS 5.0 6.2.5):
 * length decides, counted in code points.
 */

import { AuthError } from '../errors.ts'

const LONGEST_BYTES = 4096

export interface PasswordPolicy {
  /** In Unicode code points, of the password in NFC. */
  minLength: number
}

/**
 * @param field the name under which the client sent it
 * @throws AuthError `field_missing`, `password_invalid`, `password_too_long`, `password_too_short`
 */
export function checkPassword(password: string, { minLength }: PasswordPolicy, field = 'password'): void {
  if (password === '') throw new AuthError('field_missing', { field, message: `${field} missing` })
  if (!password.isWellFormed()) throw new AuthError('password_invalid', { field })
  if (Buffer.byteLength(password) > LONGEST_BYTES) throw new AuthError('password_too_long', { field })
  const length = [...password.normalize('NFC')].length
  if (length < minLength) {
    throw new AuthError('password_too_short', { field, message: `password must have at least ${minLength} characters` })
  }
}
