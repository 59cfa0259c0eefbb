/** What is remembered of sessions is what the database holds, whoever has written, and in which order. */

import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { coreMigrations } from '../../src/db/migrations.ts'
import { endOldest, endOthers, rotateSession, seeSession, sweepSessions } from '../../src/db/sessions.ts'
import { DB, type Statement } from '../../src/db.ts'
import type { Session } from '../../src/session.ts'
import { emptyDatabase } from '../postgres/databases.ts'
import { pathOf, temporaryFolder } from '../started.ts'

const NOW = 1_000_000

function sessionOf(userId: number, id: string = randomUUID()): Session {
  return {
    ...{ id, userId, secretHash: 'hash', kind: 'cookie', familyHash: null, rotatedAt: null },
    ...{ createdAt: NOW, authenticatedAt: NOW, lastSeenAt: NOW, expiresAt: 2 * NOW, address: '', userAgent: '' },
  }
}

async function opened(url: string): Promise<DB> {
  const db = await DB.open(url, { clock: () => NOW, migrations: coreMigrations })
  onTestFinished(() => db.close())
  return db
}

/** Two users with two sessions each. */
async function inhabited(db: DB): Promise<string[]> {
  const ids: string[] = []
  for (const email of ['ada@lovelace.example', 'bob@example.org']) {
    const { id } = await db.addUser(email, 'hash')
    for (const session of [sessionOf(id), sessionOf(id)]) {
      await db.addSession(session)
      ids.push(session.id)
    }
  }
  return ids
}

/** On a file, beside another connection: what that reads is what is stored, and what it writes comes from elsewhere. */
async function onFile() {
  const file = join(temporaryFolder(), 'glances.db')
  const db = await opened(`sqlite:${file}`)
  const ids = await inhabited(db)
  const other = new Database(file)
  other.pragma('foreign_keys = ON')
  onTestFinished(() => void other.close())
  const stored = other.prepare<[string], { email: string; secret: string; seen: number; expires: number }>(
    `SELECT u.email, s.secret_hash AS secret, s.last_seen_at AS seen, s.expires_at AS expires
      FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?`,
  )
  const agrees = async () => {
    const remembered = (await db.glances(ids)).map(
      (found) =>
        found && { email: found.email, secret: found.secretHash, seen: found.lastSeenAt, expires: found.expiresAt },
    )
    expect(remembered).toEqual(ids.map((id) => stored.get(id) ?? null))
  }
  return { db, file, ids, other, agrees }
}

/** Every way in which a row changes, with a number that says which row. */
const CHANGES: ((ids: readonly string[], n: number) => Statement[])[] = [
  (ids, n) => [{ sql: 'DELETE FROM sessions WHERE id = ?', params: [ids[n] ?? ''] }],
  (_, n) => [{ sql: 'DELETE FROM sessions WHERE user_id = ?', params: [n] }],
  (_, n) => [{ sql: 'DELETE FROM users WHERE id = ?', params: [n] }],
  (_, n) => [{ sql: 'UPDATE users SET email = ? WHERE id = ?', params: [`new${n}@example.org`, n] }],
  (ids, n) => [{ sql: 'UPDATE sessions SET expires_at = expires_at - 1 WHERE id = ?', params: [ids[n] ?? ''] }],
  (ids, n) => [{ sql: 'UPDATE sessions SET last_seen_at = last_seen_at - 1 WHERE id = ?', params: [ids[n] ?? ''] }],
  (ids, n) => [seeSession(ids[n] ?? '', NOW + n)],
  (ids, n) => [endOthers(1, ids[n] ?? '')],
  (ids, n) => [endOldest(2, ids[n] ?? '', 1)],
  (ids, n) => [sweepSessions('', ids[n] ?? '', 3 * NOW, 0)],
  (ids, n) => [{ ...rotateSession(sessionOf(1, ids[n] ?? ''), `hash${n}`, NOW), mustChange: false }],
  // Several in one transaction, and one that is rolled back.
  (ids, n) => ids.map((id) => seeSession(id, NOW + 2 * n)),
  (ids, n) => [
    { sql: 'DELETE FROM sessions WHERE id = ?', params: [ids[n] ?? ''] },
    { sql: 'DELETE FROM sessions WHERE id = ?', params: ['nobody'], mustChange: true },
  ],
]

const step = fc.record({
  kind: fc.nat({ max: CHANGES.length - 1 }),
  n: fc.nat({ max: 3 }),
  elsewhere: fc.boolean(),
})

test('S-11: after any change, by this process or through another connection, what is remembered is what is stored', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const { db, ids, other, agrees } = await onFile()
      await agrees()
      for (const { kind, n, elsewhere } of steps) {
        const statements = CHANGES[kind]?.(ids, n) ?? []
        if (elsewhere) for (const { sql, params } of statements) other.prepare(sql).run(...params)
        else await db.commit(statements)
        await agrees()
      }
    }),
    { numRuns: 60 },
  )
})

test.each(CHANGES.map((change, index) => [index, change] as const))(
  'S-11: change %s of each row is seen at once, from here and from elsewhere',
  async (_, change) => {
    for (const elsewhere of [false, true]) {
      for (let n = 0; n < 4; n += 1) {
        const { db, ids, other, agrees } = await onFile()
        await agrees()
        if (elsewhere) for (const { sql, params } of change(ids, n)) other.prepare(sql).run(...params)
        else await db.commit(change(ids, n))
        await agrees()
      }
    }
  },
)

test('S-11: a session that another process has ended is gone for the next who asks', async () => {
  const { db, file, ids } = await onFile()
  const [id = ''] = ids
  expect(await db.glances([id])).toMatchObject([{ id }])
  const program = `import Database from ${JSON.stringify(pathOf('node_modules/better-sqlite3/lib/index.js'))}
    new Database(process.argv[1]).prepare('DELETE FROM sessions WHERE id = ?').run(process.argv[2])`
  execFileSync(process.execPath, ['--input-type=module', '--eval', program, file, id])
  expect(await db.glances([id])).toEqual([null])
})

test('S-11: of those who ask while a session is being ended, nobody sees it who asks after the end', async () => {
  const { db, ids } = await onFile()
  const [id = ''] = ids
  let ended = false
  const ask = async () => {
    const after = ended
    return { after, found: (await db.glances([id]))[0] !== null }
  }
  const asked: ReturnType<typeof ask>[] = []
  // Several in each turn of the event loop, before, during and after.
  const asking = setInterval(() => asked.push(...Array.from({ length: 10 }, ask)), 0)
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(100), { interval: 1 })
  await db.deleteSession(id)
  ended = true
  const { length } = asked
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(length + 100), { interval: 1 })
  clearInterval(asking)
  const answers = await Promise.all(asked)
  expect(answers.filter(({ after }) => after).length).toBeGreaterThan(50)
  expect(answers.filter(({ after, found }) => after && found)).toEqual([])
  expect(answers.filter(({ found }) => found).length).toBeGreaterThan(50)
})

test('an update that takes the place of a whole row is seen', async () => {
  const { db, ids, agrees } = await onFile()
  await agrees()
  const sql = `INSERT INTO sessions (id, secret_hash, user_id, created_at, authenticated_at, last_seen_at, expires_at,
    address, user_agent) VALUES (?, 'other', 1, 0, 0, 0, 0, '', '') ON CONFLICT (id) DO UPDATE SET secret_hash = 'other'`
  await db.commit([{ sql, params: [ids[0] ?? ''] }])
  await agrees()
})

describe.each([
  ['SQLite', () => `sqlite:${join(temporaryFolder(), 'each.db')}`],
  ['PostgreSQL', emptyDatabase],
])('on %s', (_, urlOf) => {
  test('many who ask at once each get their own, and nobody gets what is not there', async () => {
    const db = await opened(await urlOf())
    const ids = [...(await inhabited(db)), randomUUID(), '', "' OR '1'='1"]
    const asked = [...ids, ...ids].toReversed()
    const found = await db.glances(asked)
    expect(found.map((glance) => glance?.id)).toEqual(asked.map((id) => (ids.indexOf(id) < 4 ? id : undefined)))
    expect(found.at(-1)).toMatchObject({ email: 'ada@lovelace.example', kind: 'cookie', expiresAt: 2 * NOW })
  })

  test('where the database cannot be read, whoever asks hears of it', async () => {
    const db = await opened(await urlOf())
    const [id = ''] = await inhabited(db)
    await db.close()
    await expect(db.glances([id])).rejects.toThrow()
  })
})
