/** What the PostgreSQL engine does beyond the contract: races, statements of older versions, and reasons not to start. */

import { randomBytes } from 'node:crypto'
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { type Engine, integer, type Statement, StoreUnavailable } from '../../src/engines/engine.ts'
import { limitsOf } from '../../src/engines/open.ts'
import { PostgresEngine } from '../../src/engines/postgres.ts'
import { StartError } from '../../src/errors.ts'
import { readSettings } from '../../src/settings.ts'
import { asAdministrator, emptyDatabase, TEST_LIMITS } from '../postgres/databases.ts'
import { heldPort } from '../started.ts'

async function open(url: string): Promise<Engine> {
  const engine = await PostgresEngine.open(url, TEST_LIMITS)
  onTestFinished(() => engine.close())
  return engine
}

async function prepared(...sql: string[]): Promise<{ engine: Engine; url: string }> {
  const url = await emptyDatabase()
  const engine = await open(url)
  await engine.alter(sql.map((one) => ({ sql: one, params: [] })))
  return { engine, url }
}

test('sums and counts are numbers, and an integer that JavaScript cannot hold is refused', async () => {
  const { engine } = await prepared('CREATE TABLE numbers (n BIGINT)', 'INSERT INTO numbers VALUES (1), (2)')
  expect(await engine.get('SELECT SUM(n) AS sum, COUNT(*) AS count, MAX(n) AS most FROM numbers')).toEqual({
    ...{ sum: 3, count: 2, most: 2 },
  })
  await engine.run('INSERT INTO numbers VALUES (9007199254740993)')
  await expect(engine.all('SELECT n FROM numbers')).rejects.toThrow('9007199254740993 is no safe integer')
})

test('a number that is never given twice is one, and can be chosen', async () => {
  const { engine } = await prepared('CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, word TEXT)')
  await engine.run("INSERT INTO notes (word) VALUES ('a'), ('b')")
  await engine.run('DELETE FROM notes')
  await engine.run("INSERT INTO notes (word) VALUES ('c')")
  await engine.run("INSERT INTO notes (id, word) VALUES (1, 'd')")
  expect(await engine.all('SELECT id, word FROM notes ORDER BY id')).toEqual([
    { id: 1, word: 'd' },
    { id: 3, word: 'c' },
  ])
})

test('of 20 increments at once none is lost, and none is refused', async () => {
  const { engine } = await prepared('CREATE TABLE counts (n BIGINT)', 'INSERT INTO counts VALUES (0)')
  const increment = { sql: 'UPDATE counts SET n = n + 1', params: [] }
  const results = await Promise.all(Array.from({ length: 20 }, () => engine.batch([increment])))
  expect(results).toEqual(Array(20).fill(true))
  expect(await engine.get('SELECT n FROM counts')).toEqual({ n: 20 })
})

test('transactions at once do as if one came after the other: of two who each need the other to stay, one goes', async () => {
  const { engine } = await prepared('CREATE TABLE guards (id BIGINT PRIMARY KEY)', 'CREATE TABLE pauses (id BIGINT)')
  await engine.run('INSERT INTO guards VALUES (1), (2)')
  const leave = (id: number): Statement[] => [
    {
      sql: 'DELETE FROM guards WHERE id = ? AND (SELECT COUNT(*) FROM guards) > 1',
      ...{ params: [id], mustChange: true },
    },
    // Long enough for the other to come between.
    { sql: 'INSERT INTO pauses SELECT ? FROM pg_sleep(0.3)', params: [id] },
  ]
  const left = await Promise.all([engine.batch(leave(1)), engine.batch(leave(2))])
  expect(left.sort()).toEqual([false, true])
  expect(await engine.get('SELECT COUNT(*) AS count FROM guards')).toEqual({ count: 1 })
})

test('a statement that was prepared before a table changed is prepared again', async () => {
  const { engine, url } = await prepared('CREATE TABLE notes (id BIGINT)', 'INSERT INTO notes VALUES (1)')
  const everything = 'SELECT * FROM notes'
  // On several connections.
  await Promise.all(Array.from({ length: 5 }, () => engine.all(everything)))
  const newer = await open(url)
  await newer.alter([{ sql: "ALTER TABLE notes ADD COLUMN word TEXT DEFAULT 'new'", params: [] }])
  const rows = await Promise.all(Array.from({ length: 5 }, () => engine.all(everything)))
  expect(rows).toEqual(Array(5).fill([{ id: 1, word: 'new' }]))
})

test('a statement that another program has forgotten for us is prepared again', async () => {
  const { engine } = await prepared('CREATE TABLE notes (id BIGINT)')
  await engine.batch([{ sql: 'INSERT INTO notes VALUES (?)', params: [1] }])
  await engine.run('DEALLOCATE ALL')
  expect(await engine.batch([{ sql: 'INSERT INTO notes VALUES (?)', params: [2] }])).toBe(true)
  expect(await engine.get('SELECT COUNT(*) AS count FROM notes')).toEqual({ count: 2 })
})

test('a change of the schema takes as long as it takes', async () => {
  const url = await emptyDatabase()
  const engine = await PostgresEngine.open(url, { pool: 1, timeout: 200 })
  onTestFinished(() => engine.close())
  const slow = { sql: 'CREATE TABLE slow AS SELECT 1 AS n FROM (SELECT pg_sleep(1.5)) AS pause', params: [] }
  await expect(engine.batch([slow])).rejects.toThrow(StoreUnavailable)
  await engine.alter([slow])
  expect(await engine.get('SELECT n FROM slow')).toEqual({ n: 1 })
})

test('no two batches share a connection: half of one is never seen', async () => {
  const { engine } = await prepared('CREATE TABLE pairs (id BIGINT)')
  const pair = (id: number) => [id, id].map((one) => ({ sql: 'INSERT INTO pairs VALUES (?)', params: [one] }))
  const writing = Promise.all(Array.from({ length: 30 }, (_, id) => engine.batch(pair(id))))
  const counts = await Promise.all(Array.from({ length: 30 }, () => engine.get('SELECT COUNT(*) AS count FROM pairs')))
  expect(counts.map((row) => integer(row ?? {}, 'count') % 2)).toEqual(Array(30).fill(0))
  await writing
})

/** @returns what the start is refused with, which must not repeat the password */
async function refusal(url: string): Promise<string> {
  const error = await PostgresEngine.open(url, { pool: 1, timeout: 2_000 }).catch((cause: unknown) => cause)
  expect(error).toBeInstanceOf(StartError)
  const { message } = error instanceof StartError ? error : { message: '' }
  const { password } = new URL(url)
  if (password !== '') expect(message).not.toContain(password)
  return message
}

function changed(url: string, change: (url: URL) => void): string {
  const copy = new URL(url)
  change(copy)
  return copy.href
}

test('a start tells what is wrong: nobody listens there', async () => {
  const url = changed(inject('postgresUrl'), (one) => {
    one.port = '1'
  })
  expect(await refusal(url)).toContain('nothing listens there')
})

test('a start tells what is wrong: no such host', async () => {
  expect(await refusal('postgres://bob:hidden@nowhere.invalid/x?sslmode=disable')).toMatch(
    /no such host|cannot be used/,
  )
})

test('a start tells what is wrong: something that never answers', async () => {
  const port = await heldPort('127.0.0.1')
  expect(await refusal(`postgres://bob:hidden@127.0.0.1:${port}/x`)).toContain('timeout')
})

test('a start tells what is wrong: password, user, database', async () => {
  const role = `bienvenue_${randomBytes(4).toString('hex')}`
  await asAdministrator(`CREATE ROLE ${role} LOGIN PASSWORD 'right'`)
  onTestFinished(async () => {
    await asAdministrator(`DROP ROLE ${role}`)
  })
  const as = (user: string, password: string) =>
    changed(inject('postgresUrl'), (one) => {
      Object.assign(one, { username: user, password })
    })
  expect(await refusal(as(role, 'wrong'))).toContain('refuses the password')
  expect(await refusal(as(role, ''))).toMatch(/asks for a password|refuses the password/)
  expect(await refusal(as('nobody_of_this_name', 'x'))).toMatch(/refuses/)
  const nowhere = changed(as(role, 'right'), (one) => {
    one.pathname = '/no_such_database'
  })
  expect(await refusal(nowhere)).toContain('knows no such database')
})

test('a start that fails leaves no connection behind', async () => {
  const url = changed(inject('postgresUrl'), (one) => {
    one.password = ''
  })
  const connections = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length
  const before = connections()
  expect(await refusal(url)).toContain('asks for a password')
  await vi.waitFor(() => expect(connections()).toBe(before))
})

test('a start tells what is wrong: a server without TLS where it is asked for', async () => {
  expect(await refusal(`${inject('postgresUrl')}?sslmode=verify-full`)).toContain('cannot be reached safely')
})

test('a start tells what is wrong: too old a server', async () => {
  const url = await emptyDatabase()
  // The server is asked for its version by a function, before which another one is found here.
  const disguise = "CREATE FUNCTION current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT '120017' $$"
  await asAdministrator(disguise, url)
  await asAdministrator(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET search_path = public, pg_catalog`)
  expect(await refusal(url)).toContain('is PostgreSQL 12. Bienvenue needs 13 or newer.')
})

test('a start tells what is wrong: another encoding', async () => {
  const name = `${inject('postgresPrefix')}_latin_${process.pid}`
  await asAdministrator(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`)
  onTestFinished(async () => {
    await asAdministrator(`DROP DATABASE ${name} WITH (FORCE)`)
  })
  const url = changed(inject('postgresUrl'), (one) => {
    one.pathname = `/${name}`
  })
  expect(await refusal(url)).toContain('is encoded as LATIN1')
})

test('a user who may not make tables is told so', async () => {
  const url = await emptyDatabase()
  const role = `bienvenue_${randomBytes(4).toString('hex')}`
  await asAdministrator(`CREATE ROLE ${role} LOGIN PASSWORD 'right'`, url)
  await asAdministrator('REVOKE CREATE ON SCHEMA public FROM PUBLIC', url)
  onTestFinished(async () => {
    await asAdministrator(`DROP ROLE ${role}`)
  })
  const engine = await open(changed(url, (one) => Object.assign(one, { username: role, password: 'right' })))
  const change = engine.alter([{ sql: 'CREATE TABLE notes (id BIGINT)', params: [] }])
  await expect(change).rejects.toThrow(/may not be written by this user .* ALTER DATABASE/)
})

test.each([
  [undefined, 2],
  [true, 2],
  [false, 0],
])('prepare=%s keeps %d of two statements prepared', async (prepare, kept) => {
  const engine = await PostgresEngine.open(await emptyDatabase(), {
    ...{ pool: 1, timeout: 5_000 },
    ...(prepare === undefined ? {} : { prepare }),
  })
  onTestFinished(() => engine.close())
  const counting = 'SELECT COUNT(*) AS count FROM pg_prepared_statements'
  await engine.get('SELECT 1')
  await engine.get(counting)
  expect(await engine.get(counting)).toEqual({ count: kept })
})

test('DATABASE_PREPARE says whether statements are kept prepared', () => {
  expect(limitsOf(readSettings({})).prepare).toBe(true)
  expect(limitsOf(readSettings({ DATABASE_PREPARE: 'false' })).prepare).toBe(false)
})
