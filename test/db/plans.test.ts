/** What a session check costs: look-ups by key, however many sessions there are. */

import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { GLANCE } from '../../src/db/glances.ts'
import { coreMigrations, migrate } from '../../src/db/migrations.ts'
import { SESSION_AND_USER } from '../../src/db.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { openEngine } from '../../src/engines/open.ts'
import { SWEPT, WAITING } from '../../src/mail/outbox.ts'
import { outboxMigrations } from '../../src/mail/outbox_table.ts'
import { emptyDatabase } from '../postgres/databases.ts'
import { temporaryFolder } from '../started.ts'

const NUMBERS = 'WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)'
const FILLING = [
  `INSERT INTO users (email, email_key, hashed_password, created_at, updated_at)
    ${NUMBERS} SELECT 'u' || n, 'u' || n, 'x', 0, 0 FROM numbers`,
  `INSERT INTO sessions (id, secret_hash, user_id, created_at, authenticated_at, last_seen_at, expires_at, address, user_agent)
    ${NUMBERS} SELECT 's' || n, 'x', n, 0, 0, 0, 0, '', '' FROM numbers`,
  'ANALYZE',
]

/** @returns the plan, as the engine tells it */
async function planOf(url: string, explain: string, sql: string): Promise<string> {
  const engine: Engine = await openEngine(url)
  onTestFinished(() => engine.close())
  await migrate(engine, coreMigrations, 0)
  for (const sql of FILLING) await engine.run(sql)
  expect(await engine.get(sql, ['s4321'])).toMatchObject({ email: 'u4321' })
  return JSON.stringify(await engine.all(`${explain} ${sql}`, ['s4321']))
}

test.each([
  ['what a check reads', GLANCE, 'sessions', 'users'],
  ['a session with its user', SESSION_AND_USER, 's', 'u'],
])('on SQLite %s is found by keys', async (_, sql, session, user) => {
  const plan = await planOf(`sqlite:${join(temporaryFolder(), 'plans.db')}`, 'EXPLAIN QUERY PLAN', sql)
  expect(plan).toContain(`SEARCH ${session} USING INDEX sqlite_autoindex_sessions_1 (id=?)`)
  expect(plan).toContain(`SEARCH ${user} USING INTEGER PRIMARY KEY`)
  expect(plan).not.toMatch(/\bSCAN\b/)
})

test.each([
  ['what a check reads', GLANCE],
  ['a session with its user', SESSION_AND_USER],
])('on PostgreSQL %s is found by keys', async (_, sql) => {
  const plan = await planOf(await emptyDatabase(), 'EXPLAIN', sql)
  expect(plan).toMatch(/Index Scan using sessions_pkey on sessions/)
  expect(plan).toMatch(/Index Scan using users_pkey on users/)
  expect(plan).not.toContain('Seq Scan')
})

test.each([
  ['what waits', WAITING, ['decoy'], 'USING COVERING INDEX outbox_due'],
  ['what is swept', SWEPT.nth, [5, 0], 'USING INDEX outbox_settled (expires_at<?)'],
])('of letters %s is found among those alone, on SQLite', async (_, sql, params, index) => {
  const engine = await openEngine(`sqlite:${join(temporaryFolder(), 'plans.db')}`)
  onTestFinished(() => engine.close())
  await migrate(engine, [...coreMigrations, ...outboxMigrations], 0)
  const plan = await engine.all(`EXPLAIN QUERY PLAN ${sql}`, params)
  expect(JSON.stringify(plan)).toContain(index)
  expect(JSON.stringify(plan)).not.toMatch(/SCAN|TEMP/)
})
