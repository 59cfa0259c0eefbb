/** Where this service is better than the classic servers, on purpose: one test for each row of that table. */

import { expect, test } from 'vitest'
import { form, PRODUCTION } from '../house.ts'
import {
  ALICE,
  anotherDevice,
  attributesOf,
  BOB,
  Client,
  ENCODINGS,
  house,
  json,
  MADE_UP,
  NEW_PASSWORD,
  PASSWORD,
  seen,
  setCookies,
  signedIn,
} from './client.ts'

const DAY = 86_400_000

test('a login on the phone leaves the laptop in; a logout ends the presented session, destroySession all of a user', async () => {
  const { app, auth, db } = await house()
  const laptop = await signedIn(app)
  const [phone, tablet] = [await anotherDevice(app), await anotherDevice(app)]
  const other = await signedIn(app, ALICE)
  expect((await laptop.profile()).statusCode).toBe(200)

  await tablet.logOut()
  expect([(await laptop.profile()).statusCode, (await phone.profile()).statusCode]).toEqual([200, 200])

  await auth.destroySession((await db.findUserBy({ email: BOB })).id)
  expect([(await laptop.profile()).statusCode, (await phone.profile()).statusCode]).toEqual([403, 403])
  expect((await other.profile()).statusCode).toBe(200)
})

test('a session ends: when idle, and at a fixed age', async () => {
  const { app, clock } = await house()
  const [idle, used] = [await signedIn(app), await anotherDevice(app)]
  for (let day = 0; day < 29; day += 1) {
    clock.advance(DAY)
    expect((await used.profile()).statusCode, `day ${day}`).toBe(200)
  }
  expect((await idle.profile()).statusCode).toBe(403)
  clock.advance(DAY)
  expect((await used.profile()).statusCode).toBe(403)
})

test('a reset ends every session', async () => {
  const { app } = await house()
  const [laptop, phone] = [await signedIn(app), await anotherDevice(app)]
  await new Client(app).reset(await phone.resetToken())
  expect([(await laptop.profile()).statusCode, (await phone.profile()).statusCode]).toEqual([403, 403])
})

test('a reset token must belong to the address: otherwise 403, and nothing is spent', async () => {
  const { app } = await house()
  const [alice, bob] = [await signedIn(app, ALICE), await signedIn(app, BOB)]
  const token = await alice.resetToken(ALICE)
  expect((await new Client(app).reset(token, NEW_PASSWORD, BOB)).statusCode).toBe(403)
  expect((await new Client(app).reset(token, NEW_PASSWORD, 'nobody@example.org')).statusCode).toBe(403)
  expect([(await alice.profile()).statusCode, (await bob.profile()).statusCode]).toEqual([200, 200])
  expect((await bob.logIn(BOB, NEW_PASSWORD)).statusCode).toBe(401)
  expect((await new Client(app).reset(token, NEW_PASSWORD, ALICE)).statusCode).toBe(200)
})

test('Bob@x.org and bob@x.org are one person, shown as typed', async () => {
  const { app } = await house()
  const client = new Client(app)
  const registered = { status: 200, body: { email: 'Bób@X.org', message: 'user created' } }
  expect(seen(await client.register('  Bób@X.org '))).toStrictEqual(registered)
  const taken = { status: 400, body: { message: 'email already registered' } }
  for (const same of ['bób@x.org', 'BÓB@X.ORG', 'bo\u0301b@x.org', '\tBób@X.org\n']) {
    expect(seen(await client.register(same)), same).toStrictEqual(taken)
    const loggedIn = { status: 200, body: { email: 'Bób@X.org', message: 'logged in' } }
    expect(seen(await client.logIn(same)), same).toStrictEqual(loggedIn)
  }
  expect((await client.register('bob@x.org')).statusCode).toBe(200)
})

test.each([
  ['POST', '/users', ['email', 'password']],
  ['POST', '/sessions', ['email', 'password']],
  ['POST', '/reset_password', ['email']],
  ['PUT', '/reset_password', ['email', 'reset_token', 'new_password']],
] as const)(
  'JSON works as a form does, and a missing field is a 400 that names it: %s %s',
  async (method, url, fields) => {
    const { app } = await house()
    for (const missing of fields) {
      const others = Object.fromEntries(fields.filter((field) => field !== missing).map((field) => [field, BOB]))
      const answers = await Promise.all(
        ENCODINGS.map(async ([, encode]) => seen(await new Client(app, encode).send(method, url, others))),
      )
      const refusal = { status: 400, body: { message: `${missing} missing`, code: 'field_missing', field: missing } }
      expect(answers).toStrictEqual([refusal, refusal])
    }
  },
)

test.each([
  ['no @', 'bob'],
  ['empty', ''],
  ['white space', '   '],
  ['nothing before the @', '@example.org'],
  ['nothing after the @', 'bob@'],
  ['only an @', '@'],
  ['two @', 'bob@alice@example.org'],
  ['255 characters', `${'b'.repeat(243)}@example.org`],
  ['a line break inside', 'bob@example.org\r\nBcc: alice@example.org'],
  ['a NUL', 'bob\0@example.org'],
  ['a control character', 'bob\u001b@example.org'],
  ['a space inside', 'bob smith@example.org'],
])('an address is refused: %s', async (_, email) => {
  const { app } = await house()
  for (const [, encode] of ENCODINGS) {
    const refused = await new Client(app, encode).register(email)
    expect(seen(refused)).toMatchObject({ status: 400, body: { field: 'email' } })
  }
})

test('an address of 254 characters is taken', async () => {
  const { app } = await house()
  const email = `${'b'.repeat(242)}@example.org`
  expect(seen(await new Client(app).register(email))).toStrictEqual({
    status: 200,
    body: { email, message: 'user created' },
  })
})

test('an empty password is refused, one character is enough in development', async () => {
  const { app } = await house()
  const client = new Client(app)
  expect(seen(await client.register(BOB, ''))).toMatchObject({ status: 400, body: { field: 'password' } })
  expect((await client.register(BOB, ' ')).statusCode).toBe(200)
  expect((await client.logIn(BOB, ' ')).statusCode).toBe(200)
})

test('the whole password counts', async () => {
  const { app } = await house()
  const client = new Client(app)
  const long = `${'a'.repeat(72)}b`
  await client.register(BOB, long)
  for (const other of [`${'a'.repeat(72)}c`, 'a'.repeat(72), `${long}b`, `${long}\0`, ` ${long}`]) {
    expect((await client.logIn(BOB, other)).statusCode, other).toBe(401)
  }
  expect((await client.logIn(BOB, long)).statusCode).toBe(200)
})

test('the cookie has its flags, Secure on https, and is cleared at logout', async () => {
  const attributes = ['HttpOnly', 'Max-Age=2592000', 'Path=/', 'SameSite=Lax']
  const houses = [
    { env: {}, flags: attributes, password: PASSWORD },
    { env: PRODUCTION, flags: [...attributes, 'Secure'], password: 'a long way to go' },
  ]
  for (const { env, flags, password } of houses) {
    const { app } = await house(env)
    const client = new Client(app)
    await client.register(BOB, password)
    const [set = ''] = setCookies(await client.logIn(BOB, password))
    expect(attributesOf(set)).toEqual(flags)
    const [cleared = ''] = setCookies(await client.logOut())
    expect(cleared).toMatch(/session_id=;/)
    expect(attributesOf(cleared)).toEqual(flags.map((flag) => flag.replace(/^Max-Age=.*/, 'Max-Age=0')))
  }
})

test('404 and 405 are JSON, and 405 says what is allowed', async () => {
  const { app } = await house()
  const lost = await app.inject({ url: '/nowhere' })
  expect(lost.headers['content-type']).toBe('application/json; charset=utf-8')
  expect(seen(lost)).toStrictEqual({ status: 404, body: { message: 'nothing is served here', code: 'not_found' } })
  const refused = await app.inject({ method: 'PATCH', url: '/sessions' })
  expect(refused.headers.allow).toBe('DELETE, GET, HEAD, OPTIONS, POST')
  expect(seen(refused)).toStrictEqual({
    status: 405,
    body: { message: 'this path does not serve this method', code: 'method_not_allowed' },
  })
})

test('a reset without a token is a 400, and never matches anything: nobody’s account can be taken over', async () => {
  const { app, db } = await house()
  const owner = await signedIn(app)
  const before = await db.findUserBy({ email: BOB })
  const fields = { email: BOB, new_password: NEW_PASSWORD }
  const bodies = [
    form(fields),
    form({ ...fields, reset_token: '' }),
    form({ ...fields, reset_token: 'None' }),
    json(fields),
    json({ ...fields, reset_token: null }),
    json({ ...fields, reset_token: '' }),
    json({ ...fields, reset_token: {} }),
    json({ ...fields, reset_token: [] }),
    json({ ...fields, reset_token: true }),
    json({ ...fields, reset_token: MADE_UP }),
  ]
  const statuses: number[] = []
  for (const body of bodies) {
    statuses.push((await app.inject({ method: 'PUT', url: '/reset_password', ...body })).statusCode)
  }
  expect(statuses).toEqual([400, 403, 403, 400, 400, 403, 400, 400, 400, 403])
  expect(await db.findUserBy({ email: BOB })).toEqual(before)
  expect((await owner.profile()).statusCode).toBe(200)
})

test('of racing registrations exactly one is answered 200, the rest 400', async () => {
  const { app } = await house()
  const answers = await Promise.all(
    ['bob@x.org', 'Bob@x.org', 'BOB@X.ORG'].map((email) => new Client(app).register(email)),
  )
  expect(answers.map((answer) => answer.statusCode).sort()).toEqual([200, 400, 400])
})

test.each([
  ['a form field twice', form({}), 'email=a%40x.org&email=b%40x.org&password=p', 400],
  ['a form field twice, the same', form({}), 'email=a%40x.org&password=p&password=p', 400],
  ['a list in JSON', json({}), '{"email":["a@x.org"],"password":"p"}', 400],
  ['brackets', form({}), 'email[]=a%40x.org&password=p', 400],
  ['a plus and a percent sign', form({}), 'email=a%2Bb%40x.org&password=100%25', 200],
  ['a percent sign that encodes nothing', form({}), 'email=a%40x.org&password=100%', 400],
  ['a percent sign before no digits', form({}), 'email=a%40x.org&password=%zz', 400],
  ['a percent-encoded byte that is no UTF-8', form({}), 'email=a%40x.org&password=%E9', 400],
  ['percent-encoded UTF-8', form({}), 'email=a%40x.org&password=%C3%A9', 200],
  ['a key twice in JSON', json({}), '{"email":"a@x.org","email":"b@x.org","password":"p"}', 400],
])('the body is read in one way only: %s', async (_, { headers }, payload, status) => {
  const { app } = await house()
  expect((await app.inject({ method: 'POST', url: '/users', headers, payload })).statusCode).toBe(status)
})

test('query parameters are not read: the body alone counts', async () => {
  const { app, db } = await house()
  const url = `/users?email=${ALICE}&password=x`
  const bare = await app.inject({ method: 'POST', url })
  expect(seen(bare)).toMatchObject({ status: 400, body: { message: 'email missing' } })
  expect((await app.inject({ method: 'POST', url, ...form({ email: BOB, password: PASSWORD }) })).statusCode).toBe(200)
  expect((await db.findUserBy({ email: BOB })).email).toBe(BOB)
  await expect(db.findUserBy({ email: ALICE })).rejects.toThrow('no row')
})
