/** The PostgreSQL of the tests themselves: whoever starts one still ends with the code that was found. */

import { expect, test } from 'vitest'
import { Child, pathOf, temporaryFolder } from '../started.ts'

test('a program that has used one ends with its own code: a failed test must not pass for a good one', async () => {
  const program = `
    const { startPostgres } = await import('${pathOf('test/postgres/server.ts')}')
    const server = await startPostgres()
    process.exitCode = 7
    await server.remove()`
  const child = new Child(process.execPath, ['--input-type=module', '-e', program], {}, temporaryFolder())
  expect(await child.ended, child.stderr).toBe(7)
})
