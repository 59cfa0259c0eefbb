import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkEmail, checkName, normalEmail, publicUser } from '../src/user.ts'
import { processorTime } from './processor.ts'

const anyText = fc.string({ unit: 'binary' })

/** Letters whose case or composition changes more than themselves: where a normal form is likeliest to be none. */
const awkward = fc.string({
  unit: fc.constantFrom(...['a', ' ', '\u00a0', '\ufeff', 'I', 'İ', 'ı', 'Σ', 'ς', 'ß', 'ẞ', 'J', '\u01f0', '\u212a']),
})
const combined = fc.string({
  unit: fc.constantFrom('\u0301', '\u0307', '\u030c', '\u0327', '\u0345', 'α', 'Α', 'i', 'E'),
})

describe('the normal form of an address', () => {
  test.each([
    ['has no white space around it', ' \t\u00a0Bob@x.org\r\n', 'bob@x.org'],
    ['is in lower case on both sides', 'BOB@EXAMPLE.ORG', 'bob@example.org'],
    ['is composed', 'jose\u0301@x.org', 'jos\u00e9@x.org'],
    ['knows the Kelvin sign as a k', '\u212aim@x.org', 'kim@x.org'],
    ['keeps dots', 'b.o.b@x.org', 'b.o.b@x.org'],
    ['keeps letters that only look alike', 'b\u043eb@x.org', 'b\u043eb@x.org'],
  ])('%s', (_, typed, normal) => {
    expect(normalEmail(typed)).toBe(normal)
  })

  test('A-19: case does not tell two addresses apart, a +tag does', () => {
    expect(normalEmail('A@x.org')).toBe(normalEmail('a@X.ORG'))
    expect(normalEmail('a+1@x.org')).not.toBe(normalEmail('a@x.org'))
  })

  test.each([
    ['any text', anyText],
    ['letters of many cases', awkward],
    ['letters of many compositions', combined],
    ['a mixture of both', fc.tuple(awkward, combined, awkward).map((parts) => parts.join(''))],
  ])('is a fixed point, for %s', (_, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        const normal = normalEmail(text)
        expect(normalEmail(normal)).toBe(normal)
      }),
      { numRuns: 2_000 },
    )
  })

  test('is the same however the text is composed', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(normalEmail(text.normalize('NFD'))).toBe(normalEmail(text))
      }),
    )
  })
})

describe('an address', () => {
  const longest = `${'a'.repeat(248)}@x.org`

  test.each([
    ['an ordinary one', 'bob@example.org'],
    ['the shortest', 'a@b'],
    ['a host without a dot', 'bob@localhost'],
    ['a +tag, dots and an apostrophe', "bob.o'hara+tag@x.org"],
    ['capitals, kept as typed', 'Bob@Example.ORG'],
    ['other scripts', 'почта@пример.рф'],
    ['beyond the basic plane', '𝒷ob@🦊.example'],
    ['254 characters', longest],
  ])('is accepted: %s', (_, email) => {
    expect(checkEmail(email)).toBe(email)
  })

  test.each([
    ['two signs that are one', 'jose\u0301@X.org', 'jos\u00e9@X.org'],
    ['a Kelvin sign for a k', '\u212aate@X.org', 'kate@X.org'],
    ['an Angstrom sign', '\u212bsa@X.org', '\u00e5sa@X.org'],
    ['a dotted I', '\u0130da@X.org', 'i\u0307da@X.org'],
    ['a capital beyond ASCII', '\u00c5sa@X.org', '\u00e5sa@X.org'],
    ['the same in two signs', 'A\u030asa@X.org', '\u00e5sa@X.org'],
    ['a capital sigma', 'ada\u03a3@X.org', 'ada\u03c2@X.org'],
  ])('A-19: is kept as mail servers take it for the same: %s', (_, typed, kept) => {
    expect(checkEmail(typed)).toBe(kept)
  })

  test('A-19: the form that is kept differs from the normal one in the case of ASCII letters alone', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.tuple(awkward, combined, awkward).map((parts) => parts.join('')),
        ),
        (local) => {
          const kept = accepted(`${local}@x.org`)
          if (kept === undefined) return
          expect(kept.replace(/[A-Z]/g, (letter) => letter.toLowerCase())).toBe(normalEmail(kept))
        },
      ),
      { numRuns: 5_000 },
    )
  })

  test('loses the white space around it and nothing else', () => {
    expect(checkEmail('\t Bob@X.org \n')).toBe('Bob@X.org')
  })

  test.each([
    ['nothing', ''],
    ['white space', ' \t\n'],
    ['no @', 'bob'],
    ['only an @', '@'],
    ['nothing before the @', '@x.org'],
    ['nothing after the @', 'bob@'],
    ['two @', 'bob@x@y.org'],
    ['two @ in a row', 'bob@@x.org'],
    ['a space inside', 'bob smith@x.org'],
    ['a no-break space inside', 'bob\u00a0smith@x.org'],
    ['a header smuggled in', 'bob@x.org\r\nBcc: eve@y.org'],
    ['NUL', 'bob\0@x.org'],
    ['DEL', 'bob\u007f@x.org'],
    ['a C1 control character', 'bob\u0085@x.org'],
    ['a zero-width space', 'bo\u200bb@x.org'],
    ['an encoded word', '=?utf-8?b?DQpCY2M6?=x@x.org'],
    ['a domain that is none', 'bob@\uff1c'],
    ['a blank of Braille', 'bob\u2800@x.org'],
    ['an object that is not there', 'bob\ufffc@x.org'],
    ['a change of direction', 'bob\u202e@x.org'],
    ['an unassigned character', 'bob\u0378@x.org'],
    ['a private character', 'bob\ue000@x.org'],
    ['half a surrogate pair', 'bob\ud800@x.org'],
    ['two addresses', 'bob@x.org,eve'],
    ['two addresses, parted by what NFC makes a semicolon', 'bob@x.org\u037eeve'],
    ['what NFC makes a semicolon, before the @', 'bob\u037eeve@x.org'],
    ['a display name', 'Bob<bob@x.org>'],
    ['a comment', 'bob(smith)@x.org'],
    ['quotes', '"bob"@x.org'],
    ['a backslash', 'bob\\@x.org'],
    ['an address literal', 'bob@[127.0.0.1]'],
    ['255 characters', `a${longest}`],
    ['254 characters that are more in lower case', `${'İ'.repeat(248)}@x.org`],
  ])('R-21: is refused: %s', (_, email) => {
    expect(() => checkEmail(email)).toThrow(expect.objectContaining({ code: 'email_invalid', field: 'email' }))
  })

  test.each([
    ['no @ at all', 'a'.repeat(100_000)],
    ['nothing but @', '@'.repeat(100_000)],
    ['an @ at the very end', `${'a'.repeat(100_000)}@`],
    ['dots', `a@${'.'.repeat(100_000)}`],
    ['white space with an end', `${' \t'.repeat(50_000)}x`],
    ['marks to be put in order', `a@b${'\u0301\u0327'.repeat(50_000)}`],
    ['letters that grow in lower case', `a@${'İ'.repeat(100_000)}`],
  ])('H-03: 100 kB are refused within 50 ms: %s', async (_, email) => {
    const time = await processorTime(() => {
      expect(() => checkEmail(email)).toThrow('email is not an address')
    })
    expect(time).toBeLessThan(50)
  })
})

function accepted(email: string): string | undefined {
  try {
    return checkEmail(email)
  } catch {
    return undefined
  }
}

describe('a name', () => {
  test.each([
    ['an ordinary one', 'Bob', 'Bob'],
    ['no white space around it', '  Bob Smith\n', 'Bob Smith'],
    ['composed', 'Jose\u0301', 'Jos\u00e9'],
    ['emoji', '🦊', '🦊'],
    ['written from right to left, with a mark', 'דן (Dan)\u200f', 'דן (Dan)\u200f'],
    ['markup, which is for the page to escape', '<b>Bob</b>', '<b>Bob</b>'],
    ['200 characters', 'a'.repeat(200), 'a'.repeat(200)],
    ['empty means none', '', null],
    ['blank means none', ' \t', null],
  ])('is accepted: %s', (_, typed, name) => {
    expect(checkName(typed)).toBe(name)
  })

  test.each([
    ['201 characters', 'a'.repeat(201)],
    ['a line break', 'Bob\nSmith'],
    ['NUL', 'Bob\0'],
    ['an escape sequence', '\u001b[31mBob'],
    ['half a surrogate pair', 'Bob\udc00'],
    ['a turn of the direction of what follows', 'Bob\u202egro.elpmaxe'],
    ['the beginning of another direction', '\u2067Bob'],
  ])('is refused: %s', (_, name) => {
    expect(() => checkName(name)).toThrow(expect.objectContaining({ code: 'field_invalid', field: 'name' }))
  })
})

test('of a user, only what its owner may see leaves the process', () => {
  const user = { id: 1, email: 'Bob@x.org', emailKey: 'bob@x.org', name: null, createdAt: 1, updatedAt: 2 }
  const seen = { id: 1, email: 'Bob@x.org', name: null, created_at: '1970-01-01T00:00:00.001Z' }
  const stored = { ...user, hashedPassword: '$2b$12$secret' }
  expect(publicUser({ ...stored, emailConfirmedAt: null })).toStrictEqual({ ...seen, confirmed: false })
  expect(publicUser({ ...stored, emailConfirmedAt: 3 })).toStrictEqual({ ...seen, confirmed: true })
})
