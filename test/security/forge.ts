/** Whoever forges access tokens: with keys of their own, and for the controls with the very key of the service. */

import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { Sealer } from '../../src/security/sealed.ts'
import { Secrets } from '../../src/security/secrets.ts'
import type { House } from '../house.ts'

export type Part = Record<string, unknown>

export function encoded(part: unknown): string {
  const bytes = Buffer.isBuffer(part) ? part : Buffer.from(typeof part === 'string' ? part : JSON.stringify(part))
  return bytes.toString('base64url')
}

export function decoded(part: string | undefined): Part {
  return JSON.parse(Buffer.from(part ?? '', 'base64url').toString())
}

/** @returns a compact JWS (RFC 7515) with a signature of ES256 */
export function signed(header: unknown, payload: unknown, key: KeyObject): string {
  const input = `${encoded(header)}.${encoded(payload)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

export interface Forge {
  /** A token that the service has made, and its parts. */
  token: string
  header: Part
  payload: Part
  /** The key that has signed it. */
  ours: KeyObject
  /** One that somebody made at home. */
  theirs: KeyObject
  theirJwk: Part
}

/** @param house with a SECRET of its own */
export async function forgeOf({ db, settings }: House, token: string): Promise<Forge> {
  const [head, body] = token.split('.')
  const header = decoded(head)
  const stored = (await db.findSigningKeys()).find(({ kid }) => kid === header.kid)
  const sealer = new Sealer(new Secrets(settings.secret).keys('signing_keys'))
  const jwk = JSON.parse(sealer.open(stored?.sealedKey ?? '', `signing_keys/${header.kid}`))
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    ...{ token, header, payload: decoded(body) },
    ours: createPrivateKey({ key: jwk, format: 'jwk' }),
    theirs: privateKey,
    theirJwk: { ...publicKey.export({ format: 'jwk' }), kid: header.kid },
  }
}
