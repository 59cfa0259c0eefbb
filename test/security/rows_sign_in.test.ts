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
  ...['GET /', 'POST /users', 'POST /sessions', 'POST /reset_password', 'PUT /reset_password'],
  ...['POST /email_verification', 'GET /health/live', 'GET /health/ready'],
]

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

test('A-11: there is one way to sign in, and its limit is the limit', async () => {
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
    if (setCookies(answer).some((line) => cookieName(line) === '__Host-session_id')) ways.push(`${method} ${url}`)
    if (answer.statusCode === 200) done.push(`${method} ${url}`)
    expect(answer.body, `${method} ${url}`).not.toMatch(/[\w-]{43}/)
  }
  expect(done.sort()).toEqual([...PUBLIC, ...PAGES].sort())
  expect(ways).toEqual(['POST /sessions'])

  const stranger = new Client(app)
  for (let tries = 0; tries < 3; tries += 1) await stranger.logIn(BOB, 'wrong')
  expect((await stranger.logIn(BOB, GOOD_PASSWORD)).statusCode).toBe(429)
})

test('A-21: every route but those that are public refuses whoever has no session', async () => {
  const { app, dump } = await houseOnFile(PRODUCTION)
  await signedIn(app, BOB, GOOD_PASSWORD)
  const routes = await accessRows()
  const open = routes.filter(({ access }) => access === 'public').map(({ method, url }) => `${method} ${url}`)
  expect(open.sort()).toEqual([...PUBLIC, ...PAGES, ...OTHERS].sort())

  const before = dump()
  const guarded = routes.filter(({ access }) => access !== 'public')
  expect(guarded.length).toBeGreaterThan(5)
  for (const { method, url, body } of guarded) {
    const fields = Object.fromEntries(body.map((field) => [field.replace('?', ''), NEW_GOOD_PASSWORD]))
    for (const cookie of ['', `__Host-session_id=${MADE_UP}`, '__Host-session_id=']) {
      const client = new Client(app)
      client.cookie = cookie
      const answer = await client.send(method, pathOf(url), method === 'GET' ? undefined : fields)
      expect(seen(answer), `${method} ${url} ${cookie}`).toMatchObject({
        status: 403,
        body: { code: 'session_required' },
      })
    }
  }
  expect(dump()).toBe(before)
})
