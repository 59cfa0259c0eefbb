/** The security list, its tests and docs/security.md say the same; and the lines that end a run count what there is. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { pages } from '../scripts/docs.ts'
import { inventory } from '../scripts/key_inventory.ts'
import { idsOf, sections, securityRows } from '../scripts/security_rows.ts'
import { namedTests, namedTestsIn } from '../scripts/test_titles.ts'
import { countLine, provenLine } from './reporter.ts'

/** How many rows each section has, by the letter of its ids. */
const LAST = { P: 20, A: 25, S: 24, K: 8, R: 22, H: 22, W: 19, T: 26, M: 25, O: 27 }

const ids = securityRows.map(({ id }) => id)
const named = namedTests()

describe('the rows', () => {
  test('are all there, once, in order', () => {
    const expected = Object.entries(LAST).flatMap(([letter, last]) =>
      Array.from({ length: last }, (_, index) => `${letter}-${String(index + 1).padStart(2, '0')}`),
    )
    expect(ids).toEqual(expected)
    expect(expected).toHaveLength(218)
  })

  test('of a section share its letter', () => {
    for (const { title, rows } of sections) {
      expect(new Set(rows.map(({ id }) => id[0])).size, title).toBe(1)
    }
  })

  test('say what is asked, by whom, and what the service does', () => {
    for (const { id, demand, standard, does } of securityRows) {
      for (const text of [demand, standard, does]) expect(text.trim(), id).not.toBe('')
      for (const text of [demand, does]) expect(text, id).toMatch(/\.$/)
    }
  })

  test.each(securityRows)('$id has a test, or one reason why it has none', ({ id, open, operator }) => {
    const reasons = [open, operator].filter((reason) => reason !== undefined)
    const tests = named.filter((one) => one.ids.includes(id)).map(({ title }) => title)
    if (tests.length > 0) expect(reasons, 'a row that is proven needs no reason').toEqual([])
    else expect(reasons, 'no test names it, and nothing says why').toHaveLength(1)
  })

  test('are what the titles of the tests name', () => {
    const unknown = named.filter((one) => one.ids.some((id) => !ids.includes(id)))
    expect(unknown).toEqual([])
    expect(named.length).toBeGreaterThan(20)
  })
})

describe('the page', () => {
  const page = pages().get('security.md') ?? ''

  test('is the one that is kept', () => {
    expect(readFileSync(new URL('../docs/security.md', import.meta.url), 'utf8'), 'run `npm run docs`').toBe(page)
  })

  test('has one line for each row, with its tests', () => {
    for (const id of ids) {
      const lines = page.split('\n').filter((line) => line.startsWith(`| ${id} |`))
      expect(lines, id).toHaveLength(1)
      for (const { file } of named.filter((one) => one.ids.includes(id))) expect(lines[0], id).toContain(file)
    }
  })

  test('has every key and algorithm', () => {
    for (const { file, key } of inventory) {
      expect(page).toContain(`\`${file}\``)
      expect(page).toContain(key)
    }
  })
})

describe('the titles of tests', () => {
  // Put together here, so that none of these is read as a test of its own.
  const id = ['P', '02'].join('-')
  const other = ['R', '15'].join('-')

  test.each([
    ['a test', `test('${id}: is so', () => {`, [[id]]],
    ['a test in other quotes', `test("${id}: it's so", () => {`, [[id]]],
    ['a template', `test(\`${id}: \${name} is so\`, () => {`, [[id]]],
    ['a table', `test.each([['a', 1]])('${id}: %s is so', () => {`, [[id]]],
    ['a table with the titles', `test.each([\n  ['${id}: one', 1],\n  ['${other}: two', 2],\n])('%s'`, [[id], [other]]],
    ['a title on its own line', `test.each(ROWS)(\n  '${id}: is so',\n`, [[id]]],
    ['two rows', `test('${id}, ${other}: are so', () => {`, [[id, other]]],
    ['two tests', `test('${id}: is so', a)\ntest('${other}: is so', b)`, [[id], [other]]],
    ['an id in the middle', `test('about ${id}: no', () => {`, []],
    ['an id without a colon', `test('${id} no', () => {`, []],
    ['a group', `describe('${id}: no', () => {`, []],
    ['one that does not run', `test.skip('${id}: no', () => {`, []],
    ['one in a comment', `  // test('${id}: no', () => {`, []],
    ['a text elsewhere', `const text = '${id}: no'`, []],
  ])('%s', (_, source, expected) => {
    expect(namedTestsIn('some.test.ts', source).map((one) => one.ids)).toEqual(expected)
  })

  test('begin with ids or do not', () => {
    expect(idsOf(`${id}, ${other}: both`)).toEqual([id, other])
    expect(idsOf(`${id} ${other}: none`)).toEqual([])
    expect(idsOf(`${id}:none`)).toEqual([])
  })
})

describe('the last lines of a run', () => {
  const core = securityRows.filter(({ part }) => part === 'core')
  const operators = core.filter(({ operator }) => operator !== undefined).length
  const [first, second] = core.filter(({ open, operator }) => open === undefined && operator === undefined)
  if (first === undefined || second === undefined) throw new Error('no row is proven')
  const line = (proven: number) =>
    `security rows: ${proven} proven, ${operators} the operator's, ${core.length - operators - proven} open`

  test('count a row where all tests that name it have passed', () => {
    const passed = { title: `${first.id}: is so`, state: 'passed' } as const
    const both = { title: `${second.id}, ${first.id}: are so`, state: 'passed' } as const
    expect(provenLine([])).toBe(line(0))
    expect(provenLine([passed])).toBe(line(1))
    expect(provenLine([passed, both])).toBe(line(2))
    expect(provenLine([passed, { ...both, state: 'failed' }])).toBe(line(0))
    expect(provenLine([passed, { ...both, state: 'skipped' }])).toBe(line(0))
  })

  test('do not count rows of parts that are not the core', () => {
    const tokens = securityRows.find(({ part }) => part === 'tokens')
    expect(provenLine([{ title: `${tokens?.id}: is so`, state: 'passed' }])).toBe(line(0))
  })

  test('count tests, and what failed outside of them', () => {
    const ran = (['passed', 'passed', 'failed', 'skipped'] as const).map((state) => ({ title: 'one', state }))
    expect(countLine(ran, 0)).toBe('2 passed, 1 failed')
    expect(countLine(ran, 2)).toBe('2 passed, 3 failed')
  })
})
