/**
 * Bad input: requests made from the schemas of the routes and spoilt in every way, against both profiles. Nothing breaks,
 * nothing is slow, every refusal is a documented one, and what is refused changes no row. FUZZ_SEED repeats a run.
 */

import { readFileSync, rmSync } from 'node:fs'
import { METHODS } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { makeCredential } from '../../src/security/credential.ts'
import { type House, openHouse, PRODUCTION } from '../house.ts'
import { fastFolder, type Route, routesOf } from './surface.ts'

const RUNS = 10_000
const SEED = Number(process.env.FUZZ_SEED ?? 20_260_101)
/** The most that an answer may take, in milliseconds; with hashes of the lowest cost that holds for all of them. */
const SLOW = 50

const EMAILS = ['ann@example.org', 'bob@example.org', 'cem@example.org', 'dea@example.org']
const PASSWORD = 'nine lives of a grey cat'
/** Replaced by what is valid at that moment. */
const LIVE_COOKIE = 'LIVE-COOKIE'
const LIVE_TOKEN = 'LIVE-TOKEN'
const LIVE_CONFIRMATION = '<confirmation>'
const LIVE_UNDO = '<undo>'
const LIVE_ID = 'LIVE-ID'
const LIVE_ACCESS = 'LIVE-ACCESS'
const LIVE_REFRESH = 'LIVE-REFRESH'
/** A refresh token that was used: it is refused and ends its session. */
const SPENT_REFRESH = 'SPENT-REFRESH'

interface Spoilt {
  method: string
  url: string
  headers: Record<string, string>
  text: string | null
  encoding: 'utf8' | 'utf16le' | 'latin1' | 'bom' | 'gzip'
}

const folder = fastFolder()
let tried = 0

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  console.log(`bad input: ${tried} requests tried, seed ${SEED}`)
})

// ---- what is sent

const NASTY = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  '\ufeff',
  '\u202e',
  'ﬁ İ ß',
  '%',
  '%zz',
  '%00',
  '%C0%AF',
  '%2561',
  '../../etc/passwd',
  "' OR 1=1 --",
  '"); DROP TABLE users; --',
  '$2b$12$',
  '{{7*7}}',
  '<script>',
  '\r\nSet-Cookie: a=b',
  '__proto__',
  'null',
  'NaN',
  '1e999',
  '-0',
]
const nasty = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom(255, 300, 4_097, 17_000).map((length) => 'a'.repeat(length)) },
)
const email = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...EMAILS, ...EMAILS.map((one) => ` ${one.toUpperCase()} `)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('@', 'a@', '@b', 'a@@b', 'a@b@c', `${'a'.repeat(250)}@b.org`, 'a\u0000@b.org'),
  },
  { weight: 1, arbitrary: nasty },
)
const REFUSED_PASSWORDS = [
  '',
  'seven77',
  'password123',
  'ann@example.org1',
  'half a \ud800 surrogate',
  'é'.repeat(2_100),
]
const password = fc.oneof(
  { weight: 12, arbitrary: fc.constant(PASSWORD) },
  { weight: 8, arbitrary: fc.constantFrom(...REFUSED_PASSWORDS) },
  { weight: 2, arbitrary: nasty },
)
const tokenLike = (live: string) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(live) },
    { weight: 1, arbitrary: fc.uuid().map((id) => `${id}.${'A'.repeat(43)}`) },
    { weight: 1, arbitrary: nasty },
  )
const token = tokenLike(LIVE_TOKEN)
const refreshToken = fc.oneof(
  { weight: 6, arbitrary: fc.constant(LIVE_REFRESH) },
  { weight: 1, arbitrary: fc.constant(SPENT_REFRESH) },
  { weight: 2, arbitrary: token },
)
const ordinary: Record<string, fc.Arbitrary<string>> = {
  email,
  password,
  new_password: password,
  current_password: password,
  reset_token: token,
  verification_token: tokenLike(LIVE_CONFIRMATION),
  undo_token: tokenLike(LIVE_UNDO),
  refresh_token: refreshToken,
  token: fc.oneof(fc.constantFrom(LIVE_ACCESS, LIVE_REFRESH, LIVE_COOKIE), token),
  transport: fc.oneof({ weight: 8, arbitrary: fc.constantFrom('body', 'cookie') }, { weight: 1, arbitrary: nasty }),
  name: fc.oneof(fc.constant('Ann'), nasty),
}
const wrongType = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(null, true, 0, -1, [], {}, [EMAILS[0]]))
const POISON = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'id',
  'hashed_password',
  'is_admin',
]

function rarely<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 11, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })
}

function jsonBody({ fields }: Route): fc.Arbitrary<string> {
  const members = fields.map((name) =>
    fc.oneof(
      { weight: 12, arbitrary: (ordinary[name] ?? nasty).map((value) => [name, value]) },
      { weight: 1, arbitrary: wrongType.map((value) => [name, value]) },
      { weight: 1, arbitrary: fc.constant(undefined) },
    ),
  )
  const extra = rarely(fc.tuple(fc.constantFrom(...POISON), wrongType))
  // Written by hand, so that a name may come twice and `__proto__` is a member like any other.
  const object = fc
    .tuple(...members, extra)
    .map((all) =>
      all.flatMap((one) => (one === undefined ? [] : `${JSON.stringify(one[0])}:${JSON.stringify(one[1])}`)),
    )
    .map((all) => `{${all.join(',')}}`)
  const odd = fc.oneof(
    wrongType.map((value) => JSON.stringify(value)),
    fc.constantFrom(200, 3_000, 8_000).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
    fc.constantFrom(200, 2_700).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
    fc.constant('{"a":{"constructor":{"prototype":{"polluted":1}}},"__proto__":{"polluted":1}}'),
    object.map((text) => text.slice(0, -1)),
    object.map((text) => `${text}${text}`),
    object.map((text) => text.replace('{', '{"email":"x@y.z",')),
    nasty,
  )
  return fc.oneof({ weight: 6, arbitrary: object }, { weight: 1, arbitrary: odd })
}

function formBody({ fields }: Route): fc.Arbitrary<string> {
  const pair = (name: string) =>
    fc.oneof(
      { weight: 12, arbitrary: (ordinary[name] ?? nasty).map((value) => `${name}=${encoded(value)}`) },
      { weight: 1, arbitrary: (ordinary[name] ?? nasty).map((value) => `${name}=${value}`) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('', name, `${name}=`, `${name}[]=a`, `${name}=a&${name}=b`, `&&=&${name}`),
      },
    )
  const extra = rarely(fc.constantFrom(...POISON).map((name) => `${name}=1&${name}[polluted]=1`))
  return fc.tuple(...fields.map(pair), extra).map((pairs) => pairs.filter((one) => one !== undefined).join('&'))
}

/** A lone surrogate has no percent form. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

const TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'APPLICATION/JSON;charset="utf-8"',
  'application/x-www-form-urlencoded',
  'application/x-www-form-urlencoded; charset=iso-8859-1',
  'text/plain',
  'text/html',
  'multipart/form-data; boundary=x',
  'application/octet-stream',
  'application/json, text/plain',
  'application/jsonp',
  '*/*',
  ';',
  '',
]

function body(route: Route): fc.Arbitrary<{ text: string | null; type: string | undefined }> {
  const json = jsonBody(route)
  const urlencoded = formBody(route)
  return fc.oneof(
    { weight: 6, arbitrary: json.map((text) => ({ text, type: 'application/json' })) },
    { weight: 6, arbitrary: urlencoded.map((text) => ({ text, type: 'application/x-www-form-urlencoded' })) },
    {
      weight: 2,
      arbitrary: fc.record({
        text: fc.oneof(json, urlencoded, nasty),
        type: fc.option(fc.constantFrom(...TYPES), { nil: undefined }),
      }),
    },
    { weight: 2, arbitrary: fc.constantFrom(...TYPES, undefined).map((type) => ({ text: null, type })) },
  )
}

/** What HTTP can carry in a header: bytes, no line ends. */
const headerValue = nasty.map((text) =>
  Buffer.from(text)
    .toString('latin1')
    .replace(/[\r\n\0]/g, ''),
)

function cookies(name: string): fc.Arbitrary<string | undefined> {
  const live = `${name}=${LIVE_COOKIE}`
  return fc.oneof(
    { weight: 10, arbitrary: fc.constant(live) },
    { weight: 2, arbitrary: fc.constant(undefined) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        name,
        `${name}=`,
        `${name}=x; ${live}`,
        `${live}; ${live}; device=1.2.3`,
        `${name}=${'a'.repeat(10_000)}`,
        `${name}="${LIVE_COOKIE}"`,
        `${name.toUpperCase()}=${LIVE_COOKIE}`,
        `${name}=${LIVE_COOKIE}x`,
        `${name}=%zz; =; ;;; a`,
        '__proto__=1; constructor=2',
      ),
    },
    { weight: 1, arbitrary: headerValue.map((value) => `${name}=${value}`) },
  )
}

function isForOperators({ path }: Route): boolean {
  return path === '/tokens/introspect' || path === '/tokens/revoke'
}

function authorizationOf(route: Route): fc.Arbitrary<string | undefined> {
  const known = fc.constantFrom(`Bearer ${LIVE_ACCESS}`, `bearer ${LIVE_ACCESS}`)
  const odd = fc.oneof(
    fc.constantFrom(
      `Bearer ${LIVE_COOKIE}`,
      `Bearer ${LIVE_ACCESS}x`,
      `Bearer ${LIVE_REFRESH}`,
      'Bearer',
      'Basic Og==',
    ),
    headerValue.map((value) => `Bearer ${value}`),
  )
  if (isForOperators(route)) {
    return fc.oneof(
      { weight: 8, arbitrary: fc.constant(`Bearer ${PRODUCTION.OPERATOR_KEY}`) },
      { weight: 1, arbitrary: odd },
    )
  }
  return fc.oneof({ weight: 3, arbitrary: rarely(odd) }, { weight: 1, arbitrary: rarely(known) })
}

function headersOf(cookieName: string, route: Route): fc.Arbitrary<Record<string, string>> {
  return fc
    .record({
      cookie: cookies(cookieName),
      host: fc.oneof(
        { weight: 30, arbitrary: fc.constantFrom('localhost', '127.0.0.1:5000', '[::1]') },
        { weight: 1, arbitrary: fc.constantFrom('evil.test', 'localhost.evil.test', 'localhost:99999999', '', '[::1') },
        { weight: 1, arbitrary: headerValue },
      ),
      'sec-fetch-site': rarely(
        fc.oneof(fc.constantFrom('same-origin', 'none', 'same-site', 'cross-site'), headerValue),
      ),
      origin: rarely(fc.oneof(fc.constantFrom('null', 'http://localhost', 'https://evil.test'), headerValue)),
      'x-forwarded-for': rarely(fc.oneof(fc.constantFrom('1.2.3.4', '::1, ::2', 'unknown'), headerValue)),
      'x-forwarded-proto': rarely(headerValue),
      forwarded: rarely(headerValue),
      accept: rarely(fc.oneof(fc.constantFrom('text/html', '*/*;q=0'), headerValue)),
      'user-agent': rarely(headerValue),
      'content-length': rarely(fc.constantFrom('0', '1', '-1', '99999999999', 'NaN', '1e3')),
      'content-encoding': rarely(fc.constantFrom('gzip', 'br', 'identity', 'x')),
      'x-http-method-override': rarely(fc.constantFrom('DELETE', 'PUT')),
      authorization: authorizationOf(route),
      range: rarely(fc.constant('bytes=0-1')),
      '__proto__-x': rarely(headerValue),
    })
    .map((headers) =>
      Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    )
}

function urlOf({ path, query }: Route): fc.Arbitrary<string> {
  const id = fc.oneof(
    { weight: 6, arbitrary: fc.constant(LIVE_ID) },
    { weight: 1, arbitrary: fc.uuid() },
    { weight: 1, arbitrary: fc.oneof(nasty.map(encoded), fc.constantFrom('%zz', '%', '%2561', '%00', 'a%2Fb', '..')) },
  )
  const named = query.map((name) =>
    fc.constantFrom(`${name}=true`, `${name}=`, `${name}=true&${name}=true`, `${name}=1`, `${name}[]=true`),
  )
  const search = fc.oneof(
    { weight: 8, arbitrary: fc.constant('') },
    { weight: 2, arbitrary: fc.oneof(...named, fc.constant('')) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'email=x@y.z&password=y',
        '__proto__=1',
        'a[b][c]=d',
        '_method=DELETE',
        '%',
        '%zz=%',
        '&&&',
        '?',
      ),
    },
  )
  const place = fc.oneof(
    { weight: 20, arbitrary: fc.constant(path) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        `${path}/`,
        `/${path}`,
        `${path};a.css`,
        `${path}/x.css`,
        `${path}%00`,
        `${path}%zz`,
        `/.${path}`,
        path.toUpperCase(),
      ),
    },
    { weight: 1, arbitrary: nasty.map((text) => `/${encoded(text)}`) },
  )
  return fc.tuple(place, id, search).map(([where, value, text]) => where.replace(':id', value) + (text && `?${text}`))
}

function requests(routes: readonly Route[], cookieName: string): fc.Arbitrary<Spoilt> {
  const methods = METHODS.filter((method) => method !== 'CONNECT')
  return fc.oneof(
    // Most of what can go wrong is in fields.
    ...routes.map((route) => ({
      weight: route.fields.length > 0 ? 2 : 1,
      arbitrary: fc
        .record({
          method: fc.oneof(
            { weight: 12, arbitrary: fc.constant(route.method) },
            { weight: 1, arbitrary: fc.constantFrom(...methods) },
          ),
          url: urlOf(route),
          headers: headersOf(cookieName, route),
          body: body(route),
          encoding: fc.oneof(
            { weight: 30, arbitrary: fc.constant<'utf8'>('utf8') },
            { weight: 1, arbitrary: fc.constantFrom<Spoilt['encoding'][]>('utf16le', 'latin1', 'bom', 'gzip') },
          ),
        })
        .map(({ method, url, headers, body: { text, type }, encoding }) => ({
          ...{ method, url, text, encoding },
          headers: type === undefined ? headers : { ...headers, 'content-type': type },
        })),
    })),
  )
}

function bytes(text: string, encoding: Spoilt['encoding']): Buffer {
  if (encoding === 'bom') return Buffer.from(`\ufeff${text}`)
  if (encoding === 'gzip') return gzipSync(text)
  return Buffer.from(text, encoding)
}

// ---- what is checked

/** The status of each code, as docs/errors.md says it. */
const documented = new Map(
  [
    ...readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8').matchAll(/^\| `(\w+)` \| (\d+) \|/gm),
  ].map(([, code = '', status]) => [code, Number(status)]),
)
/** Needs a full queue, a broken database, a fault of ours, a throttle, a setting; none of which is there. */
const NOT_HERE = ['busy', 'store_unavailable', 'internal', 'throttled', 'email_unconfirmed']

/** What one profile does not know. */
const ABSENT = {
  development: ['password_too_short', 'password_common', 'password_context'],
  production: ['host_refused', 'email_unknown'],
}

/** Reads the rows of people through a connection of its own. */
class Witness {
  readonly #database: Database.Database
  #version: unknown
  #rows = ''

  constructor(file: string) {
    this.#database = new Database(file, { readonly: true })
  }

  rows(): string {
    const version = this.#database.pragma('data_version', { simple: true })
    if (version === this.#version) return this.#rows
    this.#version = version
    const tables = ['users', 'sessions', 'one_time_tokens']
    this.#rows = JSON.stringify(
      tables.map((table) => this.#database.prepare(`SELECT * FROM ${table} ORDER BY id`).raw().all()),
    )
    return this.#rows
  }

  close(): void {
    this.#database.close()
  }
}

/** Keeps people, a session and a token alive, since the requests also delete them. */
class Live {
  readonly #house: House
  readonly #hash: string
  #cookie = ''
  /** An access token, a refresh token and one that is spent, each of a session of its own. */
  readonly #tokens = new Map<string, string>()

  constructor(house: House, hash: string) {
    this.#house = house
    this.#hash = hash
  }

  async filled(request: Spoilt): Promise<Spoilt> {
    const { auth } = this.#house
    const [first = ''] = EMAILS
    const user = await this.#owner(first)
    if ((await auth.getUserFromSessionId(this.#cookie))?.email !== user) this.#cookie = await auth.createSession(first)
    await this.#replenish(JSON.stringify(request))
    const token = request.text?.includes(LIVE_TOKEN) ? await auth.getResetPasswordToken(first) : ''
    const confirmation = request.text?.includes(LIVE_CONFIRMATION) ? await this.#token(user, 'email_confirmation') : ''
    const undo = request.text?.includes(LIVE_UNDO) ? await this.#token(user, 'email_undo') : ''
    const fill = (text: string) =>
      [...this.#tokens]
        .reduce((filled, [name, value]) => filled.replaceAll(name, value), text)
        .replaceAll(LIVE_COOKIE, this.#cookie)
        .replaceAll(LIVE_TOKEN, token)
        .replaceAll(LIVE_CONFIRMATION, confirmation)
        .replaceAll(LIVE_UNDO, undo)
        .replaceAll(LIVE_ID, this.#cookie.slice(0, 36))
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, fill(value)]))
    return { ...request, headers, url: fill(request.url), text: request.text === null ? null : fill(request.text) }
  }

  /** What a mail would bring. */
  async #token(email: string, purpose: 'email_confirmation' | 'email_undo'): Promise<string> {
    const { db } = this.#house
    const { id: userId } = await db.findUserBy({ email })
    const { id, secretHash, credential } = makeCredential()
    const createdAt = db.now()
    const times = { createdAt, expiresAt: createdAt + 60_000 }
    await db.addToken({ id, secretHash, userId, purpose, email, reserves: null, ...times })
    return credential
  }

  /** Makes the tokens anew that a request asks for, since the one before may have used them. */
  async #replenish(request: string): Promise<void> {
    const { auth } = this.#house
    for (const name of [LIVE_ACCESS, LIVE_REFRESH, SPENT_REFRESH]) {
      if (!request.includes(name)) continue
      const login = { email: EMAILS[0] ?? '', password: PASSWORD, client: { address: '', userAgent: '' } }
      const { session, credential } = await auth.logIn({ ...login, kind: 'token' })
      if (name === SPENT_REFRESH) await auth.tokens.refresh(credential, 'token', login.client)
      this.#tokens.set(name, name === LIVE_ACCESS ? (await auth.tokens.issue(session)).accessToken : credential)
    }
  }

  /** Its password is always the known one, and the others' addresses come and go. */
  async #owner(email: string): Promise<string> {
    const { db } = this.#house
    const user = await db.findUserBy({ email }).catch(() => db.addUser(email, this.#hash))
    if (user.hashedPassword !== this.#hash) await db.updateUser(user.id, { hashedPassword: this.#hash })
    return user.email
  }
}

interface Answer {
  status: number
  code: string
}

async function send({ app }: House, { method, url, headers, text, encoding }: Spoilt) {
  const payload = text === null ? {} : { payload: bytes(text, encoding) }
  const start = performance.now()
  const answer = await app.inject({ method, url, headers, ...payload })
  return { answer, time: performance.now() - start }
}

type Sent = Awaited<ReturnType<typeof send>>['answer']

/** @returns the code of a refusal, which must be one of the documented ones, or '' for a success */
function checkAnswer({ statusCode, headers, body: text }: Sent, method: string): Answer {
  if (statusCode < 400) {
    expect([200, 204, 302, 303]).toContain(statusCode)
    return { status: statusCode, code: '' }
  }
  expect(headers['cache-control']).toBe('no-store')
  const page = headers['content-type'] === 'text/html; charset=utf-8'
  if (page && method !== 'HEAD') expect(text).toMatch(/^<!doctype html>[\s\S]*<\/html>\s*$/i)
  if (page || method === 'HEAD') return { status: statusCode, code: '' }
  expect(headers['content-type']).toBe('application/json; charset=utf-8')
  const refusal: unknown = JSON.parse(text)
  expect(refusal).toMatchObject({ message: expect.stringMatching(/./) })
  const { code } = Object.assign({ code: 'email_taken' }, refusal)
  expect(documented.get(code), text).toBe(statusCode)
  expect(NOT_HERE).not.toContain(code)
  return { status: statusCode, code }
}

/** An answer may have met a pause of the machine; one that is always slow has not. */
async function isSlow(house: House, request: Spoilt): Promise<boolean> {
  for (let retry = 0; retry < 3; retry += 1) {
    if ((await send(house, request)).time <= SLOW) return false
  }
  return true
}

async function openFuzzed(env: Record<string, string>, file: string): Promise<House> {
  const unlimited = { loginFailuresPerAccount: 1e9, failuresPerNetwork: 0, registrationsPerNetwork: 0 }
  const resets = { resetsPerAccount: 0, resetsPerNetwork: 0 }
  const { OPERATOR_KEY } = PRODUCTION
  return openHouse(
    { ...env, OPERATOR_KEY, DATABASE_URL: `sqlite:${file}`, LOG_LEVEL: 'error' },
    { ...unlimited, ...resets, sessionsPerUser: 5 },
  )
}

test.each([
  ['development', {}],
  ['production', PRODUCTION],
] as const)(
  '%s: no request breaks it, is slow, or changes a row and is refused',
  { timeout: 120_000 },
  async (profile, env) => {
    const file = join(folder, `${profile}.db`)
    const house = await openFuzzed(env, file)
    const routes = await routesOf(house.app)
    const { hashedPassword } = await house.auth
      .registerUser('seed@example.org', PASSWORD)
      .then(({ id }) => house.db.findUserBy({ id }))
    const live = new Live(house, hashedPassword)
    const witness = new Witness(file)
    const codes = new Set<string>()
    const succeeded = new Set<string>()
    await fc.assert(
      fc.asyncProperty(requests(routes, house.settings.cookie.name), async (spoilt) => {
        house.clock.advance(30_000)
        const request = await live.filled(spoilt)
        const before = witness.rows()
        const { answer, time } = await send(house, request)
        tried += 1
        const { status, code } = checkAnswer(answer, request.method)
        const reuse = JSON.stringify(spoilt).includes(SPENT_REFRESH)
        if (status >= 400 && !reuse) expect(witness.rows() === before, 'a refused request changed a row').toBe(true)
        if (time > SLOW) expect(await isSlow(house, request), `took ${time} ms`).toBe(false)
        codes.add(code)
        const route = routes.find(
          (one) =>
            one.method === request.method &&
            (one.path === spoilt.url.split('?')[0] || one.path.replace(':id', LIVE_ID) === spoilt.url),
        )
        if (status < 400 && route !== undefined) succeeded.add(`${route.method} ${route.path}`)
        if (tried % 1_000 === 0) await house.upkeep()
      }),
      { numRuns: RUNS, seed: SEED, endOnFailure: true },
    )
    // Nobody delivers here, so the mails wait.
    const faults = house.log.filter((line) => line.includes('"level":50') && !line.includes('"mails wait'))
    expect(faults).toEqual([])
    // The requests went deep: every route succeeded now and then, and every refusal was met that can be met here.
    // But for the assets: no random name holds the hash of one.
    const reachable = routes.filter(({ path }) => path !== '/assets/:name')
    expect([...succeeded].sort()).toEqual(reachable.map(({ method, path }) => `${method} ${path}`).sort())
    const absent = new Set([...NOT_HERE, ...ABSENT[profile], ...codes])
    expect([...documented.keys()].filter((code) => !absent.has(code))).toEqual([])
    witness.close()
    await house.close()
  },
)
