/** A PostgreSQL that fails: what is asked meanwhile is refused with 503, nothing is half-written, and all goes on by itself. */

import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Engine, integer, type Statement, StoreUnavailable } from '../../src/engines/engine.ts'
import { PostgresEngine } from '../../src/engines/postgres.ts'
import { StartError } from '../../src/errors.ts'
import { Client } from '../app/client.ts'
import { openHouse } from '../house.ts'
import { asAdministrator } from '../postgres/databases.ts'
import { type PostgresServer, startPostgres } from '../postgres/server.ts'
import { type Server, startServer } from '../started.ts'

const PATIENCE = { timeout: 20_000, interval: 20 }
/** Short, since tests wait for it; in milliseconds. */
const TIMEOUT = 400
const EMAIL = 'bob@example.org'
const PASSWORD = 'a long way to go'

let postgres: PostgresServer
let count = 0

beforeAll(async () => {
  postgres = await startPostgres()
}, 60_000)

afterAll(() => postgres.remove())

/** @returns the URL of a database on the server of these tests, which is removed with it */
async function database(): Promise<string> {
  count += 1
  await asAdministrator(`CREATE DATABASE fault_${count}`, postgres.url)
  return Object.assign(new URL(postgres.url), { pathname: `/fault_${count}` }).href
}

interface Notes {
  url: string
  engine: Engine
  /** What is on the notes, as another program reads it. */
  written(): Promise<unknown[]>
}

async function notes(limits = { pool: 5, timeout: TIMEOUT }): Promise<Notes> {
  const url = await database()
  const engine = await PostgresEngine.open(url, limits)
  onTestFinished(() => engine.close())
  const sql = ['CREATE TABLE notes (id BIGINT PRIMARY KEY, word TEXT)', "INSERT INTO notes VALUES (1, 'first')"]
  await engine.alter(sql.map((one) => ({ sql: one, params: [] })))
  const written = async () => (await asAdministrator('SELECT word FROM notes ORDER BY id', url)).map(({ word }) => word)
  return { url, engine, written }
}

function note(id: number, word: string): Statement {
  return { sql: 'INSERT INTO notes VALUES (?, ?)', params: [id, word] }
}

const RENAME: Statement = { sql: "UPDATE notes SET word = 'renamed' WHERE id = ?", params: [1], mustChange: true }

/** Holds the first note against everybody else until the test lets go, or ends. */
async function heldBy({ url }: Notes): Promise<() => Promise<void>> {
  const holder = await PostgresEngine.open(url, { pool: 1, timeout: 60_000 })
  const holding = holder.batch([
    { sql: "UPDATE notes SET word = 'first' WHERE id = 1", params: [] },
    { sql: 'INSERT INTO notes SELECT 999, CAST(pg_sleep(60) AS TEXT)', params: [] },
  ])
  holding.catch(() => 'it is ended from outside')
  await vi.waitFor(async () => expect(await sleepers(url)).toHaveLength(1), PATIENCE)
  const release = async () => {
    for (const pid of await sleepers(url)) await asAdministrator(`SELECT pg_terminate_backend(${pid})`, url)
    await holding.catch(() => 'ended')
    await holder.close()
  }
  onTestFinished(release)
  return release
}

async function sleepers(url: string): Promise<number[]> {
  return pidsOf(url, "query LIKE '%pg_sleep%' AND state = 'active'")
}

/** @returns the connections that wait for a lock */
async function waiting(url: string): Promise<number[]> {
  return pidsOf(url, "wait_event_type = 'Lock'")
}

async function pidsOf(url: string, condition: string): Promise<number[]> {
  const sql = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND ${condition}`
  return (await asAdministrator(sql, url)).map((row) => integer(row, 'pid'))
}

describe('a connection that is lost in the middle of a batch', () => {
  test.each(['pg_terminate_backend', 'pg_cancel_backend'])('leaves nothing half-written: %s', async (how) => {
    const paper = await notes({ pool: 5, timeout: 30_000 })
    const release = await heldBy(paper)
    const batch = paper.engine.batch([note(2, 'second'), RENAME, note(3, 'third')]).catch((error: unknown) => error)
    await vi.waitFor(async () => expect(await waiting(paper.url)).toHaveLength(1), PATIENCE)
    for (const pid of await waiting(paper.url)) await asAdministrator(`SELECT ${how}(${pid})`, paper.url)
    expect(await batch).toBeInstanceOf(StoreUnavailable)
    expect(await paper.written()).toEqual(['first'])
    await release()
    expect(await paper.engine.batch([note(2, 'second'), RENAME, note(3, 'third')])).toBe(true)
    expect(await paper.written()).toEqual(['renamed', 'second', 'third'])
  })

  test('that idles is not noticed by who comes next', async () => {
    const { engine, url, written } = await notes()
    await Promise.all(Array.from({ length: 5 }, () => engine.get('SELECT 1')))
    for (const pid of await pidsOf(url, "state = 'idle'"))
      await asAdministrator(`SELECT pg_terminate_backend(${pid})`, url)
    await vi.waitFor(async () => expect(await engine.batch([note(2, 'second')])).toBe(true), PATIENCE)
    expect(await written()).toEqual(['first', 'second'])
  })
})

test('a statement that takes too long is given up, writes nothing, and frees what it held', async () => {
  const paper = await notes()
  const release = await heldBy(paper)
  await expect(paper.engine.batch([note(2, 'second'), RENAME])).rejects.toThrow(StoreUnavailable)
  expect(await paper.written()).toEqual(['first'])
  await release()
  expect(await paper.engine.batch([note(2, 'second'), RENAME])).toBe(true)
})

test('where every connection is taken the next one waits no longer than the time-out', async () => {
  const paper = await notes({ pool: 1, timeout: TIMEOUT })
  const release = await heldBy(paper)
  const [first, second] = [paper.engine.batch([RENAME]), paper.engine.get('SELECT 1')]
  const results = await Promise.allSettled([first, second])
  expect(results).toMatchObject([{ reason: expect.any(StoreUnavailable) }, {}])
  await release()
  expect(await paper.engine.get('SELECT word FROM notes WHERE id = 1')).toEqual({ word: 'first' })
})

test('more is asked at once than there are connections, and all of it is answered', async () => {
  const { engine } = await notes({ pool: 2, timeout: 20_000 })
  const counts = await Promise.all(Array.from({ length: 200 }, () => engine.get('SELECT COUNT(*) AS count FROM notes')))
  expect(counts).toEqual(Array(200).fill({ count: 1 }))
})

test('a server that says nothing any more is given up', async () => {
  const { engine, url } = await notes({ pool: 1, timeout: TIMEOUT })
  await engine.get('SELECT 1')
  const [pid = 0] = await pidsOf(url, "application_name = 'bienvenue'")
  process.kill(pid, 'SIGSTOP')
  onTestFinished(() => void process.kill(pid, 'SIGCONT'))
  await expect(engine.batch([RENAME])).rejects.toThrow(StoreUnavailable)
  // Over another connection.
  expect(await engine.get('SELECT id FROM notes')).toEqual({ id: 1 })
})

test('a server that only reads refuses what would write, and reading goes on', async () => {
  const { engine, url, written } = await notes()
  await asAdministrator(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_read_only = on`, url)
  const reader = await PostgresEngine.open(url, { pool: 5, timeout: TIMEOUT })
  onTestFinished(() => reader.close())
  await expect(reader.batch([note(2, 'second'), RENAME])).rejects.toThrow(StoreUnavailable)
  await expect(reader.run('DELETE FROM notes')).rejects.toThrow(StoreUnavailable)
  expect(await reader.get('SELECT word FROM notes')).toEqual({ word: 'first' })
  expect(await engine.get('SELECT word FROM notes')).toEqual({ word: 'first' })
  expect(await written()).toEqual(['first'])
})

test.each([
  ['a full disk', '53100'],
  ['no memory left', '53200'],
  ['a fault of the disk', '58030'],
  ['races that are always lost', '40001'],
  ['deadlocks without end', '40P01'],
])('%s is StoreUnavailable, and nothing is written', async (_, code) => {
  const { engine, written } = await notes()
  const fail = `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '${code}'; END $$`
  const trigger = 'CREATE TRIGGER fail BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION fail()'
  await engine.alter([fail, trigger].map((sql) => ({ sql, params: [] })))
  await expect(engine.batch([note(2, 'second'), RENAME])).rejects.toThrow(StoreUnavailable)
  expect(await written()).toEqual(['first'])
  expect(await engine.batch([note(2, 'second')])).toBe(true)
})

test('a race that is lost at first is won in the end', async () => {
  const { engine, written } = await notes()
  const [turns, fail, trigger] = [
    'CREATE SEQUENCE turns',
    `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN IF nextval('turns') < 5 THEN RAISE SQLSTATE '40001'; END IF; RETURN NEW; END $$`,
    'CREATE TRIGGER fail BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION fail()',
  ]
  await engine.alter([turns, fail, trigger].map((sql) => ({ sql, params: [] })))
  expect(await engine.batch([note(2, 'second'), RENAME])).toBe(true)
  expect(await written()).toEqual(['renamed', 'second'])
})

test('a server without a connection left is StoreUnavailable, and refuses a start with the mend', async () => {
  const url = await database()
  await asAdministrator("CREATE ROLE narrow LOGIN PASSWORD 'x' CONNECTION LIMIT 1", url)
  const theirs = Object.assign(new URL(url), { username: 'narrow', password: 'x' }).href
  const engine = await PostgresEngine.open(theirs, { pool: 5, timeout: 2_000 })
  onTestFinished(() => engine.close())
  const asked = Array.from({ length: 3 }, () => engine.get('SELECT pg_sleep(0.2)').catch((error: unknown) => error))
  const failed = (await Promise.all(asked)).filter((answer) => answer instanceof Error)
  expect(failed.length).toBeGreaterThan(0)
  expect(failed.every((error) => error instanceof StoreUnavailable)).toBe(true)
  const start = PostgresEngine.open(theirs, { pool: 1, timeout: 2_000 })
  await expect(start).rejects.toThrow(StartError)
  await expect(start).rejects.toThrow('lower DATABASE_POOL')
})

test('over HTTP a server that only reads is 503 with the time to wait for what writes, and no start for a new process', async () => {
  const url = await database()
  const house = await openHouse({ DATABASE_URL: url })
  onTestFinished(house.close)
  const client = new Client(house.app)
  await client.register(EMAIL, PASSWORD)
  await client.logIn(EMAIL, PASSWORD)
  await asAdministrator(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_read_only = on`, url)
  // It counts for new connections.
  for (const pid of await pidsOf(url, "state = 'idle'"))
    await asAdministrator(`SELECT pg_terminate_backend(${pid})`, url)
  await vi.waitFor(async () => expect((await client.profile()).statusCode).toBe(200), PATIENCE)
  const refused = await client.register('eve@example.org', PASSWORD)
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '5'])
  await expect(openHouse({ DATABASE_URL: url })).rejects.toThrow(StartError)
})

async function send({ url }: Server, method: string, path: string, cookie = '', fields?: Record<string, string>) {
  const body = fields === undefined ? null : new URLSearchParams(fields)
  return fetch(`${url}${path}`, { method, body, headers: { cookie }, redirect: 'manual' })
}

test('a server that stops is 503 with Retry-After, and when it is back all goes on by itself', async () => {
  const server = await startServer({ DATABASE_URL: await database(), DATABASE_TIMEOUT: '2s' })
  await send(server, 'POST', '/users', '', { email: EMAIL, password: PASSWORD })
  const login = await send(server, 'POST', '/sessions', '', { email: EMAIL, password: PASSWORD })
  const [cookie = ''] = login.headers.getSetCookie().map((line) => line.split(';', 1).join())
  expect((await send(server, 'GET', '/profile', cookie)).status).toBe(200)
  for (let round = 0; round < 2; round += 1) {
    await postgres.stop()
    for (const [method, path] of [
      ['GET', '/profile'],
      ['POST', '/users'],
      ['GET', '/health/ready'],
    ] as const) {
      const fields = method === 'POST' ? { email: 'eve@example.org', password: PASSWORD } : undefined
      const answer = await send(server, method, path, cookie, fields)
      expect([path, answer.status, answer.headers.get('retry-after')]).toEqual([path, 503, '5'])
    }
    expect((await send(server, 'GET', '/health/live')).status).toBe(200)
    await postgres.start()
    const back = performance.now()
    await vi.waitFor(async () => expect((await send(server, 'GET', '/profile', cookie)).status).toBe(200), PATIENCE)
    expect(performance.now() - back).toBeLessThan(5_000)
  }
  server.child.signal('SIGTERM')
  expect(await server.child.ended).toBe(0)
}, 90_000)

test.each(['1', '2'])(
  'a stop ends although the server hangs, says so and exits 1: WORKERS=%s',
  async (workers) => {
    const url = await database()
    const server = await startServer({ DATABASE_URL: url, DATABASE_TIMEOUT: '5m', WORKERS: workers })
    const other = new pg.Client(url)
    await other.connect()
    onTestFinished(() => other.end())
    await other.query('BEGIN; LOCK TABLE sessions, audit_log')
    server.child.signal('SIGTERM')
    expect(await server.child.ended).toBe(1)
    expect(server.child.stdout).toContain('the database did not answer until the end of a stop')
  },
  60_000,
)
