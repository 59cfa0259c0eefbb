import crypto from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Auth } from '../../src/auth.ts'
import { makeCredential, parseCredential, sameHash } from '../../src/security/credential.ts'
import { openHouse } from '../house.ts'

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i
const EMAIL = 'bob@example.org'

const anyText = fc.string({ unit: 'binary', maxLength: 200 })
const brokenText = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 200 })

function secretOf(credential: string): string {
  return credential.slice(credential.indexOf('.') + 1)
}

/** How many of `bytes` have each of their bits set, the highest bit of the first byte first. */
function countBits(all: readonly Buffer[], length: number): number[] {
  const counts = Array.from({ length: length * 8 }, () => 0)
  for (const bytes of all) {
    for (let bit = 0; bit < counts.length; bit += 1) {
      counts[bit] = (counts[bit] ?? 0) + (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1)
    }
  }
  return counts
}

describe('a credential', () => {
  test('is read back as what it was made of', () => {
    fc.assert(
      fc.property(fc.nat(), () => {
        const { id, secretHash, credential } = makeCredential()
        expect(parseCredential(credential)).toEqual({ id, secretHash })
      }),
    )
  })

  test('shows its id, a UUID v4, and keeps only SHA-256 of its secret', () => {
    const { id, secretHash, credential } = makeCredential()
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(credential.startsWith(`${id}.`)).toBe(true)
    expect(secretHash).toBe(crypto.createHash('sha256').update(secretOf(credential)).digest('base64url'))
  })

  test('never matches with one character changed, wherever it is', () => {
    const { id, secretHash, credential } = makeCredential()
    const letter = fc.oneof(fc.constantFrom(...credential, ...credential.toUpperCase()), fc.string({ unit: 'binary' }))
    fc.assert(
      fc.property(fc.nat(credential.length - 1), letter, (place, other) => {
        fc.pre(other !== credential[place])
        const parsed = parseCredential(credential.slice(0, place) + other + credential.slice(place + 1))
        expect(parsed?.id === id && sameHash(parsed.secretHash, secretHash)).toBe(false)
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['any text', anyText],
    ['text with half surrogate pairs', brokenText],
    ['the right length', fc.string({ unit: 'binary', minLength: 80, maxLength: 80 })],
    ['the right parts, made of anything', fc.tuple(anyText, anyText).map((parts) => parts.join('.'))],
  ])('is not found in garbage: %s', (_, garbage) => {
    fc.assert(fc.property(garbage, (text) => void expect(parseCredential(text)).toBeNull()))
  })

  const { id, credential } = makeCredential()
  const secret = secretOf(credential)

  test.each([
    ['nothing', ''],
    ['the id alone', id],
    ['the secret alone', secret],
    ['an empty secret', `${id}.`],
    ['an empty id', `.${secret}`],
    ['no dot', id + secret],
    ['another dot', `${credential}.`],
    ['another separator', `${id}:${secret}`],
    ['white space before it', ` ${credential}`],
    ['white space after it', `${credential} `],
    ['a line break in the place of its last character', `${credential.slice(0, -1)}\n`],
    ['quotes around it', `"${credential}"`],
    ['the letters of plain base64', `${id}.${'+/'.repeat(21)}A`],
    ['padding', `${id}.${secret.slice(0, 42)}=`],
    ['a secret one shorter', credential.slice(0, -1)],
    ['a secret one longer', `${credential}A`],
    ['an id without hyphens', `${id.replaceAll('-', '')}0000.${secret}`],
    ['an id in braces', `{${id.slice(1, -1)}}.${secret}`],
    ['SQL', `' OR 1=1 --'.padEnd(36).${secret}`],
    ['10 kB', credential.repeat(128)],
    ['a megabyte', 'a'.repeat(1_000_000)],
  ])('is not found in what is nearly one: %s', (_, text) => {
    expect(parseCredential(text)).toBeNull()
  })

  test('S-01: of 100,000 secrets no two are equal and every bit is even, so all 256 are random', () => {
    const count = 100_000
    const secrets = Array.from({ length: count }, () => secretOf(makeCredential().credential))
    expect(new Set(secrets).size).toBe(count)
    const decoded = secrets.map((text) => Buffer.from(text, 'base64url'))
    const bits = countBits(decoded, 32)
    // Six standard deviations of 100,000 fair coins are 949: less than one false alarm in a million runs.
    expect(Math.min(...bits)).toBeGreaterThan(count / 2 - 950)
    expect(Math.max(...bits)).toBeLessThan(count / 2 + 950)
  })

  test('S-01: where the random source fails there is no credential', () => {
    const { randomBytes } = crypto
    onTestFinished(() => {
      crypto.randomBytes = randomBytes
      syncBuiltinESMExports()
    })
    crypto.randomBytes = () => {
      throw new Error('no entropy')
    }
    syncBuiltinESMExports()
    expect(makeCredential).toThrow('no entropy')
  })
})

describe('what clients get', () => {
  test.each([
    ['S-01: a session', (auth: Auth) => auth.createSession(EMAIL)],
    ['R-03: a reset token', (auth: Auth) => auth.getResetPasswordToken(EMAIL)],
  ])('%s is such a credential: 32 bytes after the id, in no form of a UUID, never the same', async (_, make) => {
    const { auth, close } = await openHouse()
    onTestFinished(close)
    await auth.registerUser(EMAIL, 'password')
    const made = new Set<string>()
    for (let count = 0; count < 500; count += 1) {
      const credential = await make(auth)
      expect(parseCredential(credential)).not.toBeNull()
      const secret = secretOf(credential)
      expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
      expect(secret).not.toMatch(UUID)
      made.add(secret)
    }
    expect(made.size).toBe(500)
  })
})

const OPERAND = String.raw`[\w.?#]+|'[^']*'|"[^"]*"`
const COMPARISON = new RegExp(String.raw`(?<!typeof )(?<![\w.?#])(${OPERAND})\s*[!=]==?\s*(${OPERAND})`, 'g')
const CONFIDENTIAL = /(?:^|[.#])(?!\w*_LENGTH$)\w*(?:secret|hash|digest|token|credential|signature)\w*$/i
/** What anything may be compared with: nothing, or one sign, which is a matter of syntax. */
const HARMLESS = /^(?:null|undefined|'[^\w']?')$/

/** @returns the comparisons in some source that stop at the first difference and have something confidential on a side */
function earlyExits(source: string): string[] {
  const risky = (one: string, other: string) => CONFIDENTIAL.test(one) && !HARMLESS.test(other)
  return [...source.matchAll(COMPARISON)].flatMap(([whole, left = '', right = '']) =>
    risky(left, right) || risky(right, left) ? [whole] : [],
  )
}

describe('the comparison of hashes', () => {
  test('A-20: finds equal what is equal and nothing else, whatever the texts', () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        expect(sameHash(a, a)).toBe(true)
        expect(sameHash(a, b)).toBe(a === b)
      }),
    )
  })

  test.each([
    ['one is a part of the other', 'abc', 'abcd'],
    ['one is empty', '', 'a'],
    ['case differs', 'abc', 'abC'],
    ['as many characters, not as many bytes', 'abé', 'abe'],
    ['the last character differs', 'abc', 'abd'],
  ])('A-20: is false where %s', (_, a, b) => {
    expect(sameHash(a, b)).toBe(false)
    expect(sameHash(b, a)).toBe(false)
  })

  test('A-20: no secret, hash or token is compared in another way anywhere in src/', () => {
    const src = join(import.meta.dirname, '../../src')
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
    const found = files.flatMap((file) => earlyExits(readFileSync(join(src, file), 'utf8')))
    expect(files).toContain('auth.ts')
    expect(found).toEqual([])
  })

  test.each([
    ['token.secretHash === presented', 1],
    ['presented.secretHash !== token.secretHash', 1],
    ['presented === stored.secretHash', 1],
    ['signature==expected', 1],
    ['expected != signature', 1],
    ['digest === "5f4dcc3b5aa765d61d8327deb882cf99"', 1],
    ["token === 'a'", 1],
    ['this.#secret === presented', 1],
    ['if (stored?.tokenHash === presented)', 1],
    ["token === ''", 0],
    ["token === '{'", 0],
    ["'' !== secret", 0],
    ['token === null', 0],
    ['null !== found.credential', 0],
    ["typeof token === 'string'", 0],
    ['const hash = (token) => token.length === 3', 0],
    ['if (a.length === hash.length) return', 0],
    ["kind === 'guess_token'", 0],
  ])('A-20: what that looks for in %s', (source, count) => {
    expect(earlyExits(source)).toHaveLength(count)
  })
})
