/** Databases of this service with many users and sessions, and the cookies that belong to them. */

import { hash, randomBytes, randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { migrations } from '../src/app.ts'
import { migrate } from '../src/db/migrations.ts'
import type { Statement } from '../src/engines/engine.ts'
import { openEngine } from '../src/engines/open.ts'

const DAY = 86_400_000
/** Rows of a statement, and statements of a transaction. */
const STEP = 500
const AT_ONCE = 200

/**
 * Fills an empty database.
 * @param count users, with one session each
 * @param more further sessions of the same users
 * @param headers the file that gets a line for each session: those of `count` first
 */
export async function fill(databaseUrl: string, count: number, more: number, headers: string): Promise<void> {
  const engine = await openEngine(databaseUrl)
  const now = Date.now()
  await migrate(engine, migrations, now)
  const lines: string[] = []
  const statements: Statement[] = []
  for (let from = 0; from < count + more; from += STEP) {
    const users: (string | number)[] = []
    const sessions: (string | number)[] = []
    for (let index = from; index < Math.min(from + STEP, count + more); index += 1) {
      const [id, secret, user] = [randomUUID(), randomBytes(32).toString('base64url'), index % count]
      const email = `user${user}@example.org`
      if (index < count) users.push(user + 1, email, email, `$2b$12$${'x'.repeat(53)}`, now, now)
      const opened = now - DAY + Math.floor((index / (count + more)) * DAY)
      sessions.push(id, hash('sha256', secret, 'base64url'), user + 1, opened, opened, now, opened + 30 * DAY)
      sessions.push('203.0.113.7', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0')
      lines.push(`cookie: __Host-session_id=${id}.${secret}`)
    }
    statements.push(
      ...many('users (id, email, email_key, hashed_password, created_at, updated_at)', 6, users),
      ...many(
        'sessions (id, secret_hash, user_id, created_at, authenticated_at, last_seen_at, expires_at, address, user_agent)',
        9,
        sessions,
      ),
    )
    if (statements.length >= AT_ONCE) await engine.batch(statements.splice(0))
  }
  await engine.batch(statements)
  await engine.close()
  writeFileSync(headers, `${shuffledHead(lines, count).join('\n')}\n`)
}

function many(into: string, columns: number, params: readonly (string | number)[]) {
  if (params.length === 0) return []
  const row = `(${Array.from({ length: columns }, () => '?').join(', ')})`
  const rows = Array.from({ length: params.length / columns }, () => row).join(', ')
  return [{ sql: `INSERT INTO ${into} VALUES ${rows}`, params }]
}

/** So that those who come one after the other do not lie side by side in the table. */
function shuffledHead(lines: readonly string[], count: number): string[] {
  const ordered = lines.slice(0, count).map((line) => ({ line, at: hash('sha256', line) }))
  ordered.sort((a, b) => (a.at < b.at ? -1 : 1))
  return [...ordered.map(({ line }) => line), ...lines.slice(count)]
}
