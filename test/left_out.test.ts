/** Where something is missing, a line says so; where the tests are demanded, they fail instead of being left out. */

import { expect, test } from 'vitest'
import { leftOut } from './left_out.ts'

const ABSENT = { file: 'test/a.test.ts', missing: 'a thing: apt-get install thing', demandedBy: ['CI', 'BIENVENUE_A'] }
const FOR_ROOT = { file: 'test/c.test.ts', missing: 'root', demandedBy: ['BIENVENUE_C'] }
const PRESENT = { file: 'test/b.test.ts', missing: undefined, demandedBy: ['BIENVENUE_B'] }

test.each([
  ['something is missing', {}, ['test/a.test.ts', 'test/c.test.ts']],
  ['something is missing in CI', { CI: 'true' }, ['test/c.test.ts']],
  ['one is demanded', { BIENVENUE_A: 'required' }, ['test/c.test.ts']],
  ['both are demanded', { BIENVENUE_A: 'required', BIENVENUE_C: 'required' }, []],
  ['what is there is demanded', { BIENVENUE_B: 'required' }, ['test/a.test.ts', 'test/c.test.ts']],
])('%s', (_, env, expected) => {
  const said: string[] = []
  expect(leftOut(env, (line) => void said.push(line), [ABSENT, FOR_ROOT, PRESENT])).toEqual(expected)
  expect(said).toEqual(expected.map((file) => expect.stringMatching(`^${file} does not run, for it needs .+\\.$`)))
})
