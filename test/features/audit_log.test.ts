/** The audit log: a row and a line for everything that happens, one line whatever is in it, and no flood of rows. */

import { once } from 'node:events'
import { connect } from 'node:net'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { StoreUnavailable, SWEPT_AT_ONCE } from '../../src/db.ts'
import type { AuthEventType } from '../../src/feature.ts'
import { letterOf, MAIL, openHouse } from '../house.ts'
import {
  addressOf,
  breakTable,
  DAY,
  HOUR,
  type HouseOnFile,
  inTurn,
  linesOf,
  MADE_UP,
  MINUTE,
  NEW_PASSWORD,
  NOBODY,
  OWNER,
  PASSWORD,
  production,
  productionOnFile,
  signedIn,
  stranger,
  tally,
  Visitor,
  WRONG,
} from '../production.ts'

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

interface Scene {
  house: HouseOnFile
  laptop: Visitor
}

/** An owner, signed in. */
async function scene(env: Record<string, string> = {}): Promise<Scene> {
  const house = await productionOnFile(env)
  return { house, laptop: await signedIn(house) }
}

/** @returns the rows of the table, those that are still collected included, as far as they are of this type */
async function rowsOf(house: HouseOnFile, type?: string): Promise<Record<string, unknown>[]> {
  await house.upkeep()
  const rows = house.rows('SELECT * FROM audit_log ORDER BY id')
  return rows.filter((row) => type === undefined || row.type === type)
}

interface Happening {
  /** What makes it happen once; the address and the agent are the laptop's unless it is said otherwise. */
  make(scene: Scene): Promise<unknown>
  user: number | null
  /** Whether a session is named. */
  session?: true
  reason?: string
  /** The reason is the name of something that was made. */
  named?: true
  /** The process itself did it. */
  inside?: true
  /** Nothing was done in the account. */
  tried?: true
  /** Settings beyond those of production without mail. */
  env?: Record<string, string>
}

const others = '/sessions?others=true'

const HAPPENINGS: Record<AuthEventType, Happening> = {
  user_registered: { make: ({ laptop }) => laptop.register(NOBODY), user: 2 },
  login_succeeded: { make: ({ laptop }) => laptop.logIn(), user: 1, session: true },
  login_failed: { make: ({ laptop }) => laptop.logIn(OWNER, WRONG), user: 1, tried: true },
  logged_out: { make: ({ laptop }) => laptop.send('DELETE', '/sessions'), user: 1, session: true },
  session_ended: {
    make: async ({ house, laptop }) => {
      await new Visitor(house).logIn()
      const { sessions } = (await laptop.send('GET', '/sessions')).json<{
        sessions: { id: string; current: boolean }[]
      }>()
      await laptop.send('DELETE', `/sessions/${sessions.find(({ current }) => !current)?.id}`)
    },
    ...{ user: 1, session: true },
  },
  sessions_ended: {
    make: async ({ house, laptop }) => {
      await new Visitor(house).logIn()
      await laptop.send('DELETE', others)
    },
    ...{ user: 1, session: true },
  },
  password_confirmed: {
    make: ({ laptop }) => laptop.send('DELETE', others, { current_password: PASSWORD }),
    ...{ user: 1, session: true },
  },
  password_refused: {
    make: ({ laptop }) => laptop.send('DELETE', others, { current_password: WRONG }),
    ...{ user: 1, tried: true, session: true },
  },
  password_changed: {
    make: ({ laptop }) => laptop.send('PATCH', '/users/me', { password: NEW_PASSWORD, current_password: PASSWORD }),
    ...{ user: 1, session: true },
  },
  password_disabled: { make: ({ house }) => house.auth.disablePassword(1), user: 1, inside: true },
  email_changed: {
    make: ({ laptop }) => laptop.send('PATCH', '/users/me', { email: NOBODY, current_password: PASSWORD }),
    ...{ user: 1, session: true },
  },
  registration_refused: {
    make: ({ laptop }) => laptop.register(OWNER),
    ...{ user: 1, tried: true, env: { ...MAIL, HIDE_ACCOUNTS: 'true' } },
  },
  email_change_requested: {
    make: ({ laptop }) => laptop.send('PATCH', '/users/me', { email: NOBODY, current_password: PASSWORD }),
    ...{ user: 1, session: true, env: MAIL },
  },
  email_confirmation_requested: {
    make: ({ laptop }) => laptop.send('POST', '/email_verification', { email: OWNER }),
    ...{ user: 1, tried: true, env: MAIL },
  },
  email_confirmed: {
    make: async ({ house, laptop }) => {
      const { values } = await letterOf(house, 'email_confirmation')
      await laptop.send('PUT', '/email_verification', { verification_token: values.token ?? '' })
    },
    ...{ user: 1, env: MAIL },
  },
  email_change_undone: {
    make: async ({ house, laptop }) => {
      await laptop.send('PATCH', '/users/me', { email: NOBODY, current_password: PASSWORD })
      const { values: change } = await letterOf(house, 'email_change')
      await laptop.send('PUT', '/email_verification', { verification_token: change.token ?? '' })
      const { values: notice } = await letterOf(house, 'email_changed')
      await laptop.send('POST', '/undo_email_change', { undo_token: notice.token ?? '' })
    },
    ...{ user: 1, env: MAIL },
  },
  name_changed: { make: ({ laptop }) => laptop.send('PATCH', '/users/me', { name: 'Ada' }), user: 1, session: true },
  password_reset_requested: { make: ({ laptop }) => laptop.askForReset(), user: 1, tried: true },
  password_reset: {
    make: async ({ house, laptop }) => laptop.reset(await house.auth.getResetPasswordToken(OWNER)),
    user: 1,
  },
  password_reset_refused: { make: ({ laptop }) => laptop.reset(MADE_UP), user: 1, tried: true },
  user_deleted: { make: ({ laptop }) => laptop.send('DELETE', '/users/me', { current_password: PASSWORD }), user: 1 },
  refresh_token_reused: {
    make: async ({ house, laptop }) => {
      const { refresh_token } = (await laptop.send('POST', '/tokens', { email: OWNER, password: PASSWORD })).json()
      await laptop.send('POST', '/tokens/refresh', { refresh_token })
      await laptop.send('POST', '/tokens/refresh', { refresh_token })
      expect(linesOf(house, 'request_refused')).toEqual([])
    },
    ...{ user: 1, session: true },
  },
  signing_key_added: {
    make: ({ house }) => house.auth.tokens.keys.rotate(),
    ...{ user: null, inside: true, named: true },
  },
  throttled: {
    make: async ({ house, laptop }) => {
      await inTurn(10, (n) => stranger(house, n).logIn(OWNER, WRONG))
      laptop.cookies.clear()
      await laptop.logIn()
    },
    ...{ user: 1, tried: true, reason: 'login' },
  },
  request_refused: {
    make: ({ laptop }) => laptop.send('PATCH', '/users/me', { name: 7 }),
    user: 1,
    tried: true,
    reason: 'field_invalid',
  },
}

/** Gives every request of this visitor the agent. */
function withAgent(visitor: Visitor): Visitor {
  const send = visitor.send.bind(visitor)
  visitor.send = (method, url, fields, headers) => send(method, url, fields, { 'user-agent': AGENT, ...headers })
  return visitor
}

describe('every event', () => {
  test.each(Object.entries(HAPPENINGS))(
    'O-10: has a row and a line: %s',
    async (type, { make, user, session, reason: why, inside, named: name, tried = false, env }) => {
      const { house, laptop } = await scene(env)
      const [rows, lines] = [(await rowsOf(house, type)).length, linesOf(house, type).length]
      house.clock.advance(4 * MINUTE)
      const elsewhere = withAgent(laptop.at(house, '198.51.100.42'))
      await make({ house, laptop: elsewhere })

      const [address, agent] = inside ? ['', ''] : ['198.51.100.42', AGENT]
      const [row, ...moreRows] = (await rowsOf(house, type)).slice(rows)
      const reason = name ? expect.stringMatching(/^[\w-]{43}$/) : why
      const named = session ? expect.stringMatching(/^[0-9a-f-]{36}$/) : null
      expect(row).toEqual({
        ...{ id: expect.any(Number), at: Date.UTC(2026, 0, 1, 0, 4), type, user_id: user, session_id: named },
        ...{ address, user_agent: agent, reason: reason ?? null, times: 1, tried: Number(tried) },
      })
      const [line, ...moreLines] = linesOf(house, type).slice(lines)
      expect(line).toEqual({
        ...{ level: 30, time: expect.any(String), event: type, msg: type, address, userAgent: agent },
        // What was refused before an account was looked at names none in the log.
        user: type === 'throttled' ? null : user,
        ...(session ? { session: row?.session_id } : {}),
        ...(reason === undefined ? {} : { reason }),
      })
      expect([moreRows, moreLines]).toEqual([[], []])
    },
  )

  test('O-10: an unknown address has its row and line too, without saying what was typed', async () => {
    const { house } = await scene()
    await stranger(house).logIn(NOBODY, WRONG)
    await stranger(house).askForReset(NOBODY)
    await stranger(house).reset(MADE_UP, NEW_PASSWORD, NOBODY)
    const types = ['login_failed', 'password_reset_requested', 'password_reset_refused']
    const rows = (await rowsOf(house)).filter(({ address }) => address === addressOf(0))
    expect(rows.map(({ type, user_id }) => [type, user_id])).toEqual(types.map((type) => [type, null]))
    const lines = linesOf(house).filter(({ address }) => address === addressOf(0))
    expect(lines.map(({ event, user }) => [event, user])).toEqual(types.map((type) => [type, null]))
    expect(JSON.stringify([rows, house.log])).not.toContain('nobody')
  })

  test('a registration is about the new user', async () => {
    const { house } = await scene()
    await new Visitor(house).register(NOBODY)
    const ids = house.rows('SELECT id FROM users ORDER BY id').map(({ id }) => id)
    expect((await rowsOf(house, 'user_registered')).map(({ user_id }) => user_id)).toEqual(ids)
    expect(linesOf(house, 'user_registered').map(({ user }) => user)).toEqual(ids)
  })
})

test('O-11: each line tells when in UTC, where, who and what, in one form', async () => {
  const lines: Record<string, unknown>[] = []
  for (const { make, env } of Object.values(HAPPENINGS)) {
    const here = await scene(env)
    await make(here)
    lines.push(...linesOf(here.house))
  }
  expect(new Set(lines.map(({ event }) => event))).toEqual(new Set(Object.keys(HAPPENINGS)))
  for (const line of lines) {
    expect(line).toMatchObject({
      ...{ level: 30, time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/), msg: line.event },
      ...{ event: expect.stringMatching(/^[a-z_]+$/), address: expect.any(String), userAgent: expect.any(String) },
    })
    expect(line.user === null || Number.isInteger(line.user)).toBe(true)
    const known = ['level', 'time', 'event', 'user', 'session', 'address', 'userAgent', 'reason', 'times', 'msg']
    expect(Object.keys(line).filter((key) => !known.includes(key) && key !== 'reqId')).toEqual([])
  }
})

describe('a refusal', () => {
  const JSON_TYPE = { 'content-type': 'application/json' }
  const refusals: [string, string, (scene: Scene) => Promise<unknown>, number | null][] = [
    ['no session', 'session_required', ({ house }) => stranger(house).profile(), null],
    ['a stale session', 'session_required', ({ house }) => withSession(stranger(house), MADE_UP).profile(), null],
    [
      'a page of another origin',
      'cross_origin',
      ({ house }) => stranger(house).logIn(OWNER, PASSWORD, { origin: 'https://evil.example' }),
      null,
    ],
    [
      'a page of another site',
      'cross_origin',
      ({ laptop }) => laptop.send('DELETE', '/users/me', {}, { 'sec-fetch-site': 'cross-site' }),
      null,
    ],
    ['a missing field', 'field_missing', ({ house }) => stranger(house).send('POST', '/sessions', {}), null],
    [
      'a field of the wrong type',
      'field_invalid',
      ({ house }) => stranger(house).send('POST', '/sessions', { email: [OWNER], password: { $ne: '' } }),
      null,
    ],
    ['no address', 'email_invalid', ({ house }) => stranger(house).register('ada'), null],
    ['a taken address', 'email_taken', ({ house }) => stranger(house).register(OWNER), null],
    ['a common password', 'password_common', ({ house }) => stranger(house).register(NOBODY, 'iloveyou'), null],
    [
      'a body that is no JSON',
      'body_invalid',
      ({ house }) => house.app.inject({ method: 'POST', url: '/users', headers: JSON_TYPE, payload: '{"email":' }),
      null,
    ],
    [
      'a body that is too large',
      'body_too_large',
      ({ house }) => stranger(house).send('POST', '/users', { email: 'a'.repeat(20_000) }),
      null,
    ],
    [
      'another type of body',
      'content_type_unsupported',
      ({ house }) =>
        house.app.inject({ method: 'POST', url: '/users', headers: { 'content-type': 'text/plain' }, payload: '{}' }),
      null,
    ],
    [
      'a password that is too old',
      'fresh_password_required',
      ({ house, laptop }) => {
        house.clock.advance(HOUR)
        return laptop.send('DELETE', others)
      },
      1,
    ],
  ]

  function withSession(visitor: Visitor, credential: string): Visitor {
    visitor.cookies.set('__Host-session_id', credential)
    return visitor
  }

  test.each(refusals)('O-13: is one event with its reason: %s', async (_, reason, make, user) => {
    const { house, laptop } = await scene()
    await make({ house, laptop })
    expect(linesOf(house, 'request_refused')).toEqual([expect.objectContaining({ reason, user })])
    expect(await rowsOf(house, 'request_refused')).toEqual([expect.objectContaining({ reason, user_id: user })])
  })

  test('O-13: of a throttled try is one event with what was tried', async () => {
    const { house, laptop } = await scene({ REGISTRATIONS_PER_NETWORK: '1', RESETS_PER_NETWORK: '1' })
    await inTurn(10, (n) => stranger(house, n).logIn(OWNER, WRONG))
    const one = stranger(house, 20)
    await inTurn(10, () => laptop.send('DELETE', others, { current_password: WRONG }))
    await one.register('first@byron.example')
    await one.askForReset()
    await inTurn(10, () => one.reset(MADE_UP))
    const [rows, lines] = [(await rowsOf(house, 'throttled')).length, linesOf(house, 'throttled').length]
    expect([rows, lines]).toEqual([0, 0])

    await one.logIn()
    await one.register('second@byron.example')
    await one.askForReset()
    await one.reset(MADE_UP)
    await laptop.send('DELETE', others, { current_password: PASSWORD })
    const reasons = ['login', 'register', 'request_reset', 'guess_token', 'confirm']
    expect(linesOf(house, 'throttled').map(({ reason }) => reason)).toEqual(reasons)
    expect((await rowsOf(house, 'throttled')).map(({ reason }) => reason)).toEqual(reasons)
  })

  test('of a foreign Host in development is one event', async () => {
    const house = await openHouse()
    onTestFinished(house.close)
    await house.app.inject({ url: '/profile', headers: { host: 'evil.example' } })
    expect(linesOf(house)).toEqual([expect.objectContaining({ event: 'request_refused', reason: 'host_refused' })])
  })

  test('of a wrong path is none', async () => {
    const house = await production()
    await stranger(house).send('GET', '/wp-login.php')
    await stranger(house).send('PUT', '/sessions', {})
    expect(linesOf(house)).toEqual([])
  })

  test('costs no disk write when it happens: a flood from one address is one row with its number', async () => {
    const { house } = await scene()
    await house.upkeep()
    const written = () => house.rows('PRAGMA data_version')
    const before = written()
    await inTurn(150, () => stranger(house).profile())
    expect(written()).toEqual(before)
    expect(await rowsOf(house, 'request_refused')).toMatchObject([{ times: 150 }])
    await inTurn(3, () => stranger(house).profile())
    expect(await rowsOf(house, 'request_refused'), 'the next ones').toMatchObject([{ times: 150 }, { times: 3 }])
  })

  test('H-19: is a line the first time, and then once in a while with its number: a flood cannot fill the disk', async () => {
    const { house } = await scene()
    const flood = (times: number) => inTurn(times, () => stranger(house).profile())
    const told = () => linesOf(house, 'request_refused').map(({ times }) => times)
    await flood(1)
    expect(told()).toEqual([undefined])
    await flood(149)
    expect(told()).toEqual([undefined])
    await house.upkeep()
    expect(told()).toEqual([undefined, 149])
    await flood(1)
    await house.upkeep()
    expect(told(), 'one by itself is one line').toEqual([undefined, 149, undefined])
    const [first, rest] = linesOf(house, 'request_refused')
    expect({ ...rest, time: first?.time }).toEqual({ ...first, times: 149 })
  })

  test('O-10: of a flood of another kind every line is there', async () => {
    const { house } = await scene({ FAILURES_PER_NETWORK: '0' })
    await inTurn(30, (n) => stranger(house).logIn(`nobody${n}@example.org`, WRONG))
    await inTurn(30, () => stranger(house).reset(MADE_UP))
    expect(linesOf(house, 'login_failed')).toHaveLength(30)
    expect(linesOf(house, 'password_reset_refused')).toHaveLength(30)
  })

  test('H-19: of 1,200 addresses is 1,000 rows and lines, and one for the others: a flood cannot fill the memory', async () => {
    const { house } = await scene()
    await inTurn(1_200, (n) => stranger(house, n).profile())
    const told = () => linesOf(house, 'request_refused').map(({ address, times }) => [address, times])
    expect(told()).toHaveLength(1_001)
    expect(told().at(-1)).toEqual(['', undefined])
    const rows = await rowsOf(house, 'request_refused')
    expect(rows).toHaveLength(1_001)
    expect(rows.at(-1)).toMatchObject({ times: 200, address: '', user_agent: '', user_id: null })
    expect(told()).toHaveLength(1_002)
    expect(told().at(-1)).toEqual(['', 199])
  })

  test('H-19: by a full queue of hashes is one event, and no line for each', async () => {
    const { house } = await scene({ HASH_CONCURRENCY: '1', HASH_QUEUE: '1' })
    const tried = Array.from({ length: 20 }, (_, n) => stranger(house).logIn(`nobody${n}@example.org`, WRONG))
    const busy = tally(await Promise.all(tried))[503] ?? 0
    expect(busy).toBeGreaterThan(1)
    expect(await rowsOf(house, 'request_refused')).toMatchObject([{ reason: 'busy', times: busy }])
    expect(linesOf(house, 'request_refused').map(({ times }) => times)).toEqual([undefined, busy - 1])
    expect(house.log.filter((line) => /"level":[456]0/.test(line))).toEqual([])
  })

  test('is not lost where the database could not be written for a while', async () => {
    const { house } = await scene()
    await stranger(house).profile()
    const other = new Database(house.settings.databaseUrl.slice('sqlite:'.length))
    other.exec('BEGIN IMMEDIATE')
    await expect(house.upkeep()).rejects.toThrow(StoreUnavailable)
    await stranger(house).profile()
    other.exec('COMMIT')
    other.close()
    expect(await rowsOf(house, 'request_refused')).toMatchObject([{ times: 2 }])
    expect(linesOf(house, 'request_refused').reduce((sum, { times = 1 }) => sum + Number(times), 0)).toBe(2)
  })

  test('is written before what is over is swept, which may take its time or fail', async () => {
    const { house } = await scene()
    await stranger(house).profile()
    vi.spyOn(house.db, 'sweepUntil').mockRejectedValue(new Error('swept in vain'))
    await expect(house.upkeep()).rejects.toThrow('swept in vain')
    vi.restoreAllMocks()
    expect(await rowsOf(house, 'request_refused')).toMatchObject([{ times: 1 }])
  })

  test('of a client that is gone already stands in the way of nothing', async () => {
    const { house } = await scene()
    const { port } = new URL(await house.app.listen({ host: '127.0.0.1', port: 0 }))
    const socket = connect({ host: '127.0.0.1', port: Number(port) })
    await once(socket, 'connect')
    const head = 'POST /sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{'
    socket.write(head, () => socket.destroy())
    await expect.poll(() => linesOf(house, 'request_refused').length, { timeout: 10_000 }).toBe(1)
    await house.upkeep()
    await stranger(house).profile()
    expect(await rowsOf(house, 'request_refused')).toHaveLength(2)
  })
})

describe('what a client sends', () => {
  const evil = [
    ['a line break', 'x\r\n{"level":30,"event":"login_succeeded","user":1}'],
    ['a line feed alone', 'x\n{"level":30,"event":"login_succeeded","user":1}'],
    ['escape codes of a terminal', '\u001b[2J\u001b[31mroot\u001b[0m'],
    ['the end of a string and of an object', '"}{"event":"login_succeeded","user":1}'],
    ['a backslash before the end', 'x\\"}\\'],
    ['line separators of Unicode', 'x\u2028\u2029\u0085{"event":"login_succeeded"}'],
    ['a NUL and other control characters', 'x\0\b\u007f\u009b'],
    ['a prototype', '{"__proto__":{"user":1}}'],
    ['half of a surrogate pair', 'x\ud800'],
  ] as const

  test.each(evil)('O-15: cannot make a line of its own: %s', async (_, text) => {
    const house = await production()
    const client = { address: '198.51.100.42', userAgent: text }
    await house.auth.logIn({ email: `${text}@byron.example`, password: text, client }).catch(() => undefined)
    // Over HTTP, as far as a header can hold it.
    const header = text.replaceAll(/[^\t\x20-\x7e]/g, ' ')
    await stranger(house).logIn(`${text}@byron.example`, text, { 'user-agent': header, 'x-forwarded-for': header })
    await stranger(house).send('POST', '/users', { email: text, password: PASSWORD }, { 'user-agent': header })
    await stranger(house).send('GET', `/${encodeURIComponent(text.toWellFormed())}`, undefined, { origin: header })

    expect(house.log).toHaveLength(3)
    const events = house.log.map((line): Record<string, unknown> => {
      expect([...line.trimEnd()].filter((letter) => letter < ' ')).toEqual([])
      return JSON.parse(line)
    })
    expect(events.map(({ event, user }) => [event, user])).toEqual([
      ['login_failed', null],
      ['login_failed', null],
      ['request_refused', null],
    ])
    expect(events.map(({ userAgent }) => userAgent)).toEqual([text, header, header].map((one) => one.slice(0, 256)))
  })

  test('O-15: cannot make one with the 8-bit control characters that a header can hold either', async () => {
    const house = await production()
    const { port } = new URL(await house.app.listen({ host: '127.0.0.1', port: 0 }))
    const socket = connect(Number(port), '127.0.0.1')
    const request = 'GET /profile HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: a\x9b2J\x85b\xe9\r\n\r\n'
    socket.end(Buffer.from(request, 'latin1'))
    await once(socket.resume(), 'close')
    const lines = house.log.filter((line) => line.includes('request_refused'))
    expect(lines).toHaveLength(1)
    expect(lines[0]?.trimEnd()).toMatch(/^\P{Cc}*$/u)
    expect(lines[0]).toContain('é')
  })

  test('O-15: makes no line and no row long', async () => {
    const { house } = await scene()
    const agent = 'A'.repeat(8_000)
    await stranger(house).logIn(`${'b'.repeat(8_000)}@byron.example`, WRONG, { 'user-agent': agent })
    const line = house.log.find((one) => one.includes('login_failed')) ?? ''
    expect(line.length).toBeLessThan(600)
    expect((await rowsOf(house, 'login_failed')).map(({ user_agent }) => user_agent)).toEqual([agent.slice(0, 256)])
  })
})

describe('a row', () => {
  test('is written with the change that it is about, or neither is', async () => {
    const { house, laptop } = await scene()
    await breakTable(house, 'INSERT', 'audit_log')
    const change = { password: NEW_PASSWORD, current_password: PASSWORD }
    expect((await laptop.send('PATCH', '/users/me', { name: 'Ada' })).statusCode).toBe(500)
    expect((await laptop.send('PATCH', '/users/me', change)).statusCode).toBe(500)
    expect((await laptop.send('DELETE', '/sessions')).statusCode).toBe(500)
    expect((await new Visitor(house).register(NOBODY)).statusCode).toBe(500)
    expect((await new Visitor(house).logIn()).statusCode).toBe(500)
    await house.db.commit([{ sql: 'DROP TRIGGER broken', params: [] }])
    expect((await laptop.send('GET', '/users/me')).json()).toMatchObject({ name: null })
    expect(await house.auth.validLogin(OWNER, PASSWORD)).toBe(true)
    expect(house.rows('SELECT email FROM users')).toEqual([{ email: OWNER }])
    expect(house.rows('SELECT user_id FROM sessions')).toEqual([{ user_id: 1 }])
  })

  test('of a change that was refused is not there', async () => {
    const { house, laptop } = await scene()
    await new Visitor(house).register(NOBODY)
    const change = { email: NOBODY, password: NEW_PASSWORD, name: 'Ada', current_password: PASSWORD }
    expect((await laptop.send('PATCH', '/users/me', change)).statusCode).toBe(400)
    await inTurn(2, () => laptop.register())
    const changes = ['email_changed', 'password_changed', 'name_changed']
    const rows = (await rowsOf(house)).map(({ type }) => type)
    expect(rows.filter((type) => changes.some((change) => change === type))).toEqual([])
    expect(rows.filter((type) => type === 'user_registered')).toHaveLength(2)
    expect(linesOf(house).filter(({ event }) => changes.some((change) => change === event))).toEqual([])
  })

  test.each<[string, AuthEventType, (scene: Scene, token: string) => Promise<unknown>]>([
    ['a reset', 'password_reset', ({ house }, token) => stranger(house).reset(token)],
    ['a logout', 'logged_out', ({ house, laptop }) => laptop.at(house).send('DELETE', '/sessions')],
    [
      'a new password',
      'password_changed',
      ({ house, laptop }) =>
        laptop.at(house).send('PATCH', '/users/me', { password: NEW_PASSWORD, current_password: PASSWORD }),
    ],
  ])('is there once for what happens once, of 20 tries at the same time: %s', async (_, type, act) => {
    const here = await scene()
    const token = await here.house.auth.getResetPasswordToken(OWNER)
    await Promise.all(Array.from({ length: 20 }, () => act(here, token)))
    expect(await rowsOf(here.house, type)).toHaveLength(1)
    expect(linesOf(here.house, type)).toHaveLength(1)
  })

  test('outlives the account that it is about', async () => {
    const { house, laptop } = await scene()
    await laptop.send('DELETE', '/users/me', { current_password: PASSWORD })
    expect((await rowsOf(house)).map(({ type, user_id }) => [type, user_id])).toEqual([
      ['user_registered', 1],
      ['login_succeeded', 1],
      ['password_confirmed', 1],
      ['user_deleted', 1],
    ])
  })

  test.each([
    ['90 days', {}, 90 * DAY],
    ['what is set', { AUDIT_RETENTION: '1d' }, DAY],
  ])('is kept for %s, and no longer', async (_, env, retention) => {
    // No key for tokens gets a successor meanwhile, which would be an event of its own.
    const { house } = await scene({ SIGNING_KEY_ROTATION: '365d', ...env })
    house.clock.advance(HOUR)
    await new Visitor(house).logIn()
    house.clock.advance(retention - HOUR - 1)
    expect(await rowsOf(house)).toHaveLength(3)
    house.clock.advance(1)
    expect((await rowsOf(house)).map(({ type }) => type)).toEqual(['login_succeeded'])
    house.clock.advance(HOUR)
    expect(await rowsOf(house)).toEqual([])
  })

  test('goes in steps, however much of it is over at once', async () => {
    const { house } = await scene()
    const old = 2 * SWEPT_AT_ONCE + 1
    const sql = `INSERT INTO audit_log (at, type, address, user_agent, times)
      WITH RECURSIVE n (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < ?) SELECT at, 'x', '', '', 1 FROM n`
    await house.db.commit([{ sql, params: [old] }])
    const commit = vi.spyOn(house.db, 'commit')
    await house.upkeep()
    const swept = commit.mock.calls.flat(2).filter(({ sql }) => sql.startsWith('DELETE FROM audit_log'))
    expect(swept.map(({ params: [end] }) => end).slice(0, 2)).toEqual([SWEPT_AT_ONCE, 2 * SWEPT_AT_ONCE])
    expect(swept).toHaveLength(3)
    expect((await rowsOf(house)).map(({ type }) => type)).toEqual(['user_registered', 'login_succeeded'])
  })
})

test('a log that is less talkative leaves the rows as they are', async () => {
  const { house } = await scene({ LOG_LEVEL: 'warn' })
  expect(house.log).toEqual([])
  expect((await rowsOf(house)).map(({ type }) => type)).toEqual(['user_registered', 'login_succeeded'])
})
