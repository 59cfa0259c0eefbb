/** The titles of the tests that prove a row of the security list, read from the test files as they are written. */

import { readdirSync, readFileSync } from 'node:fs'
import { idsOf } from './security_rows.ts'

const FOLDER = new URL('../test/', import.meta.url)

/** The first argument of a call, or the first cell of a row for `each`, where it is a text in whatever quotes that begins with an id. */
const TITLE = /(\w+(?:\.\w+)*)?[([]\s*(['"`])([A-Z]-\d\d(?:, [A-Z]-\d\d)*: (?:\\.|(?!\2)[^\\])*)\2/g
/** Calls that run no test of that name. */
const NO_TEST = /^describe\b|\.(?:skip|todo|skipIf|runIf|fails)$/

export interface NamedTest {
  /** From the root of the repository. */
  file: string
  title: string
  ids: string[]
}

/** @returns the tests that name a row, in order of their files */
export function namedTests(): NamedTest[] {
  const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'))
  return files.sort().flatMap((file) => namedTestsIn(`test/${file}`, readFileSync(new URL(file, FOLDER), 'utf8')))
}

/** @param source of a test file; its comments do not count */
export function namedTestsIn(file: string, source: string): NamedTest[] {
  const code = source.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '')
  return [...code.matchAll(TITLE)]
    .filter(([, call = '']) => !NO_TEST.test(call))
    .map(([, , , written = '']) => ({ file, title: unescaped(written), ids: idsOf(unescaped(written)) }))
}

function unescaped(written: string): string {
  return written.replaceAll(/\\(['"`\\])/g, '$1')
}
