/** What only SQLite has: one file that another process may hold. */

import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { SqliteEngine } from '../../src/engines/sqlite.ts'
import { temporaryFolder } from '../started.ts'

test('a write that waits for another process holds up nothing else, and is done when the file is free', async () => {
  const file = join(temporaryFolder(), 'shared.db')
  const engine = new SqliteEngine(file)
  await engine.run('CREATE TABLE notes (text TEXT)')
  const other = new Database(file)
  onTestFinished(async () => {
    other.close()
    await engine.close()
  })
  other.exec('BEGIN IMMEDIATE')
  other.exec("INSERT INTO notes VALUES ('theirs')")

  let written = false
  const write = engine.batch([{ sql: 'INSERT INTO notes VALUES (?)', params: ['ours'] }]).then((committed) => {
    written = committed
  })
  for (let read = 0; read < 20; read += 1) {
    expect(await engine.get('SELECT count(*) AS n FROM notes')).toEqual({ n: 0 })
    await new Promise(setImmediate)
  }
  expect(written).toBe(false)

  other.exec('COMMIT')
  await write
  expect(await engine.all('SELECT text FROM notes ORDER BY rowid')).toEqual([{ text: 'theirs' }, { text: 'ours' }])
})
