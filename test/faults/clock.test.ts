/** A clock that jumps, as one does that is set right or a machine that slept: nobody stays in for too long, nothing gets stuck. */

import { expect, test } from 'vitest'
import { type House, MAIL } from '../house.ts'
import {
  DAY,
  guess,
  HOUR,
  MINUTE,
  OWNER,
  PASSWORD,
  production,
  signedIn,
  statusOf,
  stranger,
  waitOf,
} from '../production.ts'

const JUMPS = [
  ['forward a day', DAY],
  ['backward an hour', -HOUR],
  ['backward a year', -365 * DAY],
] as const

async function bearer(house: House): Promise<Record<string, string>> {
  const { body } = await stranger(house, 1).send('POST', '/tokens', { email: OWNER, password: PASSWORD })
  return { authorization: `Bearer ${JSON.parse(body).access_token}` }
}

test.each(JUMPS)('%s: who was in is still in, and everything goes on', async (_, jump) => {
  const house = await production(MAIL)
  const owner = await signedIn(house)
  house.clock.advance(jump)
  const steps = [
    await owner.profile(),
    await stranger(house).send('GET', '/health/ready'),
    await stranger(house).send('GET', '/profile', undefined, await bearer(house)),
    await stranger(house).send('GET', '/.well-known/jwks.json'),
    await owner.logIn(),
    await owner.askForReset(),
    await stranger(house).register('eve@example.org'),
    await owner.send('GET', '/sessions'),
  ]
  expect(steps.map(statusOf)).toEqual(steps.map(() => 200))
  await house.upkeep()
  expect(statusOf(await owner.profile())).toBe(200)
  expect(statusOf(await owner.send('DELETE', '/sessions'))).toBe(302)
  expect(statusOf(await owner.profile())).toBe(403)
})

test('backward an hour: an access token from before is good, since its session is', async () => {
  const house = await production()
  await signedIn(house)
  const headers = await bearer(house)
  house.clock.advance(-HOUR)
  expect(statusOf(await stranger(house).send('GET', '/profile', undefined, headers))).toBe(200)
})

test.each([
  ['unused', 7],
  ['used every day', 30],
])('backward an hour: a session that is %s ends an hour later, and no later', async (use, days) => {
  const house = await production()
  const owner = await signedIn(house)
  house.clock.advance(-HOUR)
  for (let day = 1; day < days; day += 1) {
    house.clock.advance(DAY)
    if (use !== 'unused') expect(statusOf(await owner.profile())).toBe(200)
  }
  house.clock.advance(DAY + HOUR)
  expect(statusOf(await owner.profile())).toBe(403)
})

test('forward a day and back again: a session that was shown to have ended by then is no longer than it was', async () => {
  const house = await production({ SESSION_LIFETIME: '12h' })
  const owner = await signedIn(house)
  house.clock.advance(DAY)
  expect(statusOf(await owner.profile())).toBe(403)
  house.clock.advance(-DAY)
  await owner.profile()
  house.clock.advance(12 * HOUR)
  expect(statusOf(await owner.profile())).toBe(403)
})

test.each([HOUR, DAY, 365 * DAY])(
  '%d ms backward: who was told to wait waits no longer than an hour, the longest wait',
  async (jump) => {
    const house = await production({ FAILURES_PER_NETWORK: '0' })
    await signedIn(house)
    const before = await guess(house, 12)
    const wait = waitOf(before.at(-1) ?? (await stranger(house).profile()))
    expect(wait).toBeGreaterThan(0)
    house.clock.advance(-jump)
    house.clock.advance(HOUR + MINUTE)
    expect(statusOf(await stranger(house, 99).logIn())).toBe(200)
  },
)
