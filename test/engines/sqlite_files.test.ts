/** Of the files of a database none may be lost unnoticed: what is written then is lost with the process, or under another one. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import { StoreUnavailable } from '../../src/engines/engine.ts'
import { SqliteEngine } from '../../src/engines/sqlite.ts'
import { temporaryFolder } from '../started.ts'

const NOTE = { sql: "INSERT INTO notes VALUES ('ours')", params: [] }

function opened(file: string): SqliteEngine {
  const engine = new SqliteEngine(file)
  onTestFinished(() => engine.close())
  return engine
}

async function notes(engine: SqliteEngine) {
  const rows = await engine.all('SELECT text FROM notes ORDER BY rowid')
  return rows.map(({ text }) => text)
}

/** Writes a note in a process of its own, which opens the database and closes it. */
function noteOfAnother(file: string): void {
  const source = `import Database from 'better-sqlite3'
    const database = new Database(process.argv[1])
    database.exec("INSERT INTO notes VALUES ('theirs')")
    database.close()`
  execFileSync(process.execPath, ['--input-type=module', '--eval', source, file], { cwd: import.meta.dirname })
}

describe.each([
  ['the database', ''],
  ['its log', '-wal'],
  ['the index of the log', '-shm'],
])('%s', (_, end) => {
  const losses: [string, (path: string) => void][] = [
    ['deleted', (path) => rmSync(path)],
    ['moved away', (path) => renameSync(path, `${path}.old`)],
    [
      'replaced',
      (path) => {
        writeFileSync(`${path}.new`, '')
        renameSync(`${path}.new`, path)
      },
    ],
  ]

  test.each(losses)('%s: no further write is taken, which would be lost, and reading goes on', async (_, lose) => {
    const file = join(temporaryFolder(), 'lost.db')
    const engine = opened(file)
    await engine.run('CREATE TABLE notes (text TEXT)')
    expect(await engine.batch([NOTE])).toBe(true)
    lose(file + end)
    await expect(engine.batch([NOTE])).rejects.toThrow(StoreUnavailable)
    await expect(engine.run(NOTE.sql)).rejects.toThrow(`lost.db${end} was deleted or replaced: restart the service`)
    expect(await notes(engine)).toEqual(['ours'])
  })

  test('deleted before anything was written: the first write is refused as well', async () => {
    const file = join(temporaryFolder(), 'lost.db')
    const engine = opened(file)
    rmSync(file + end)
    await expect(engine.run('CREATE TABLE notes (text TEXT)')).rejects.toThrow(StoreUnavailable)
  })
})

test('a write that waits for another process is not taken either, where the database is lost meanwhile', async () => {
  const file = join(temporaryFolder(), 'waiting.db')
  const engine = opened(file)
  await engine.run('CREATE TABLE notes (text TEXT)')
  const other = new Database(file)
  onTestFinished(() => void other.close())
  other.exec('BEGIN IMMEDIATE')
  const waiting = expect(engine.batch([NOTE])).rejects.toThrow(StoreUnavailable)
  const running = expect(engine.run(NOTE.sql)).rejects.toThrow('waiting.db was deleted or replaced')
  renameSync(file, `${file}.old`)
  other.exec('COMMIT')
  await Promise.all([waiting, running])
  expect(await notes(engine)).toEqual([])
})

test('a link in a circle and a folder that cannot be entered count as a loss', async () => {
  const folder = temporaryFolder()
  const [file, link] = [join(folder, 'real.db'), join(folder, 'link.db')]
  symlinkSync(file, link)
  const engine = opened(link)
  await engine.run('CREATE TABLE notes (text TEXT)')
  rmSync(link)
  symlinkSync(link, link)
  await expect(engine.batch([NOTE])).rejects.toThrow(StoreUnavailable)
  await expect(engine.reach()).rejects.toThrow('link.db was deleted or replaced')
})

test('nothing is taken for lost in ordinary life: an empty file, others who come and go, checkpoints, a new start', async () => {
  const file = join(temporaryFolder(), 'life.db')
  writeFileSync(file, '')
  const engine = opened(file)
  await engine.run('CREATE TABLE notes (text TEXT)')
  noteOfAnother(file)
  await engine.batch([NOTE])
  await engine.get('PRAGMA wal_checkpoint(TRUNCATE)')
  noteOfAnother(file)
  await engine.batch([NOTE])
  await engine.close()
  noteOfAnother(file)
  const again = opened(file)
  await again.batch([NOTE])
  expect(await notes(again)).toEqual(['theirs', 'ours', 'theirs', 'ours', 'theirs', 'ours'])
})

describe('a link to the database', () => {
  /** @returns the path of a link and of what it leads to, in another folder; the latter is not there yet */
  function linked() {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'real'))
    const [link, file] = [join(folder, 'link.db'), join(folder, 'real', 'file.db')]
    symlinkSync(file, link)
    return { link, file }
  }

  test.each<[string, (file: string) => Promise<void>]>([
    ['nothing yet', async () => undefined],
    ['an empty file', async (file) => writeFileSync(file, '', { mode: 0o600 })],
    ['a whole database', async (file) => new SqliteEngine(file).close()],
  ])('to %s: what is written through it is in the file', async (_, prepare) => {
    const { link, file } = linked()
    await prepare(file)
    const engine = opened(link)
    await engine.run('CREATE TABLE notes (text TEXT)')
    noteOfAnother(file)
    await engine.batch([NOTE])
    await engine.close()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await notes(opened(file))).toEqual(['theirs', 'ours'])
  })

  test.each<[string, (link: string, file: string) => void]>([
    [
      'that leads elsewhere by now',
      (link, file) => {
        writeFileSync(`${file}.other`, '')
        rmSync(link)
        symlinkSync(`${file}.other`, link)
      },
    ],
    [
      'that follows the file without its log',
      (link, file) => {
        renameSync(file, `${file}.moved`)
        rmSync(link)
        symlinkSync(`${file}.moved`, link)
      },
    ],
  ])('%s takes no further write', async (_, lead) => {
    const { link, file } = linked()
    const engine = opened(link)
    await engine.run('CREATE TABLE notes (text TEXT)')
    lead(link, file)
    await expect(engine.batch([NOTE])).rejects.toThrow('was deleted or replaced: restart the service')
  })
})
