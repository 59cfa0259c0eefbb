/** The moment before which nothing is answered that could tell by its time whether an address has an account. */

import { once } from 'node:events'
import { expect, onTestFinished, test, vi } from 'vitest'
import { MOMENT } from '../../src/app/steady_answers.ts'
import { letters, MAIL, openHouse, PRODUCTION } from '../house.ts'
import { OWNER } from '../production.ts'
import { statuses, Wire } from '../wire.ts'

/** A house with one account, in which a moment passes when a test says so. */
async function waiting(env: Record<string, string> = { ...PRODUCTION, ...MAIL }) {
  const moments: { time: number; pass: () => void }[] = []
  const pause = (time: number) =>
    new Promise<void>((resolve) => {
      moments.push({ time, pass: resolve })
    })
  const house = await openHouse(env, {}, pause)
  onTestFinished(house.close)
  await house.app.inject({ method: 'POST', url: '/users', payload: { email: OWNER, password: 'the long way round' } })
  return { house, moments }
}

test.each([
  ['a reset for a known address', '/reset_password', OWNER, 'password_reset'],
  ['a reset for an unknown one', '/reset_password', 'nobody@example.org', undefined],
  ['a confirmation for a known address', '/email_verification', OWNER, 'email_confirmation'],
  ['a confirmation for an unknown one', '/email_verification', 'nobody@example.org', undefined],
  ['one that is refused', '/reset_password', '', undefined],
])('R-02: %s is answered when its moment has passed, and not before', async (_, url, email, kind) => {
  const { house, moments } = await waiting()
  const before = (await letters(house)).length
  let answered = false
  const answer = house.app.inject({ method: 'POST', url, payload: email === '' ? {} : { email } }).finally(() => {
    answered = true
  })
  await vi.waitFor(() => expect(moments).toHaveLength(1))
  const written = async () => (await letters(house)).length > before
  if (kind !== undefined) await vi.waitFor(async () => expect(await written()).toBe(true))
  // Whatever else there is to do is done by now.
  for (let turn = 0; turn < 1_000; turn += 1) await new Promise(setImmediate)
  expect([answered, moments[0]?.time]).toEqual([false, MOMENT])
  moments[0]?.pass()
  expect((await answer).statusCode).toBe(email === '' ? 400 : 200)
})

test('R-02: its moment begins when all of the request is there, however slowly that came', async () => {
  const { house, moments } = await waiting()
  await house.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = new URL(house.app.listeningOrigin)
  const wire = new Wire(Number(port))
  const body = `email=${OWNER}`
  const length = `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}`
  const arrived = once(house.app.server, 'request')
  wire.write(`POST /reset_password HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${length}\r\n\r\n`)
  await arrived
  for (let turn = 0; turn < 1_000; turn += 1) await new Promise(setImmediate)
  expect(moments).toEqual([])
  wire.write(body)
  await vi.waitFor(() => expect(moments).toHaveLength(1))
  moments[0]?.pass()
  expect(statuses(await wire.untilClosed())).toEqual([200])
})

test('no other route waits for one', async () => {
  const { house, moments } = await waiting()
  for (const [method, url] of [
    ['GET', '/'],
    ['GET', '/profile'],
    ['POST', '/sessions'],
    ['PUT', '/reset_password'],
    ['POST', '/tokens'],
  ] as const) {
    await house.app.inject({ method, url, ...(method === 'GET' ? {} : { payload: { email: OWNER, password: 'x' } }) })
  }
  expect(moments).toEqual([])
})

test('in development, which answers the token, nothing waits', async () => {
  const { house, moments } = await waiting({})
  const answer = await house.app.inject({ method: 'POST', url: '/reset_password', payload: { email: OWNER } })
  expect([answer.statusCode, moments]).toEqual([200, []])
})
