/** What a session check costs: two look-ups by key, however many sessions there are. */

import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { coreMigrations, migrate } from '../../src/db/migrations.ts'
import { SESSION_AND_USER } from '../../src/db.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { openEngine } from '../../src/engines/open.ts'
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
async function planOf(url: string, explain: string): Promise<string> {
  const engine: Engine = await openEngine(url)
  onTestFinished(() => engine.close())
  await migrate(engine, coreMigrations, 0)
  for (const sql of FILLING) await engine.run(sql)
  expect(await engine.get(SESSION_AND_USER, ['s4321'])).toMatchObject({ user_id: 4321 })
  return JSON.stringify(await engine.all(`${explain} ${SESSION_AND_USER}`, ['s4321']))
}

test('on SQLite both rows are found by their keys', async () => {
  const plan = await planOf(`sqlite:${join(temporaryFolder(), 'plans.db')}`, 'EXPLAIN QUERY PLAN')
  expect(plan).toMatch(/SEARCH s USING INDEX sqlite_autoindex_sessions_1 \(id=\?\)/)
  expect(plan).toMatch(/SEARCH u USING INTEGER PRIMARY KEY/)
  expect(plan).not.toContain('SCAN')
})

test('on PostgreSQL both rows are found by their keys', async () => {
  const plan = await planOf(await emptyDatabase(), 'EXPLAIN')
  expect(plan).toMatch(/Index Scan using sessions_pkey on sessions/)
  expect(plan).toMatch(/Index Scan using users_pkey on users/)
  expect(plan).not.toContain('Seq Scan')
})
