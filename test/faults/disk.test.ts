/** A disk that is full, slow, or no longer takes anything; only root may make one so. */

import { expect, onTestFinished, test } from 'vitest'
import { Browser } from '../../faults/browser.ts'
import { fullDisk, slowDisk, startSlowly } from '../../faults/disk.ts'
import { readOnlyFile } from '../../faults/files.ts'
import { startServer, temporaryFolder } from '../started.ts'

test.each([
  ['full', fullDisk],
  ['slow', slowDisk],
  ['read-only', readOnlyFile],
])(
  'a disk that is %s: what cannot be written is 503, and nothing that was acknowledged is lost',
  async (_, fault) => {
    const { failures, acknowledged } = await fault(temporaryFolder())
    expect(failures).toEqual([])
    expect(acknowledged).toBeGreaterThan(0)
  },
  180_000,
)

test('session checks do not wait for the disk, and who changes something does', async () => {
  const folder = temporaryFolder()
  const fields = { email: 'ada@lovelace.example', password: 'the long way round' }
  // The tables and the account are made on a good disk.
  const before = await startServer({}, folder)
  const registering = new Browser(before)
  await registering.send('POST', '/users', { fields })
  const { cookies } = await registering.send('POST', '/sessions', { fields })
  registering.close()
  await before.child.stop()
  const service = await startSlowly(2_000, {}, folder)
  onTestFinished(() => service.child.kill())
  const [writer, reader] = [new Browser(service), new Browser(service)]
  const headers = { cookie: cookies.join('; ') }
  const change = writer.send('PATCH', '/users/me', { headers, fields: { name: 'Ada' } })
  const checks = []
  for (let n = 0; n < 50; n += 1) checks.push(await reader.send('GET', '/profile', { headers }))
  const { status, ended } = await change
  expect(status).toBe(200)
  expect(checks.filter((check) => check.status !== 200 || check.ended > ended)).toEqual([])
  for (const browser of [writer, reader]) browser.close()
}, 60_000)
