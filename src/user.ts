/** What a user is: the type, the normal form of an address, and what of a user may leave the process. */

import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { AuthError } from './errors.ts'

/** The id of no user. */
export const NOBODY = 0

export interface User {
  /** Given by the database, never given twice. */
  readonly id: number
  /** The address as it was typed, in NFC, without surrounding white space; see `checkEmail`. */
  readonly email: string
  /** The address in its normal form; unique. */
  readonly emailKey: string
  readonly name: string | null
  readonly hashedPassword: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly updatedAt: number
  /** When a mail proved that the address is this person's; null where none has. */
  readonly emailConfirmedAt: number | null
}

/** The part of a user that may leave the process, to its owner. */
export type PublicUser = {
  id: number
  email: string
  name: string | null
  /** Whether a mail proved that the address is this person's. */
  confirmed: boolean
  /** ISO 8601, in UTC. */
  created_at: string
}

/** The most characters of an address (RFC 5321 4.5.3.1.3); no account has a longer one, in its normal form neither. */
export const LONGEST_EMAIL = 254
const LONGEST_NAME = 200
/** Control characters, and what embeds, overrides or isolates a direction; the marks of single letters do not reach beyond a name. */
const STEERING = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u
const LABEL = /^[a-z\d_](?:[a-z\d_-]*[a-z\d_])?$/

/**
 * The one form under which an address is unique: trimmed, NFC, lower case, the domain in ASCII as mail servers know it.
 * Neither dots nor a `+tag` are stripped, since only the mail server of the domain knows what they mean.
 * @param email any text
 * @returns a form that is a fixed point: taking it again changes nothing
 */
export function normalEmail(email: string): string {
  // No address is that long, and normalising takes a time that grows with the square of the length.
  if (email.length > LONGEST_EMAIL * 4) return email
  const normal = email.trim().toLowerCase().normalize('NFC')
  const at = normal.lastIndexOf('@')
  const domain = at < 0 ? '' : domainToASCII(normal.slice(at + 1))
  return domain === '' ? normal : normal.slice(0, at + 1) + domain
}

/**
 * Checks that a text can be a mail address, without a regular expression that could be slow: one `@` that parts two
 * sides, no white space, control or format character, the name of a host, at most 254 characters (RFC 5321 4.5.3.1.3).
 * Whether it exists only a mail can tell.
 * @param input what the client sent
 * @returns the address as typed, trimmed, in NFC; before the @ only letters of ASCII stay capitals
 * @throws AuthError `email_invalid`
 */
export function checkEmail(input: string): string {
  const email = keptForm(input.trim())
  const at = email.indexOf('@')
  const valid =
    email.length <= LONGEST_EMAIL &&
    normalEmail(email).length <= LONGEST_EMAIL &&
    at > 0 &&
    at < email.length - 1 &&
    at === email.lastIndexOf('@') &&
    email.isWellFormed() &&
    // Mail readers would decode it (RFC 2047), and see another address than mail servers do.
    !email.includes('=?') &&
    isHostName(email.slice(at + 1)) &&
    !/[\s\p{C}\p{Default_Ignorable_Code_Point}\u2800\ufffc,;:<>()"\\[\]]/u.test(email)
  if (!valid) throw new AuthError('email_invalid', { field: 'email' })
  return email
}

/**
 * The normal form may join only what mail servers deliver to one mailbox, or somebody else's would get the mails of an account:
 * most take `K` for `k`, but none the Kelvin sign.
 * @returns an address as typed, in NFC; with more than ASCII capitals before the @, in the normal form up to there
 */
function keptForm(email: string): string {
  if (email.length > 4 * LONGEST_EMAIL) return email
  const typed = email.normalize('NFC')
  const local = email.slice(0, email.indexOf('@'))
  const folded = local.toLowerCase().normalize('NFC')
  const foldsInAscii = inAsciiCase(local).normalize('NFC') === folded && inAsciiCase(local.normalize('NFC')) === folded
  return foldsInAscii ? typed : folded + typed.slice(typed.indexOf('@'))
}

function inAsciiCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** @returns whether every mail server takes two checked addresses for one mailbox: the same before the @, one domain */
export function isSameMailbox(one: string, other: string): boolean {
  const local = (email: string) => email.slice(0, email.lastIndexOf('@'))
  return local(one) === local(other) && normalEmail(one) === normalEmail(other)
}

/** @returns whether it is a name, not a number, of labels as RFC 5321 4.1.2 has them, in any script */
function isHostName(domain: string): boolean {
  const ascii = domainToASCII(domain)
  // What is percent-encoded would be decoded, and be another spelling of the same.
  return !domain.includes('%') && isIP(ascii) === 0 && ascii.split('.').every((label) => LABEL.test(label))
}

/**
 * Checks a display name: at most 200 characters, none that controls the terminal or the direction of what stands around the name
 * (UAX 9, section 2); blank means none.
 * @throws AuthError `field_invalid`
 */
export function checkName(input: string): string | null {
  const name = input.length > LONGEST_NAME * 4 ? input : input.trim().normalize('NFC')
  if (name.length > LONGEST_NAME || !name.isWellFormed() || STEERING.test(name)) {
    throw new AuthError('field_invalid', {
      field: 'name',
      message: `name must be at most ${LONGEST_NAME} characters, without control characters and marks that turn the direction of text`,
    })
  }
  return name === '' ? null : name
}

/** @returns only what its owner may see; never the hash. */
export function publicUser({ id, email, name, createdAt, emailConfirmedAt }: User): PublicUser {
  return { id, email, name, confirmed: emailConfirmedAt !== null, created_at: new Date(createdAt).toISOString() }
}
