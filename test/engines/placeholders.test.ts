import fc from 'fast-check'
import { expect, test } from 'vitest'
import { numbered } from '../../src/engines/placeholders.ts'

test.each([
  ['SELECT 1', 'SELECT 1'],
  ['SELECT ?', 'SELECT $1'],
  ['UPDATE t SET a = ?, b = ? WHERE c = ?', 'UPDATE t SET a = $1, b = $2 WHERE c = $3'],
  ["SELECT '?' WHERE a = ?", "SELECT '?' WHERE a = $1"],
  ["SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1"],
  ['SELECT "what?" FROM t WHERE a = ?', 'SELECT "what?" FROM t WHERE a = $1'],
  [`SELECT '"', ?, "'", ?`, `SELECT '"', $1, "'", $2`],
  ["SELECT a FROM t WHERE b LIKE '$2%' AND c = ?", "SELECT a FROM t WHERE b LIKE '$2%' AND c = $1"],
])('%s', (sql, expected) => {
  expect(numbered(sql)).toBe(expected)
})

test('every placeholder has its number, and what is quoted stays', () => {
  const pieces = fc.array(fc.constantFrom('?', "'?'", '"?"', "'a''?'", ' = ', 'name', '$1'), { maxLength: 50 })
  fc.assert(
    fc.property(pieces, (parts) => {
      let count = 0
      const expected = parts.map((part) => {
        if (part === '?') count += 1
        return part === '?' ? `$${count}` : part
      })
      expect(numbered(parts.join(' '))).toBe(expected.join(' '))
    }),
  )
})
