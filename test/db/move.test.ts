/** A move from one database to another: everything is there, nobody is logged out, nothing is given twice. */

import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { migrations } from '../../src/app.ts'
import { coreMigrations, migrate } from '../../src/db/migrations.ts'
import { type MoveProgress, moveAll, movedTables } from '../../src/db/move.ts'
import { DB } from '../../src/db.ts'
import { type Engine, integer } from '../../src/engines/engine.ts'
import { openEngine } from '../../src/engines/open.ts'
import { StartError } from '../../src/errors.ts'
import { ALICE, BOB, Client, house, PASSWORD, signedIn } from '../app/client.ts'
import { MAIL } from '../house.ts'
import { emptyDatabase } from '../postgres/databases.ts'
import { Child, pathOf, temporaryFolder } from '../started.ts'

const SECRET = 'b7Qx0mT9rVw2Zk4LpN8sYc6HdJ1fGu3A'

async function file(): Promise<string> {
  return `sqlite:${join(temporaryFolder(), 'bienvenue.db')}`
}

const WAYS = [
  ['SQLite to PostgreSQL', file, emptyDatabase],
  ['PostgreSQL to SQLite', emptyDatabase, file],
  ['PostgreSQL to PostgreSQL', emptyDatabase, emptyDatabase],
] as const

async function open(url: string): Promise<Engine> {
  const engine = await openEngine(url)
  onTestFinished(() => engine.close())
  return engine
}

async function move(from: string, to: string, report: (progress: MoveProgress) => void = () => {}) {
  const [one, other] = [await openEngine(from), await openEngine(to)]
  try {
    return await moveAll({ from: one, to: other, migrations, now: 0, report })
  } finally {
    await one.close()
    await other.close()
  }
}

/** @returns every row of every table, in an order that does not depend on the engine */
async function dump(url: string): Promise<Record<string, unknown[]>> {
  const engine = await open(url)
  const rows: Record<string, unknown[]> = {}
  for (const { name } of movedTables(migrations)) {
    rows[name] = (await engine.all(`SELECT * FROM ${name}`)).map((row) => JSON.stringify(row)).sort()
  }
  return rows
}

/** A database with users enough for several pages, and keys that engines order in different ways. */
async function filled(url: string, users = 1_200): Promise<void> {
  const engine = await open(url)
  await migrate(engine, migrations, 0)
  const numbers = `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${users})`
  await engine.run(`INSERT INTO users (email, email_key, hashed_password, created_at, updated_at)
    ${numbers} SELECT 'U' || n, 'u' || n, 'x', n, ${Number.MAX_SAFE_INTEGER} FROM numbers`)
  await engine.run(`INSERT INTO sessions (id, secret_hash, user_id, created_at, authenticated_at, last_seen_at, expires_at,
    address, user_agent) ${numbers} SELECT 's' || n, 'x', n, 0, 0, 0, 0, '', 'ünï ''quoted'' ? $1' FROM numbers`)
  for (const key of ['a b', 'A-b', 'a_b', 'Ab', 'ä', 'z', 'Z', '-', 'é', '!']) {
    await engine.run('INSERT INTO throttle_buckets VALUES (?, 1, 2, 3)', [key])
  }
}

describe.each(WAYS)('from %s', (_, fromUrl, toUrl) => {
  test('whoever is logged in stays so, and no id is given twice', async () => {
    const [from, to] = [await fromUrl(), await toUrl()]
    const before = await house({ DATABASE_URL: from, SECRET, ...MAIL })
    const bob = await signedIn(before.app)
    await signedIn(before.app, ALICE)
    // The highest number is that of an account that is gone.
    await before.db.deleteUser(2)
    const token = await before.auth.getResetPasswordToken(BOB)
    await before.upkeep()
    await before.close()
    const source = await dump(from)
    await move(from, to)
    expect(await dump(to)).toEqual(source)
    expect(await dump(from)).toEqual(source)

    const after = await house({ DATABASE_URL: to, SECRET, ...MAIL })
    const moved = new Client(after.app)
    moved.cookie = bob.cookie
    expect((await moved.profile()).json()).toEqual({ email: BOB })
    expect((await new Client(after.app).logIn(BOB, PASSWORD)).statusCode).toBe(200)
    expect((await new Client(after.app).register('carol@example.org')).statusCode).toBe(200)
    expect((await after.db.findUserBy({ email: 'carol@example.org' })).id).toBe(3)
    expect((await new Client(after.app).reset(token)).statusCode).toBe(200)
  })

  test('many rows come over page by page, and are counted', async () => {
    const [from, to] = [await fromUrl(), await toUrl()]
    await filled(from)
    const told: MoveProgress[] = []
    const counts = await move(from, to, (progress) => told.push(progress))
    expect(Object.fromEntries(counts)).toMatchObject({ users: 1_200, sessions: 1_200, throttle_buckets: 10, outbox: 0 })
    const copying = told.filter(({ table, phase }) => table === 'users' && phase === 'copying')
    expect(copying.map(({ done, total }) => [done, total])).toEqual([
      [500, 1_200],
      [1_000, 1_200],
      [1_200, 1_200],
    ])
    expect(await dump(to)).toEqual(await dump(from))
  })

  test('one that is interrupted keeps the service from starting, and goes on when it is run again', async () => {
    const [from, to] = [await fromUrl(), await toUrl()]
    await filled(from)
    for (const moment of ['copying sessions 500', 'copying sessions 1000', 'checking users 1000']) {
      const interrupted = move(from, to, ({ phase, table, done }) => {
        if (`${phase} ${table} ${done}` === moment) throw new Error('the power is gone')
      })
      await expect(interrupted).rejects.toThrow('the power is gone')
      await expect(DB.open(to, { migrations })).rejects.toThrow(/A move into this database has not ended. Run it again/)
    }
    await move(from, to)
    expect(await dump(to)).toEqual(await dump(from))
    const db = await DB.open(to, { migrations })
    await db.close()
  })

  test('a difference is found', async () => {
    const [from, to] = [await fromUrl(), await toUrl()]
    await filled(from, 10)
    const interrupted = move(from, to, ({ table }) => {
      if (table === 'throttle_buckets') throw new Error('interrupted')
    })
    await expect(interrupted).rejects.toThrow('interrupted')
    // What was copied before is not copied again, and is compared all the same.
    await (await open(to)).run("UPDATE users SET email = 'else' WHERE id = 7")
    await expect(move(from, to)).rejects.toThrow(/The rows of users differ after the move/)
  })

  test('a target in use is refused, and nothing in it changes', async () => {
    const [from, to] = [await fromUrl(), await toUrl()]
    await filled(from, 5)
    await filled(to, 3)
    const before = await dump(to)
    await expect(move(from, to)).rejects.toThrow(/is in use. Name an empty one/)
    expect(await dump(to)).toEqual(before)
    await (await DB.open(to, { migrations })).close()
  })

  test('a source of another version is refused', async () => {
    const [from, to] = [await fromUrl(), await toUrl()]
    await migrate(await open(from), coreMigrations, 0)
    await expect(move(from, to)).rejects.toThrow(/is not one of this version/)
    await expect(move(await fromUrl(), to)).rejects.toThrow(StartError)
  })
})

test('every table of the schema is moved, by its key', async () => {
  const engine = await open('sqlite::memory:')
  await migrate(engine, migrations, 0)
  const sql =
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'schema_migrations'"
  const moved = movedTables(migrations)
  expect(moved.map(({ name }) => name).sort()).toEqual((await engine.all(sql)).map(({ name }) => name).sort())
  for (const { name, key } of moved) {
    const keys = await engine.all(`SELECT name FROM pragma_table_info('${name}') WHERE pk > 0`)
    expect([name, keys]).toEqual([name, [{ name: key }]])
  }
  expect(moved.filter(({ numbered }) => numbered).map(({ name }) => name)).toEqual(['users', 'audit_log'])
})

describe('the command', () => {
  function run(args: string[], env: Record<string, string> = {}): Child {
    return new Child(process.execPath, [pathOf('src/cli.ts'), ...args], env, temporaryFolder())
  }

  test('moves, shows how far it is, tells how long it took, and leaves the source as it was', async () => {
    const [from, to] = [await file(), await emptyDatabase()]
    await filled(from, 600)
    const source = from.slice('sqlite:'.length)
    const before = readFileSync(source)
    const child = run(['move', '--from', from], { DATABASE_URL: to })
    expect([await child.ended, child.stderr]).toEqual([0, ''])
    expect(child.stdout).toContain('copying users: 500 of 600\n')
    expect(child.stdout).toMatch(/users: 600\n[\s\S]*Moved to postgres:\S+ in [\d.]+ s, and checked\./)
    expect(child.stdout).not.toContain(new URL(to).password)
    expect(readFileSync(source).equals(before)).toBe(true)
    const engine = await open(to)
    expect(integer((await engine.get('SELECT COUNT(*) AS count FROM sessions')) ?? {}, 'count')).toBe(600)
  })

  test('takes a path with a space in it', async () => {
    const folder = join(temporaryFolder(), 'my data')
    mkdirSync(folder)
    const from = `sqlite:${join(folder, 'from.db')}`
    await filled(from, 1)
    const child = run(['move', '--from', from], { DATABASE_URL: await emptyDatabase() })
    expect([await child.ended, child.stderr]).toEqual([0, ''])
  })

  test.each([
    [['move'], 'Name two databases'],
    [['move', '--from', 'sqlite:./nowhere.db'], 'There is no database'],
    [['move', '--form', 'x'], "Unknown option '--form'"],
    [['move', '--from', 'mysql://x'], 'DATABASE_URL must start with sqlite:'],
  ])('%j is refused with the reason', async (args, reason) => {
    const child = run(args, { DATABASE_URL: 'sqlite:./target.db' })
    expect(await child.ended).toBe(2)
    expect(child.stderr).toContain(reason)
    expect(child.stderr).not.toContain('at ')
  })
})
