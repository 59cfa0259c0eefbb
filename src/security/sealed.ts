/**
 * What must be stored and read again is sealed: encrypted and authenticated (AES-256-GCM, NIST SP 800-38D) under a key of
 * its own purpose, and bound to the row that holds it, so that a stolen database tells nothing and no value can be put into
 * another row. The form is base64url of a 96-bit nonce, the ciphertext and a 128-bit tag.
 */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** None of the keys opens it: it was made under another SECRET, changed, or moved from another row. */
export class Unsealable extends Error {
  constructor() {
    super('this cannot be read with SECRET or SECRET_PREVIOUS')
    this.name = 'Unsealable'
  }
}

export class Sealer {
  readonly #keys: readonly Buffer[]

  /** @param keys of 32 bytes: the one to seal with first, then those that are only opened with */
  constructor(keys: readonly Buffer[]) {
    this.#keys = keys
  }

  /** @param row names the row for which it is sealed; the same name opens it */
  seal(plain: string, row: string): string {
    const [key] = this.#keys
    if (key === undefined) throw new Error('there is no key')
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(row))
    const sealed = [nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]
    return Buffer.concat(sealed).toString('base64url')
  }

  /** @throws Unsealable */
  open(sealed: string, row: string): string {
    const bytes = Buffer.from(sealed, 'base64url')
    if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new Unsealable()
    for (const key of this.#keys) {
      const plain = opened(bytes, row, key)
      if (plain !== null) return plain
    }
    throw new Unsealable()
  }
}

function opened(bytes: Buffer, row: string, key: Buffer): string | null {
  const nonce = bytes.subarray(0, NONCE_BYTES)
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(row)).setAuthTag(bytes.subarray(-TAG_BYTES))
  const plain = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES))
  try {
    return Buffer.concat([plain, decipher.final()]).toString('utf8')
  } catch {
    return null
  }
}
