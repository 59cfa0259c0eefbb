/** Rules about the source itself: what must not be written in it, wherever it is. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../../src')

/** Every file of the source without its comments, which may speak of what the code must not do. */
const sources = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((file) => ({ file, code: withoutComments(readFileSync(join(ROOT, file), 'utf8')) }))

function withoutComments(source: string): string {
  return source.replaceAll(/^\s*(?:\/\*[\s\S]*?\*\/|\/\/.*)$/gm, '')
}

/** @returns the lines in which it stands, as `file: line` */
function linesWith(forbidden: RegExp, among = sources): string[] {
  return among.flatMap(({ file, code }) =>
    code.split('\n').flatMap((line) => (forbidden.test(line) ? [`${file}: ${line.trim()}`] : [])),
  )
}

/** What is forbidden, why in a word, and a line that must be caught. */
const WEAK: [string, RegExp, string][] = [
  ['MD5 and SHA-1', /['"`](?:md4|md5|sha-?1|ripemd(?:160)?)['"`]/i, "createHash('md5')"],
  [
    'ciphers that are no authenticated ones',
    /\bcreate(?:Cipher|Decipher)\b|['"`][\w-]*-(?:ecb|cbc)['"`]|\bdes-?ede|\brc4\b/i,
    "createCipher('aes-256-ecb', key)",
  ],
  [
    'code made from text',
    /\beval\s*\(|\bnew Function\b|\bFunction\s*\(|\brunIn\w*Context\b|\bnode:vm\b/,
    "new Function('return 1')",
  ],
  ['timers that take code', /\bset(?:Timeout|Interval)\(\s*['"`]/, "setTimeout('run()', 1)"],
  ['commands', /\bnode:child_process\b|\bexecSync\b|\bspawn\(/, "import { spawn } from 'node:child_process'"],
  [
    'fast hash of a password',
    /\bpbkdf2|\bcreateHash\(['"`]sha(?:256|512)['"`]\)\.update\(\w*password/i,
    "createHash('sha256').update(password)",
  ],
]

test.each(WEAK)('O-21: the source knows no %s', (_, forbidden, example) => {
  expect(linesWith(forbidden, [{ file: 'example', code: example }])).toHaveLength(1)
  expect(sources.length).toBeGreaterThan(40)
  expect(linesWith(forbidden)).toEqual([])
})

test('O-21: what is hashed, signed and derived, is so by the primitives of Node and bcrypt', () => {
  const imported = sources.flatMap(({ code }) =>
    [...code.matchAll(/import \{([^}]*)\} from 'node:crypto'/g)].flatMap(([, names = '']) => names.split(',')),
  )
  const names = new Set(imported.map((name) => name.trim()).filter((name) => name !== ''))
  expect([...names].sort()).toEqual([
    ...['createCipheriv', 'createDecipheriv', 'createHmac', 'hash', 'hkdfSync'],
    ...['randomBytes', 'randomInt', 'timingSafeEqual'],
  ])
  const algorithms = sources.flatMap(({ code }) =>
    [...code.matchAll(/\b(?:createHmac|hash|hkdfSync)\(\s*'([^']*)'/g)].map(([, name]) => name),
  )
  expect(algorithms.length).toBeGreaterThan(3)
  expect([...new Set(algorithms)]).toEqual(['sha256'])
  const ciphers = sources.flatMap(({ code }) => [...code.matchAll(/'(aes-[^']*)'/g)].map(([, name]) => name))
  expect(ciphers).toEqual(['aes-256-gcm'])
})

test('O-22: every secret is drawn from node:crypto; a UUID only names', () => {
  const weak = /\bMath\.random\b|\bDate\.now\(\)\.toString|\bseedrandom\b|\bnanoid\b/
  expect(linesWith(weak, [{ file: 'example', code: 'Math.random()' }])).toHaveLength(1)
  expect(linesWith(weak)).toEqual([])
  expect(linesWith(/from 'uuid'/).map((line) => line.split(':')[0])).toEqual(['security/credential.ts'])
  const { code = '' } = sources.find(({ file }) => file === 'security/credential.ts') ?? {}
  // It is made once, and goes where it may be shown; the secret beside it is random bytes.
  expect([...code.matchAll(/\buuid\(\)/g)]).toHaveLength(1)
  expect(code).toContain('const id = makeId()')
  expect(code).toMatch(/const secret = randomBytes\(SECRET_BYTES\)/)
  expect(code).toMatch(/const SECRET_BYTES = 32\b/)
})

/** A name that can only be a secret or what is kept of one. */
const SECRET = String.raw`\b\w*(?:[sS]ecretHash|[dD]igest|[sS]ignature|[tT]oken|[cC]redential|[hH]ashed|[mM]ac)\b`
const COMPARED = new RegExp(
  String.raw`${SECRET}(?:\(\))? *[!=]==? *(?!null\b|undefined\b|'')[\w.]|[\w.]+ *[!=]==? *(?:\w+\.)*${SECRET}(?! *[!=]==? *(?:null|undefined))`,
)

test('A-20: secrets are compared by timingSafeEqual alone', () => {
  for (const example of [
    'token === presented',
    'if (a.secretHash !== b.secretHash)',
    'given == row.digest',
    'signature === expected',
  ]) {
    expect(linesWith(COMPARED, [{ file: 'example', code: example }]), example).toHaveLength(1)
  }
  for (const example of ['token === null', 'token.userId !== user.id', 'hashedPassword === undefined']) {
    expect(linesWith(COMPARED, [{ file: 'example', code: example }]), example).toEqual([])
  }
  expect(linesWith(COMPARED)).toEqual([])
  expect(
    linesWith(
      /\.(?:startsWith|endsWith|includes|indexOf|localeCompare)\((?:\w+\.)*(?:secret|secretHash|digest|signature|presented)\b/,
    ),
  ).toEqual([])
  const constant = linesWith(/\btimingSafeEqual\(/).map((line) => line.split(':')[0])
  expect(new Set(constant)).toEqual(new Set(['security/credential.ts', 'security/device.ts', 'security/password.ts']))
})

/** A text that holds SQL, with what is put into it. */
const TEXT = /`(?:[^`\\]|\\.)*`/g
const SQL =
  /\b(?:SELECT\b[\s\S]+\bFROM|INSERT INTO|UPDATE [\w${}.]+ SET|DELETE FROM|ALTER TABLE|CREATE (?:TABLE|INDEX)|PRAGMA|WHERE|ORDER BY|COALESCE\()/

function sqlWithParts(among = sources): { file: string; part: string }[] {
  return among.flatMap(({ file, code }) =>
    [...code.matchAll(TEXT)]
      .filter(([text]) => SQL.test(text))
      .flatMap(([text]) => [...text.matchAll(/\$\{([^}]*)/g)].map(([, part = '']) => ({ file, part }))),
  )
}

/** What the statements over tables are made of: names from the table definitions, and question marks. */
const TABLE_PARTS = /^(?:table\.name|names\.|(?:condition\.)?clause$|sql$|columns$)/

/** @returns whether a name stands for a text, or one of two, written in the same file and without parts itself */
function isFixed({ file, part }: { file: string; part: string }): boolean {
  const { code = '' } = sources.find((one) => one.file === file) ?? {}
  return (
    /^\w+$/.test(part) && new RegExp(String.raw`\bconst ${part} =\s+(?:[\w\s=.']+\? '[^']*'\s+: )?'[^']*'\n`).test(code)
  )
}

test('H-09: no SQL is put together from input: what is put in is a name of a table definition or a fixed piece', () => {
  const code = 'db.run(`SELECT * FROM users WHERE email = #{email}`)'.replace('#', '$')
  expect(sqlWithParts([{ file: 'example', code }])).toEqual([{ file: 'example', part: 'email' }])
  const parts = sqlWithParts()
  expect(parts.length).toBeGreaterThan(5)
  const ofTables = parts.filter(({ file, part }) => file === 'db/table.ts' && TABLE_PARTS.test(part))
  // An engine may put a whole statement into another one.
  const wrapped = parts.filter(({ file, part }) => file === 'engines/postgres.ts' && part === 'sql')
  expect(wrapped).toHaveLength(1)
  const known = [...ofTables, ...wrapped]
  expect(parts.filter((part) => !known.includes(part) && !isFixed(part))).toEqual([])
})

test('H-09: SQL is not joined with a plus, and only the engines hand it to the drivers', () => {
  const joined = /['"`]\s*\+\s*\w|\w\s*\+\s*['"`]/
  expect(linesWith(joined, [{ file: 'example', code: "'SELECT * FROM users WHERE id = ' + id" }])).toHaveLength(1)
  expect(linesWith(joined)).toEqual([])
  const drivers = linesWith(/from '(?:better-sqlite3|pg)'|\bimport\('(?:better-sqlite3|pg)'\)/)
  expect(drivers.map((line) => line.split(':')[0])).toEqual([
    ...['engines/checkpoint_worker.ts', 'engines/postgres.ts', 'engines/postgres_errors.ts', 'engines/sqlite.ts'],
  ])
  const outside = sources.filter(({ file }) => !file.startsWith('engines/'))
  expect(linesWith(/\.(?:prepare|pragma|query)\(/, outside)).toEqual([])
})
