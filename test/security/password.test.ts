import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { PasswordHasher, type Verdict } from '../../src/security/password.ts'
import { readSettings } from '../../src/settings.ts'
import vectors from '../data/passlib_vectors.json' with { type: 'json' }
import { openHouse, TEST_COST } from '../house.ts'
import { processorTime } from '../processor.ts'

const PLAIN = /^\$2b\$04\$[./A-Za-z0-9]{53}$/
const HASHED_FIRST = /^\$bcrypt-sha256\$v=2,t=2b,r=4\$[./A-Za-z0-9]{22}\$[./A-Za-z0-9]{31}$/

const hasher = hasherOf(TEST_COST)

function hasherOf(cost: number): PasswordHasher {
  return new PasswordHasher({ cost, concurrency: 2, queue: 1_000 })
}

/** @returns whether a candidate matches what was stored for a password */
async function matches(candidate: string, password: string): Promise<boolean> {
  return (await hasher.verify(candidate, await hasher.hash(password))).matches
}

/** Texts on both sides of what bcrypt can hold, with every code point in them. */
const texts = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  fc.integer({ min: 1, max: 150 }).map((length) => 'a'.repeat(length)),
)

describe('passlib agrees', () => {
  test.each(vectors.byPasslib)('on $format: $hash', async ({ password, hash }) => {
    expect(await hasher.verify(password, hash)).toMatchObject({ matches: true })
    expect(await hasher.verify(`${password}x`, hash)).toMatchObject({ matches: false })
    expect(await hasher.verify(password.slice(1), hash)).toMatchObject({ matches: false })
  })

  test.each(vectors.byUs)('on what we have stored: $hash', async ({ password, hash }) => {
    expect(await hasher.verify(password, hash)).toEqual({ matches: true, outdated: false })
  })
})

describe('the stored form', () => {
  test.each([
    ['an ordinary password', 'secret', PLAIN],
    ['72 bytes', 'a'.repeat(72), PLAIN],
    ['36 letters of two bytes', 'é'.repeat(36), PLAIN],
    ['72 bytes once composed', 'e\u0301'.repeat(36), PLAIN],
    ['73 bytes', 'a'.repeat(73), HASHED_FIRST],
    ['72 letters, 73 bytes', `${'a'.repeat(71)}é`, HASHED_FIRST],
    ['NUL in it', 'ab\0cd', HASHED_FIRST],
    ['nothing but NUL', '\0', HASHED_FIRST],
  ])('P-09: is one that holds the whole: %s', async (_, password, form) => {
    const stored = await hasher.hash(password)
    expect(stored).toMatch(form)
    expect(await hasher.verify(password, stored)).toEqual({ matches: true, outdated: false })
  })

  test.each([
    ['plain', 'secret', /^\$2b\$(\d\d)\$/],
    ['hashed first', 'a'.repeat(73), /^\$bcrypt-sha256\$v=2,t=2b,r=(\d+)\$/],
  ])('P-16: is salted and names its cost: %s', async (_, password, form) => {
    const stored = await Promise.all([hasher.hash(password), hasher.hash(password), hasherOf(5).hash(password)])
    expect(stored.map((text) => Number(form.exec(text)?.[1]))).toEqual([4, 4, 5])
    expect(new Set(stored.map((text) => text.slice(-53))).size).toBe(3)
    expect(stored.join()).not.toContain(password)
  })

  test('P-16: costs 12 where nothing else is set, and never under 10', () => {
    expect(readSettings({}).bcryptCost).toBe(12)
    expect(() => readSettings({ BCRYPT_COST: '9' })).toThrow('BCRYPT_COST')
  })
})

describe('a password', () => {
  test('P-07: is known again, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(texts, async (password) => {
        expect(await hasher.verify(password, await hasher.hash(password))).toEqual({ matches: true, outdated: false })
      }),
      { numRuns: 300 },
    )
  })

  test('P-07: is not matched with one character changed, added or left out, wherever it is', async () => {
    const edits = fc.tuple(texts, fc.nat(), fc.nat(1), fc.string({ unit: 'binary', maxLength: 1 }))
    await fc.assert(
      fc.asyncProperty(edits, async ([password, at, cut, added]) => {
        const letters = [...password]
        const candidate = letters.toSpliced(at % letters.length, cut, added).join('')
        fc.pre(candidate.normalize('NFC') !== password.normalize('NFC'))
        expect(await matches(candidate, password)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    ['a space after it', 'Secret passwordx', 'Secret passwordx '],
    ['a space before it', 'Secret passwordx', ' Secret passwordx'],
    ['in capitals', 'Secret passwordx', 'SECRET PASSWORDX'],
    ['in small letters', 'Secret passwordx', 'secret passwordx'],
    ['without its last character', 'Secret passwordx', 'Secret password'],
    ['with another last character', 'Secret passwordx', 'Secret passwordy'],
    ['without the space at its end', 'trailing ', 'trailing'],
    ['nothing at all', 'secret', ''],
    ['its own stored form', 'secret', vectors.byPasslib[1]?.hash ?? ''],
  ])('P-07: is taken as sent: no match for %s', async (_, password, candidate) => {
    expect(await matches(candidate, password)).toBe(false)
  })

  test.each([
    ['64 ASCII characters', 'a'.repeat(64)],
    ['64 letters of two bytes', 'é'.repeat(64)],
    ['64 emoji', '🔑'.repeat(64)],
    ['4096 bytes', 'a'.repeat(4096)],
  ])('P-08: counts to its last character: %s', async (_, password) => {
    const letters = [...password]
    const stored = await hasher.hash(password)
    for (const candidate of [letters.with(-1, 'x'), letters.slice(0, -1), [...letters, 'x'], letters.slice(0, 18)]) {
      expect(await hasher.verify(candidate.join(''), stored)).toMatchObject({ matches: false })
    }
    expect(await hasher.verify(password, stored)).toMatchObject({ matches: true })
  })

  test.each([
    ['72 bytes and one more', 'a'.repeat(72), 'a'.repeat(73)],
    ['72 bytes and many more', 'a'.repeat(72), 'a'.repeat(4096)],
    ['72 bytes and NUL', 'a'.repeat(72), `${'a'.repeat(72)}\0`],
    ['73 bytes and one less', 'a'.repeat(73), 'a'.repeat(72)],
    ['a letter cut in two at byte 72', `${'a'.repeat(71)}é`, `${'a'.repeat(71)}è`],
    ['another letter from byte 72 on', 'a'.repeat(72), `${'a'.repeat(72)}é`],
    ['18 emoji and more', '🔑'.repeat(18), '🔑'.repeat(64)],
  ])('P-09: is not matched by what shares its first 72 bytes: %s', async (_, password, candidate) => {
    expect(await matches(candidate, password)).toBe(false)
  })

  test.each([
    ['ab', 'ab\0ab'],
    ['ab', 'ab\0'],
    ['ab', 'ab\0cd'],
    ['ab\0ab', 'ab'],
    ['ab\0ab', 'ab\0'],
    ['\0', '\0\0'],
    ['\0', ''],
  ])('P-10: NUL counts: %j is not matched by %j', async (password, candidate) => {
    expect(await matches(candidate, password)).toBe(false)
  })

  test.each([
    ['another half', '\ud800', '\udfff'],
    ['the character that replaces it', '\ufffd', '\ud800'],
    ['the very same half', '\ud800', '\ud800'],
    ['a half in a long text', `${'\ufffd'.repeat(30)}`, `${'\ufffd'.repeat(29)}\udc00`],
  ])('P-10: half a surrogate pair never matches: %s', async (_, password, candidate) => {
    expect(await matches(candidate, password)).toBe(false)
  })

  test.each([
    ['a composed letter and a decomposed one', 'caf\u00e9 noir', 'cafe\u0301 noir', true],
    ['a decomposed letter and a composed one', 'cafe\u0301 noir', 'caf\u00e9 noir', true],
    ['Hangul in syllables and in letters', '\ud55c\uae00', '\u1112\u1161\u11ab\u1100\u1173\u11af', true],
    ['more than 72 bytes only while decomposed', 'é'.repeat(36), 'e\u0301'.repeat(36), true],
    ['a ligature and its letters', '\ufb01ne', 'fine', false],
    ['a wide letter and an ordinary one', '\uff41bc', 'abc', false],
    ['an accent and none', 'café', 'cafe', false],
  ])('P-11: NFC and nothing stronger: %s', async (_, password, candidate, same) => {
    expect(await matches(candidate, password)).toBe(same)
  })
})

describe('no match', () => {
  const hash = '$2b$04$MfwjsaCBO0iT6TlkCjNRzOjP7/pKdbRU9QRXeM6eVUy6eX0S//N8W'
  const rows: [string, string | null][] = [
    ['no row', null],
    ['an empty one', ''],
    ['the password itself', 'pässwörd'],
    ['a bare SHA-256 digest', 'a'.repeat(64)],
    ['a disabled account, as in /etc/shadow', `!${hash}`],
    ['white space around it', ` ${hash} `],
    ['a line break after it', `${hash}\n`],
    ['cut short', hash.slice(0, -1)],
    ['one character too many', `${hash}A`],
    ['a letter that is not in the alphabet', hash.replace('M', '+')],
    ['the broken 2x', hash.replace('2b', '2x')],
    ['no cost', hash.replace('04', '')],
    ['a cost under the least', hash.replace('04', '03')],
    ['a cost beyond the highest', hash.replace('04', '32')],
    ['a cost far beyond', hash.replace('04', '99')],
    ['passlib’s first version', '$bcrypt-sha256$2b,4$iUN2VLuuItJ.BvpGoUAT2u$g1T3/RI5s26mto84EJYJfAVoH230Axi'],
    [
      'passlib’s second with a cost beyond the highest',
      `$bcrypt-sha256$v=2,t=2b,r=99$${hash.slice(7, 29)}$${hash.slice(29)}`,
    ],
    ['Argon2', '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b0dWRWJTmaaJObG'],
  ]

  test.each(rows)('is found in a row that cannot be read: %s', async (_, stored) => {
    for (const candidate of ['pässwörd', '', stored ?? 'null']) {
      expect(await hasher.verify(candidate, stored)).toMatchObject({ matches: false })
    }
  })

  test('is found in any text that we have not stored', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), texts, async (stored, candidate) => {
        expect(await hasher.verify(candidate, stored)).toEqual({ matches: false, outdated: false })
      }),
    )
  })

  const slow = hasherOf(7)

  /**
   * Checks both in turns and takes the cheapest of each, so that what else this process or the machine does does not count: as
   * often as it takes on a busy machine. What costs less or more by itself does so however often it is tried.
   */
  async function expectUsualCost(candidate: string, stored: string | null): Promise<void> {
    const another = await slow.hash('another')
    let [usual, taken] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    const isUsual = () => taken / usual > 0.6 && taken / usual < 1.6
    for (let tries = 0; tries < 5 || (tries < 50 && !isUsual()); tries += 1) {
      usual = Math.min(usual, await processorTime(() => slow.verify('pässwörd', another)))
      taken = Math.min(taken, await processorTime(() => slow.verify(candidate, stored)))
    }
    expect(taken / usual).toBeGreaterThan(0.6)
    expect(taken / usual).toBeLessThan(1.6)
  }

  const cheaper: [string, string] = ['a row of a lower cost', hash]

  test.each([...rows, cheaper])('costs as much as any check: %s', async (_, stored) => {
    await expectUsualCost('pässwörd', stored)
  })

  test('costs as much as any check where the row cannot hold the candidate', async () => {
    await expectUsualCost('a'.repeat(100), await slow.hash('another'))
    await expectUsualCost('ab\0ab', await slow.hash('ab'))
  })
})

describe('a row that another setting or system has made', () => {
  const format = (tag: string) => vectors.byPasslib.find((row) => row.format === tag && /[$=]0?4\$/.test(row.hash))
  const rows: [string, { password: string; hash: string } | undefined, Verdict][] = [
    ['today’s form', format('bcrypt 2b'), { matches: true, outdated: false }],
    ['today’s other form', format('bcrypt_sha256 v2'), { matches: true, outdated: false }],
    ['the tag 2a', format('bcrypt 2a'), { matches: true, outdated: true }],
    ['the tag 2y', format('bcrypt 2y'), { matches: true, outdated: true }],
  ]

  test.each(rows)('is outdated or not: %s', async (_, row, verdict) => {
    expect(await hasher.verify(row?.password ?? '', row?.hash ?? '')).toEqual(verdict)
  })

  test.each([
    ['lower', 4],
    ['higher', 6],
  ])('is outdated when its cost is %s', async (_, cost) => {
    for (const password of ['secret', 'a'.repeat(73)]) {
      const stored = await hasherOf(cost).hash(password)
      expect(await hasherOf(5).verify(password, stored)).toEqual({ matches: true, outdated: true })
    }
  })

  test.each([
    ['another cost', async () => hasherOf(TEST_COST + 1).hash('secret')],
    ['another tag', async () => (await hasher.hash('secret')).replace('$2b$', '$2y$')],
  ])('P-17: is hashed anew by the next good login and left alone by a bad one: %s', async (_, make) => {
    const { auth, db, close } = await openHouse()
    onTestFinished(close)
    const stored = await make()
    const { id } = await db.addUser('bob@x.org', stored)
    expect(await auth.validLogin('bob@x.org', 'wrong')).toBe(false)
    expect((await db.findUserBy({ id })).hashedPassword).toBe(stored)
    expect(await auth.validLogin('bob@x.org', 'secret')).toBe(true)
    expect((await db.findUserBy({ id })).hashedPassword).toMatch(PLAIN)
    expect(await auth.validLogin('bob@x.org', 'secret')).toBe(true)
  })
})

test('A-12: a check is one errand to a thread, whatever the row costs: no part of it is to be seen meanwhile', async () => {
  const cheap = await hasher.hash('secret')
  const dear = hasherOf(TEST_COST + 3)
  const posted = vi.spyOn(Worker.prototype, 'postMessage')
  onTestFinished(() => posted.mockRestore())
  for (const stored of [cheap, await dear.hash('secret'), null, 'unreadable']) {
    posted.mockClear()
    await dear.verify('wrong', stored)
    expect(posted).toHaveBeenCalledOnce()
  }
})

test('a flood beyond the queue is refused as busy, for hashes and checks alike', async () => {
  const narrow = new PasswordHasher({ cost: TEST_COST, concurrency: 1, queue: 1 })
  const [running, waiting] = [narrow.hash('secret'), narrow.verify('secret', null)]
  await expect(narrow.hash('secret')).rejects.toMatchObject({ code: 'busy' })
  await expect(narrow.verify('secret', null)).rejects.toMatchObject({ code: 'busy' })
  expect(await running).toMatch(PLAIN)
  expect(await waiting).toEqual({ matches: false, outdated: false })
})
