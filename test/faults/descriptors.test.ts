/** A process that may open no more files, since connections have taken all that it may. */

import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { Browser } from '../../faults/browser.ts'
import { CHEAP, START, until, whenReady } from '../../faults/program.ts'
import { Child, temporaryFolder } from '../started.ts'

const FILES = 100
const FIELDS = { email: 'ada@lovelace.example', password: 'the long way round' }

test('O-18: where no file can be opened any more a login is 503 with a time to wait, and afterwards it works', async () => {
  const args = ['-c', `ulimit -n ${FILES} && exec "$0" "$@"`, process.execPath, ...START]
  const service = await whenReady(new Child('/bin/sh', args, CHEAP, temporaryFolder()))
  const browser = new Browser(service)
  onTestFinished(() => browser.close())
  const ask = () => browser.send('POST', '/sessions', { fields: FIELDS })
  expect((await browser.send('GET', '/')).status).toBe(200)
  const held: Socket[] = []
  for (let n = 0; n < FILES; n += 1) held.push(connect({ host: '127.0.0.1', port: service.port }).on('error', () => {}))
  await setTimeout(500)
  for (let n = 0; n < 3; n += 1) {
    const { status, body } = await ask()
    expect([status, JSON.parse(body)]).toMatchObject([503, { code: 'busy' }])
  }
  for (const socket of held) socket.destroy()
  await until('a login is refused for its password', async () => (await ask()).status === 401)
  expect(service.child.stdout).toMatch(/ERROR: request failed .*"busy"/)
}, 60_000)
