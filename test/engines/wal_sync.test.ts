/** Whoever waits for the disk waits for a sync that began after the call, and shares it with all who came meanwhile. */

import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { StoreUnavailable } from '../../src/engines/engine.ts'
import { SqliteEngine } from '../../src/engines/sqlite.ts'
import { WalSync } from '../../src/engines/wal_sync.ts'
import { temporaryFolder } from '../started.ts'

/** A disk whose syncs end when they are told to. */
class Disk {
  readonly waits: WalSync
  readonly syncs: { end(): void; fail(error: Error): void }[] = []

  constructor() {
    const database = join(temporaryFolder(), 'disk.db')
    writeFileSync(`${database}-wal`, '')
    this.waits = new WalSync(
      database,
      () => new Promise<void>((end, fail) => void this.syncs.push({ end: () => end(), fail })),
    )
  }

  /** All that can happen without the disk has happened. */
  async settled(): Promise<void> {
    await new Promise(setImmediate)
  }
}

test('nobody is told before the disk has it, and who comes during a sync waits for the next', async () => {
  const disk = new Disk()
  const told: string[] = []
  const wait = (name: string) => void disk.waits.wait().then(() => told.push(name))
  wait('first')
  wait('with it')
  await disk.settled()
  for (const name of ['second', 'third', 'fourth']) wait(name)
  await disk.settled()
  expect([told, disk.syncs.length]).toEqual([[], 1])
  disk.syncs[0]?.end()
  await disk.settled()
  expect([told, disk.syncs.length]).toEqual([['first', 'with it'], 2])
  disk.syncs[1]?.end()
  await disk.settled()
  expect([told, disk.syncs.length]).toEqual([['first', 'with it', 'second', 'third', 'fourth'], 2])
})

test('where the disk fails, all hear of it who wait, until the log is begun anew', async () => {
  const disk = new Disk()
  const first = disk.waits.wait()
  await disk.settled()
  const second = disk.waits.wait()
  disk.syncs[0]?.fail(new Error('the disk is gone'))
  for (const wait of [first, second, disk.waits.wait()]) await expect(wait).rejects.toThrow('the disk is gone')
  expect([disk.waits.failed, disk.syncs.length]).toEqual([true, 1])
  disk.waits.renew()
  const third = disk.waits.wait()
  await disk.settled()
  disk.syncs[1]?.end()
  await third
})

/** An engine on a disk that fails the sync of the second commit. */
async function failedOnce() {
  const file = join(temporaryFolder(), 'bienvenue.db')
  let commits = 0
  const engine = new SqliteEngine(file, async () => {
    commits += 1
    if (commits === 2) throw new Error('EIO')
  })
  onTestFinished(() => engine.close())
  await engine.batch([{ sql: 'CREATE TABLE things (id INTEGER)', params: [] }])
  const add = (id: number) => engine.batch([{ sql: 'INSERT INTO things VALUES (?)', params: [id] }])
  await expect(add(1)).rejects.toThrow(StoreUnavailable)
  return { file, add }
}

test('after a sync that failed, the next commit brings the log into the database before it adds to it', async () => {
  const { file, add } = await failedOnce()
  await add(2)
  // Without its log.
  copyFileSync(file, `${file}.copy`)
  const copy = new Database(`${file}.copy`)
  expect(copy.prepare('SELECT id FROM things').pluck().all()).toEqual([1])
  copy.close()
  const whole = new Database(file)
  expect(whole.prepare('SELECT id FROM things').pluck().all()).toEqual([1, 2])
  whole.close()
})

test('as long as that cannot be done, nothing is acknowledged', async () => {
  const { file, add } = await failedOnce()
  const reader = new Database(file)
  reader.exec('BEGIN')
  reader.prepare('SELECT id FROM things').all()
  await expect(add(2)).rejects.toThrow(StoreUnavailable)
  reader.exec('COMMIT')
  reader.close()
  expect(await add(3)).toBe(true)
})

test('of any order of commits and syncs each is told only by a sync that began after it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 30 }), async (steps) => {
      const disk = new Disk()
      let ended = 0
      const early: number[] = []
      const waits: Promise<void>[] = []
      for (const commits of steps) {
        if (commits) {
          const begun = disk.syncs.length
          // One that runs already does not count.
          waits.push(disk.waits.wait().then(() => void (ended <= begun && early.push(begun))))
        } else if (disk.syncs.length > ended) {
          ended += 1
          disk.syncs[ended - 1]?.end()
        }
        await disk.settled()
      }
      while (disk.syncs.length > ended) {
        ended += 1
        disk.syncs[ended - 1]?.end()
        await disk.settled()
      }
      await Promise.all(waits)
      expect(early).toEqual([])
    }),
    { numRuns: 100 },
  )
})

test('an engine closes after its last sync, and a new one opens the same file', async () => {
  const folder = temporaryFolder()
  const engine = new SqliteEngine(join(folder, 'bienvenue.db'))
  await engine.batch([{ sql: 'CREATE TABLE things (id INTEGER)', params: [] }])
  const last = engine.run('INSERT INTO things VALUES (1)')
  await engine.close()
  await last
  const again = new SqliteEngine(join(folder, 'bienvenue.db'))
  expect(await again.all('SELECT id FROM things')).toEqual([{ id: 1 }])
  await again.close()
})
