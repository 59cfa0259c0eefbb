/** The fast path of `GET /profile`: answers as the routes do, and knows at once of every end of a session. */

import { once } from 'node:events'
import { request } from 'node:http'
import { expect, onTestFinished, test, vi } from 'vitest'
import { StoreUnavailable } from '../../src/db.ts'
import { CREDENTIAL_LENGTH } from '../../src/security/credential.ts'
import type { House } from '../house.ts'
import {
  type Answer,
  DAY,
  MADE_UP,
  MINUTE,
  NEW_PASSWORD,
  OWNER,
  PASSWORD,
  production,
  signedIn,
  Visitor,
} from '../production.ts'
import { statuses, Wire } from '../wire.ts'

type Headers = Record<string, string | string[]>

interface Heard {
  status: number
  headers: Record<string, unknown>
  body: string
}

/** A house that listens: what goes over `inject` never meets the fast path, what comes over a connection does. */
async function listening(env: Record<string, string> = {}) {
  const house = await production(env)
  const routed = counted(house)
  const url = await house.app.listen({ port: 0, host: '127.0.0.1' })
  const visitor = await signedIn(house)
  const cookie = `__Host-session_id=${visitor.cookies.get('__Host-session_id')}`
  return {
    house,
    routed,
    visitor,
    cookie,
    get: (headers: Headers, path = '/profile', method = 'GET') => get(`${url}${path}`, headers, method),
  }
}

/** Counts the requests that go the way of all others. */
function counted({ app }: House): { count: number } {
  const routed = { count: 0 }
  app.addHook('onSend', async () => {
    routed.count += 1
  })
  return routed
}

function get(url: string, headers: Headers, method: string): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      // What the connection and the clock say is no part of the answer.
      const { date: _, connection: __, 'keep-alive': ___, ...rest } = response.headers
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: rest, body }))
    })
    sent.on('error', reject).end()
  })
}

/** What a client hears where the routes answer this. */
function heardAs({ statusCode, headers, body }: Answer): Heard {
  const { date: _, connection: __, ...rest } = headers
  return { status: statusCode, headers: { ...rest, 'content-length': String(headers['content-length']) }, body }
}

const CREDENTIAL = MADE_UP

/** What may stand beside a good cookie, or in its place. */
const REQUESTS: [string, (cookie: string) => Headers, string?][] = [
  ['a plain check', (cookie) => ({ cookie })],
  ['one that asks for JSON', (cookie) => ({ cookie, accept: 'application/json' })],
  ['one that takes anything', (cookie) => ({ cookie, accept: '*/*' })],
  ['a person', (cookie) => ({ cookie, accept: 'text/html' })],
  ['a person in capitals', (cookie) => ({ cookie, accept: 'TEXT/HTML' })],
  ['no cookie', () => ({})],
  ['another cookie', () => ({ cookie: 'theme=dark' })],
  ['cookies on both sides', (cookie) => ({ cookie: `a=1; ${cookie}; b=2` })],
  ['a cookie without a space before it', (cookie) => ({ cookie: `a=1;${cookie}` })],
  ['a longer name', (cookie) => ({ cookie: `x${cookie}` })],
  ['a name as a value', (cookie) => ({ cookie: `x=${cookie}` })],
  ['the cookie twice, the good one first', (cookie) => ({ cookie: `${cookie}; __Host-session_id=${CREDENTIAL}` })],
  ['the cookie twice, the good one last', (cookie) => ({ cookie: `__Host-session_id=${CREDENTIAL}; ${cookie}` })],
  [
    'the name once more, with a space behind it',
    (cookie) => ({ cookie: `__Host-session_id =${CREDENTIAL}; ${cookie}` }),
  ],
  ['two headers', (cookie) => ({ cookie: [cookie, 'a=1'] })],
  ['in quotes', (cookie) => ({ cookie: cookie.replace('=', '="').concat('"') })],
  ['one sign more', (cookie) => ({ cookie: `${cookie}x` })],
  ['one sign less', (cookie) => ({ cookie: cookie.slice(0, -1) })],
  ['another secret', (cookie) => ({ cookie: cookie.slice(0, -43) + CREDENTIAL.slice(-43) })],
  ['another id', (cookie) => ({ cookie: cookie.slice(0, 18) + CREDENTIAL.slice(0, 36) + cookie.slice(54) })],
  ['made up', () => ({ cookie: `__Host-session_id=${CREDENTIAL}` })],
  ['a bearer token as well', (cookie) => ({ cookie, authorization: 'Bearer none' })],
  ['another scheme', (cookie) => ({ cookie, authorization: 'Basic YTpi' })],
  ['an encoding', (cookie) => ({ cookie, 'content-encoding': 'gzip' })],
  ['a length', (cookie) => ({ cookie, 'content-length': '0' })],
  ['from another origin', (cookie) => ({ cookie, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' })],
  ['through a proxy', (cookie) => ({ cookie, 'x-forwarded-for': '203.0.113.9' })],
  ['a query', (cookie) => ({ cookie }), '/profile?a=1'],
  ['a slash', (cookie) => ({ cookie }), '/profile/'],
  ['another path', (cookie) => ({ cookie }), '/users/me'],
]

test.each(REQUESTS)('answers %s as the routes do', async (_, headersOf, path = '/profile') => {
  const { house, visitor, cookie, get } = await listening()
  expect(visitor.cookies.get('__Host-session_id')).toHaveLength(CREDENTIAL_LENGTH)
  const headers = headersOf(cookie)
  const joined = Array.isArray(headers.cookie) ? { ...headers, cookie: headers.cookie.join('; ') } : headers
  const slow = await house.app.inject({ url: path, headers: { host: '127.0.0.1', ...joined } })
  expect(await get(headers, path)).toEqual(heardAs(slow))
})

test('takes what is plain, and nothing else', async () => {
  const { routed, cookie, get } = await listening()
  const taken: string[] = []
  for (const [name, headersOf, path] of REQUESTS) {
    const before = routed.count
    await get(headersOf(cookie), path)
    if (routed.count === before) taken.push(name)
  }
  expect(taken).toEqual([
    ...['a plain check', 'one that asks for JSON', 'one that takes anything', 'cookies on both sides'],
    ...['two headers', 'from another origin', 'through a proxy'],
  ])
  routed.count = 0
  for (const method of ['HEAD', 'POST', 'PUT']) await get({ cookie }, '/profile', method)
  expect(routed.count).toBe(3)
})

test.each([
  ['a line per request is wanted', { LOG_REQUESTS: 'true' }],
  ['other origins may call', { CORS_ORIGINS: 'https://app.example.org' }],
])('stands aside where %s', async (_, env) => {
  const { routed, cookie, get } = await listening(env)
  routed.count = 0
  expect((await get({ cookie })).status).toBe(200)
  expect(routed.count).toBe(1)
})

test.each([
  ['the database cannot be used', new StoreUnavailable('gone'), 503, '5'],
  ['something is wrong here', new Error('broken'), 500, undefined],
])('where %s, it is asked once, and the answer is that of the routes', async (_, failure, status, retryAfter) => {
  const { house, cookie, get } = await listening()
  const glances = vi.spyOn(house.auth, 'glances').mockRejectedValue(failure)
  const checks = vi.spyOn(house.auth, 'checkSession').mockRejectedValue(failure)
  const slow = await house.app.inject({ url: '/profile', headers: { host: '127.0.0.1', cookie } })
  expect([glances.mock.calls.length, checks.mock.calls.length]).toEqual([0, 1])
  const heard = await get({ cookie })
  expect([glances.mock.calls.length, checks.mock.calls.length]).toEqual([1, 1])
  expect(heard).toEqual(heardAs(slow))
  expect([heard.status, heard.headers['retry-after']]).toEqual([status, retryAfter])
  glances.mockRestore()
  expect((await get({ cookie })).status).toBe(200)
})

test('a check that waits for the database for longer than a silent connection is kept has its answer', async () => {
  const { house, cookie, get } = await listening()
  const { server } = house.app
  server.timeout = 100
  const { glances } = house.auth
  vi.spyOn(house.auth, 'glances').mockImplementationOnce(async (asked) => {
    await once(server, 'timeout')
    return glances.call(house.auth, asked)
  })
  expect((await get({ cookie })).status).toBe(200)
})

const IDLE = 7 * DAY
const change = { current_password: PASSWORD }

/** All that ends the session of the visitor. */
const ENDS: [string, (house: House, visitor: Visitor) => Promise<unknown>][] = [
  ['a logout', (_, visitor) => visitor.send('DELETE', '/sessions')],
  ['the end of all', ({ auth }) => auth.destroySession(1)],
  ['a login with it', (_, visitor) => visitor.logIn()],
  ['a new password', (_, visitor) => visitor.send('PATCH', '/users/me', { ...change, password: NEW_PASSWORD })],
  ['a new address', (_, visitor) => visitor.send('PATCH', '/users/me', { ...change, email: 'ada@example.org' })],
  ['the end of the account', (_, visitor) => visitor.send('DELETE', '/users/me', change)],
  ['an operator', ({ auth }) => auth.disablePassword(1)],
  [
    'its end in the list of another device',
    async (house, visitor) => {
      const id = visitor.cookies.get('__Host-session_id')?.slice(0, 36)
      const other = new Visitor(house)
      await other.logIn()
      return other.send('DELETE', `/sessions/${id}`)
    },
  ],
  [
    'the end of all others',
    async (house) => {
      const other = new Visitor(house)
      await other.logIn()
      return other.send('DELETE', '/sessions?others=true')
    },
  ],
  ['a week of rest', async ({ clock }) => clock.advance(IDLE)],
  [
    'thirty days of use',
    async ({ clock }, visitor) => {
      for (let day = 0; day < 30; day += 1) {
        await visitor.profile()
        clock.advance(DAY)
      }
    },
  ],
]

test.each(ENDS)('S-11: %s is final for the very next check', async (_, end) => {
  const { house, visitor, cookie, get } = await listening()
  for (let time = 0; time < 3; time += 1) expect((await get({ cookie })).status).toBe(200)
  await end(house, visitor)
  expect((await get({ cookie })).status).toBe(403)
})

test('a session in use lives on, however it is checked and written', async () => {
  const { house, visitor, cookie, get } = await listening()
  for (let turn = 0; turn < 20; turn += 1) {
    house.clock.advance(IDLE - MINUTE)
    const fast = turn % 3 !== 0
    expect(fast ? (await get({ cookie })).status : (await visitor.profile()).statusCode, String(turn)).toBe(
      (turn + 1) * (IDLE - MINUTE) < 30 * DAY ? 200 : 403,
    )
    if (turn % 2 === 0) await house.upkeep()
  }
})

test('the last use is written once a minute, and the list of devices knows of it before', async () => {
  const { house, visitor, cookie, get } = await listening()
  const stored = async () => (await house.db.findSessionsOf(1)).map(({ lastSeenAt }) => lastSeenAt)
  const [opened = 0] = await stored()
  house.clock.advance(MINUTE / 2)
  await get({ cookie })
  await house.upkeep()
  expect(await stored()).toEqual([opened])
  const { sessions } = (await visitor.send('GET', '/sessions')).json()
  expect(Date.parse(sessions[0].last_used_at)).toBe(opened + MINUTE / 2)
  house.clock.advance(MINUTE)
  await get({ cookie })
  await house.upkeep()
  expect(await stored()).toEqual([opened + 1.5 * MINUTE])
  house.clock.advance(2 * MINUTE)
  for (const _ of [1, 2]) await get({ cookie })
  await house.upkeep()
  expect(await stored()).toEqual([opened + 3.5 * MINUTE])
})

test('H-12: a check without a host is refused like any request without one', async () => {
  const { house, cookie, get } = await listening()
  expect((await get({ cookie })).status).toBe(200)
  const { port } = new URL(house.app.listeningOrigin)
  const sent = request({ port, host: '127.0.0.1', path: '/profile', headers: { cookie }, setHost: false }).end()
  const [response] = await once(sent, 'response')
  expect([response.statusCode, response.headers.connection]).toEqual([400, 'close'])
  sent.destroy()
})

test('H-12: a check with two hosts is refused like any request with two', async () => {
  const { house, cookie } = await listening()
  const { port } = new URL(house.app.listeningOrigin)
  const check = `GET /profile HTTP/1.1\r\nConnection: close\r\nHost: 127.0.0.1\r\nCookie: ${cookie}\r\n`
  const heard = (bytes: string) => new Wire(Number(port)).write(bytes).untilClosed()
  expect(statuses(await heard(`${check}\r\n`))).toEqual([200])
  const refused = await heard(`${check}HOST: evil.test\r\n\r\n`)
  expect(statuses(refused)).toEqual([400])
  expect(refused).toContain('"there must be one Host header"')
})

test('a new name and a new spelling are told at once', async () => {
  const { visitor, get } = await listening()
  await visitor.send('PATCH', '/users/me', { ...change, email: OWNER.toUpperCase() })
  const cookie = `__Host-session_id=${visitor.cookies.get('__Host-session_id')}`
  expect((await get({ cookie })).body).toBe(JSON.stringify({ email: OWNER.toUpperCase() }))
})

test('an answer during a stop ends its connection', async () => {
  const { house, cookie, get } = await listening()
  await get({ cookie })
  const address = house.app.server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const sent = request({ port, host: '127.0.0.1', path: '/profile', headers: { cookie, connection: 'keep-alive' } })
  const heard = new Promise((resolve) => sent.once('response', (response) => resolve(response.headers.connection)))
  house.app.server.once('request', () => void house.app.server.close())
  sent.end()
  expect(await heard).toBe('close')
  onTestFinished(() => void sent.destroy())
})
