import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidRequest, insert, must, remove, select, type Table, update } from '../../src/db/table.ts'
import { integer, optionalText } from '../../src/engines/engine.ts'

interface Note {
  id: number
  title: string | null
  writtenAt: number
}

const notes: Table<Note> = {
  name: 'notes',
  columns: { id: 'id', title: 'title', writtenAt: 'written_at' },
  read: (row) => ({ id: integer(row, 'id'), title: optionalText(row, 'title'), writtenAt: integer(row, 'written_at') }),
}

describe('a statement', () => {
  test.each([
    [
      'insert',
      insert(notes, { title: 'a', writtenAt: 5 }),
      'INSERT INTO notes (title, written_at) VALUES (?, ?)',
      ['a', 5],
    ],
    ['insert of null', insert(notes, { title: null }), 'INSERT INTO notes (title) VALUES (?)', [null]],
    ['select', select(notes, { writtenAt: 5 }), 'SELECT * FROM notes WHERE written_at = ?', [5]],
    ['select by null', select(notes, { title: null }), 'SELECT * FROM notes WHERE title IS NULL', []],
    [
      'select by all of several',
      select(notes, { id: 1, title: null, writtenAt: 5 }),
      'SELECT * FROM notes WHERE id = ? AND title IS NULL AND written_at = ?',
      [1, 5],
    ],
    [
      'update',
      update(notes, { title: 'b', writtenAt: 6 }, { id: 1, title: 'a' }),
      'UPDATE notes SET title = ?, written_at = ? WHERE id = ? AND title = ?',
      ['b', 6, 1, 'a'],
    ],
    [
      'update to null where null',
      update(notes, { title: null }, { title: null, id: 1 }),
      'UPDATE notes SET title = ? WHERE title IS NULL AND id = ?',
      [null, 1],
    ],
    ['remove', remove(notes, { id: 1, title: 'a' }), 'DELETE FROM notes WHERE id = ? AND title = ?', [1, 'a']],
  ])('is what it should be: %s', (_, statement, sql, params) => {
    expect(statement).toEqual({ sql, params })
  })

  test('that must change a row says so, and is otherwise the same', () => {
    const statement = remove(notes, { id: 1 })
    expect(must(statement)).toEqual({ ...statement, mustChange: true })
    expect(statement).not.toHaveProperty('mustChange')
  })
})

/** What no caller that the compiler has seen can send. */
const wrong: [string, object][] = [
  ['nothing', {}],
  ['an unknown field', { id: 1, nickname: 'a' }],
  ['a column in the place of a field', { written_at: 5 }],
  ['SQL in the place of a field', { 'id = 1 OR 1': 1 }],
  ['a name that every object has', { constructor: 'a' }],
  ['a field without a value', { id: 1, title: undefined }],
  ['a list', { id: [1, 2] }],
  ['an object', { title: { like: '%' } }],
  ['a truth value', { title: true }],
  ['a date', { writtenAt: new Date(0) }],
  ['a big integer', { id: 1n }],
]

describe.each(wrong)('%s', (_, record) => {
  test.each([
    ['record', () => insert(notes, record)],
    ['criterion of select', () => select(notes, record)],
    ['change', () => update(notes, record, { id: 1 })],
    ['criterion of update', () => update(notes, { title: 'a' }, record)],
    ['criterion of remove', () => remove(notes, record)],
  ])('is no %s', (_, make) => {
    expect(make).toThrow(InvalidRequest)
  })
})

test('an id never changes', () => {
  expect(() => update(notes, { id: 2 }, { id: 1 })).toThrow(InvalidRequest)
  expect(() => update(notes, { title: 'a', id: 1 }, { id: 1 })).toThrow(/the id of a row of notes never changes/)
})

test('no text of a caller ever gets into the SQL', () => {
  const values = fc.oneof(fc.string(), fc.constantFrom("'; DROP TABLE notes; --", '?', '1 OR 1=1', '" OR ""="'))
  fc.assert(
    fc.property(values, fc.integer(), (title, writtenAt) => {
      const usual = { title: 'a', writtenAt: 5 }
      const given = { title, writtenAt }
      expect(insert(notes, given).sql).toBe(insert(notes, usual).sql)
      expect(select(notes, given).sql).toBe(select(notes, usual).sql)
      expect(update(notes, given, given).sql).toBe(update(notes, usual, usual).sql)
      expect(remove(notes, given).sql).toBe(remove(notes, usual).sql)
    }),
  )
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (field) => {
      fc.pre(!Object.hasOwn(notes.columns, field))
      const record: object = { [field]: 'a' }
      expect(() => select(notes, record)).toThrow(InvalidRequest)
    }),
  )
})
