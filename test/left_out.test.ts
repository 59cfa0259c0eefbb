/** Where something is missing, a line says so; where the tests are demanded, they fail instead of being left out. */

import { expect, test } from 'vitest'
import { leftOut } from './left_out.ts'

const ABSENT = { file: 'test/a.test.ts', missing: 'a thing: apt-get install thing', variable: 'BIENVENUE_A' }
const PRESENT = { file: 'test/b.test.ts', missing: undefined, variable: 'BIENVENUE_B' }

test.each([
  ['something is missing', {}, ['test/a.test.ts']],
  ['something is missing in CI', { CI: 'true' }, []],
  ['something is missing, and is demanded', { BIENVENUE_A: 'required' }, []],
  ['something is missing, and something else is demanded', { BIENVENUE_B: 'required' }, ['test/a.test.ts']],
])('%s', (_, env, expected) => {
  const said: string[] = []
  expect(leftOut(env, (line) => void said.push(line), [ABSENT, PRESENT])).toEqual(expected)
  expect(said).toEqual(expected.map((file) => `${file} does not run, for it needs a thing: apt-get install thing.`))
})
