/**
 * The keys that sign access tokens: P-256 for ES256 or Ed25519 for EdDSA (RFC 7518 3.4, RFC 8037), each with a name that
 * follows from it (RFC 7638). RS256 is none of them: OWASP ASVS 5.0, Appendix C, disallows its signatures.
 */

import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'

const ALGORITHMS = ['ES256', 'EdDSA'] as const

export type SigningAlgorithm = (typeof ALGORITHMS)[number]

export interface SigningKey {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  /** What others verify with: public, to be shown to anyone. */
  readonly publicJwk: JWK
}

/** Makes a new key. @returns it with its private form (RFC 7517) as JSON, to be sealed and stored */
export async function makeSigningKey(algorithm: SigningAlgorithm): Promise<{ key: SigningKey; jwk: string }> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const jwk = JSON.stringify({ ...(await exportJWK(privateKey)), alg: algorithm })
  return { key: await readSigningKey(jwk), jwk }
}

/** @param jwk what `makeSigningKey` gave */
export async function readSigningKey(jwk: string): Promise<SigningKey> {
  const stored: JWK = JSON.parse(jwk)
  const { d: _, ...open } = stored
  const algorithm = algorithmOf(stored)
  const kid = await calculateJwkThumbprint(open)
  const [privateKey, publicKey] = [await importJWK(stored, algorithm), await importJWK(open, algorithm)]
  if (privateKey instanceof Uint8Array || publicKey instanceof Uint8Array) throw new TypeError('this is no key pair')
  return { kid, algorithm, privateKey, publicKey, publicJwk: { ...open, kid, use: 'sig' } }
}

function algorithmOf({ alg }: JWK): SigningAlgorithm {
  const known = ALGORITHMS.find((one) => one === alg)
  if (known === undefined) throw new TypeError(`no key for ${alg}`)
  return known
}
