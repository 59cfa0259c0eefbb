/** Rows of the security list about who gets in, and by which way. */

import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { accessRows } from '../../scripts/access.ts'
import {
  ALICE,
  BOB,
  Client,
  cookieName,
  house,
  houseOnFile,
  MADE_UP,
  seen,
  setCookies,
  signedIn,
} from '../app/client.ts'
import { GOOD_PASSWORD } from '../app/routes.ts'
import { PRODUCTION } from '../house.ts'
import { NEW_GOOD_PASSWORD, pathOf } from './journey.ts'

/** Whoever adds a route that needs no session adds it here as well. */
const PUBLIC = [
  ...['GET /', 'POST /users', 'POST /sessions', 'POST /tokens', 'POST /reset_password', 'PUT /reset_password'],
  ...['POST /email_verification', 'GET /health/live', 'GET /health/ready'],
]

/** The two ways to sign in, by password both. */
const WAYS = ['POST /sessions', 'POST /tokens']

/** What takes a token in the place of a session, and without one does nothing. */
const BY_TOKEN = ['POST /tokens/refresh', 'DELETE /tokens']

const WELL_KNOWN = ['GET /.well-known/jwks.json', 'GET /.well-known/oauth-authorization-server']

/** What shows a form, or sends on to a page; nobody is signed in by it. */
const PAGES = ['GET /login', 'GET /register', 'GET /forgot', 'GET /reset', 'GET /confirm', 'GET /undo']
const OTHERS = [
  ...['GET /.well-known/change-password', 'GET /assets/:name', 'GET /outbox'],
  ...['PUT /email_verification', 'POST /undo_email_change'],
]

test('A-10: a new database has no account, and the names that everybody tries open none', async () => {
  const { app, settings } = await houseOnFile()
  for (const name of ['admin', 'root', 'administrator', 'user', 'test', 'guest', 'bienvenue']) {
    for (const email of [name, `${name}@localhost`, `${name}@example.org`]) {
      for (const password of [name, 'password', `${name}123`]) {
        expect((await new Client(app).logIn(email, password)).statusCode, `${email} ${password}`).not.toBe(200)
      }
    }
  }
  const database = new Database(settings.databaseUrl.slice('sqlite:'.length), { readonly: true })
  expect(database.prepare('SELECT * FROM users').all()).toEqual([])
  expect(database.prepare('SELECT * FROM sessions').all()).toEqual([])
  database.close()
})

test('A-11: there are two ways to sign in, and they share one limit', async () => {
  const { app, auth } = await house({ ...PRODUCTION, LOGIN_FAILURES_PER_ACCOUNT: '3' })
  await new Client(app).register(BOB, GOOD_PASSWORD)
  const everything = { password: GOOD_PASSWORD, current_password: GOOD_PASSWORD, name: 'Bob' }
  const done: string[] = []
  const ways: string[] = []
  for (const { method, url } of await accessRows()) {
    const email = url === '/users' ? ALICE : BOB
    const token = method === 'PUT' ? await auth.getResetPasswordToken(BOB) : ''
    const fields = { ...everything, email, reset_token: token, new_password: GOOD_PASSWORD }
    const answer = await new Client(app).send(method, pathOf(url), method === 'GET' ? undefined : fields)
    const isWay = setCookies(answer).some((line) => cookieName(line) === '__Host-session_id')
    if (isWay || answer.body.includes('"access_token"')) ways.push(`${method} ${url}`)
    if (answer.statusCode === 200) done.push(`${method} ${url}`)
    const shown = [...WELL_KNOWN, 'POST /tokens'].includes(`${method} ${url}`)
    if (!shown) expect(answer.body, `${method} ${url}`).not.toMatch(/[\w-]{43}/)
  }
  expect(done.sort()).toEqual([...PUBLIC, ...PAGES, ...WELL_KNOWN].sort())
  expect(ways.sort()).toEqual(WAYS)

  const stranger = new Client(app)
  const tryBy = async (way: string, password: string) => {
    const [method = '', url = ''] = way.split(' ')
    return (await stranger.send(method, url, { email: BOB, password })).statusCode
  }
  const [first = '', second = ''] = WAYS
  expect([await tryBy(first, 'wrong'), await tryBy(second, 'wrong'), await tryBy(second, 'wrong')]).toEqual([
    401, 401, 401,
  ])
  expect([await tryBy(first, GOOD_PASSWORD), await tryBy(second, GOOD_PASSWORD)]).toEqual([429, 429])
})

const NO_SESSION = { status: 403, body: { code: 'session_required' } }
const OPERATOR_ONLY = { status: 401, body: { code: 'operator_required' } }

test('A-21: every route but those that are public refuses whoever has no session', async () => {
  const { app, dump } = await houseOnFile(PRODUCTION)
  await signedIn(app, BOB, GOOD_PASSWORD)
  const routes = await accessRows()
  const open = routes.filter(({ access }) => access === 'public').map(({ method, url }) => `${method} ${url}`)
  expect(open.sort()).toEqual([...PUBLIC, ...BY_TOKEN, ...WELL_KNOWN, ...PAGES, ...OTHERS].sort())

  const before = dump()
  const guarded = routes.filter(({ access }) => access !== 'public')
  expect(guarded.length).toBeGreaterThan(5)
  for (const { method, url, body, access } of guarded) {
    const fields = Object.fromEntries(body.map((field) => [field.replace('?', ''), NEW_GOOD_PASSWORD]))
    for (const cookie of ['', `__Host-session_id=${MADE_UP}`, '__Host-session_id=']) {
      const client = new Client(app)
      client.cookie = cookie
      const answer = await client.send(method, pathOf(url), method === 'GET' ? undefined : fields)
      const refusal = access === 'operator' ? OPERATOR_ONLY : NO_SESSION
      expect(seen(answer), `${method} ${url} ${cookie}`).toMatchObject(refusal)
    }
  }
  expect(dump()).toBe(before)
})
