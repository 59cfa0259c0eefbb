/** What the log of SQLite holds goes to the database on a thread: no commit waits for that, nothing remembered is forgotten for it. */

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test, vi } from 'vitest'
import { SqliteEngine } from '../../src/engines/sqlite.ts'
import { ENOUGH, WalCheckpoint } from '../../src/engines/wal_checkpoint.ts'
import { temporaryFolder } from '../started.ts'

const PAGE = 4_096

/** What another process sees of the log, in pages. */
interface Log {
  log: number
  checkpointed: number
}

/** A database whose commits wait for `told` rather than for the disk. */
async function opened(told: (log: Log) => void = () => {}) {
  const file = join(temporaryFolder(), 'log.db')
  const other = new Database(file)
  const log = (): Log => other.prepare<[], Log>('PRAGMA wal_checkpoint(NOOP)').get() ?? expect.fail('no log')
  const engine = new SqliteEngine(file, async () => told(log()))
  onTestFinished(async () => {
    await engine.close()
    other.close()
  })
  await engine.alter([{ sql: 'CREATE TABLE notes (note TEXT)', params: [] }])
  return { file, engine, log, write: (pages: number) => write(engine, pages) }
}

function write(engine: SqliteEngine, pages: number): Promise<boolean> {
  const note = { sql: 'INSERT INTO notes (note) VALUES (?)', params: ['x'.repeat(PAGE - 1_000)] }
  return engine.batch(Array.from({ length: pages }, () => note))
}

/** The threads that begin from now on. */
function threads(): Worker[] {
  const begun: Worker[] = []
  const begin = (thread: Worker) => void begun.push(thread)
  process.on('worker', begin)
  onTestFinished(() => void process.off('worker', begin))
  return begun
}

test('a commit that fills the log has brought none of it to the database, and then a thread does', async () => {
  const begun = threads()
  const atCommit: Log[] = []
  const { write, log } = await opened((log) => void atCommit.push(log))
  await write(100)
  await setImmediate()
  expect(begun).toHaveLength(0)
  await write(1_000)
  expect(atCommit.at(-1)?.checkpointed).toBe(0)
  expect(atCommit.at(-1)?.log).toBeGreaterThan(1_000)
  await expect.poll(() => log().log - log().checkpointed, { timeout: 10_000 }).toBe(0)
  await write(1)
  expect(log().log).toBeLessThan(10)
  expect(begun).toHaveLength(1)
})

test('the log begins anew while writes go on and on, and what was read before stays true', async () => {
  const { engine, write, log } = await opened()
  const version = engine.near.version()
  let [written, longest] = [0, 0]
  while (log().log >= longest) {
    longest = log().log
    await write(50)
    written += 50
    await setImmediate()
  }
  expect(longest).toBeGreaterThan(1_000)
  expect(engine.near.version()).toBe(version)
  expect(await engine.get('SELECT count(*) AS count FROM notes')).toEqual({ count: written })
}, 30_000)

test('who closes during a checkpoint leaves one whole file', async () => {
  const file = join(temporaryFolder(), 'log.db')
  const engine = new SqliteEngine(file)
  await engine.alter([{ sql: 'CREATE TABLE notes (note TEXT)', params: [] }])
  await write(engine, 1_500)
  await engine.close()
  expect(existsSync(`${file}-wal`)).toBe(false)
  const database = new Database(file, { readonly: true })
  expect(database.prepare('SELECT count(*) AS count FROM notes').get()).toEqual({ count: 1_500 })
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
  database.close()
})

test('a thread that cannot begin stops nothing, and SQLite does by itself what it would have done', async () => {
  const begun = threads()
  const failed = vi.fn()
  process.on('uncaughtException', failed)
  onTestFinished(() => void process.off('uncaughtException', failed))
  const instead = vi.fn()
  const checkpoint = new WalCheckpoint(join(temporaryFolder(), 'none.db'), instead)
  for (let commit = 0; commit < 20; commit += 1) checkpoint.consider(ENOUGH)
  await expect.poll(() => instead.mock.calls.length, { timeout: 10_000 }).toBe(1)
  for (let commit = 0; commit < 20; commit += 1) checkpoint.consider(ENOUGH)
  await checkpoint.close()
  expect([begun.length, instead.mock.calls.length]).toEqual([1, 1])
  expect(failed).not.toHaveBeenCalled()
})

test('where no file can be opened the log stays short all the same', async () => {
  const begin = vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(() => {
    throw new Error('no thread')
  })
  onTestFinished(() => begin.mockRestore())
  const { write, log } = await opened()
  for (let time = 0; time < 10; time += 1) await write(ENOUGH)
  await write(1)
  expect(log().log).toBeLessThan(2 * ENOUGH)
})

test('what a checkpoint must leave, since somebody still reads what is older, begins no other one', async () => {
  const begun = threads()
  const asked = vi.spyOn(Worker.prototype, 'postMessage')
  onTestFinished(() => asked.mockRestore())
  const { file } = await opened()
  const checkpoint = new WalCheckpoint(file, () => expect.fail('there is a thread'))
  onTestFinished(() => checkpoint.close())
  const done = async () => once(begun.at(-1) ?? expect.fail('there is no thread'), 'message')
  checkpoint.consider(5_000)
  await setImmediate()
  await done()
  await setImmediate()
  for (let pages = 5_001; pages < 6_001; pages += 1) checkpoint.consider(pages)
  expect(asked).toHaveBeenCalledTimes(1)
  checkpoint.consider(6_001)
  expect(asked).toHaveBeenCalledTimes(2)
  await done()
  await setImmediate()
  // The reader has gone, and a checkpoint of somebody else brought all over.
  for (const pages of [10, 1_009]) checkpoint.consider(pages)
  expect(asked).toHaveBeenCalledTimes(2)
  checkpoint.consider(1_010)
  expect(asked).toHaveBeenCalledTimes(3)
})
