/** Where the deployment cannot run, a line says so; where it is demanded, its test fails instead of being left out. */

import { expect, test } from 'vitest'
import { withoutStack } from './installed.ts'

const LEFT_OUT = ['test/deploy/stack.test.ts']

test.each([
  ['all is there', {}, true, []],
  ['something is missing', {}, false, LEFT_OUT],
  ['something is missing in CI', { CI: 'true' }, false, []],
  ['something is missing, and is demanded', { BIENVENUE_DEPLOY: 'required' }, false, []],
])('%s', (_, env, installed, expected) => {
  const said: string[] = []
  expect(withoutStack(env, (line) => void said.push(line), installed)).toEqual(expected)
  expect(said).toEqual(expected.length === 0 ? [] : [expect.stringContaining('apt-get install nginx postgresql')])
})
