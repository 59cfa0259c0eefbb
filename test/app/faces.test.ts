/** Who gets a page and who gets JSON. */

import { expect, test } from 'vitest'
import { form } from '../house.ts'
import { ACCEPT, BOB, house, PASSWORD, Person } from '../pages/person.ts'

const WELCOME = '{"message":"Bienvenue"}'

test.each([
  ACCEPT,
  'text/html',
  'TEXT/HTML',
  'text/html;charset=utf-8',
  'text/html, application/json',
  'application/json;q=0.9, text/html',
  'application/json;q=0.5,text/html;q=0.5',
  '*/*;q=0.8, text/html;q=0.1',
])('Accept: %s gets a page', async (accept) => {
  const { app } = await house()
  const answer = await app.inject({ url: '/', headers: { accept } })
  expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
})

test.each([
  undefined,
  '',
  '*/*',
  'text/*',
  'application/json',
  'application/json, text/plain, */*',
  'application/json, text/html;q=0.9',
  'text/html;q=0',
  'text/html;q=nonsense',
  'image/avif,image/webp,*/*;q=0.8',
  'text/htmlx',
])('Accept: %s gets JSON', async (accept) => {
  const { app } = await house()
  const answer = await app.inject({ url: '/', headers: accept === undefined ? {} : { accept } })
  expect([answer.body, answer.headers['content-type']]).toEqual([WELCOME, 'application/json; charset=utf-8'])
})

/** A request of every kind, in this order, each on what the ones before it left. */
const REQUESTS = [
  ['GET', '/'],
  ['POST', '/users', { email: BOB, password: PASSWORD, next: '/x' }],
  ['POST', '/users', { email: BOB, password: PASSWORD }],
  ['POST', '/users', { email: 'bob', password: PASSWORD }],
  ['POST', '/sessions', { email: BOB, password: 'wrong' }],
  ['POST', '/sessions', {}],
  ['GET', '/profile'],
  ['GET', '/dashboard'],
  ['GET', '/nowhere'],
  ['GET', '/users'],
  ['POST', '/reset_password', { email: 'nobody@example.org' }],
  ['PUT', '/reset_password', { email: BOB, reset_token: 'x', new_password: 'y' }],
  ['DELETE', '/sessions'],
  ['PATCH', '/users/me', { name: 'Bob' }],
  ['DELETE', '/users/me', { current_password: 'x' }],
] as const

async function answers(headers: Record<string, string>) {
  const { app } = await house()
  const seen = []
  for (const [method, url, fields] of REQUESTS) {
    const body = fields === undefined ? { headers: {} } : form(fields)
    const {
      statusCode,
      body: text,
      headers: got,
    } = await app.inject({ ...body, method, url, headers: { ...body.headers, ...headers } })
    const { date, ...rest } = got
    seen.push([method, url, statusCode, text, rest])
  }
  return seen
}

test('programs get the same bytes and headers, whether they ask for JSON, for anything or for nothing', async () => {
  const [bare, anything, json] = [
    await answers({}),
    await answers({ accept: '*/*' }),
    await answers({ accept: 'application/json' }),
  ]
  expect(anything).toEqual(bare)
  expect(json).toEqual(bare)
  const text = JSON.stringify(bare)
  expect(text).not.toContain('text/html')
  expect(text).not.toMatch(/"vary"|"clear-site-data"|"cross-origin-opener-policy"/)
  expect(bare.map(([, , status]) => status)).toEqual([
    200, 200, 400, 400, 401, 400, 403, 403, 404, 405, 403, 403, 403, 403, 403,
  ])
})

test('a program that logs in, is sent nowhere; a person is', async () => {
  const { app } = await house()
  const bob = new Person(app)
  expect((await bob.register()).headers.location).toBe('/login?notice=registered_mail')
  const login = { method: 'POST', url: '/sessions', ...form({ email: BOB, password: PASSWORD, next: '/x' }) } as const
  const program = await app.inject(login)
  expect([program.statusCode, program.json(), program.headers.location]).toEqual([
    200,
    { email: BOB, message: 'logged in' },
    undefined,
  ])
  const headers = { ...login.headers, accept: ACCEPT }
  const person = await app.inject({ ...login, headers })
  expect([person.statusCode, person.body, person.headers.location]).toEqual([303, '', '/x'])
})

test('a person who opens what only programs read is sent to the page', async () => {
  const { app } = await house()
  const bob = new Person(app)
  await bob.register()
  await bob.logIn()
  for (const url of ['/profile', '/users/me', '/sessions']) {
    const answer = await bob.open(url)
    expect([answer.statusCode, answer.headers.location], url).toEqual([303, '/dashboard'])
  }
})

test('a program that logs out, or deletes the account, gets what it always got', async () => {
  const { app } = await house()
  const program = new Person(app, { accept: '*/*' })
  const account = { email: BOB, password: PASSWORD }
  await program.send('POST', '/users', account)
  await program.send('POST', '/sessions', account)
  const left = await program.send('DELETE', '/sessions')
  expect([left.statusCode, left.headers.location]).toEqual([302, '/'])
  await program.send('POST', '/sessions', account)
  const gone = await program.send('DELETE', '/users/me', { current_password: PASSWORD })
  expect([gone.statusCode, gone.json()]).toEqual([200, { email: BOB, message: 'account deleted' }])
  for (const { headers } of [left, gone]) {
    expect(headers).not.toHaveProperty('clear-site-data')
    expect(headers).not.toHaveProperty('vary')
  }
})
