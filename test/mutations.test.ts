/** The mutations fit the sources, every proven row has one, and docs/mutations.md is the record of them all. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { line } from '../scripts/markdown.ts'
import { cellsOf, edited, editsOf, mutations } from '../scripts/mutation_table.ts'
import { securityRows } from '../scripts/security_rows.ts'
import { namedTests } from '../scripts/test_titles.ts'
import { pathOf } from './started.ts'

const named = namedTests()

test('each edit changes what stands exactly once in its file', () => {
  const sources = new Map<string, string>()
  for (const mutation of mutations) {
    const before = new Map<string, string>()
    for (const edit of editsOf(mutation)) {
      const source = sources.get(edit.file) ?? readFileSync(pathOf(edit.file), 'utf8')
      sources.set(edit.file, source)
      const changed = edited(before.get(edit.file) ?? source, edit)
      expect(changed, mutation.takesOut).not.toBe(before.get(edit.file) ?? source)
      before.set(edit.file, changed)
    }
  }
})

test('no two are the same', () => {
  const said = mutations.map((mutation) => `${mutation.rows}: ${mutation.takesOut}`)
  expect(said.filter((one, index) => said.indexOf(one) !== index)).toEqual([])
})

test('each names rows that have tests, and test files of these rows', () => {
  for (const { rows, tests, takesOut } of mutations) {
    expect(rows.length, takesOut).toBeGreaterThan(0)
    for (const row of rows) {
      const files = named.filter(({ ids }) => ids.includes(row)).map(({ file }) => file)
      expect(files, `${row}: ${takesOut}`).not.toEqual([])
      if (tests !== undefined) expect(files, `${row}: ${takesOut}`).toContain(tests)
    }
  }
})

test('every row that is proven has one', () => {
  const proven = securityRows.filter(({ id }) => named.some(({ ids }) => ids.includes(id)))
  const without = proven.filter(({ id }) => !mutations.some(({ rows }) => rows.includes(id))).map(({ id }) => id)
  expect(proven.length).toBeGreaterThan(170)
  expect(without).toEqual([])
})

test('docs/mutations.md has each of them once, in their order, with the test that failed', () => {
  const [, , ...seen] = readFileSync(pathOf('docs/mutations.md'), 'utf8')
    .split('\n')
    .filter((one) => one.startsWith('| '))
  const said = mutations.map((mutation) => line(cellsOf(mutation)).slice(0, -'\n'.length))
  expect(
    seen.map((row) => row.slice(0, row.lastIndexOf(' | ') + ' |'.length)),
    'run `npm run mutations`',
  ).toEqual(said)
  for (const [index, row] of seen.entries()) {
    const failed = row.slice(row.lastIndexOf(' | ') + ' | '.length)
    for (const id of mutations[index]?.rows ?? []) {
      const tests = named.filter(({ ids }) => ids.includes(id)).map(({ file }) => file)
      expect(failed, row).toMatch(new RegExp(`\`(?:${tests.join('|')})\`: [^<]*${id}[,:]`))
    }
  }
})
