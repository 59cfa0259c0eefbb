/**
 * No secret outside of where it belongs: a whole life of an account is driven with known secrets, then every line of the
 * log, every table of the database, every answer and every byte of the files is searched for each of them, in every form.
 */

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { form, type House, openHouse, PRODUCTION } from '../house.ts'
import { temporaryFolder } from '../started.ts'

const EMAIL = 'ann@example.org'
/** All of them differ, and no part of one is a word that a log would hold. */
const PASSWORDS = {
  first: 'Quiet/Marmalade+1 & zebra',
  changed: 'Loud Rhubarb=2 % ostrich',
  reset: 'Third Kohlrabi#3 ? walrus',
  long: `${'Gurkensalat '.repeat(9)}éß`,
  wrong: 'Wrong Artichoke~4 ; badger',
  refused: 'Refused\ud800Aubergine',
  nul: 'Nul\0Broccoli-5 ferret',
}

interface Journey {
  house: House
  file: string
  /** Every answer with the request that it belongs to. */
  answers: { url: string; body: string; headers: string; cookies: string[] }[]
  /** By what they are. */
  secrets: Map<string, string>
  tokens: string[]
}

type Fields = Record<string, string>

class Client {
  readonly #journey: Journey
  readonly jar = new Map<string, string>()
  readonly #address: string

  constructor(journey: Journey, address: string) {
    this.#journey = journey
    this.#address = address
  }

  async send(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, fields?: Fields, headers: Fields = {}) {
    const { house, answers, secrets } = this.#journey
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const payload = fields === undefined ? {} : { payload: fields }
    const sent: InjectOptions = {
      method,
      url,
      remoteAddress: this.#address,
      headers: { cookie, ...headers },
      ...payload,
    }
    const answer: LightMyRequestResponse = await house.app.inject(sent)
    const { 'set-cookie': set = [], ...rest } = answer.headers
    answers.push({ url: `${method} ${url}`, body: answer.body, headers: JSON.stringify(rest), cookies: [set].flat() })
    for (const { name, value } of answer.cookies) {
      this.jar.set(name, value)
      // That one is the id of a session, which may be shown.
      if (value !== '' && !name.endsWith('refresh_session')) secrets.set(`cookie ${secrets.size} ${name}`, value)
    }
    return answer
  }
}

/** Everything that can happen to an account, and everything that can be refused. */
async function live(journey: Journey): Promise<void> {
  const { house, secrets, tokens } = journey
  for (const [name, password] of Object.entries(PASSWORDS)) secrets.set(`password ${name}`, password)
  // Development tells the token to this machine alone.
  const ann = new Client(journey, '127.0.0.1')
  const stranger = new Client(journey, '198.51.100.7')
  const askForToken = async () => {
    const answer = await ann.send('POST', '/reset_password', { email: EMAIL })
    const { reset_token: token }: { reset_token?: string } = answer.json()
    tokens.push(token ?? (await house.auth.getResetPasswordToken(EMAIL)))
    secrets.set(`token ${tokens.length}`, tokens.at(-1) ?? '')
    return tokens.at(-1) ?? ''
  }
  const reset = (reset_token: string, new_password: string, email = EMAIL) =>
    ann.send('PUT', '/reset_password', { email, reset_token, new_password })

  expect((await ann.send('POST', '/users', { email: EMAIL, password: PASSWORDS.first, name: 'Ann' })).statusCode).toBe(
    200,
  )
  await ann.send('POST', '/users', { email: EMAIL, password: PASSWORDS.wrong })
  await ann.send('POST', '/users', { email: 'x', password: PASSWORDS.wrong })
  await ann.send('POST', '/users', { email: 'bob@example.org', password: PASSWORDS.refused })
  await ann.send('POST', '/sessions', { email: EMAIL, password: PASSWORDS.wrong })
  await ann.send('POST', '/sessions', { email: 'nobody@example.org', password: PASSWORDS.wrong })
  expect((await ann.send('POST', '/sessions', { email: EMAIL, password: PASSWORDS.first })).statusCode).toBe(200)
  for (const url of ['/profile', '/users/me', '/sessions']) expect((await ann.send('GET', url)).statusCode).toBe(200)

  const second = new Client(journey, '192.0.2.2')
  await second.send(
    'POST',
    '/sessions',
    { email: EMAIL, password: PASSWORDS.first },
    { 'user-agent': 'Mozilla/5.0 Firefox/140' },
  )
  await second.send('DELETE', '/sessions/00000000-0000-4000-8000-000000000000', { current_password: PASSWORDS.wrong })
  expect((await ann.send('DELETE', '/sessions?others=true', { current_password: PASSWORDS.first })).statusCode).toBe(
    200,
  )
  expect((await second.send('GET', '/profile')).statusCode).toBe(403)

  await ann.send('PATCH', '/users/me', { password: PASSWORDS.changed })
  await ann.send('PATCH', '/users/me', { password: PASSWORDS.changed, current_password: PASSWORDS.wrong })
  const changed = { password: PASSWORDS.changed, current_password: PASSWORDS.first }
  expect((await ann.send('PATCH', '/users/me', changed)).statusCode).toBe(200)

  const replaced = await askForToken()
  const token = await askForToken()
  await reset(replaced, PASSWORDS.reset)
  await reset(token, PASSWORDS.refused)
  await reset(token, PASSWORDS.reset, 'nobody@example.org')
  expect((await reset(token, PASSWORDS.reset)).statusCode).toBe(200)
  await reset(token, PASSWORDS.wrong)
  expect((await reset(await askForToken(), PASSWORDS.long)).statusCode).toBe(200)
  expect((await ann.send('POST', '/sessions', { email: EMAIL, password: PASSWORDS.long })).statusCode).toBe(200)
  const nul = { password: PASSWORDS.nul, current_password: PASSWORDS.long }
  expect((await ann.send('PATCH', '/users/me', nul)).statusCode).toBe(200)

  const owner = { email: EMAIL, password: PASSWORDS.nul }
  const program = new Client(journey, '192.0.2.3')
  const keep = (answer: LightMyRequestResponse) => {
    const given: { access_token: string; refresh_token: string } = answer.json()
    for (const name of ['access_token', 'refresh_token'] as const)
      secrets.set(`program ${secrets.size} ${name}`, given[name])
    return given
  }
  const front = new Client(journey, '192.0.2.4')
  expect((await front.send('POST', '/tokens', { ...owner, transport: 'cookie' })).statusCode).toBe(200)
  expect((await front.send('POST', '/tokens/refresh', {})).statusCode).toBe(200)
  const first = keep(await program.send('POST', '/tokens', owner))
  const next = keep(await program.send('POST', '/tokens/refresh', { refresh_token: first.refresh_token }))
  const bearer = { authorization: `Bearer ${next.access_token}` }
  await program.send('GET', `/profile?access_token=${next.access_token}`, undefined, bearer)
  await program.send('GET', '/profile', undefined, { authorization: `Bearer ${next.access_token}x` })
  await program.send('POST', `/tokens/refresh?refresh_token=${next.refresh_token}`, {})
  expect((await program.send('POST', '/tokens/refresh', { refresh_token: first.refresh_token })).statusCode).toBe(401)

  // Refused by the guards, by the parsers, by the router; with secrets wherever a client may put them by mistake.
  const credential = [...ann.jar.values()][0] ?? ''
  await ann.send('POST', '/sessions', { email: EMAIL, password: PASSWORDS.nul }, { 'sec-fetch-site': 'cross-site' })
  await stranger.send('GET', `/profile?session_id=${credential}&reset_token=${token}`, undefined, {
    authorization: `Bearer ${credential}`,
  })
  await stranger.send('POST', `/sessions?password=${encodeURIComponent(PASSWORDS.nul)}`, { email: EMAIL })
  await stranger.send('GET', `/reset?token=${token}`)
  await stranger.send('GET', `/reset/%zz?token=${token}`)
  for (const [type, payload] of [
    ['application/json', `{"email":"${EMAIL}","password":"${PASSWORDS.first}"`],
    ['application/json', `{"password":"${PASSWORDS.first}","password":["${PASSWORDS.first}"]}`],
    ['text/plain', PASSWORDS.first],
    ['application/x-www-form-urlencoded', `password=${encodeURIComponent(PASSWORDS.first)}&password=%zz`],
  ] as const) {
    const { body } = await house.app.inject({
      method: 'POST',
      url: '/sessions',
      headers: { 'content-type': type },
      payload,
    })
    journey.answers.push({ url: `POST /sessions ${type}`, body, headers: '', cookies: [] })
  }
  const { headers, payload } = form({ email: EMAIL, password: PASSWORDS.wrong })
  for (let count = 0; count < 12; count += 1) {
    await house.app.inject({
      method: 'POST',
      url: '/sessions',
      headers: { host: 'localhost', ...headers },
      payload,
      remoteAddress: '198.51.100.7',
    })
  }
  expect((await stranger.send('POST', '/sessions', { email: EMAIL, password: PASSWORDS.nul })).statusCode).toBe(429)

  // A fault of ours: the log has the cause, with its stack, and must not have what was sent.
  const database = new Database(journey.file)
  database.exec('ALTER TABLE one_time_tokens RENAME TO elsewhere')
  expect((await reset(token, PASSWORDS.reset)).statusCode).toBe(500)
  expect(
    (await ann.send('PATCH', '/users/me', { password: PASSWORDS.first, current_password: PASSWORDS.nul })).statusCode,
  ).toBe(500)
  database.exec('ALTER TABLE elsewhere RENAME TO one_time_tokens')
  database.close()
  // One that is pending and one session that is live stay for the search.
  await askForToken()
  await house.upkeep()
  expect((await ann.send('GET', '/profile')).statusCode).toBe(200)
}

/** Every way in which a secret may be written. */
function forms(secret: string): Set<string> {
  const bytes = Buffer.from(secret)
  const json = JSON.stringify(secret).slice(1, -1)
  const url = encodeURIComponent(secret.toWellFormed())
  const found = [secret, json, url, url.replaceAll('%20', '+'), bytes.toString('hex')]
  // In the middle of a longer text base64 looks another way, by where it begins: only the whole characters count.
  for (const before of [0, 1, 2]) {
    const bits = [8 * before, 8 * (before + bytes.length)] as const
    const [from, to] = [Math.ceil(bits[0] / 6), Math.floor(bits[1] / 6)]
    const shifted = Buffer.concat([Buffer.alloc(before), bytes])
    for (const alphabet of ['base64', 'base64url'] as const) found.push(shifted.toString(alphabet).slice(from, to))
  }
  return new Set(found.map((one) => one.toLowerCase()).filter((one) => one.length >= 12))
}

/** Whole secrets, and the secret part of credentials, whose other half may be shown. */
function searched(secrets: ReadonlyMap<string, string>): [string, Set<string>][] {
  return [...secrets].flatMap(([name, secret]): [string, Set<string>][] => {
    // Of a credential the secret, of a JWT the signature.
    const parts = secret
      .split('.')
      .slice(1)
      .slice(-1)
      .filter((part) => part.length >= 43)
    return [
      [name, forms(secret)],
      ...parts.map((part): [string, Set<string>] => [`${name}, its secret part`, forms(part)]),
    ]
  })
}

/** @returns the names of the secrets that a text holds */
function found(text: string, secrets: ReadonlyMap<string, string>): string[] {
  const lower = text.toLowerCase()
  return searched(secrets).flatMap(([name, written]) => ([...written].some((one) => lower.includes(one)) ? [name] : []))
}

function tablesOf(file: string): string {
  const database = new Database(file, { readonly: true })
  const names = database.prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").all()
  expect(names.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['users', 'sessions', 'one_time_tokens', 'audit_log', 'throttle_buckets']),
  )
  const dump = names.map(({ name }) => `${name} ${JSON.stringify(database.prepare(`SELECT * FROM ${name}`).all())}`)
  database.close()
  return dump.join('\n')
}

async function journey(env: Record<string, string>): Promise<Journey & { folder: string }> {
  const folder = temporaryFolder()
  const file = join(folder, 'bienvenue.db')
  const settings = { ...env, DATABASE_URL: `sqlite:${file}`, LOG_REQUESTS: 'true', LOG_LEVEL: 'info' }
  const house = await openHouse(settings, { failuresPerNetwork: 20, resetsPerAccount: 0 })
  onTestFinished(house.close)
  const made = { house, file, answers: [], secrets: new Map(), tokens: [] }
  await live(made)
  return { ...made, folder }
}

const PROFILES = [
  ['development', {}],
  ['production', PRODUCTION],
] as const

test('the search finds a secret in every form', () => {
  const secret = PASSWORDS.first
  const secrets = new Map([['it', secret]])
  const bytes = Buffer.from(secret)
  const longer = Buffer.from(`{"password":"${secret}"}`)
  for (const text of [
    ...[
      secret,
      `a${secret}b`,
      JSON.stringify({ secret }),
      encodeURIComponent(secret),
      new URLSearchParams({ secret }).toString(),
    ],
    ...[
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      bytes.toString('base64'),
      bytes.toString('base64url'),
    ],
    ...[longer.toString('base64'), longer.subarray(1).toString('base64url'), longer.subarray(2).toString('base64')],
  ]) {
    expect(found(text, secrets), text).toEqual(['it'])
  }
  expect(found('quiet marmalade', secrets)).toEqual([])
})

test.each(PROFILES)('O-12: no password, token or cookie is in the log of a whole journey in %s', async (_, env) => {
  const { house, secrets } = await journey(env)
  expect(house.log.length).toBeGreaterThan(60)
  expect(house.log.map((line) => String(JSON.parse(line).msg))).toEqual(
    expect.arrayContaining([
      'login_succeeded',
      'login_failed',
      'password_changed',
      'password_reset',
      'refresh_token_reused',
      'throttled',
      'request failed',
      'request',
    ]),
  )
  expect(secrets.size).toBeGreaterThan(12)
  expect(house.log.flatMap((line) => found(line, secrets).map((name) => [name, line]))).toEqual([])
})

test.each(PROFILES)(
  'S-19: no table and no file of the database holds a cookie, a token or a password in %s',
  async (_, env) => {
    const { house, secrets, folder, file } = await journey(env)
    const dump = tablesOf(file)
    expect(found(dump, secrets)).toEqual([])
    const files = readdirSync(folder)
    expect(files).toContain('bienvenue.db-wal')
    for (const name of files) expect(found(readFileSync(join(folder, name), 'latin1'), secrets), name).toEqual([])

    // What is there instead is the hash of the secret, and it leads to the row.
    const live = [...secrets].filter(([name]) => name.endsWith('session_id')).at(-1)?.[1] ?? ''
    const hash = createHash('sha256').update(live.slice(37)).digest('base64url')
    expect(dump).toContain(hash)
    expect(await house.db.findSessionBy({ secretHash: hash })).toMatchObject({ id: live.slice(0, 36) })
  },
)

test.each(PROFILES)('K-04: a cookie’s value is in Set-Cookie and nowhere else, HttpOnly, in %s', async (_, env) => {
  const { answers, secrets } = await journey(env)
  const cookies = new Map([...secrets].filter(([name]) => name.startsWith('cookie')))
  expect(cookies.size).toBeGreaterThanOrEqual(5)
  expect(
    answers.flatMap(({ url, body, headers }) => found(body + headers, cookies).map((name) => [url, name])),
  ).toEqual([])
  const set = answers.flatMap((answer) => answer.cookies)
  expect(set.length).toBeGreaterThanOrEqual(cookies.size)
  for (const cookie of set) expect(cookie).toMatch(/; HttpOnly(;|$)/)
})

test.each(PROFILES)(
  'no answer holds a secret in %s, but for the token that development answers',
  async (profile, env) => {
    const { answers, secrets } = await journey(env)
    // A program gets its tokens in the body, there and nowhere else.
    const isGiven = (url: string, name: string) =>
      /^POST \/tokens(?:\/refresh)?$/.test(url) && name.startsWith('program')
    const held = answers.flatMap(({ url, body, headers }) =>
      found(body + headers, secrets).flatMap((name) => (isGiven(url, name) ? [] : [`${url}: ${name}`])),
    )
    const tokens = ['token 1', 'token 2', 'token 3', 'token 4'].flatMap((name) => [name, `${name}, its secret part`])
    expect(held).toEqual(profile === 'production' ? [] : tokens.map((name) => `POST /reset_password: ${name}`))
  },
)

test.each(PROFILES)('S-18: no id or token is in an address that the service writes, in %s', async (_, env) => {
  const { house, answers, secrets } = await journey(env)
  const credentials = new Map([...secrets].filter(([name]) => !name.startsWith('password')))
  const locations = answers.map(({ headers }) => String(JSON.parse(headers || '{}').location ?? ''))
  const paths = house.log.map((line) => String(JSON.parse(line).path ?? JSON.parse(line).url ?? ''))
  expect(paths.filter((path) => path === '/profile').length).toBeGreaterThan(1)
  expect(paths.filter((path) => path.includes('?'))).toEqual([])
  expect([...locations, ...paths].flatMap((address) => found(address, credentials))).toEqual([])
})
