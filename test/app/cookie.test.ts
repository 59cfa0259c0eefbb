/** The session cookie: its name, its flags, its end. */

import type { FastifyInstance } from 'fastify'
import { expect, test } from 'vitest'
import { PRODUCTION } from '../house.ts'
import {
  attributesOf,
  BOB,
  Client,
  cookieName,
  cookieValue,
  house,
  isOfDevice,
  setCookies,
  signedIn,
} from './client.ts'
import { GOOD_PASSWORD } from './routes.ts'

/** What a login and a logout set under some settings. */
const COOKIES: [string, Record<string, string>, string, string[]][] = [
  ['development', {}, 'session_id', []],
  ['production', PRODUCTION, '__Host-session_id', ['Secure']],
  [
    'production that shares its cookie with subdomains',
    { ...PRODUCTION, COOKIE_DOMAIN: 'example.org' },
    'session_id',
    ['Domain=example.org', 'Secure'],
  ],
  [
    'production on plain http in a private network',
    { ...PRODUCTION, PUBLIC_URL: 'http://auth.internal', INSECURE_HTTP: 'true' },
    'session_id',
    [],
  ],
]

/** @returns every Set-Cookie line of a login and of a logout */
async function allCookiesOf(app: FastifyInstance): Promise<string[]> {
  const client = new Client(app)
  await client.register(BOB, GOOD_PASSWORD)
  return [...setCookies(await client.logIn(BOB, GOOD_PASSWORD)), ...setCookies(await client.logOut())]
}

/** @returns those of the session */
async function cookiesOf(app: FastifyInstance): Promise<string[]> {
  return (await allCookiesOf(app)).filter((line) => !isOfDevice(line))
}

test.each(COOKIES)('the name and the flags in %s', async (_, env, name, further) => {
  const { app } = await house(env)
  const [set = '', cleared = '', ...others] = await cookiesOf(app)
  expect(others).toEqual([])
  expect([cookieName(set), cookieName(cleared)]).toEqual([name, name])
  expect(attributesOf(set)).toEqual([...further, 'HttpOnly', 'Max-Age=2592000', 'Path=/', 'SameSite=Lax'].sort())
})

test.each(COOKIES)('nothing else is set in %s, but for the device in production', async (name, env) => {
  const { app, settings } = await house(env)
  const names = (await allCookiesOf(app)).map(cookieName)
  const { cookie, production } = settings
  expect(names, name).toEqual([cookie.name, ...(production ? [cookie.deviceName] : []), cookie.name])
})

test('K-01: Secure and the prefix, on every Set-Cookie of production', async () => {
  const { app } = await house(PRODUCTION)
  const lines = await allCookiesOf(app)
  expect(lines).toHaveLength(3)
  for (const line of lines) expect(line).toMatch(/^__Host-[^;]*;(.*; )?Secure(;|$)/)
})

test('K-02: __Host- with Path=/ and no Domain', async () => {
  const { app } = await house(PRODUCTION)
  for (const line of await allCookiesOf(app)) {
    expect(line).toMatch(/^__Host-[^;]*;(.*; )?Path=\/(;|$)/)
    expect(line).not.toMatch(/domain/i)
  }
})

test.each(COOKIES)('K-03: SameSite=Lax in %s', async (_, env) => {
  const { app } = await house(env)
  const lines = await cookiesOf(app)
  expect(lines).toHaveLength(2)
  for (const line of lines) expect(line).toMatch(/; SameSite=Lax(;|$)/)
})

test('K-03: SameSite=Strict for the device', async () => {
  const { app } = await house(PRODUCTION)
  const lines = (await allCookiesOf(app)).filter(isOfDevice)
  expect(lines).toHaveLength(1)
  for (const line of lines) expect(line).toMatch(/; SameSite=Strict(;|$)/)
})

test.each(COOKIES)('K-04: HttpOnly in %s, and the value is nowhere but in Set-Cookie', async (_, env) => {
  const { app } = await house(env)
  const client = new Client(app)
  await client.register(BOB, GOOD_PASSWORD)
  const login = await client.logIn(BOB, GOOD_PASSWORD)
  const [set = ''] = setCookies(login)
  const [id = '', secret = ''] = cookieValue(set).split('.')
  const answers = [login, await client.profile(), await client.send('GET', '/')]
  answers.push(await client.send('GET', '/users/me'), await client.send('PATCH', '/users/me', { name: 'Bob' }))
  const list = await client.send('GET', '/sessions')
  answers.push(await client.logOut())
  // The list is there to show ids; of the secret it has nothing.
  expect(list.body).toContain(id)
  expect(list.body + JSON.stringify(list.headers)).not.toContain(secret)
  for (const line of answers.flatMap(setCookies)) expect(line).toMatch(/; HttpOnly(;|$)/)
  for (const { body, headers } of answers) {
    const { 'set-cookie': _line, ...others } = headers
    expect(body + JSON.stringify(others)).not.toContain(secret)
    expect(body + JSON.stringify(others)).not.toContain(id)
  }
})

test.each(COOKIES)('K-05: name and value are short in %s', async (_, env) => {
  const { app } = await house(env)
  for (const line of await allCookiesOf(app)) {
    expect(cookieName(line).length + cookieValue(line).length).toBeLessThanOrEqual(120)
  }
})

test('K-07: the name is matched exactly', async () => {
  const { app } = await house(PRODUCTION)
  const client = await signedIn(app, BOB, GOOD_PASSWORD)
  const { cookie } = client
  const value = cookieValue(cookie)
  const near = ['__HOST-session_id', '__host-session_id', '__Host-SESSION_ID', 'session_id', '__Secure-session_id']
  for (const name of [...near, ' __Host-session_id2', '__Host-session_i']) {
    client.cookie = `${name}=${value}`
    expect((await client.profile()).statusCode, name).toBe(403)
  }
  client.cookie = cookie
  expect((await client.profile()).statusCode).toBe(200)
})

test.each(COOKIES)('S-12: logout clears it in %s: the same name, path and flags', async (_, env) => {
  const { app } = await house(env)
  const [set = '', cleared = ''] = await cookiesOf(app)
  expect(cookieValue(cleared)).toBe('')
  expect(cookieName(cleared)).toBe(cookieName(set))
  expect(attributesOf(cleared)).toEqual(attributesOf(set).map((one) => one.replace(/^Max-Age=\d+$/, 'Max-Age=0')))
})
