/**
 * The little SQL that the DB needs, written once: statements over a table from records and criteria in the product's own
 * names. Column names come from the tables below, never from a caller; values are always bound.
 */

import type { Row, Statement, Value } from '../engines/engine.ts'

export interface Table<T> {
  readonly name: string
  /** The column of each field. */
  readonly columns: { readonly [F in keyof T]: string }
  read(row: Row): T
}

/** A criterion or a change names a column that does not exist, or nothing at all. */
export class InvalidRequest extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'InvalidRequest'
  }
}

/** No row answers the criteria. */
export class NoResultFound extends Error {
  constructor(table: string) {
    super(`no row of ${table} answers these criteria`)
    this.name = 'NoResultFound'
  }
}

/** Marks a statement that must change a row, or the whole batch rolls back. */
export function must(statement: Statement): Statement {
  return { ...statement, mustChange: true }
}

/** The same where no row need change: the work of a statement that changes none, for whoever times it. */
export function may({ sql, params }: Statement): Statement {
  return { sql, params }
}

export function insert<T>(table: Table<T>, record: Partial<NoInfer<T>>): Statement {
  const { names, params } = columnsOf(table, record)
  return {
    sql: `INSERT INTO ${table.name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
    params,
  }
}

/** Something that must hold in the database when a statement runs: an expression of SQL. */
export interface Condition {
  readonly sql: string
  readonly params: readonly Value[]
}

/** Inserts the record if all conditions hold. */
export function insertIf<T>(table: Table<T>, record: Partial<NoInfer<T>>, conditions: readonly Condition[]): Statement {
  const { sql, params } = insert(table, record)
  if (conditions.length === 0) return { sql, params }
  const clause = conditions.map((condition) => condition.sql).join(' AND ')
  return {
    sql: sql.replace(/VALUES \((.*)\)$/, `SELECT $1 WHERE ${clause}`),
    params: [...params, ...conditions.flatMap((condition) => condition.params)],
  }
}

export function select<T>(table: Table<T>, criteria: Partial<NoInfer<T>>): Statement {
  const { clause, params } = where(table, criteria)
  return { sql: `SELECT * FROM ${table.name} WHERE ${clause}`, params }
}

/** @param order the fields by which the rows are ordered, the highest first */
export function selectLast<T>(
  table: Table<T>,
  criteria: Partial<NoInfer<T>>,
  order: readonly (keyof NoInfer<T>)[],
  limit: number,
): Statement {
  const { sql, params } = select(table, criteria)
  const columns = order.map((field) => `${table.columns[field]} DESC`).join(', ')
  return { sql: `${sql} ORDER BY ${columns} LIMIT ?`, params: [...params, limit] }
}

export function update<T>(table: Table<T>, changes: Partial<NoInfer<T>>, criteria: Partial<NoInfer<T>>): Statement {
  if (Object.hasOwn(changes, 'id')) throw new InvalidRequest(`the id of a row of ${table.name} never changes`)
  const { names, params } = columnsOf(table, changes)
  const condition = where(table, criteria)
  return {
    sql: `UPDATE ${table.name} SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE ${condition.clause}`,
    params: [...params, ...condition.params],
  }
}

export function remove<T>(table: Table<T>, criteria: Partial<NoInfer<T>>): Statement {
  const { clause, params } = where(table, criteria)
  return { sql: `DELETE FROM ${table.name} WHERE ${clause}`, params }
}

/** A table as the schema has it, whatever is known of its columns. */
export interface KeyedTable {
  readonly name: string
  /** The column that is its primary key. */
  readonly key: string
}

/** Counts the rows. */
export function countRows(table: KeyedTable): Statement {
  return { sql: `SELECT COUNT(*) AS count FROM ${table.name}`, params: [] }
}

/** Reads whole rows in the order of the key, after a key or from the first. */
export function nextRows(table: KeyedTable, after: Value | undefined, limit: number): Statement {
  const columns = table.key
  const clause = after === undefined ? '' : `WHERE ${columns} > ?`
  const sql = `SELECT * FROM ${table.name} ${clause} ORDER BY ${columns} LIMIT ?`
  return { sql, params: after === undefined ? [limit] : [after, limit] }
}

/** Inserts those of the rows whose keys are not there yet; all have the columns of the first. */
export function insertMissing(table: KeyedTable, rows: readonly Row[]): Statement {
  const names = Object.keys(rows[0] ?? {})
  const columns = rows.map(() => `(${names.map(() => '?').join(', ')})`).join(', ')
  return {
    sql: `INSERT INTO ${table.name} (${names.join(', ')}) VALUES ${columns} ON CONFLICT DO NOTHING`,
    params: rows.flatMap((row) => names.map((name) => bindable(name, row[name]))),
  }
}

function where<T>(table: Table<T>, criteria: Partial<T>): { clause: string; params: Value[] } {
  const { names, params } = columnsOf(table, criteria)
  const clause = names.map((name, index) => (params[index] === null ? `${name} IS NULL` : `${name} = ?`)).join(' AND ')
  return { clause, params: params.filter((value) => value !== null) }
}

function columnsOf<T>(table: Table<T>, record: Partial<T>): { names: string[]; params: Value[] } {
  const columns = new Map<string, string>(Object.entries(table.columns))
  const names: string[] = []
  const params: Value[] = []
  for (const [field, value] of Object.entries(record)) {
    const column = columns.get(field)
    if (column === undefined) throw new InvalidRequest(`${table.name} has no ${field}`)
    names.push(column)
    params.push(bindable(field, value))
  }
  if (names.length === 0) throw new InvalidRequest(`no field of ${table.name} is named`)
  return { names, params }
}

function bindable(field: string, value: unknown): Value {
  if (typeof value === 'string' || typeof value === 'number' || value === null) return value
  throw new InvalidRequest(`${field} has no value that a column can hold`)
}
