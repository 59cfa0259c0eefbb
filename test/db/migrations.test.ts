import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { coreMigrations, type Migration, migrate } from '../../src/db/migrations.ts'
import { DB } from '../../src/db.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { SqliteEngine } from '../../src/engines/sqlite.ts'
import { StartError } from '../../src/errors.ts'
import { pathOf, temporaryFolder } from '../started.ts'

const NOW = 1_000

const plants: Migration = { id: 1, name: 'plants', sql: ['CREATE TABLE plants (id BIGINT PRIMARY KEY, name TEXT)'] }
const animals: Migration = { id: 2, name: 'animals', sql: ['CREATE TABLE animals (id BIGINT PRIMARY KEY)'] }

function open(path = ':memory:'): Engine {
  const engine = new SqliteEngine(path)
  onTestFinished(() => engine.close())
  return engine
}

function applied(engine: Engine) {
  return engine.all('SELECT id, name, applied_at FROM schema_migrations ORDER BY id')
}

/** Everything that the schema consists of, as SQL. */
function schema(engine: Engine) {
  return engine.all('SELECT type, name, sql FROM sqlite_master ORDER BY name')
}

async function tables(engine: Engine): Promise<unknown[]> {
  return (await engine.all("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")).map(({ name }) => name)
}

describe('a fresh database', () => {
  test('gets the whole schema, and a row for every step', async () => {
    const engine = open()
    await migrate(engine, coreMigrations, NOW)
    expect(await tables(engine)).toEqual(
      expect.arrayContaining(['one_time_tokens', 'schema_migrations', 'sessions', 'users']),
    )
    expect(await applied(engine)).toEqual(coreMigrations.map(({ id, name }) => ({ id, name, applied_at: NOW })))
  })

  test('gets the steps in the order of their numbers, however they are listed', async () => {
    const renamed: Migration = { id: 3, name: 'flora', sql: ['ALTER TABLE plants RENAME TO flora'] }
    const engine = open()
    await migrate(engine, [renamed, animals, plants], NOW)
    expect(await tables(engine)).toEqual(['animals', 'flora', 'schema_migrations'])
  })

  test('numbers no two steps alike', () => {
    const ids = coreMigrations.map(({ id }) => id)
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b))
  })
})

describe('a database that exists', () => {
  test('is left as it is where it is the newest', async () => {
    const engine = open()
    await migrate(engine, coreMigrations, NOW)
    const before = [await schema(engine), await applied(engine)]
    await migrate(engine, coreMigrations, NOW + 1)
    expect([await schema(engine), await applied(engine)]).toEqual(before)
  })

  test('gets what is new and keeps what it holds', async () => {
    const engine = open()
    await migrate(engine, [plants], NOW)
    await engine.run('INSERT INTO plants (id, name) VALUES (1, ?)', ['oak'])
    await migrate(engine, [plants, animals], NOW + 1)
    expect(await engine.all('SELECT name FROM plants')).toEqual([{ name: 'oak' }])
    expect(await applied(engine)).toEqual([
      { id: 1, name: 'plants', applied_at: NOW },
      { id: 2, name: 'animals', applied_at: NOW + 1 },
    ])
  })

  test('is refused where a newer version has taken away what this one needs, untouched and with the mend', async () => {
    const url = `sqlite:${join(temporaryFolder(), 'newer.db')}`
    const later: Migration = { ...plants, id: 9_998 }
    const taking: Migration = { id: 9_999, name: 'no_plants', sql: ['DROP TABLE plants'], needs: 9_998 }
    const newer = await DB.open(url, { migrations: [...coreMigrations, later, taking] })
    await newer.close()
    const older = DB.open(url)
    await expect(older).rejects.toThrow(StartError)
    await expect(older).rejects.toThrow(/newer version of Bienvenue.*Start that version, or restore a backup/)
    const engine = open(url.slice('sqlite:'.length))
    expect((await applied(engine)).at(-1)).toMatchObject({ id: 9_999 })
    // The version between them knew of it and has stopped using what is gone.
    const between = await DB.open(url, { migrations: [...coreMigrations, later] })
    await between.close()
  })
})

describe('a step that fails', () => {
  const filled: Migration = { ...plants, sql: [...plants.sql, "INSERT INTO plants VALUES (1, 'oak'), (2, 'oak')"] }

  test.each([
    ['by wrong SQL', 'CREATE TABLE plants'],
    ['by a table that is there already', 'CREATE TABLE plants (id BIGINT)'],
    ['by a row that its own table refuses', 'INSERT INTO animals VALUES (1), (1)'],
    ['by a unique index over rows that are not', 'CREATE UNIQUE INDEX plants_name ON plants (name)'],
  ])('leaves nothing behind, is told, and can be mended: %s', async (_, sql) => {
    const engine = open()
    await expect(migrate(engine, [filled, { ...animals, sql: [...animals.sql, sql] }], NOW)).rejects.toThrow()
    expect(await applied(engine)).toMatchObject([{ id: 1 }])
    expect(await tables(engine)).toEqual(['plants', 'schema_migrations'])
    await migrate(engine, [filled, animals], NOW)
    expect(await applied(engine)).toMatchObject([{ id: 1 }, { id: 2 }])
  })

  test('keeps the steps after it from being taken', async () => {
    const engine = open()
    const birds: Migration = { id: 3, name: 'birds', sql: ['CREATE TABLE birds (id BIGINT)'] }
    await expect(migrate(engine, [plants, { ...animals, sql: ['nonsense'] }, birds], NOW)).rejects.toThrow()
    expect(await tables(engine)).toEqual(['plants', 'schema_migrations'])
  })
})

describe('two processes that start at once', () => {
  /** Each shows itself to the other and spins until both are there: nothing else brings them close enough to collide. */
  const PROGRAM = `
    import { existsSync, writeFileSync } from 'node:fs'
    import { DB } from ${JSON.stringify(pathOf('src/db.ts'))}
    process.on('message', async ({ mine, theirs, url }) => {
      writeFileSync(mine, '')
      while (!existsSync(theirs));
      try {
        const db = await DB.open(url)
        await db.close()
        process.send('open')
      } catch (error) {
        process.send(String(error))
      }
    })
    process.send('ready')`

  async function startProcess(): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    expect(await answer(child)).toBe('ready')
    return child
  }

  async function answer(child: ChildProcess): Promise<unknown> {
    const [message]: unknown[] = await once(child, 'message')
    return message
  }

  test('on one new file both come up, and every step is taken once', async () => {
    const [one, other] = await Promise.all([startProcess(), startProcess()])
    const folder = temporaryFolder()
    for (let round = 0; round < 40; round += 1) {
      const path = join(folder, `${round}.db`)
      const [mine, theirs] = [`${path}.one`, `${path}.other`]
      const answers = [answer(one), answer(other)]
      one.send({ mine, theirs, url: `sqlite:${path}` })
      other.send({ mine: theirs, theirs: mine, url: `sqlite:${path}` })
      expect(await Promise.all(answers)).toEqual(['open', 'open'])
      expect(await applied(open(path))).toHaveLength(coreMigrations.length)
    }
  })
})
