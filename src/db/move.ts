/**
 * Moves everything from one database into another, whatever their engines: rows with their ids, and the numbers that were
 * given and must not be given again. What there is to move follows from the migrations. The source is only read.
 */

import { hash } from 'node:crypto'
import { type Engine, integer, type Row, type Value } from '../engines/engine.ts'
import { StartError } from '../errors.ts'
import { type Migration, migrate, UNFINISHED_MOVE } from './migrations.ts'
import { countRows, insertMissing, type KeyedTable, nextRows } from './table.ts'

/** Rows that are read and written at a time. */
const STEP = 500

interface MovedTable extends KeyedTable {
  /** Whether the database numbers its rows. */
  readonly numbered: boolean
}

export interface MoveProgress {
  readonly table: string
  readonly phase: 'copying' | 'checking'
  readonly done: number
  readonly total: number
}

export interface Move {
  readonly from: Engine
  readonly to: Engine
  readonly migrations: readonly Migration[]
  /** Milliseconds since the epoch. */
  readonly now: number
  report(progress: MoveProgress): void
}

/**
 * Copies all rows and compares both sides afterwards. One that was interrupted goes on where the target is incomplete;
 * until it has ended the service does not start on the target.
 * @returns the number of rows of each table
 * @throws StartError where the source is of another version, the target is in use, or they differ in the end
 */
export async function moveAll(move: Move): Promise<Map<string, number>> {
  const tables = movedTables(move.migrations)
  await checkSource(move)
  await prepareTarget(move, tables)
  const counts = new Map<string, number>()
  for (const table of tables) counts.set(table.name, await copy(move, table))
  for (const table of tables) await verify(move, table)
  for (const { name, key } of tables.filter(({ numbered }) => numbered)) {
    const last = await move.from.lastNumber(name, key)
    if (last > 0) await move.to.continueAfter(name, key, last)
  }
  await move.to.batch([{ sql: 'DELETE FROM schema_migrations WHERE id = ?', params: [UNFINISHED_MOVE.id] }])
  return counts
}

/** @returns the tables that the migrations make, in their order: what another one refers to comes first */
export function movedTables(migrations: readonly Migration[]): MovedTable[] {
  const statements = migrations.toSorted((a, b) => a.id - b.id).flatMap(({ sql }) => sql)
  return statements.flatMap((sql) => {
    const name = /^\s*CREATE TABLE (\w+)/.exec(sql)?.[1]
    if (name === undefined) return []
    const [, key, rest = ''] = /^\s*(?:CREATE TABLE \w+ \()?\s*(\w+) \w+ (PRIMARY KEY.*)$/m.exec(sql) ?? []
    if (key === undefined) throw new Error(`the table ${name} has no column that is its key`)
    return [{ name, key, numbered: rest.includes('AUTOINCREMENT') }]
  })
}

async function checkSource({ from, migrations }: Move): Promise<void> {
  const sql = 'SELECT id FROM schema_migrations ORDER BY id'
  const applied = await from.all(sql).catch(() => [])
  const ids = migrations.map(({ id }) => id).sort((a, b) => a - b)
  if (applied.map((row) => integer(row, 'id')).join() !== ids.join()) {
    throw new StartError(
      'The database to move from is not one of this version. Start this version of the service on it once, stop it, and move then.',
    )
  }
}

async function prepareTarget({ to, migrations, now }: Move, tables: readonly MovedTable[]): Promise<void> {
  if (!(await isUnfinished(to))) {
    await migrate(to, migrations, now)
    for (const table of tables) {
      if ((await count(to, table)) > 0) {
        throw new StartError('The database to move to is in use. Name an empty one: nothing is ever overwritten.')
      }
    }
  }
  await migrate(to, [...migrations, UNFINISHED_MOVE], now)
}

async function isUnfinished(to: Engine): Promise<boolean> {
  const sql = 'SELECT id FROM schema_migrations WHERE id = ?'
  // Where there is no such table nothing has begun; where something else is wrong, the next step says so.
  return (await to.get(sql, [UNFINISHED_MOVE.id]).catch(() => undefined)) !== undefined
}

async function copy(move: Move, table: MovedTable): Promise<number> {
  const total = await count(move.from, table)
  if ((await count(move.to, table)) === total) return total
  let done = 0
  for await (const rows of pages(move.from, table)) {
    await move.to.batch([insertMissing(table, rows)])
    done += rows.length
    move.report({ table: table.name, phase: 'copying', done, total })
  }
  return total
}

async function verify(move: Move, table: MovedTable): Promise<void> {
  const total = await count(move.from, table)
  let done = 0
  const seen = (more: number) => {
    done += more
    move.report({ table: table.name, phase: 'checking', done, total: total * 2 })
  }
  if ((await digest(move.from, table, seen)) === (await digest(move.to, table, seen))) return
  throw new StartError(
    `The rows of ${table.name} differ after the move. Stop every service that uses either database, empty the target, and move again.`,
  )
}

/** @returns the number of rows and a sum over them, which is the same in whatever order they come */
async function digest(engine: Engine, table: MovedTable, seen: (rows: number) => void): Promise<string> {
  let [rows, sum] = [0, 0n]
  for await (const page of pages(engine, table)) {
    rows += page.length
    for (const row of page) sum = BigInt.asUintN(128, sum + BigInt(`0x${fingerprint(row).slice(0, 32)}`))
    seen(page.length)
  }
  return `${rows} ${sum}`
}

function fingerprint(row: Row): string {
  const columns = Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))
  // Not every database holds NUL; what stands for it there stands for it here.
  return hash('sha256', JSON.stringify(columns).replaceAll('\\u0000', '\ufdd0'), 'hex')
}

async function count(engine: Engine, table: KeyedTable): Promise<number> {
  const { sql, params } = countRows(table)
  return integer((await engine.get(sql, params)) ?? {}, 'count')
}

/** Reads a table in the order of its key, which may differ from engine to engine. */
async function* pages(engine: Engine, table: KeyedTable): AsyncGenerator<Row[]> {
  let after: Value | undefined
  for (;;) {
    const { sql, params } = nextRows(table, after, STEP)
    const rows = await engine.all(sql, params)
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows
    const key = last[table.key]
    if (typeof key !== 'string' && typeof key !== 'number') throw new TypeError(`a row of ${table.name} has no key`)
    after = key
  }
}
