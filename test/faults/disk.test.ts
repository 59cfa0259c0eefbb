/** A disk that is full, slow, or no longer takes anything; only root may make one so. */

import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Browser } from '../../faults/browser.ts'
import { fill, fullDisk, onSmallDisk, slowDisk, startSlowly } from '../../faults/disk.ts'
import { readOnlyFile } from '../../faults/files.ts'
import { startServer, temporaryFolder } from '../started.ts'
import { startLogging } from './log.ts'

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

test.each([{}, { WORKERS: '2' }])(
  'O-18: a full disk under the log costs its lines and nothing else, and their number is told when there is space again: %o',
  async (env) => {
    const folder = temporaryFolder()
    const disk = join(folder, 'logs')
    await onSmallDisk(disk, 64, async () => {
      const ballast = join(disk, 'ballast')
      const { child, ask } = await startLogging('>>logs/log', folder, env)
      fill(ballast)
      for (let n = 0; n < 150; n += 1) expect([await ask('/profile'), await ask('/')]).toEqual([403, 200])
      rmSync(ballast)
      for (let n = 0; n < 20; n += 1) expect(await ask('/')).toBe(200)
      expect(await child.stop()).toBe(0)
      const log = readFileSync(join(disk, 'log'), 'utf8')
      const losses = [
        ...log.matchAll(/^\{"level":40,"time":"[^"]+Z","lines":(\d+),"msg":"lines of the log were lost"\}$/gm),
      ]
      const lost = losses.reduce((sum, [, lines]) => sum + Number(lines), 0)
      const written = log.split('\n').filter((line) => /^\{.*"request"\}$/.test(line)).length
      expect(lost).toBeGreaterThan(100)
      // One may be written in part.
      expect(lost + written).toBeGreaterThanOrEqual(320)
      expect(log).toContain('"stopping"')
    })
  },
  120_000,
)

test('O-18: a start whose first line cannot be written starts all the same, and ends with 0', async () => {
  const folder = temporaryFolder()
  for (const env of [{}, { WORKERS: '2' }, { NODE_ENV: 'development' }]) {
    const { child, ask } = await startLogging('>/dev/full', folder, env)
    expect(await ask('/profile')).toBe(403)
    expect(await child.stop()).toBe(0)
  }
}, 120_000)
