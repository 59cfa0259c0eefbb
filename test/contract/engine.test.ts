/** What every storage engine must do alike. The DB is written against this and nothing else. */

import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  type Engine,
  integer,
  optionalText,
  type Statement,
  StoreUnavailable,
  text,
  UniqueViolation,
  type Value,
} from '../../src/engines/engine.ts'
import { PostgresEngine } from '../../src/engines/postgres.ts'
import { SqliteEngine } from '../../src/engines/sqlite.ts'
import { StartError } from '../../src/errors.ts'
import { emptyDatabase, TEST_LIMITS } from '../postgres/databases.ts'
import { temporaryFolder } from '../started.ts'

/** Each opens an empty database for one test. */
const engines: { name: string; open: () => Engine | Promise<Engine> }[] = [
  { name: 'SQLite on a file', open: () => new SqliteEngine(join(temporaryFolder(), 'contract.db')) },
  { name: 'SQLite in memory', open: () => new SqliteEngine(':memory:') },
  { name: 'PostgreSQL', open: async () => PostgresEngine.open(await emptyDatabase(), TEST_LIMITS) },
  {
    name: 'PostgreSQL without prepared statements',
    open: async () => PostgresEngine.open(await emptyDatabase(), { ...TEST_LIMITS, prepare: false }),
  },
]

const SCHEMA = [
  'CREATE TABLE owners (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE)',
  `CREATE TABLE things (
    id BIGINT PRIMARY KEY,
    owner_id BIGINT REFERENCES owners (id) ON DELETE CASCADE,
    label TEXT,
    amount BIGINT
  )`,
]

const INJECTIONS = [
  "'; DROP TABLE owners; --",
  "' OR '1'='1",
  '" OR ""="',
  "\\'; DELETE FROM owners; --",
  '?',
  '$1',
  ':name',
  '%',
  '/*',
  'NULL',
  "1); INSERT INTO owners VALUES (99, 'eve'); --",
]

function owner(id: number, name: string): Statement {
  return { sql: 'INSERT INTO owners (id, name) VALUES (?, ?)', params: [id, name] }
}

function renamed(id: number, name: string): Statement {
  return { sql: 'UPDATE owners SET name = ? WHERE id = ?', params: [name, id], mustChange: true }
}

function names(engine: Engine) {
  return engine.all('SELECT id, name FROM owners ORDER BY id')
}

async function prepare(open: () => Engine | Promise<Engine>): Promise<Engine> {
  const engine = await open()
  onTestFinished(() => engine.close())
  await engine.batch(SCHEMA.map((sql) => ({ sql, params: [] })))
  await engine.batch([owner(1, 'ann'), owner(2, 'bob')])
  return engine
}

describe.each(engines)('$name', ({ open }) => {
  describe('a single statement', () => {
    test('get answers the first row, or nothing', async () => {
      const engine = await prepare(open)
      expect(await engine.get('SELECT name FROM owners ORDER BY id')).toEqual({ name: 'ann' })
      expect(await engine.get('SELECT name FROM owners WHERE id = ?', [2])).toEqual({ name: 'bob' })
      expect(await engine.get('SELECT name FROM owners WHERE id = ?', [3])).toBeUndefined()
    })

    test('all answers every row in the order asked for, or none', async () => {
      const engine = await prepare(open)
      expect(await engine.all('SELECT name FROM owners ORDER BY id DESC')).toEqual([{ name: 'bob' }, { name: 'ann' }])
      expect(await engine.all('SELECT name FROM owners WHERE id > ?', [2])).toEqual([])
    })

    test('run answers how many rows it changed', async () => {
      const engine = await prepare(open)
      const rename = 'UPDATE owners SET name = name WHERE id >= ?'
      expect(await engine.run(rename, [1])).toBe(2)
      expect(await engine.run(rename, [2])).toBe(1)
      expect(await engine.run(rename, [3])).toBe(0)
      expect(await engine.run('DELETE FROM owners')).toBe(2)
    })

    test.each([
      ['wrong SQL', 'SELEC 1', []],
      ['an unknown table', 'SELECT * FROM nowhere', []],
      ['a value too few', 'SELECT name FROM owners WHERE id = ?', []],
      ['a value too many', 'SELECT name FROM owners WHERE id = ?', [1, 2]],
    ])('is refused for %s, and the engine goes on', async (_, sql, params: Value[]) => {
      const engine = await prepare(open)
      await expect(engine.all(sql, params)).rejects.toThrow()
      expect(await names(engine)).toHaveLength(2)
    })
  })

  describe('a value', () => {
    test('comes back as it went in', async () => {
      const engine = await prepare(open)
      await engine.run('INSERT INTO things (id) VALUES (1)')
      // Every text but those with NUL, which PostgreSQL cannot hold.
      const labels = fc.option(fc.string({ unit: 'binary', maxLength: 500 }).map((label) => label.replaceAll('\0', '')))
      const amounts = fc.option(fc.maxSafeInteger())
      await fc.assert(
        fc.asyncProperty(labels, amounts, async (label, amount) => {
          await engine.run('UPDATE things SET label = ?, amount = ?', [label, amount])
          expect(await engine.get('SELECT label, amount FROM things')).toEqual({ label, amount })
        }),
        { numRuns: 200 },
      )
    })

    test.each([
      ['the largest integer', Number.MAX_SAFE_INTEGER],
      ['the smallest integer', Number.MIN_SAFE_INTEGER],
      ['today in milliseconds', Date.UTC(2026, 0, 1)],
      ['zero', 0],
    ])('is read as the number that it is: %s', async (_, amount) => {
      const engine = await prepare(open)
      await engine.run('INSERT INTO things (id, amount) VALUES (1, ?)', [amount])
      expect(await engine.get('SELECT amount FROM things WHERE amount = ?', [amount])).toStrictEqual({ amount })
    })

    test.each(INJECTIONS)('is bound, never read as SQL: %s', async (name) => {
      const engine = await prepare(open)
      expect(await engine.all('SELECT id FROM owners WHERE name = ?', [name])).toEqual([])
      expect(await engine.batch([owner(3, name)])).toBe(true)
      expect(await engine.all('SELECT id FROM owners WHERE name = ?', [name])).toEqual([{ id: 3 }])
      expect(await names(engine)).toEqual([
        { id: 1, name: 'ann' },
        { id: 2, name: 'bob' },
        { id: 3, name },
      ])
    })
  })

  test('a text with NUL is no fault, and finds nothing that has none', async () => {
    const engine = await prepare(open)
    expect(await engine.all('SELECT id FROM owners WHERE name IN (?, ?)', ['\0ann', 'ann\0'])).toEqual([])
    expect(await engine.batch([owner(3, 'a\0b')])).toBe(true)
    expect(await engine.all('SELECT id FROM owners WHERE name IN (?, ?, ?)', ['ab', 'a', 'a\ufffdb'])).toEqual([])
    expect(await engine.all('SELECT id FROM owners WHERE name = ?', ['a\0b'])).toEqual([{ id: 3 }])
  })

  describe('a batch', () => {
    test('writes all of its statements', async () => {
      const engine = await prepare(open)
      expect(await engine.batch([renamed(1, 'anna'), owner(3, 'cat'), renamed(3, 'cathy')])).toBe(true)
      expect((await names(engine)).map(({ name }) => name)).toEqual(['anna', 'bob', 'cathy'])
    })

    test('of nothing is done', async () => {
      const engine = await prepare(open)
      expect(await engine.batch([])).toBe(true)
    })

    test.each([
      ['first', [renamed(9, 'nobody'), owner(3, 'cat')]],
      ['in the middle', [renamed(1, 'anna'), renamed(9, 'nobody'), owner(3, 'cat')]],
      ['last', [renamed(1, 'anna'), owner(3, 'cat'), renamed(9, 'nobody')]],
    ])('writes nothing and says so where what must change a row does not: %s', async (_, statements) => {
      const engine = await prepare(open)
      const before = await names(engine)
      expect(await engine.batch(statements)).toBe(false)
      expect(await names(engine)).toEqual(before)
      expect(await engine.batch([owner(3, 'cat')])).toBe(true)
    })

    test('goes on where a statement changes no row and need not', async () => {
      const engine = await prepare(open)
      expect(await engine.batch([{ ...renamed(9, 'nobody'), mustChange: false }, owner(3, 'cat')])).toBe(true)
      expect(await names(engine)).toHaveLength(3)
    })

    test('counts as a change what writes the same value again', async () => {
      const engine = await prepare(open)
      expect(await engine.batch([renamed(1, 'ann')])).toBe(true)
    })

    test.each([
      ['a taken key', owner(2, 'cat')],
      ['a missing value', { sql: 'INSERT INTO owners (id) VALUES (?)', params: [3] }],
      ['wrong SQL', { sql: 'INSERT INTO nowhere VALUES (1)', params: [] }],
    ])('writes nothing and throws on %s', async (_, failing) => {
      const engine = await prepare(open)
      const before = await names(engine)
      await expect(engine.batch([renamed(1, 'anna'), failing, renamed(2, 'bobby')])).rejects.toThrow()
      expect(await names(engine)).toEqual(before)
      expect(await engine.batch([owner(3, 'cat')])).toBe(true)
    })

    test('spends a row once, however many try at the same time', async () => {
      const engine = await prepare(open)
      const spend = (winner: number): Statement[] => [
        { sql: 'DELETE FROM owners WHERE id = ?', params: [1], mustChange: true },
        owner(100 + winner, `winner ${winner}`),
      ]
      const results = await Promise.all(Array.from({ length: 20 }, (_, winner) => engine.batch(spend(winner))))
      expect(results.filter(Boolean)).toHaveLength(1)
      expect(await engine.all('SELECT id FROM owners WHERE id >= 100')).toHaveLength(1)
    })

    test('never mixes with another', async () => {
      const engine = await prepare(open)
      const pair = (id: number): Statement[] => [owner(id, `name ${id}`), owner(id + 1_000, `twin ${id}`)]
      const ids = Array.from({ length: 50 }, (_, index) => index + 10)
      // Every fifth fails in its second half.
      await engine.batch(ids.filter((id) => id % 5 === 0).map((id) => owner(id + 1_000, `taken ${id}`)))
      await Promise.allSettled(ids.map((id) => engine.batch(pair(id))))
      const written = await engine.all('SELECT id FROM owners WHERE id >= 10 AND id < 1000 ORDER BY id')
      expect(written.map((row) => integer(row, 'id'))).toEqual(ids.filter((id) => id % 5 !== 0))
    })
  })

  describe('a constraint', () => {
    test.each([
      ['a primary key', owner(1, 'cat')],
      ['a unique column', owner(3, 'ann')],
      ['a unique column, by an update', renamed(2, 'ann')],
    ])('that finds %s taken is a UniqueViolation, alone and in a batch', async (_, statement) => {
      const engine = await prepare(open)
      await expect(engine.run(statement.sql, statement.params)).rejects.toThrow(UniqueViolation)
      await expect(engine.batch([statement])).rejects.toThrow(UniqueViolation)
    })

    test.each([
      ['a missing value', 'INSERT INTO owners (id) VALUES (3)'],
      ['a missing parent', 'INSERT INTO things (id, owner_id) VALUES (1, 9)'],
      ['a parent that is left', 'UPDATE things SET owner_id = 9'],
    ])('of another kind is not: %s', async (_, sql) => {
      const engine = await prepare(open)
      await engine.run('INSERT INTO things (id, owner_id) VALUES (5, 1)')
      const failure = await engine.run(sql).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(Error)
      expect(failure).not.toBeInstanceOf(UniqueViolation)
      expect(failure).not.toBeInstanceOf(StoreUnavailable)
    })

    test('takes the children along with their parent', async () => {
      const engine = await prepare(open)
      await engine.run('INSERT INTO things (id, owner_id) VALUES (5, 1), (6, 2), (7, NULL)')
      expect(await engine.run('DELETE FROM owners WHERE id = 1')).toBe(1)
      expect(await engine.all('SELECT id FROM things ORDER BY id')).toEqual([{ id: 6 }, { id: 7 }])
    })
  })

  test('answers nothing once it is closed', async () => {
    const engine = await open()
    await engine.close()
    await expect(engine.get('SELECT 1')).rejects.toThrow()
  })
})

describe('SQLite', () => {
  function openFile(...path: string[]): Engine {
    const engine = new SqliteEngine(join(...path))
    onTestFinished(() => engine.close())
    return engine
  }

  function modeOf(path: string): string {
    return (statSync(path).mode & 0o777).toString(8)
  }

  test('the file, its companions and its folders are for their owner alone', async () => {
    const folder = temporaryFolder()
    const engine = openFile(folder, 'new', 'newer', 'bienvenue.db')
    await engine.run('CREATE TABLE things (id BIGINT)')
    const file = join(folder, 'new/newer/bienvenue.db')
    expect([file, `${file}-wal`, `${file}-shm`].map(modeOf)).toEqual(['600', '600', '600'])
    expect([join(folder, 'new'), join(folder, 'new/newer')].map(modeOf)).toEqual(['700', '700'])
  })

  test('a folder that was there before keeps its mode', () => {
    const folder = temporaryFolder()
    chmodSync(folder, 0o750)
    openFile(folder, 'bienvenue.db')
    expect(modeOf(folder)).toBe('750')
  })

  test('what is acknowledged is on disk: a write-ahead log, which SQLite syncs before it goes into the database', async () => {
    const engine = openFile(temporaryFolder(), 'bienvenue.db')
    expect(await engine.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' })
    expect(await engine.get('PRAGMA synchronous')).toEqual({ synchronous: 1 })
  })

  test('what one connection has written, another reads', async () => {
    const folder = temporaryFolder()
    const engine = await prepare(() => new SqliteEngine(join(folder, 'bienvenue.db')))
    expect(await names(openFile(folder, 'bienvenue.db'))).toEqual(await names(engine))
  })

  test.each([
    ['full', (engine: Engine) => engine.get('PRAGMA max_page_count = 1')],
    ['read-only', (engine: Engine) => engine.run('PRAGMA query_only = ON')],
  ])('a database that is %s is StoreUnavailable, nothing is written, and reading goes on', async (_, make) => {
    const engine = await prepare(() => new SqliteEngine(join(temporaryFolder(), 'bienvenue.db')))
    const before = await names(engine)
    await make(engine)
    const long = 'x'.repeat(100_000)
    await expect(engine.batch([renamed(1, 'anna'), owner(3, long)])).rejects.toThrow(StoreUnavailable)
    await expect(engine.run('UPDATE owners SET name = ? WHERE id = 1', [long])).rejects.toThrow(StoreUnavailable)
    expect(await names(engine)).toEqual(before)
  })

  describe('a path that cannot be a database', () => {
    test.each([
      ['a text file', (folder: string) => writeFileSync(join(folder, 'it'), 'hello')],
      ['a larger file', (folder: string) => writeFileSync(join(folder, 'it'), 'not a database '.repeat(1_000))],
    ])('is refused with its name and the mend: %s', (_, make) => {
      const folder = temporaryFolder()
      make(folder)
      const path = join(folder, 'it')
      expect(() => new SqliteEngine(path)).toThrow(StartError)
      expect(() => new SqliteEngine(path)).toThrow(
        `${path} is not an SQLite database. Set DATABASE_URL to another path, or move that file away.`,
      )
    })

    test.each([
      ['a folder in its place', '.'],
      ['a file in the place of its folder', 'file/bienvenue.db'],
      ['a file in the place of a folder further up', 'file/data/bienvenue.db'],
      ['NUL in it', 'bien\0venue.db'],
      ['a name too long for any disk', `${'n'.repeat(300)}.db`],
    ])('is refused with its name and the mend: %s', (_, name) => {
      const folder = temporaryFolder()
      writeFileSync(join(folder, 'file'), '')
      const path = join(folder, name)
      expect(() => new SqliteEngine(path)).toThrow(StartError)
      expect(() => new SqliteEngine(path)).toThrow(`The database ${path.replace(/\/\.?$/, '')} cannot be opened`)
      expect(() => new SqliteEngine(path)).toThrow(/Make its folder writable .* or set DATABASE_URL/)
    })
  })
})

describe('a row', () => {
  const row = { word: 'a', number: 1, empty: null, half: 1.5, huge: 2 ** 53 }

  test.each([
    ['text', () => text(row, 'word'), 'a'],
    ['an integer', () => integer(row, 'number'), 1],
    ['optional text', () => optionalText(row, 'word'), 'a'],
    ['optional text that is absent', () => optionalText(row, 'empty'), null],
  ])('is read as %s', (_, read, value) => {
    expect(read()).toBe(value)
  })

  test.each([
    ['a number is no text', () => text(row, 'number')],
    ['null is no text', () => text(row, 'empty')],
    ['a number is no optional text', () => optionalText(row, 'number')],
    ['a missing column is no optional text', () => optionalText(row, 'missing')],
    ['text is no integer', () => integer(row, 'word')],
    ['null is no integer', () => integer(row, 'empty')],
    ['a fraction is no integer', () => integer(row, 'half')],
    ['a number past the safe ones is no integer', () => integer(row, 'huge')],
  ])('is not misread: %s', (_, read) => {
    expect(read).toThrow(/^column \w+ holds no (text|integer)$/)
  })
})
