import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { PasswordHasher } from '../../src/security/password.ts'
import { checkPassword, type PasswordPolicy } from '../../src/security/password_policy.ts'
import { openHouse, TEST_COST } from '../house.ts'
import { processorTime } from '../processor.ts'

const MIN = 8
const EMAIL = 'bob@example.org'
/** Of development; what production refuses on top of it has tests of its own. */
const POLICY: PasswordPolicy = { minLength: MIN, refuseGuessable: false, contextWords: [] }

/** @returns the code of the refusal, or `accepted` */
async function judge(password: string, minLength = MIN): Promise<string> {
  try {
    await checkPassword(password, EMAIL, { ...POLICY, minLength })
    return 'accepted'
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code)
    throw error
  }
}

describe('length', () => {
  test.each([
    ['one ASCII character too few', 'a'.repeat(MIN - 1), 'password_too_short'],
    ['enough ASCII characters', 'a'.repeat(MIN), 'accepted'],
    ['one emoji too few, though enough in UTF-16', '🔑'.repeat(MIN - 1), 'password_too_short'],
    ['enough emoji', '🔑'.repeat(MIN), 'accepted'],
    ['one letter of two bytes too few', 'é'.repeat(MIN - 1), 'password_too_short'],
    ['one decomposed letter too few, though enough before NFC', 'e\u0301'.repeat(MIN - 1), 'password_too_short'],
    ['enough decomposed letters', 'e\u0301'.repeat(MIN), 'accepted'],
  ])('P-01: is counted in code points: %s', async (_, password, verdict) => {
    expect(await judge(password)).toBe(verdict)
  })

  test('P-01: the minimum is the one that is set', async () => {
    const letters = fc.constantFrom('a', 'é', '🔑', ' ')
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 64 }), letters, async (minLength, letter) => {
        expect(await judge(letter.repeat(minLength), minLength)).toBe('accepted')
        expect(await judge(letter.repeat(minLength - 1), minLength)).not.toBe('accepted')
      }),
    )
  })

  test.each([
    ['4096 bytes', 'a'.repeat(4096), 'accepted'],
    ['4097 bytes', 'a'.repeat(4097), 'password_too_long'],
    ['2048 letters of two bytes', 'é'.repeat(2048), 'accepted'],
    ['2049 letters of two bytes', 'é'.repeat(2049), 'password_too_long'],
  ])('ends at 4096 bytes: %s', async (_, password, verdict) => {
    expect(await judge(password)).toBe(verdict)
  })
})

describe('composition', () => {
  test.each([
    ['lower case only', 'correct horse battery staple'],
    ['digits only', '8306125497'],
    ['one character over and over', 'aaaaaaaa'],
    ['spaces around it', '  two words  '],
    ['spaces only', '        '],
    ['Cyrillic', 'верныйконь'],
    ['emoji', '🐎🔋📎✅🐎🔋📎✅'],
    ['all printing ASCII', String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 32 + index))],
    ['control characters', 'a\tb\nc\u0000d\u001be'],
  ])('P-06: is free, and what is accepted logs in: %s', async (_, password) => {
    await checkPassword(password, EMAIL, POLICY)
    const hasher = new PasswordHasher({ cost: TEST_COST, concurrency: 1, queue: 0 })
    expect(await hasher.verify(password, await hasher.hash(password))).toMatchObject({ matches: true })
  })

  test('P-06: any text of enough characters is accepted', async () => {
    // NFC may join characters; with this many, enough are left.
    const texts = fc.string({ unit: 'binary', minLength: 4 * MIN, maxLength: 200 })
    await fc.assert(fc.asyncProperty(texts, async (text) => void expect(await judge(text)).toBe('accepted')))
  })
})

describe('a refusal', () => {
  test.each([
    ['none', '', 'field_missing', 'password missing'],
    ['too short', 'short', 'password_too_short', 'password must have at least 8 characters'],
    ['too long', 'a'.repeat(5000), 'password_too_long', 'password is longer than 4096 bytes'],
    ['half a surrogate pair', 'password\ud83d', 'password_invalid', 'password is not valid Unicode'],
    [
      'the halves of a pair in the wrong order',
      '\udd11\ud83dpassword',
      'password_invalid',
      'password is not valid Unicode',
    ],
  ])('P-15: has a code of its own and says why: %s', async (_, password, code, message) => {
    const refusal = expect.objectContaining({ name: 'AuthError', code, message, field: 'password' })
    await expect(checkPassword(password, EMAIL, POLICY)).rejects.toEqual(refusal)
  })

  test('is about the field as the client named it', async () => {
    await expect(checkPassword('short', EMAIL, POLICY, 'new_password')).rejects.toEqual(
      expect.objectContaining({ field: 'new_password' }),
    )
    await expect(checkPassword('', EMAIL, POLICY, 'new_password')).rejects.toThrow('new_password missing')
  })

  test.each([
    ['of one character', 'a'.repeat(1_000_000)],
    ['of marks to be put in order', `a${'\u0301\u0327'.repeat(250_000)}`],
    ['of half surrogate pairs', '\ud800'.repeat(500_000)],
  ])('P-12: 1 MB %s is refused within 50 ms, before any hash', async (_, password) => {
    // A hash of this cost would take most of a minute.
    const { auth, close } = await openHouse({}, { bcryptCost: 19 })
    onTestFinished(close)
    const time = await processorTime(async () => {
      await expect(auth.registerUser('bob@x.org', password)).rejects.toThrow(/^password is/)
    })
    expect(time).toBeLessThan(50)
  })
})
