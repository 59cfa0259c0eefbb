/**
 * Device cookies: they tell that this browser has logged in to this account before, and prove nothing else, so that the
 * owner gets in while strangers wait. Source: OWASP, "Slow Down Online Guessing Attacks with Device Cookies".
 * The form is `<user id>.<nonce>.<HMAC-SHA-256 of both and of the stored password>`; nothing is stored, and a new password
 * makes strangers of all devices: whoever knew the old one keeps no head start.
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { User } from '../user.ts'
import type { Secrets } from './secrets.ts'

const NONCE_BYTES = 16
const LONGEST = 128

/** The account as it is stored now. */
type Owner = Pick<User, 'id' | 'hashedPassword'>

export class DeviceCookies {
  readonly #keys: Buffer[]

  constructor(secrets: Secrets) {
    this.#keys = secrets.keys('device_cookie')
  }

  /** @param nonce of the cookie that is renewed, or null for a new device */
  issue({ id, hashedPassword }: Owner, nonce: string | null): string {
    const content = `${id}.${nonce ?? randomBytes(NONCE_BYTES).toString('base64url')}`
    const [key] = this.#keys
    if (key === undefined) throw new Error('there is no key')
    return `${content}.${sign(content, hashedPassword, key).toString('base64url')}`
  }

  /** @returns the nonce that names the device, or null where the cookie is not one of ours for this user */
  read(cookie: string | undefined, owner: Owner): string | null {
    if (cookie === undefined || cookie.length > LONGEST) return null
    const [id = '', nonce = '', signature = '', ...rest] = cookie.split('.')
    if (id !== String(owner.id) || rest.length > 0) return null
    const presented = Buffer.from(signature, 'base64url')
    const genuine = this.#keys.some((key) => {
      const expected = sign(`${id}.${nonce}`, owner.hashedPassword, key)
      return presented.length === expected.length && timingSafeEqual(presented, expected)
    })
    return genuine ? nonce : null
  }
}

/** @returns whether a cookie, good or not, is said to be of another account: a browser has room for one */
export function isOfAnother(cookie: string | undefined, { id }: Pick<User, 'id'>): boolean {
  return cookie !== undefined && cookie.split('.', 1)[0] !== String(id)
}

function sign(content: string, hashedPassword: string, key: Buffer): Buffer {
  return createHmac('sha256', key).update(`${content}.${hashedPassword}`).digest()
}
