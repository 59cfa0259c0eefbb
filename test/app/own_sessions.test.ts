/** One's own sessions: seen with their devices, ended one by one or all but this, with a password proven lately. */

import { describe, expect, test, vi } from 'vitest'
import type { House } from '../house.ts'
import {
  addressOf,
  anotherDevice,
  CHARLES,
  DAY,
  HOUR,
  inTurn,
  MINUTE,
  NEW_PASSWORD,
  OWNER,
  PASSWORD,
  production,
  productionOnFile,
  SECOND,
  seen,
  signedIn,
  statusOf,
  stranger,
  tally,
  Visitor,
  WRONG,
} from '../production.ts'

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'
const CURL = 'curl/8.14.1'
const UNKNOWN_ID = '2f1a6c0e-94b3-4d5e-8a7f-0b1c2d3e4f50'

interface Listed {
  id: string
  device: string
  address: string
  created_at: string
  last_used_at: string
  current: boolean
}

async function listed(visitor: Visitor): Promise<Listed[]> {
  return (await visitor.send('GET', '/sessions')).json<{ sessions: Listed[] }>().sessions
}

/** @returns the id of the session that is asking */
async function idOf(visitor: Visitor): Promise<string> {
  const current = (await listed(visitor)).find((session) => session.current)
  if (current === undefined) throw new Error('no session is the current one')
  return current.id
}

function end(visitor: Visitor, id: string, fields?: Record<string, unknown>) {
  return visitor.send('DELETE', `/sessions/${id}`, fields)
}

function endOthers(visitor: Visitor, fields?: Record<string, unknown>) {
  return visitor.send('DELETE', '/sessions?others=true', fields)
}

async function statusesOf(visitors: readonly Visitor[]): Promise<number[]> {
  return Promise.all(visitors.map(async (visitor) => statusOf(await visitor.profile())))
}

/** A house whose owner is signed in on three devices, a minute apart. */
async function threeDevices(env: Record<string, string> = {}) {
  const house = await production(env)
  const laptop = await signedIn(house)
  house.clock.advance(MINUTE)
  const phone = await anotherDevice(house)
  house.clock.advance(MINUTE)
  const tablet = await anotherDevice(house)
  return { house, laptop, phone, tablet }
}

const NOT_FRESH = { message: 'this needs your password again', code: 'fresh_password_required' }
const NOT_FOUND = { message: 'nothing is served here', code: 'not_found' }

describe('GET /sessions', () => {
  test('lists device, address, when made and last used, and which one is this; the last used first', async () => {
    const house = await production()
    await new Visitor(house).register()
    const [laptop, script] = [new Visitor(house, '198.51.100.20'), new Visitor(house, '2001:db8::7')]
    await laptop.logIn(OWNER, PASSWORD, { 'user-agent': FIREFOX })
    house.clock.advance(HOUR)
    await script.logIn(OWNER, PASSWORD, { 'user-agent': CURL })
    house.clock.advance(HOUR)
    const [first, second] = await listed(laptop)
    expect(first).toStrictEqual({
      ...{ id: expect.stringMatching(/^[0-9a-f-]{36}$/), device: 'Firefox on Windows', address: '198.51.100.20' },
      ...{ created_at: '2026-01-01T00:00:00.000Z', last_used_at: '2026-01-01T02:00:00.000Z', current: true },
    })
    expect(second).toStrictEqual({
      ...{ id: expect.stringMatching(/^[0-9a-f-]{36}$/), device: 'curl', address: '2001:db8::7' },
      ...{ created_at: '2026-01-01T01:00:00.000Z', last_used_at: '2026-01-01T01:00:00.000Z', current: false },
    })
    expect((await listed(script)).map(({ current, device }) => [device, current])).toEqual([
      ['curl', true],
      ['Firefox on Windows', false],
    ])
  })

  test('S-15: shows the ids, never what signs in', async () => {
    const { laptop, phone, tablet } = await threeDevices()
    const { body } = await laptop.send('GET', '/sessions')
    for (const device of [laptop, phone, tablet]) {
      const [id = '', secret = ''] = (device.cookies.get('__Host-session_id') ?? '').split('.')
      expect(body).toContain(id)
      expect(secret).toHaveLength(43)
      expect(body).not.toContain(secret)
    }
    expect(body).not.toContain('hash')
  })

  test('A-22: lists nobody else’s sessions and none that has ended', async () => {
    const { house, laptop, phone, tablet } = await threeDevices()
    await signedIn(house, CHARLES)
    const ids = [await idOf(laptop), await idOf(phone), await idOf(tablet)]
    expect((await listed(laptop)).map(({ id }) => id).sort()).toEqual(ids.sort())
    await phone.send('DELETE', '/sessions')
    expect(await listed(laptop)).toHaveLength(2)
    house.clock.advance(7 * DAY - 1)
    await tablet.profile()
    house.clock.advance(1)
    expect((await listed(tablet)).map(({ current }) => current)).toEqual([true])
  })

  test('needs a session', async () => {
    const house = await production()
    expect((await new Visitor(house).send('GET', '/sessions')).statusCode).toBe(403)
  })

  test('keeps no more than 256 characters of what a device says of itself', async () => {
    const house = await productionOnFile()
    await new Visitor(house).register()
    const laptop = new Visitor(house)
    await laptop.logIn(OWNER, PASSWORD, { 'user-agent': `curl/${'8'.repeat(5_000)}` })
    expect((await listed(laptop)).map(({ device }) => device)).toEqual(['curl'])
    expect(house.rows('SELECT length(user_agent) AS length FROM sessions')).toEqual([{ length: 256 }])
  })
})

describe('DELETE /sessions/:id', () => {
  test('S-15: ends that session and no other', async () => {
    const { laptop, phone, tablet } = await threeDevices()
    const answer = await end(laptop, await idOf(phone))
    expect(seen(answer)).toStrictEqual({ status: 200, body: { message: 'session ended' } })
    expect(answer.cookies).toEqual([])
    expect(await statusesOf([laptop, phone, tablet])).toEqual([200, 403, 200])
  })

  test('ends this one as a logout does', async () => {
    const { laptop, phone, tablet } = await threeDevices()
    const answer = await end(laptop, await idOf(laptop))
    expect(answer.cookies).toEqual([
      expect.objectContaining({ name: '__Host-session_id', value: '', maxAge: 0, path: '/' }),
    ])
    expect(await statusesOf([laptop, phone, tablet])).toEqual([403, 200, 200])
  })

  test('A-22: does not end another user’s, nor tell that it is there', async () => {
    const { house, laptop } = await threeDevices()
    const other = await signedIn(house, CHARLES)
    const theirs = await end(laptop, await idOf(other))
    const nobodys = await end(laptop, UNKNOWN_ID)
    expect(seen(theirs)).toEqual({ status: 404, body: NOT_FOUND })
    expect(seen(nobodys)).toEqual(seen(theirs))
    expect((await other.profile()).statusCode).toBe(200)
    expect((await end(laptop, await idOf(other), { current_password: PASSWORD })).statusCode).toBe(404)
    expect((await other.profile()).statusCode).toBe(200)
  })

  test.each(['others', '1', '*', '%25', "' OR 1=1 --", UNKNOWN_ID.toUpperCase(), 'A'.repeat(90)])(
    'finds no session called %s',
    async (id) => {
      const { laptop, phone } = await threeDevices()
      expect(seen(await end(laptop, encodeURIComponent(id)))).toEqual({ status: 404, body: NOT_FOUND })
      expect(await statusesOf([laptop, phone])).toEqual([200, 200])
    },
  )

  test('ends a session once, of 20 at the same time', async () => {
    const { house, laptop, phone } = await threeDevices()
    const id = await idOf(phone)
    expect(tally(await Promise.all(Array.from({ length: 20 }, () => end(laptop.at(house), id))))).toEqual({
      200: 1,
      404: 19,
    })
  })
})

describe('DELETE /sessions?others=true', () => {
  test('S-15: ends all but this one, and nobody else’s', async () => {
    const { house, laptop, phone, tablet } = await threeDevices()
    const other = await signedIn(house, CHARLES)
    expect(seen(await endOthers(laptop))).toStrictEqual({ status: 200, body: { message: 'all other sessions ended' } })
    expect(await statusesOf([laptop, phone, tablet, other])).toEqual([200, 403, 403, 200])
    expect(await listed(laptop)).toEqual([expect.objectContaining({ current: true })])
  })

  test('is nothing but true', async () => {
    const { laptop, phone } = await threeDevices()
    for (const value of ['false', '1', '', 'TRUE', 'true&others=true']) {
      const answer = await laptop.send('DELETE', `/sessions?others=${value}`)
      expect(seen(answer), value).toMatchObject({ status: 400, body: { code: 'field_invalid', field: 'others' } })
    }
    expect(await statusesOf([laptop, phone])).toEqual([200, 200])
  })
})

describe('a password proven lately', () => {
  test.each([
    ['one session', async (laptop: Visitor, phone: Visitor) => end.bind(null, laptop, await idOf(phone))],
    ['all others', async (laptop: Visitor) => endOthers.bind(null, laptop)],
  ])(
    'S-15: is asked for to end %s: five minutes after the login it comes along, or nothing ends',
    async (_, ending) => {
      const { house, laptop, phone } = await threeDevices()
      await new Visitor(house, addressOf(1)).logIn()
      const call = await ending(laptop, phone)
      house.clock.advance(3 * MINUTE + 1)
      expect(seen(await call())).toEqual({ status: 403, body: NOT_FRESH })
      expect(seen(await call({ current_password: WRONG }))).toMatchObject({
        ...{ status: 403, body: { code: 'current_password_wrong' } },
      })
      expect(await statusesOf([laptop, phone])).toEqual([200, 200])
      expect((await call({ current_password: PASSWORD })).statusCode).toBe(200)
      expect(await statusesOf([laptop, phone])).toEqual([200, 403])
    },
  )

  test('A-24: is one of the last five minutes, to the millisecond', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    house.clock.advance(5 * MINUTE)
    expect((await endOthers(laptop)).statusCode).toBe(200)
    house.clock.advance(1)
    expect(seen(await endOthers(laptop))).toEqual({ status: 403, body: NOT_FRESH })
  })

  test('A-24: is as old as the setting allows', async () => {
    const house = await production({ FRESH_FOR: '1h' })
    const laptop = await signedIn(house)
    house.clock.advance(HOUR)
    expect((await endOthers(laptop)).statusCode).toBe(200)
    house.clock.advance(1)
    expect((await endOthers(laptop)).statusCode).toBe(403)
  })

  test('is not proven by using the session, nor in another one', async () => {
    const { house, laptop, phone } = await threeDevices()
    await inTurn(6, async () => {
      house.clock.advance(MINUTE)
      await laptop.profile()
    })
    expect((await phone.logIn()).statusCode).toBe(200)
    expect((await endOthers(laptop)).statusCode).toBe(403)
    expect((await endOthers(phone)).statusCode).toBe(200)
  })

  test.each<[string, (house: House, laptop: Visitor) => Promise<unknown>]>([
    ['a login', (_house, laptop) => laptop.logIn()],
    [
      'a new password',
      (_house, laptop) => laptop.send('PATCH', '/users/me', { password: NEW_PASSWORD, current_password: PASSWORD }),
    ],
  ])('is proven anew by %s', async (_, prove) => {
    const house = await production()
    const laptop = await signedIn(house)
    house.clock.advance(DAY)
    expect((await endOthers(laptop)).statusCode).toBe(403)
    await prove(house, laptop)
    expect((await endOthers(laptop)).statusCode).toBe(200)
  })
})

describe('the most sessions of one user', () => {
  test('S-10: one login more ends the oldest; the others and those of other users stay', async () => {
    const house = await production({ SESSIONS_PER_USER: '3' })
    const other = await signedIn(house, CHARLES)
    const first = await signedIn(house)
    const rest = await inTurn(3, () => {
      house.clock.advance(SECOND)
      return anotherDevice(house)
    })
    expect(await statusesOf([first, ...rest, other])).toEqual([403, 200, 200, 200, 200])
    house.clock.advance(SECOND)
    const fifth = await anotherDevice(house)
    expect(await statusesOf([first, ...rest, fifth, other])).toEqual([403, 403, 200, 200, 200, 200])
  })

  test('S-10: counts the age, not the use', async () => {
    const house = await production({ SESSIONS_PER_USER: '2' })
    const first = await signedIn(house)
    house.clock.advance(HOUR)
    const second = await anotherDevice(house)
    house.clock.advance(HOUR)
    await first.profile()
    await house.upkeep()
    const third = await anotherDevice(house)
    expect(await statusesOf([first, second, third])).toEqual([403, 200, 200])
  })

  test.each<[string, (laptop: Visitor) => Promise<unknown>]>([
    ['a login with the session at hand', (laptop) => laptop.logIn()],
    ['a new address', (laptop) => laptop.send('PATCH', '/users/me', { email: OWNER, current_password: PASSWORD })],
  ])('are not exceeded by %s: it replaces its own session and ends no other', async (_, replace) => {
    const house = await production({ SESSIONS_PER_USER: '2' })
    const first = await signedIn(house)
    house.clock.advance(HOUR)
    const second = await anotherDevice(house)
    await replace(second)
    expect(await statusesOf([first, second])).toEqual([200, 200])
  })

  test('S-10: holds for 20 logins at once', async () => {
    const house = await productionOnFile({ SESSIONS_PER_USER: '3' })
    await new Visitor(house).register()
    const devices = Array.from({ length: 20 }, (_, n) => stranger(house, n))
    await Promise.all(devices.map((device) => device.logIn()))
    expect(house.rows('SELECT id FROM sessions')).toHaveLength(3)
    expect((await statusesOf(devices)).filter((status) => status === 200)).toHaveLength(3)
  })
})

describe('the two ends of a session', () => {
  test('S-08: use moves the idle end, and only that', async () => {
    const house = await production({ SESSION_IDLE: '2h', SESSION_LIFETIME: '5h' })
    const [used, idle] = [await signedIn(house), await anotherDevice(house)]
    const statuses = await inTurn(5, async () => {
      house.clock.advance(HOUR)
      return [(await used.profile()).statusCode]
    })
    expect(statuses.flat()).toEqual([200, 200, 200, 200, 403])
    expect((await idle.profile()).statusCode).toBe(403)
  })

  test.each<[string, (laptop: Visitor) => Promise<unknown>]>([
    ['a login', (laptop) => laptop.logIn()],
    [
      'a new password',
      (laptop) => laptop.send('PATCH', '/users/me', { password: NEW_PASSWORD, current_password: PASSWORD }),
    ],
    [
      'a new address',
      (laptop) => laptop.send('PATCH', '/users/me', { email: 'ada@byron.example', current_password: PASSWORD }),
    ],
  ])('S-08: %s moves both', async (_, prove) => {
    const house = await production({ SESSION_IDLE: '4h', SESSION_LIFETIME: '5h' })
    const laptop = await signedIn(house)
    house.clock.advance(3 * HOUR)
    await prove(laptop)
    house.clock.advance(4 * HOUR - 1)
    expect((await laptop.profile()).statusCode, 'idle from now on').toBe(200)
    house.clock.advance(HOUR)
    expect((await laptop.profile()).statusCode, 'its age from now on').toBe(200)
    house.clock.advance(1)
    expect((await laptop.profile()).statusCode, 'the end of it').toBe(403)
  })
})

test('what is not there need not be deleted: a session of nobody, of somebody else, and others where there are none', async () => {
  const house = await production()
  const owner = await signedIn(house)
  const eve = await signedIn(house, 'eve@example.org', '198.51.100.9')
  const commit = vi.spyOn(house.db, 'commit')
  expect((await end(owner, UNKNOWN_ID)).statusCode).toBe(404)
  expect((await end(owner, await idOf(eve))).statusCode).toBe(404)
  expect((await endOthers(owner)).statusCode).toBe(200)
  const statements = commit.mock.calls.flat(2)
  expect(statements.filter(({ sql, mustChange }) => mustChange && sql.startsWith('DELETE FROM sessions'))).toEqual([])
  expect((await eve.profile()).statusCode).toBe(200)
})

test('S-15: the end of all others ends one as well that is opened after it was looked for them', async () => {
  const house = await production()
  const owner = await signedIn(house)
  const { findSessionsOf } = house.db
  const commit = vi.spyOn(house.db, 'commit')
  let thief: Visitor | undefined
  vi.spyOn(house.db, 'findSessionsOf').mockImplementationOnce(async (userId) => {
    const found = await findSessionsOf.call(house.db, userId)
    thief = await anotherDevice(house)
    return found
  })
  expect((await endOthers(owner)).statusCode).toBe(200)
  expect(statusOf(await (thief ?? expect.fail('no login came between')).profile())).toBe(403)
  // What has ended it is in the audit log.
  expect(commit.mock.calls.flat(2).flatMap(({ params }) => params)).toContain('sessions_ended')
  expect((await owner.profile()).statusCode).toBe(200)
})
