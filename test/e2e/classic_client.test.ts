/** A client of the classic contract in another language, unchanged: python-requests with forms and its own cookie jar. */

import { expect, test } from 'vitest'
import { Child, pathOf, startServer, temporaryFolder } from '../started.ts'

function python(...args: string[]): Child {
  return new Child('python3', args, {}, temporaryFolder())
}

test('a classic client passes, at all three hosts', async () => {
  const requests = await python('-c', 'import requests').ended.catch(() => null)
  expect(requests, 'python3 with requests is needed: apt-get install python3-requests').toBe(0)
  const { port } = await startServer()
  const client = python(pathOf('test/e2e/classic_client.py'), String(port))
  expect(await client.ended, client.stderr).toBe(0)
  expect(client.stdout).toBe('localhost: all is well\n127.0.0.1: all is well\n0.0.0.0: all is well\n')
})
