/** While a service is upgraded instance by instance, the version before goes on with the new schema, and starts on it too. */

import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { migrations } from '../../src/app.ts'
import type { Migration } from '../../src/db/migrations.ts'
import { DB } from '../../src/db.ts'
import { BOB, Client, house, NEW_PASSWORD } from '../app/client.ts'
import { programOf } from '../app/program.ts'
import { emptyDatabase } from '../postgres/databases.ts'
import { temporaryFolder } from '../started.ts'

const ordered = migrations.toSorted((a, b) => a.id - b.id)
const tables = ordered.flatMap(({ sql }) => sql).flatMap((sql) => /^CREATE TABLE (\w+)/.exec(sql)?.[1] ?? [])

/** The step of a version that is not written yet: it adds to every table in every way that a step may. */
const WIDER: Migration = {
  id: (ordered.at(-1)?.id ?? 0) + 1,
  name: 'wider',
  sql: [
    'CREATE TABLE plants (id BIGINT PRIMARY KEY, user_id BIGINT REFERENCES users (id) ON DELETE CASCADE)',
    ...tables.flatMap((table) => [
      `ALTER TABLE ${table} ADD COLUMN plant BIGINT`,
      `ALTER TABLE ${table} ADD COLUMN colour TEXT NOT NULL DEFAULT 'green'`,
      `CREATE INDEX ${table}_plant ON ${table} (plant)`,
    ]),
  ],
}

/** What is as it was for whoever does not know of it. */
const ONLY_ADDS =
  /^(?:CREATE TABLE |CREATE INDEX |ALTER TABLE \w+ ADD COLUMN \w+ \w+(?: NOT NULL DEFAULT (?:\d+|'\w*'))?$)/

/** Without an index that holds nobody to anything all is as it was, and slower at the most. */
function slowsDown(statement: string): boolean {
  const [, index = ''] = /^DROP INDEX (\w+)$/.exec(statement) ?? []
  return ordered.some(({ sql }) => sql.some((made) => made.startsWith(`CREATE INDEX ${index} ON `)))
}

/** @returns the statements of a step that change what was there before it */
function takingIn({ sql }: Pick<Migration, 'sql'>): string[] {
  const own = sql.flatMap((statement) => /^CREATE TABLE (\w+)/.exec(statement)?.[1] ?? [])
  const fills = (statement: string) => own.some((table) => statement.startsWith(`INSERT INTO ${table} `))
  return sql.filter((statement) => !ONLY_ADDS.test(statement) && !fills(statement) && !slowsDown(statement))
}

test.each([...ordered, WIDER].map((step) => [step.name, step] as const))(
  'the step %s only adds, or says whom it shuts out',
  (_, step) => {
    if (step.needs === undefined) expect(takingIn(step)).toEqual([])
  },
)

test.each([
  'DROP TABLE plants',
  'ALTER TABLE plants DROP COLUMN colour',
  'ALTER TABLE plants ADD COLUMN height BIGINT NOT NULL',
  'CREATE UNIQUE INDEX plants_colour ON plants (colour)',
  'DELETE FROM plants',
  'DROP INDEX users_email_key_key',
  "UPDATE plants SET colour = 'red'",
  'INSERT INTO plants (id) VALUES (1)',
])('a step with %s would not pass', (statement) => {
  expect(takingIn({ sql: ['CREATE TABLE pots (id BIGINT)', 'INSERT INTO pots (id) VALUES (1)', statement] })).toEqual([
    statement,
  ])
})

async function migrateTo(url: string, steps: readonly Migration[]): Promise<DB> {
  const db = await DB.open(url, { migrations: steps })
  onTestFinished(() => db.close())
  return db
}

describe.each([
  ['SQLite', async () => `sqlite:${join(temporaryFolder(), 'bienvenue.db')}`],
  ['PostgreSQL', emptyDatabase],
])('on %s', (_, urlOf) => {
  test('a version goes on when a newer one has migrated, and starts again: with all that it could before', async () => {
    const url = await urlOf()
    const running = await house({ DATABASE_URL: url })
    const before = new Client(running.app)
    await before.register()
    await before.logIn()
    await migrateTo(url, [...migrations, WIDER])
    const restarted = await house({ DATABASE_URL: url })
    for (const { app } of [running, restarted]) {
      const client = new Client(app)
      const statuses = [
        await client.register(`${app === running.app}@example.org`),
        await client.logIn(),
        await client.profile(),
        await client.logOut(),
        await client.profile(),
        await client.reset(await client.resetToken(), NEW_PASSWORD),
        await client.logIn(BOB, NEW_PASSWORD),
        await client.send('PATCH', '/users/me', { name: 'Bob' }),
        await client.send('GET', '/users/me'),
        await client.send('GET', '/sessions'),
      ].map(({ statusCode }) => statusCode)
      expect(statuses).toEqual([200, 200, 200, 302, 403, 200, 200, 200, 200, 200])
      await client.reset(await client.resetToken(), 'k3ks0')
    }
    // Whoever was logged in then was logged out by the reset alone.
    expect((await before.profile()).statusCode).toBe(403)
    const program = await programOf(restarted, 'program@example.org')
    expect([(await program.profile()).statusCode, (await program.refresh()).statusCode]).toEqual([200, 200])
    await running.upkeep()
    await restarted.upkeep()
  })

  test('each version starts on what any later one has made', async () => {
    const url = await urlOf()
    await migrateTo(url, ordered)
    for (let known = ordered.length; known > 0; known -= 1) {
      const older = await migrateTo(url, ordered.slice(0, known))
      const { id } = await older.addUser(`${known}@example.org`, 'hash')
      expect(await older.findUserBy({ id })).toMatchObject({ email: `${known}@example.org` })
    }
  })
})
