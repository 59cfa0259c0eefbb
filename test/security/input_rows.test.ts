/** The rows of the checklist about input that can be shown one by one; bad_input.test.ts tries them all at random. */

import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import { checkEmail } from '../../src/user.ts'
import { form, type House, openHouse, PRODUCTION } from '../house.ts'
import { fastFolder, type Route, routesOf } from './surface.ts'

const EMAIL = 'ann@example.org'
const PASSWORD = 'nine lives of a grey cat'

const { OPERATOR_KEY } = PRODUCTION

const folder = fastFolder()
let file = ''
let house: House
let routes: Route[]
let cookie: string

beforeEach(async (context) => {
  file = join(folder, `${context.task.id}.db`)
  house = await openHouse({ DATABASE_URL: `sqlite:${file}`, OPERATOR_KEY }, { loginFailuresPerAccount: 1_000 })
  routes = await routesOf(house.app)
  await house.auth.registerUser(EMAIL, PASSWORD, 'Ann')
  cookie = await house.auth.createSession(EMAIL)
})

afterEach(() => house.close())
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a good request to any route has in its fields. */
const GOOD: Record<string, string> = {
  email: 'new@example.org',
  password: PASSWORD,
  current_password: PASSWORD,
  name: 'Ann',
  new_password: PASSWORD,
  reset_token: 'none',
  refresh_token: 'none',
  token: 'none',
  transport: 'body',
}

/** What answers alike to every token, good or not. */
const ALIKE = ['POST /tokens/introspect', 'POST /tokens/revoke', 'DELETE /tokens']

function isAlike({ method, path }: Route): boolean {
  return ALIKE.includes(`${method} ${path}`)
}

function good({ fields }: Route): Record<string, string> {
  return Object.fromEntries(fields.map((name) => [name, GOOD[name] ?? '']))
}

function send({ method, path }: Pick<Route, 'method' | 'path'>, payload: unknown, type = 'application/json') {
  const text = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload)
  const key = /^\/tokens\/(?:introspect|revoke)/.test(path) ? { authorization: `Bearer ${OPERATOR_KEY}` } : {}
  const headers = { host: 'localhost', cookie: `session_id=${cookie}`, 'content-type': type, ...key }
  return house.app.inject({ method, url: path, headers, payload: text })
}

/** Every route that reads a body. */
function withFields(): Route[] {
  const found = routes.filter(({ fields }) => fields.length > 0)
  expect(found.map(({ method, path }) => `${method} ${path}`)).toEqual(
    expect.arrayContaining([
      ...['POST /users', 'PATCH /users/me', 'DELETE /users/me', 'POST /sessions'],
      ...['POST /reset_password', 'PUT /reset_password'],
      ...['POST /tokens', 'POST /tokens/refresh', ...ALIKE],
    ]),
  )
  // Without the query it is a logout, for which no field matters.
  return found.map((route) => (isLogout(route) ? { ...route, path: '/sessions?others=true' } : route))
}

function isLogout({ method, path }: Route): boolean {
  return method === 'DELETE' && path === '/sessions'
}

/** All rows about people, as one text. */
function rows(): string {
  const database = new Database(file, { readonly: true })
  const tables = ['users', 'sessions', 'one_time_tokens']
  const text = JSON.stringify(tables.map((table) => database.prepare(`SELECT * FROM ${table} ORDER BY 1`).all()))
  database.close()
  return text
}

test('H-02: a field that is missing, null, of a wrong type or spoilt is refused on every route, and named', async () => {
  const before = rows()
  for (const route of withFields()) {
    for (const field of route.required) {
      const { [field]: _, ...rest } = good(route)
      const answer = await send(route, rest)
      expect([answer.statusCode, answer.json()]).toEqual([
        400,
        { code: 'field_missing', field, message: `${field} missing` },
      ])
    }
    for (const field of route.fields) {
      for (const value of [null, 0, 1.5, true, {}, [], ['a'], { length: 1 }]) {
        const answer = await send(route, { ...good(route), [field]: value })
        expect([answer.statusCode, answer.json()]).toMatchObject([400, { code: 'field_invalid', field }])
      }
    }
  }
  expect(rows()).toBe(before)
})

test('H-02: what is too long or holds control characters is refused where it would be stored', async () => {
  const before = rows()
  const registration = { method: 'POST', path: '/users' }
  const change = { method: 'PATCH', path: '/users/me' }
  const spoilt: [string, string, string][] = [
    ['email', `${'a'.repeat(250)}@b.org`, 'email_invalid'],
    ['email', 'a\u0000b@example.org', 'email_invalid'],
    ['email', 'a\r\nBcc: x@example.org', 'email_invalid'],
    ['email', 'a@\u202eexample.org', 'email_invalid'],
    ['name', 'n'.repeat(201), 'field_invalid'],
    ['name', 'A\u0000nn', 'field_invalid'],
    ['name', 'A\nnn', 'field_invalid'],
    ['name', 'A\u202enn', 'field_invalid'],
    ['password', 'p'.repeat(4_097), 'password_too_long'],
    ['password', 'half \ud800 pair', 'password_invalid'],
  ]
  for (const [field, value, code] of spoilt) {
    for (const route of [registration, change]) {
      const answer = await send(route, {
        email: GOOD.email,
        password: PASSWORD,
        current_password: PASSWORD,
        [field]: value,
      })
      expect([answer.statusCode, answer.json()], `${route.method} ${field} ${code}`).toMatchObject([
        400,
        { code, field },
      ])
    }
  }
  expect(rows()).toBe(before)
})

test('H-02: the rule of addresses is written down', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8')
  const rule = page.split('\n').find((line) => line.startsWith('| `email_invalid` |'))
  expect(rule).toContain('one @, something on both sides, no spaces or control characters, at most 254 characters')
})

test('H-03: an address is checked at once, however hostile', () => {
  const size = 100_000
  const hostile = [
    'a'.repeat(size),
    '@'.repeat(size),
    `${'a'.repeat(size)}@`,
    `${'a@'.repeat(size / 2)}b`,
    `${'a.'.repeat(size / 2)}@${'b.'.repeat(size / 2)}!`,
    ' '.repeat(size),
    `a${' '.repeat(size)}b@c`,
    `"${'\\"'.repeat(size / 2)}"@b`,
    '\u0345\u0300'.repeat(size / 2),
    'İ'.repeat(size),
    'ﷺ'.repeat(size),
  ]
  for (const text of hostile) {
    const times = [0, 1, 2].map(() => {
      const start = performance.now()
      expect(() => checkEmail(text)).toThrow(AuthError)
      return performance.now() - start
    })
    expect(Math.min(...times), text.slice(0, 10)).toBeLessThan(50)
  }
})

test('H-03: an address has one @ and something on both sides, and comes back as it was typed but for outer blanks', () => {
  const side = fc.stringMatching(/^[a-z0-9.+_é-]{1,60}$/)
  const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}[a-zé]$/)
  const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
  fc.assert(
    fc.property(side, host, fc.constantFrom('', ' ', '\t '), (local, domain, blank) => {
      expect(checkEmail(`${blank}${local}@${domain}${blank}`)).toBe(`${local}@${domain}`)
      for (const bad of [
        `${local}${domain}`,
        `@${domain}`,
        `${local}@`,
        `${local}@${domain}@${domain}`,
        `${local} @${domain}`,
      ]) {
        expect(() => checkEmail(bad)).toThrow(AuthError)
      }
    }),
  )
})

test('H-04: types are strict: nothing that is no string is taken for one', async () => {
  const lenient: unknown[] = [[EMAIL], { email: EMAIL }, 1, true, [[EMAIL]], { toString: EMAIL }]
  for (const route of withFields()) {
    for (const field of route.fields) {
      for (const value of lenient) {
        const answer = await send(route, { ...good(route), [field]: value })
        expect([answer.statusCode, answer.json()]).toMatchObject([400, { code: 'field_invalid', field }])
      }
    }
    for (const body of ['[]', '"text"', '1', 'true', `[{"email":"${EMAIL}"}]`]) {
      const answer = await send(route, body)
      expect([answer.statusCode, answer.json()], body).toMatchObject([400, { code: 'body_invalid' }])
    }
  }
})

test('H-05: fields that nobody offers are ignored: a row has its defaults', async () => {
  const claims = {
    ...{ id: 4711, is_admin: true, role: 'admin', confirmed: true, email_verified: true, created_at: 0, createdAt: 0 },
    ...{ hashed_password: 'x', hashedPassword: 'x', email_key: EMAIL, emailKey: EMAIL, updated_at: 0, hint: 'cat' },
  }
  const database = new Database(file, { readonly: true })
  const row = (email: string) => database.prepare('SELECT * FROM users WHERE email = ?').get(email)
  const now = house.clock.now()

  expect(
    (await send({ method: 'POST', path: '/users' }, { email: 'new@example.org', password: PASSWORD, ...claims }))
      .statusCode,
  ).toBe(200)
  expect(row('new@example.org')).toEqual({
    ...{ id: 2, email: 'new@example.org', email_key: 'new@example.org', name: null, created_at: now, updated_at: now },
    hashed_password: expect.stringMatching(/^\$2b\$04\$/),
    email_confirmed_at: null,
  })
  const before = row(EMAIL)
  const changed = await send({ method: 'PATCH', path: '/users/me' }, { name: 'Anna', ...claims })
  expect(changed.json()).toEqual({
    id: 1,
    email: EMAIL,
    name: 'Anna',
    confirmed: false,
    created_at: new Date(now).toISOString(),
  })
  expect(row(EMAIL)).toEqual({ ...Object(before), name: 'Anna' })

  const renewed = { password: `${PASSWORD}!`, current_password: PASSWORD, ...claims }
  expect((await send({ method: 'PATCH', path: '/users/me' }, renewed)).statusCode).toBe(200)
  expect(row(EMAIL)).toEqual({
    ...Object(before),
    name: 'Anna',
    hashed_password: expect.stringMatching(/^\$2b\$04\$/),
  })
  expect(await house.auth.validLogin(EMAIL, `${PASSWORD}!`)).toBe(true)
  database.close()
})

test('H-06: no body reaches the prototype of anything', async () => {
  const poison = [
    '{"__proto__":{"polluted":1}}',
    '{"\\u005f_proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"name":{"a":{"__proto__":{"polluted":1}}}}',
    `{"email":"${EMAIL}","password":"${PASSWORD}","__proto__":{"polluted":1}}`,
  ]
  for (const route of withFields()) {
    for (const body of poison) {
      const answer = await send(route, body)
      expect([answer.statusCode, answer.json()], body).toMatchObject([400, { code: 'body_invalid' }])
    }
    const fields = '__proto__[polluted]=1&__proto__.polluted=1&constructor[prototype][polluted]=1&__proto__=1'
    expect((await send(route, fields, 'application/x-www-form-urlencoded')).statusCode).toBeLessThan(500)
  }
  await house.app.inject({
    url: '/?__proto__[polluted]=1&constructor.prototype.polluted=1',
    headers: { host: 'localhost' },
  })
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  expect('polluted' in {}).toBe(false)
})

test('H-07: a repeated field is refused, and only the body counts', async () => {
  const before = rows()
  for (const route of withFields()) {
    for (const field of route.fields) {
      const pairs = [...Object.entries(good(route)), [field, 'other'] as const]
      const text = pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
      const answer = await send(route, text, 'application/x-www-form-urlencoded')
      expect([answer.statusCode, answer.json()], text).toMatchObject([400, { code: 'field_invalid', field }])
    }
    if (route.required.length === 0) continue
    const path = `${route.path}?${new URLSearchParams(good(route))}`
    const unread = await send({ ...route, path }, {})
    expect([unread.statusCode, unread.json()]).toMatchObject([400, { code: 'field_missing' }])
  }
  expect(rows()).toBe(before)

  const { headers, payload } = form({ email: EMAIL, password: PASSWORD })
  const answer = await house.app.inject({
    ...{ method: 'POST', url: '/sessions?email=x@y.z&password=wrong', payload },
    headers: { ...headers, host: 'localhost' },
  })
  expect([answer.statusCode, answer.json()]).toEqual([200, { email: EMAIL, message: 'logged in' }])
})

const INJECTIONS = [
  "' OR '1'='1",
  "' OR 1=1 --",
  "'; DROP TABLE users; --",
  '" OR ""="',
  "ann@example.org' --",
  "x@y.z'); DELETE FROM users; --",
  "' UNION SELECT 1,2,3,4,5,6,7 --",
  '%27%20OR%201=1',
  "\\' OR 1=1 --",
  '?',
  '$1',
  ':id',
  '@x',
]

test('H-09: SQL in any field, parameter, query or cookie is data', async () => {
  const before = rows()
  const sql = (text: string) => encodeURIComponent(text)
  for (const text of INJECTIONS) {
    for (const route of withFields()) {
      for (const field of route.fields.filter((name) => name !== 'name' && name !== 'new_password')) {
        const fields = { ...good(route), email: EMAIL, current_password: 'wrong', password: 'wrong', [field]: text }
        const { statusCode } = await send(route, fields)
        const asked = ['/reset_password', '/email_verification'].includes(route.path) && route.method === 'POST'
        if (!asked && !isAlike(route)) expect([400, 401, 403]).toContain(statusCode)
        expect(statusCode).toBeLessThan(500)
      }
    }
    const headers = { host: 'localhost', cookie: `session_id=${sql(text)}` }
    expect((await house.app.inject({ url: '/profile', headers })).statusCode).toBe(403)
    const signedIn = { host: 'localhost', cookie: `session_id=${cookie}` }
    const one = { method: 'DELETE', url: `/sessions/${sql(text)}`, headers: signedIn } as const
    expect((await house.app.inject(one)).statusCode).toBe(404)
    const others = { method: 'DELETE', url: `/sessions?others=${sql(text)}`, headers: signedIn } as const
    expect((await house.app.inject(others)).statusCode).toBe(400)
  }
  expect(rows()).toBe(before)

  // Where any text is allowed it is stored and comes back as it is.
  for (const text of INJECTIONS) {
    expect((await send({ method: 'PATCH', path: '/users/me' }, { name: text })).json()).toMatchObject({ name: text })
  }
  for (const [index, text] of INJECTIONS.entries()) {
    const email = `sql${index}@example.org`
    await house.auth.registerUser(email, text)
    expect(await house.auth.validLogin(email, text)).toBe(true)
    expect(await house.auth.validLogin(email, `${text} `)).toBe(false)
  }
})

test('H-22: a path is decoded once', async () => {
  const id = await house.auth.createSession(EMAIL).then((credential) => credential.slice(0, 36))
  const code = id.charCodeAt(0).toString(16)
  const headers = { host: 'localhost', cookie: `session_id=${cookie}` }
  const end = (url: string) => house.app.inject({ method: 'DELETE', url, headers })
  expect((await end(`/sessions/%25${code}${id.slice(1)}`)).statusCode).toBe(404)
  expect((await end(`/sessions/%${code}${id.slice(1)}`)).statusCode).toBe(200)
  expect((await end('/sessions/%zz')).statusCode).toBe(400)
})

test('H-22: a name that comes twice in JSON is refused on every route, whichever of the two would do', async () => {
  const before = rows()
  for (const route of withFields()) {
    const members = JSON.stringify(good(route)).slice(1, -1)
    for (const field of route.fields) {
      const twice = [
        `{"${field}":1,${members}}`,
        `{${members},"${field}":"other"}`,
        `{${members},"\\u00${hex(field)}":"other"}`,
      ]
      for (const body of twice) {
        const answer = await send(route, body)
        expect([answer.statusCode, answer.json()], body).toMatchObject([400, { code: 'field_invalid', field }])
      }
    }
  }
  expect(rows()).toBe(before)
})

test('H-22: a byte order mark before JSON means nothing, on every route', async () => {
  for (const route of withFields()) {
    const text = JSON.stringify({ ...good(route), email: 'no address', current_password: 'wrong' })
    const [plain, marked] = [await send(route, text), await send(route, Buffer.from(`\ufeff${text}`))]
    if (!isAlike(route)) expect(plain.statusCode).toBeGreaterThanOrEqual(400)
    expect([marked.statusCode, marked.body]).toEqual([plain.statusCode, plain.body])
    const twice = await send(route, Buffer.from(`\ufeff\ufeff${text}`))
    expect([twice.statusCode, twice.json()]).toMatchObject([400, { code: 'body_invalid' }])
  }
})

test('H-22: a byte order mark before a form is refused: it would hide the first field', async () => {
  const before = rows()
  for (const route of withFields()) {
    const body = Buffer.from(`\ufeff${new URLSearchParams(good(route))}`)
    expect((await send(route, body, 'application/x-www-form-urlencoded')).statusCode, route.path).toBe(400)
  }
  expect(rows()).toBe(before)
})

test.each([
  ['JSON in UTF-16', 'application/json', 'utf16le', (text: string) => JSON.stringify({ name: text })],
  [
    'JSON in UTF-16 that says so',
    'application/json; charset=utf-16',
    'utf16le',
    (text: string) => JSON.stringify({ name: text }),
  ],
  [
    'JSON in Latin-1',
    'application/json; charset=iso-8859-1',
    'latin1',
    (text: string) => JSON.stringify({ name: text }),
  ],
  [
    'a form in Latin-1',
    'application/x-www-form-urlencoded; charset=iso-8859-1',
    'latin1',
    (text: string) => `name=${text}`,
  ],
  ['a form in Latin-1, percent-encoded', 'application/x-www-form-urlencoded', 'ascii', () => 'name=Ren%E9e'],
  ['a form in overlong UTF-8', 'application/x-www-form-urlencoded', 'ascii', () => 'name=%C1%A1'],
  ['a form with half a surrogate pair', 'application/x-www-form-urlencoded', 'ascii', () => 'name=%ED%A0%80'],
  ['a form with a broken percent sign', 'application/x-www-form-urlencoded', 'ascii', () => 'name=100%'],
] as const)('H-22: %s is refused on every route', async (_, type, encoding, written) => {
  const before = rows()
  for (const route of withFields()) {
    const answer = await send(route, Buffer.from(written('Renée'), encoding), type)
    expect([answer.statusCode, answer.json()], route.path).toMatchObject([400, { code: 'body_invalid' }])
  }
  expect(rows()).toBe(before)
})

test('H-22: a form is decoded once', async () => {
  const change = { method: 'PATCH', path: '/users/me' }
  const answer = await send(change, 'name=%2541%26b%3Dc+%2B', 'application/x-www-form-urlencoded')
  expect(answer.json()).toMatchObject({ name: '%41&b=c +' })
})

/** A name with its first letter written as JSON's escape. */
function hex(name: string): string {
  return `${name.charCodeAt(0).toString(16)}${name.slice(1)}`
}
