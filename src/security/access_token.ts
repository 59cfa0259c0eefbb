/**
 * Access tokens: JWTs for programs (RFC 7519, RFC 9068), made and verified with keys that are given; nothing is looked up
 * and nothing in a token is believed before its signature. A token names a user and a session by their ids, and tells
 * nothing else about anybody.
 */

import { randomBytes } from 'node:crypto'
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { SigningKey } from './signing_key.ts'

/** Keeps these tokens apart from every other JWT (RFC 8725 3.11). */
const TYPE = 'at+jwt'
/** Ours have about 500 characters; more is not even looked at. */
const LONGEST = 2_048
const FORM = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** Who makes the tokens, and for whom. */
export interface Parties {
  issuer: string
  audience: string
}

/** Times in seconds since the epoch, as RFC 7519 has them. */
export interface AccessClaims {
  /** The id of the user, as text: it never changes and is never given twice. */
  sub: string
  /** The id of the session. */
  sid: string
  iat: number
  exp: number
}

export interface VerifiedClaims extends AccessClaims {
  /** The id of this token. */
  jti: string
  /** The key that signed it. */
  kid: string
}

/** @returns the compact form */
export function signAccessToken(
  { sub, sid, iat, exp }: AccessClaims,
  { issuer, audience }: Parties,
  { privateKey, algorithm, kid }: SigningKey,
): Promise<string> {
  return new SignJWT({ sid })
    .setProtectedHeader({ alg: algorithm, typ: TYPE, kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(sub)
    .setJti(randomBytes(16).toString('base64url'))
    .setIssuedAt(iat)
    .setExpirationTime(exp)
    .sign(privateKey)
}

/** @returns the name of the key that a token claims to be signed with, or null where it cannot be a token at all */
export function claimedKey(token: string): string | null {
  if (token.length > LONGEST || !FORM.test(token)) return null
  const header = parsed(token.slice(0, token.indexOf('.')))
  return typeof header === 'object' && header !== null && 'kid' in header && typeof header.kid === 'string'
    ? header.kid
    : null
}

/**
 * @param token of which `claimedKey` named the key
 * @param key one of ours; it alone decides about the algorithm
 * @param now milliseconds since the epoch; there is no leeway
 * @returns null where anything is wrong with it
 */
export async function verifyAccessToken(
  token: string,
  key: SigningKey,
  { issuer, audience }: Parties,
  now: number,
): Promise<VerifiedClaims | null> {
  try {
    const { payload } = await jwtVerify(token, key.publicKey, {
      algorithms: [key.algorithm],
      typ: TYPE,
      issuer,
      audience,
      currentDate: new Date(now),
      requiredClaims: ['exp', 'iat', 'sub', 'sid', 'jti'],
    })
    return isAsWritten(token, payload) ? claimsOf(payload, key.kid) : null
  } catch (error) {
    if (error instanceof errors.JOSEError) return null
    throw error
  }
}

/** What JSON.parse would read in silence, such as a name that comes twice or bytes that are not UTF-8, we never wrote. */
function isAsWritten(token: string, payload: JWTPayload): boolean {
  const [, written] = token.split('.')
  return Buffer.from(JSON.stringify(payload)).toString('base64url') === written
}

function claimsOf({ sub, sid, jti, iat, exp }: JWTPayload, kid: string): VerifiedClaims | null {
  const texts = typeof sub === 'string' && typeof sid === 'string' && typeof jti === 'string'
  return texts && typeof iat === 'number' && typeof exp === 'number' ? { sub, sid, jti, iat, exp, kid } : null
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function parsed(part: string): unknown {
  try {
    return JSON.parse(utf8.decode(Buffer.from(part, 'base64url')))
  } catch {
    return null
  }
}
