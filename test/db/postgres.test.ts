/** The DB on PostgreSQL: migrations by several at once, and what its statements must not trip over. */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { migrations } from '../../src/app.ts'
import { coreMigrations, type Migration, migrate } from '../../src/db/migrations.ts'
import { DB } from '../../src/db.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { openEngine } from '../../src/engines/open.ts'
import { Client, house, NEW_PASSWORD, PASSWORD } from '../app/client.ts'
import type { House } from '../house.ts'
import { asAdministrator, emptyDatabase } from '../postgres/databases.ts'
import { pathOf, temporaryFolder } from '../started.ts'

const NOW = 1_000

async function open(url: string): Promise<Engine> {
  const engine = await openEngine(url)
  onTestFinished(() => engine.close())
  return engine
}

async function openDB(url: string, steps: readonly Migration[] = migrations): Promise<DB> {
  const db = await DB.open(url, { clock: () => NOW, migrations: steps })
  onTestFinished(() => db.close())
  return db
}

async function tables(engine: Engine): Promise<unknown[]> {
  const sql = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
  return (await engine.all(sql)).map(({ name }) => name)
}

describe('processes that start at once', () => {
  /** Waits until it is told to, since starting takes longer than migrating. */
  const PROGRAM = `
    import { DB } from ${JSON.stringify(pathOf('src/db.ts'))}
    process.on('message', async (url) => {
      try {
        const db = await DB.open(url)
        await db.close()
        process.send('open')
      } catch (error) {
        process.send(String(error))
      }
    })
    process.send('ready')`

  async function answer(child: ChildProcess): Promise<unknown> {
    const [message]: unknown[] = await once(child, 'message')
    return message
  }

  async function startProcess(): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    expect(await answer(child)).toBe('ready')
    return child
  }

  test('ten on one new database all come up, and every step is taken once', async () => {
    const children = await Promise.all(Array.from({ length: 10 }, startProcess))
    for (let round = 0; round < 3; round += 1) {
      const url = await emptyDatabase()
      const answers = children.map(answer)
      for (const child of children) child.send(url)
      expect(await Promise.all(answers)).toEqual(Array(10).fill('open'))
      const engine = await open(url)
      const applied = await engine.all('SELECT id FROM schema_migrations ORDER BY id')
      expect(applied.map(({ id }) => id)).toEqual(coreMigrations.map(({ id }) => id).sort((a, b) => a - b))
    }
  }, 90_000)

  test('twenty connections that are open already do not trip over each other either', async () => {
    for (let round = 0; round < 5; round += 1) {
      const url = await emptyDatabase()
      const engines = await Promise.all(Array.from({ length: 20 }, () => open(url)))
      await Promise.all(engines.map((engine) => migrate(engine, coreMigrations, NOW)))
      expect(await tables(await open(url))).toContain('users')
    }
  })
})

test.each([
  ['wrong SQL', 'CREATE TABLE plants'],
  ['a unique index over rows that are not', 'CREATE UNIQUE INDEX words ON plants (word)'],
])('a step that fails by %s leaves nothing behind, and can be mended', async (_, broken) => {
  const engine = await open(await emptyDatabase())
  const sql = ['CREATE TABLE plants (word TEXT)', "INSERT INTO plants VALUES ('oak'), ('oak')"]
  await expect(migrate(engine, [{ id: 1, name: 'plants', sql: [...sql, broken] }], NOW)).rejects.toThrow()
  expect(await tables(engine)).toEqual(['schema_migrations'])
  await migrate(engine, [{ id: 1, name: 'plants', sql }], NOW)
  expect(await tables(engine)).toEqual(['plants', 'schema_migrations'])
})

test('a version that was there before reads what a newer one has widened, and goes on', async () => {
  const url = await emptyDatabase()
  const older = await openDB(url)
  const { id } = await older.addUser('bob@example.org', 'hash')
  const wider: Migration = {
    id: 9_999,
    name: 'nickname',
    sql: ["ALTER TABLE users ADD COLUMN nickname TEXT DEFAULT ''"],
  }
  await openDB(url, [...migrations, wider])
  expect(await older.findUserBy({ id })).toMatchObject({ email: 'bob@example.org' })
  await older.updateUser(id, { name: 'Bob' })
  expect(await older.findUserBy({ email: 'Bob@Example.org' })).toMatchObject({ id, name: 'Bob' })
})

test('a database that belongs to somebody else is refused with the mend', async () => {
  const url = await emptyDatabase()
  await asAdministrator('REVOKE ALL ON SCHEMA public FROM PUBLIC', url)
  const role = `bienvenue_${randomBytes(4).toString('hex')}`
  await asAdministrator(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`)
  onTestFinished(async () => {
    await asAdministrator(`DROP ROLE ${role}`)
  })
  const theirs = new URL(url)
  Object.assign(theirs, { username: role, password: 'x' })
  await expect(DB.open(theirs.href)).rejects.toThrow(/may not be written by this user/)
})

describe.each([
  ['SQLite', async () => `sqlite:${join(temporaryFolder(), 'bienvenue.db')}`],
  ['PostgreSQL', emptyDatabase],
])('the highest cost among the stored passwords, on %s', (_, urlOf) => {
  const CASES: [number, string[]][] = [
    [0, []],
    [12, ['$2b$12$x', '$2b$10$x']],
    [14, ['$2b$12$x', '$bcrypt-sha256$v=2,t=2b,r=14$salt$digest']],
    [10, ['$2b$10$x', '$2b$xx$x', '$2b$1', '$2', '$bcrypt-sha256$', 'x', '', '!']],
  ]

  test.each(CASES)('is %d where they were there before it was noted', async (cost, hashes) => {
    const url = await urlOf()
    const users = hashes.map((hash, n) => `(${n + 1}, 'u${n}', 'u${n}', '${hash}', 0, 0)`)
    const filling =
      hashes.length === 0
        ? []
        : [`INSERT INTO users (id, email, email_key, hashed_password, created_at, updated_at) VALUES ${users}`]
    const engine = await open(url)
    const before = coreMigrations.filter(({ name }) => name !== 'hash_costs')
    await migrate(engine, [...before, { id: 9_999, name: 'users', sql: filling }], NOW)
    expect((await openDB(url)).highestHashCost).toBe(cost)
  })

  test.each(CASES)('is %d where they are written with it', async (cost, hashes) => {
    const url = await urlOf()
    const db = await openDB(url)
    for (const [n, hash] of hashes.entries()) await db.addUser(`u${n}@example.org`, hash)
    expect((await openDB(url)).highestHashCost).toBe(cost)
  })

  test('is known of a password that is changed', async () => {
    const url = await urlOf()
    const db = await openDB(url)
    const { id } = await db.addUser('u@example.org', '$2b$10$x')
    await db.updateUser(id, { hashedPassword: '$2b$13$x' })
    expect((await openDB(url)).highestHashCost).toBe(13)
  })
})

test('every way to a new password notes its cost', async () => {
  const costs = async (db: DB) =>
    db.read({ sql: 'SELECT cost FROM hash_costs ORDER BY cost', params: [] }, (row) => row.cost)
  const url = await emptyDatabase()
  const at = (bcryptCost: number) => house({ DATABASE_URL: url }, { bcryptCost })
  const [first, second, third, fourth] = [await at(4), await at(5), await at(6), await at(7)]
  await new Client(first.app).register()
  expect(await costs(first.db)).toEqual([4])
  // Hashed anew at a login.
  const client = new Client(second.app)
  await client.logIn()
  expect(await costs(first.db)).toEqual([4, 5])
  const reset = new Client(third.app)
  await reset.reset(await reset.resetToken(), PASSWORD)
  expect(await costs(first.db)).toEqual([4, 5, 6])
  const changing = new Client(fourth.app)
  changing.cookie = (await signedInAt(third)).cookie
  const changed = { current_password: PASSWORD, password: NEW_PASSWORD }
  expect((await changing.send('PATCH', '/users/me', changed)).statusCode).toBe(200)
  expect(await costs(first.db)).toEqual([4, 5, 6, 7])
})

async function signedInAt({ app }: House): Promise<Client> {
  const client = new Client(app)
  await client.logIn()
  return client
}
