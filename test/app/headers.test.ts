/** What every kind of answer carries. */

import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { type House, PRODUCTION } from '../house.ts'
import { type Answer, BOB, bodyOf, Client, house, json, NEW_PASSWORD, PASSWORD, signedIn } from './client.ts'
import { ROUTES } from './routes.ts'

/** One request for every kind of answer there is. */
const KINDS: [string, number, (opened: House) => Promise<Answer>][] = [
  ['welcome', 200, ({ app }) => new Client(app).send('GET', '/')],
  ['a registration', 200, ({ app }) => new Client(app).register()],
  ['a login', 200, async ({ app }) => (await signedIn(app)).logIn()],
  ['a profile', 200, async ({ app }) => (await signedIn(app)).profile()],
  ['an account', 200, async ({ app }) => (await signedIn(app)).send('GET', '/users/me')],
  ['a changed account', 200, async ({ app }) => changed(await signedIn(app))],
  ['a deleted account', 200, async ({ app }) => deleted(await signedIn(app))],
  ['a list of sessions', 200, async ({ app }) => (await signedIn(app)).send('GET', '/sessions')],
  ['an ended session', 200, async ({ app }) => endedById(await signedIn(app))],
  ['all others ended', 200, async ({ app }) => (await signedIn(app)).send('DELETE', '/sessions?others=true')],
  ['a HEAD', 200, async ({ app }) => (await signedIn(app)).send('HEAD', '/profile')],
  ['a reset token', 200, async ({ app }) => (await signedIn(app)).askForReset()],
  ['a reset', 200, async ({ app }) => resetAfter(await signedIn(app))],
  ['OPTIONS', 204, ({ app }) => new Client(app).send('OPTIONS', '/')],
  ['a logout', 302, async ({ app }) => (await signedIn(app)).logOut()],
  ['a missing field', 400, ({ app }) => new Client(app).send('POST', '/users', {})],
  ['a taken address', 400, async ({ app }) => (await signedIn(app)).register()],
  ['a body that is no JSON', 400, ({ app }) => app.inject({ ...post('/users'), ...json({}), payload: '{' })],
  ['a path that cannot be decoded', 400, ({ app }) => app.inject({ url: '/%zz' })],
  ['a wrong password', 401, ({ app }) => new Client(app).logIn()],
  ['no session', 403, ({ app }) => new Client(app).profile()],
  ['a password that is not fresh', 403, notFresh],
  ['a wrong current password', 403, async ({ app }) => deleted(await signedIn(app), 'wrong')],
  ['an unknown address', 403, ({ app }) => new Client(app).askForReset()],
  ['a refused reset', 403, ({ app }) => new Client(app).reset('nonsense')],
  ['a page elsewhere', 403, ({ app }) => new Client(app).send('POST', '/users', {}, { origin: 'https://evil.test' })],
  ['a path that is not served', 404, ({ app }) => new Client(app).send('GET', '/nowhere')],
  ['a session of nobody', 404, async ({ app }) => (await signedIn(app)).send('DELETE', '/sessions/nobodys')],
  ['a method that is not served', 405, ({ app }) => new Client(app).send('PATCH', '/users')],
  ['a body too large', 413, ({ app }) => new Client(app).register(BOB, 'x'.repeat(20_000))],
  ['a type that is not read', 415, ({ app }) => app.inject({ ...post('/users'), ...withType('text/plain') })],
  ['a body that is compressed', 415, ({ app }) => app.inject({ ...post('/users'), ...compressed() })],
  ['a foreign host', 421, ({ app }) => new Client(app).send('GET', '/', undefined, { host: 'evil.test' })],
  ['too many wrong passwords', 429, tooManyWrong],
  ['a fault of ours', 500, afterAFault],
  ['too many logins', 503, tooManyLogins],
]

function post(url: string) {
  return { method: 'POST', url } as const
}

function withType(type: string) {
  return { headers: { 'content-type': type }, payload: '{"email":"bob@example.org","password":"x"}' }
}

function compressed() {
  const { headers, payload } = withType('application/json')
  return { headers: { ...headers, 'content-encoding': 'gzip' }, payload: gzipSync(payload) }
}

function changed(client: Client): Promise<Answer> {
  return client.send('PATCH', '/users/me', { password: NEW_PASSWORD, current_password: PASSWORD })
}

function deleted(client: Client, password = PASSWORD): Promise<Answer> {
  return client.send('DELETE', '/users/me', { current_password: password })
}

function endedById(client: Client): Promise<Answer> {
  return client.send('DELETE', `/sessions/${client.sessionId}`)
}

async function notFresh({ app, clock, settings }: House): Promise<Answer> {
  const client = await signedIn(app)
  clock.advance(settings.freshFor + 1)
  return endedById(client)
}

async function tooManyWrong({ app, settings }: House): Promise<Answer> {
  const client = new Client(app)
  for (let count = 0; count < settings.loginFailuresPerAccount; count += 1) await client.logIn(BOB, 'wrong')
  return client.logIn(BOB, 'wrong')
}

async function resetAfter(client: Client): Promise<Answer> {
  return client.reset(await client.resetToken())
}

async function afterAFault({ app, db }: House): Promise<Answer> {
  const client = await signedIn(app)
  await db.close()
  return client.profile()
}

async function tooManyLogins({ app }: House): Promise<Answer> {
  const client = new Client(app)
  const logins = Array.from({ length: 20 }, (_, n) => client.logIn(`bob${n}@example.org`))
  const answers = await Promise.all(logins)
  return answers.find(({ statusCode }) => statusCode === 503) ?? client.logIn()
}

/** @returns every kind of answer, each from a house of its own */
async function everyKind(): Promise<[string, Answer][]> {
  const answers: [string, Answer][] = []
  for (const [kind, , ask] of KINDS) {
    answers.push([kind, await ask(await house({ HASH_CONCURRENCY: '1', HASH_QUEUE: '0' }))])
  }
  return answers
}

test('the kinds are what they say', async () => {
  const statuses = (await everyKind()).map(([kind, { statusCode }]) => [kind, statusCode])
  expect(statuses).toEqual(KINDS.map(([kind, status]) => [kind, status]))
})

test('H-01: every body has its type, with the charset', async () => {
  const withBody = (await everyKind()).filter(([, { body }]) => body !== '')
  expect(withBody.length).toBeGreaterThan(30)
  for (const [kind, { headers }] of withBody) {
    expect(headers['content-type'], kind).toBe('application/json; charset=utf-8')
  }
})

test('H-16: no answer may be stored', async () => {
  for (const [kind, { headers }] of await everyKind()) expect(headers['cache-control'], kind).toBe('no-store')
})

test('H-20: no answer may be taken for another type', async () => {
  for (const [kind, { headers }] of await everyKind()) expect(headers['x-content-type-options'], kind).toBe('nosniff')
})

test('H-21: no answer may be shown as a document, framed or loaded from elsewhere', async () => {
  for (const [kind, { headers }] of await everyKind()) {
    expect(headers, kind).toMatchObject({
      'content-security-policy':
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'same-origin',
      'x-frame-options': 'DENY',
    })
  }
})

test('no answer of plain http has Strict-Transport-Security', async () => {
  for (const [kind, { headers }] of await everyKind()) {
    expect(headers, kind).not.toHaveProperty('strict-transport-security')
  }
})

test('on https also Strict-Transport-Security, for a year at least', async () => {
  const { app } = await house(PRODUCTION)
  for (const url of ['/', '/nowhere', '/%zz']) {
    const { headers } = await app.inject({ url })
    expect(headers['strict-transport-security'], url).toBe('max-age=31536000; includeSubDomains')
  }
})

test('too many logins are told when to try again', async () => {
  const answer = await tooManyLogins(await house({ HASH_CONCURRENCY: '1', HASH_QUEUE: '0' }))
  expect(answer.headers['retry-after']).toBe('2')
  expect(bodyOf(answer)).toMatchObject({ code: 'busy' })
})

test('too many wrong passwords are told when to try again', async () => {
  const answer = await tooManyWrong(await house())
  expect(answer.headers['retry-after']).toBe('30')
  expect(bodyOf(answer)).toStrictEqual({ message: 'too many tries, wait before the next one', code: 'throttled' })
})

test('H-15: no grant to another origin, whoever asks', async () => {
  const { app } = await house()
  for (const origin of ['https://evil.test', 'null', 'http://localhost:5000']) {
    for (const [url] of ROUTES) {
      const preflight = { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x' }
      const answers = [
        await app.inject({ method: 'OPTIONS', url, headers: preflight }),
        await app.inject({ method: 'GET', url, headers: { origin } }),
        await app.inject({ method: 'POST', url, headers: { origin } }),
      ]
      const grants = answers.flatMap(({ headers }) =>
        Object.keys(headers).filter((name) => name.startsWith('access-control-')),
      )
      expect(grants, `${origin} ${url}`).toEqual([])
    }
  }
  const foreign = await new Client(app).send('POST', '/users', { email: BOB, password: 'x' }, { origin: 'null' })
  expect(foreign.statusCode).toBe(403)
})
