/** What load balancers and supervisors ask. */

import { renameSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { MAIL } from '../house.ts'
import { MINUTE, OWNER, production, productionOnFile, stranger, Visitor } from '../production.ts'

test('a process that answers is alive, and ready as long as it reaches its database', async () => {
  const house = await productionOnFile()
  const probe = stranger(house)
  expect((await probe.send('GET', '/health/live')).json()).toEqual({ status: 'ok' })
  expect((await probe.send('GET', '/health/ready')).json()).toEqual({ status: 'ok' })
  await house.db.close()
  expect((await probe.send('GET', '/health/live')).statusCode).toBe(200)
  expect((await probe.send('GET', '/health/ready')).statusCode).toBeGreaterThanOrEqual(500)
})

test('a process that takes no more writes, since its file is lost, is not ready', async () => {
  const house = await productionOnFile()
  renameSync(`${house.file}-shm`, `${house.file}-shm.old`)
  for (const asking of [stranger(house), new Visitor(house, '127.0.0.1')])
    expect((await asking.send('GET', '/health/ready')).statusCode).toBe(503)
})

test('what mail waits is told to this machine alone', async () => {
  const house = await production(MAIL)
  await stranger(house).register(OWNER)
  house.clock.advance(11 * MINUTE)
  const here = new Visitor(house, '127.0.0.1')
  expect((await here.send('GET', '/health/ready')).json()).toEqual({
    status: 'ok',
    mail: { waiting: 1, oldest_seconds: 660, late: true },
  })
  const proxied = await here.send('GET', '/health/ready', undefined, { 'x-forwarded-for': '127.0.0.1' })
  expect(proxied.json()).toEqual({ status: 'ok' })
  expect((await stranger(house).send('GET', '/health/ready')).json()).toEqual({ status: 'ok' })
})

test('H-11: who is not on this machine makes it count no letters, however often they ask', async () => {
  const house = await production(MAIL)
  const counted = vi.spyOn(house.outbox, 'waiting')
  await stranger(house).send('GET', '/health/ready')
  expect(counted).not.toHaveBeenCalled()
  await new Visitor(house, '127.0.0.1').send('GET', '/health/ready')
  expect(counted).toHaveBeenCalledOnce()
})
