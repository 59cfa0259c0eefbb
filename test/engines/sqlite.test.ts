/** What only SQLite has: one file that another process may hold. */

import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { SqliteEngine } from '../../src/engines/sqlite.ts'
import { temporaryFolder } from '../started.ts'

/** @returns an engine, and another process's connection in the midst of writing into the same file */
async function heldFile() {
  const file = join(temporaryFolder(), 'shared.db')
  const engine = new SqliteEngine(file)
  await engine.run('CREATE TABLE notes (text TEXT)')
  const other = new Database(file)
  onTestFinished(async () => {
    other.close()
    await engine.close()
  })
  other.exec('BEGIN IMMEDIATE')
  return { engine, other }
}

test('H-19: sixty writes that wait for another process hold up a read no more than one', async () => {
  const { engine, other } = await heldFile()
  const note = { sql: 'INSERT INTO notes VALUES (?)', params: ['ours'] }
  const writes = Array.from({ length: 60 }, () => engine.batch([note]))
  let reads = 0
  const end = performance.now() + 500
  while (performance.now() < end) {
    await engine.get('SELECT count(*) AS n FROM notes')
    await new Promise(setImmediate)
    reads += 1
  }
  // With 20 ms of the thread for each it was one or two.
  expect(reads).toBeGreaterThan(50)
  other.exec('COMMIT')
  expect(await Promise.all(writes)).toEqual(writes.map(() => true))
})

test('a write that waits for another process holds up nothing else, and is done when the file is free', async () => {
  const { engine, other } = await heldFile()
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
