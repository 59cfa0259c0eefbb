/** When something that the service leans on fails, it refuses; it grants nothing, leaves nothing half-written, and recovers. */

import { execFileSync } from 'node:child_process'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test, vi } from 'vitest'
import { MADE_UP } from '../app/client.ts'
import { form, type House, openHouse, PRODUCTION } from '../house.ts'
import { startServer, temporaryFolder } from '../started.ts'
import { PROBE, pidOf } from './probe.ts'
import { routesOf } from './surface.ts'

const EMAIL = 'ann@example.org'
const PASSWORD = 'nine lives of a grey cat'
const GENERIC = { message: 'something went wrong here; it has been logged', code: 'internal' }

interface Stored extends House {
  /** Another process's connection to the same file. */
  outside: Database.Database
  cookie: string
}

async function stored(env: Record<string, string> = {}): Promise<Stored> {
  const file = join(temporaryFolder(), 'bienvenue.db')
  const house = await openHouse({ ...env, DATABASE_URL: `sqlite:${file}` })
  onTestFinished(house.close)
  const outside = new Database(file)
  onTestFinished(() => void outside.close())
  await house.auth.registerUser(EMAIL, PASSWORD)
  return { ...house, outside, cookie: await house.auth.createSession(EMAIL) }
}

function rowsOf(database: Database.Database): Record<string, unknown[]> {
  const tables = ['users', 'sessions', 'one_time_tokens', 'audit_log']
  return Object.fromEntries(tables.map((table) => [table, database.prepare(`SELECT * FROM ${table}`).all()]))
}

function logIn({ app }: House, headers: Record<string, string> = {}) {
  const { headers: type, payload } = form({ email: EMAIL, password: PASSWORD })
  return app.inject({ method: 'POST', url: '/sessions', headers: { ...type, ...headers }, payload })
}

test('O-18: on a full disk what writes is a 503 and nothing is half-written, what reads goes on, and with room all is well', async () => {
  const folder = temporaryFolder()
  const file = join(folder, 'bienvenue.db')
  const server = await startServer({ ...PROBE, DATABASE_URL: `sqlite:${file}` }, folder)
  const send = (method: string, path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(`${server.url}${path}`, {
      method,
      headers,
      ...(method === 'GET' ? {} : { body: new URLSearchParams(fields) }),
    })
  const ann = { email: EMAIL, password: PASSWORD }
  expect((await send('POST', '/users', ann)).status).toBe(200)
  const cookie = (await send('POST', '/sessions', ann)).headers.get('set-cookie')?.split(';')[0] ?? ''
  const outside = new Database(file, { readonly: true })
  onTestFinished(() => void outside.close())
  const before = rowsOf(outside)

  // No file may grow or be written beyond its first byte, as if the disk had no more room.
  const room = (bytes: string) => execFileSync('prlimit', ['--pid', String(pidOf(server)), `--fsize=${bytes}:`])
  room('1')
  const refused = [
    await send('POST', '/users', { email: 'bob@example.org', password: PASSWORD }),
    await send('POST', '/sessions', ann),
    await send('POST', '/reset_password', ann),
    await send('PATCH', '/users/me', { name: 'Ann' }, { cookie }),
    await send('PATCH', '/users/me', { password: 'another', current_password: PASSWORD }, { cookie }),
    await send('DELETE', '/users/me', { current_password: PASSWORD }, { cookie }),
  ]
  for (const answer of refused) {
    expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('set-cookie')]).toEqual([
      503,
      '5',
      null,
    ])
    expect(await answer.json()).toEqual({
      message: 'the database cannot be used at this moment',
      code: 'store_unavailable',
    })
  }
  expect((await send('GET', '/profile', {}, { cookie })).status).toBe(200)
  expect(rowsOf(outside)).toEqual(before)

  room('unlimited')
  expect(rowsOf(outside)).toEqual(before)
  expect(outside.pragma('integrity_check', { simple: true })).toBe('ok')
  expect((await send('POST', '/users', { email: 'bob@example.org', password: PASSWORD })).status).toBe(200)
  expect((await send('POST', '/sessions', ann)).status).toBe(200)
  expect((await send('PATCH', '/users/me', { name: 'Ann' }, { cookie })).status).toBe(200)
})

test('O-18: while another process holds the database a login is a 503, and afterwards it works', async () => {
  const house = await stored()
  const before = rowsOf(house.outside)
  house.outside.exec('BEGIN IMMEDIATE')
  const refused = await logIn(house)
  expect([refused.statusCode, refused.headers['retry-after'], refused.headers['set-cookie']]).toEqual([
    503,
    '5',
    undefined,
  ])
  expect(refused.json()).toMatchObject({ code: 'store_unavailable' })
  house.outside.exec('ROLLBACK')
  expect(rowsOf(house.outside)).toEqual(before)
  expect((await logIn(house)).statusCode).toBe(200)
})

test.each([
  ['the store of the throttle', 'throttle_buckets'],
  ['the audit log', 'audit_log'],
  ['the table of sessions', 'sessions'],
])('O-19: where %s fails, a right password opens nothing, also on a known device', async (_, table) => {
  const house = await stored(PRODUCTION)
  const device = (await logIn(house)).cookies.find(({ name }) => name === '__Host-device')?.value ?? ''
  expect(device).not.toBe('')
  const before = rowsOf(house.outside)
  house.outside.exec(`ALTER TABLE ${table} RENAME TO elsewhere`)
  for (const cookie of ['', `__Host-device=${device}`]) {
    const refused = await logIn(house, { cookie })
    expect([refused.statusCode, refused.json(), refused.headers['set-cookie']]).toEqual([500, GENERIC, undefined])
  }
  house.outside.exec(`ALTER TABLE elsewhere RENAME TO ${table}`)
  expect(rowsOf(house.outside)).toEqual(before)
  expect((await logIn(house)).statusCode).toBe(200)
})

test.each([
  ['of a cost that bcrypt refuses', `$2b$03$${'a'.repeat(53)}`],
  ['of a cost that no machine can compute', `$2b$31$${'a'.repeat(53)}`],
  ['of a cost that does not exist', `$2b$99$${'a'.repeat(53)}`],
  ['cut short', '$2b$10$abc'],
  ['with no digest', `$2b$10$${'a'.repeat(22)}`],
  ['empty', ''],
  ['in clear', PASSWORD],
])('O-19: a stored hash %s logs nobody in, and the others are not disturbed', async (_, hashedPassword) => {
  const house = await stored()
  await house.auth.registerUser('bob@example.org', PASSWORD)
  const { id } = await house.db.findUserBy({ email: 'bob@example.org' })
  await house.db.updateUser(id, { hashedPassword })
  for (const password of [PASSWORD, hashedPassword, '']) {
    const { headers, payload } = form({ email: 'bob@example.org', password })
    const refused = await house.app.inject({ method: 'POST', url: '/sessions', headers, payload })
    expect(refused.statusCode).toBeGreaterThanOrEqual(400)
    expect(refused.headers['set-cookie']).toBeUndefined()
  }
  expect(await house.db.findSessionsOf(id)).toEqual([])
  expect((await logIn(house)).statusCode).toBe(200)
})

/** Takes the system's randomness away. @returns what gives it back */
function withoutRandomness(): () => void {
  const { randomBytes } = crypto
  const restore = () => {
    crypto.randomBytes = randomBytes
    syncBuiltinESMExports()
  }
  onTestFinished(restore)
  crypto.randomBytes = () => {
    throw new Error('no entropy')
  }
  syncBuiltinESMExports()
  return restore
}

test('O-19: where the system gives no randomness there is no session, no account, no token', async () => {
  const house = await stored()
  const { app, outside, cookie } = house
  const before = rowsOf(outside)
  const restore = withoutRandomness()
  const attempts = [
    ['POST', '/sessions', { email: EMAIL, password: PASSWORD }],
    ['POST', '/users', { email: 'bob@example.org', password: PASSWORD }],
    ['POST', '/reset_password', { email: EMAIL }],
    ['PATCH', '/users/me', { password: 'another', current_password: PASSWORD }],
  ] as const
  for (const [method, url, payload] of attempts) {
    const refused = await app.inject({ method, url, payload, headers: { cookie: `session_id=${cookie}` } })
    expect([refused.statusCode, refused.json(), refused.headers['set-cookie']], url).toEqual([500, GENERIC, undefined])
  }
  restore()
  const { audit_log: _, ...people } = before
  expect(rowsOf(outside)).toMatchObject(people)
  expect((await logIn(house)).statusCode).toBe(200)
})

test('O-19: where the system gives no randomness there is no account either where nothing is mailed', async () => {
  const house = await openHouse(PRODUCTION)
  onTestFinished(house.close)
  const restore = withoutRandomness()
  await expect(house.auth.registerUser(EMAIL, PASSWORD)).rejects.toThrow('no entropy')
  restore()
  await house.auth.registerUser(EMAIL, PASSWORD)
  expect(await house.auth.validLogin(EMAIL, PASSWORD)).toBe(true)
})

test('O-17: an unexpected error of the database is a generic 500 on every route that needs it, and the log has the cause', async () => {
  const house = await stored({ OPERATOR_KEY: PRODUCTION.OPERATOR_KEY })
  const routes = await routesOf(house.app)
  const { OPERATOR_KEY } = PRODUCTION
  for (const table of ['users', 'sessions', 'one_time_tokens'])
    house.outside.exec(`ALTER TABLE ${table} RENAME TO ${table}_elsewhere`)
  const fields = {
    email: EMAIL,
    password: PASSWORD,
    current_password: PASSWORD,
    new_password: PASSWORD,
    reset_token: MADE_UP,
    verification_token: MADE_UP,
    undo_token: MADE_UP,
    refresh_token: house.cookie,
    token: house.cookie,
  }
  const failed: string[] = []
  for (const { method, path } of routes) {
    const key = /^\/tokens\/(?:introspect|revoke)/.test(path) ? { authorization: `Bearer ${OPERATOR_KEY}` } : {}
    const headers = { cookie: `session_id=${house.cookie}`, 'content-type': 'application/json', ...key }
    const payload = method === 'GET' || method === 'HEAD' ? {} : { payload: JSON.stringify(fields) }
    const lines = house.log.length
    const answer = await house.app.inject({ method, url: path, headers, ...payload })
    if (answer.statusCode < 400 || answer.statusCode === 404) continue
    failed.push(`${method} ${path}`)
    expect(answer.statusCode).toBe(500)
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    if (method !== 'HEAD') expect(answer.json()).toEqual(GENERIC)
    expect(JSON.stringify(answer.headers)).not.toMatch(/no such table|select|\/src\/|node_modules/i)
    expect(
      house.log.slice(lines).filter((line) => line.includes('"level":50') && line.includes('no such table')),
    ).toHaveLength(1)
  }
  expect(failed.length).toBeGreaterThan(10)
  const rest = routes.map(({ method, path }) => `${method} ${path}`).filter((route) => !failed.includes(route))
  const wellKnown = ['change-password', 'jwks.json', 'oauth-authorization-server']
  const others = ['/assets/:name', '/health/live', '/health/ready', '/outbox']
  const untouched = ['/', ...wellKnown.map((name) => `/.well-known/${name}`), ...others]
  expect(rest.sort()).toEqual(untouched.flatMap((path) => [`GET ${path}`, `HEAD ${path}`]).sort())
})

test('O-20: a rejected promise in a handler is a generic 500, logged, and the next request is answered', async () => {
  const house = await openHouse()
  onTestFinished(house.close)
  const thrown = [new Error('SELECT secret FROM /srv/app'), 'a text', undefined, null, { statusCode: 200 }]
  for (const [index, reason] of thrown.entries()) {
    house.app.get(`/rejects/${index}`, { config: { access: 'public' } }, () => Promise.reject(reason))
  }
  house.app.get('/throws', { config: { access: 'public' } }, () => {
    throw new RangeError('stack of /srv/app')
  })
  for (const url of [...thrown.map((_, index) => `/rejects/${index}`), '/throws']) {
    const lines = house.log.length
    const answer = await house.app.inject({ url, headers: { host: 'localhost' } })
    expect([answer.statusCode, answer.json()], url).toEqual([500, GENERIC])
    expect(house.log.slice(lines).filter((line) => line.includes('"level":50'))).toHaveLength(1)
  }
  expect((await house.app.inject({ url: '/', headers: { host: 'localhost' } })).json()).toEqual({
    message: 'Bienvenue',
  })
})

test('O-20: a rejected promise that nobody awaits is logged, and the process lives', async () => {
  const { child, url } = await startServer(PROBE)
  child.signal('SIGWINCH')
  await vi.waitFor(() => expect(child.stdout).toContain('nobody awaits this'), { timeout: 10_000 })
  expect(child.stdout).toContain('unhandled rejection')
  expect(await (await fetch(url)).json()).toEqual({ message: 'Bienvenue' })
})
