/** The classic contract, row by row: what every client ever written for it relies on. Bodies are compared whole. */

import { describe, expect, test } from 'vitest'
import { form } from '../house.ts'
import {
  ALICE,
  anotherDevice,
  BOB,
  Client,
  cookieValue,
  ENCODINGS,
  house,
  MADE_UP,
  NEW_PASSWORD,
  PASSWORD,
  seen,
  setCookies,
  signedIn,
  textOf,
} from './client.ts'

const WELCOME = { status: 200, body: { message: 'Bienvenue' } }
const PROFILE = { status: 200, body: { email: BOB } }

describe.each(ENCODINGS)('fields sent as %s', (_, encode) => {
  test('GET / welcomes', async () => {
    const { app } = await house()
    expect(seen(await new Client(app, encode).send('GET', '/'))).toStrictEqual(WELCOME)
  })

  test('POST /users registers', async () => {
    const { app } = await house()
    const registered = await new Client(app, encode).register()
    expect(seen(registered)).toStrictEqual({ status: 200, body: { email: BOB, message: 'user created' } })
  })

  test('POST /users takes a name, which the answer does not show', async () => {
    const { app, db } = await house()
    const fields = { email: BOB, password: PASSWORD, name: 'Bob' }
    const registered = await new Client(app, encode).send('POST', '/users', fields)
    expect(seen(registered)).toStrictEqual({ status: 200, body: { email: BOB, message: 'user created' } })
    expect((await db.findUserBy({ email: BOB })).name).toBe('Bob')
  })

  test('POST /users with a taken address is refused', async () => {
    const { app } = await house()
    const client = new Client(app, encode)
    await client.register()
    const again = await client.register(BOB, 'another')
    expect(seen(again)).toStrictEqual({ status: 400, body: { message: 'email already registered' } })
  })

  test('POST /sessions logs in', async () => {
    const { app } = await house()
    const client = new Client(app, encode)
    await client.register()
    const loggedIn = await client.logIn()
    expect(seen(loggedIn)).toStrictEqual({ status: 200, body: { email: BOB, message: 'logged in' } })
    expect(setCookies(loggedIn)).toEqual([expect.stringMatching(/^session_id=[^;]+;/)])
  })

  test('POST /sessions with a wrong password sets no cookie, and answers an unknown address the same', async () => {
    const { app } = await house()
    const client = new Client(app, encode)
    await client.register()
    const wrong = await client.logIn(BOB, 'wrong')
    const unknown = await client.logIn(ALICE, PASSWORD)
    expect(wrong.statusCode).toBe(401)
    expect([setCookies(wrong), setCookies(unknown)]).toEqual([[], []])
    expect(seen(unknown)).toStrictEqual(seen(wrong))
  })

  test('POST /reset_password answers the token', async () => {
    const { app } = await house()
    const client = new Client(app, encode)
    await client.register()
    const asked = await client.askForReset()
    const token = textOf(asked, 'reset_token')
    expect(token).not.toBe('')
    expect(seen(asked)).toStrictEqual({ status: 200, body: { email: BOB, reset_token: token } })
  })

  test('POST /reset_password for an unknown address is refused', async () => {
    const { app } = await house()
    expect((await new Client(app, encode).askForReset()).statusCode).toBe(403)
  })

  test('PUT /reset_password sets the password', async () => {
    const { app } = await house()
    const client = new Client(app, encode)
    await client.register()
    const updated = await client.reset(await client.resetToken())
    expect(seen(updated)).toStrictEqual({ status: 200, body: { email: BOB, message: 'Password updated' } })
  })

  test('PUT /reset_password with a token that is none is refused', async () => {
    const { app } = await house()
    const client = new Client(app, encode)
    await client.register()
    for (const token of ['', 'nonsense', 'None', 'null', MADE_UP]) {
      expect((await client.reset(token)).statusCode, token).toBe(403)
    }
  })
})

test('GET /profile shows the address as it was registered', async () => {
  const { app } = await house()
  const client = await signedIn(app, 'Bob@Example.org')
  expect(seen(await client.profile())).toStrictEqual({ status: 200, body: { email: 'Bob@Example.org' } })
})

test('DELETE /sessions leads to the welcome, and the session is gone', async () => {
  const { app } = await house()
  const client = await signedIn(app)
  const { cookie } = client
  const loggedOut = await client.logOut()
  expect([loggedOut.statusCode, loggedOut.headers.location]).toEqual([302, '/'])
  expect(seen(await client.send('GET', '/'))).toStrictEqual(WELCOME)
  client.cookie = cookie
  expect((await client.profile()).statusCode).toBe(403)
})

test('DELETE /sessions and GET /profile refuse no session, a stale one and an unknown one', async () => {
  const { app } = await house()
  const client = await signedIn(app)
  const { cookie: stale } = client
  await client.logOut()
  for (const cookie of ['', stale, `session_id=${MADE_UP}`, 'session_id=nonsense']) {
    client.cookie = cookie
    expect((await client.profile()).statusCode, cookie).toBe(403)
    expect((await client.logOut()).statusCode, cookie).toBe(403)
  }
})

test.each(['localhost:5000', '127.0.0.1:5000', '0.0.0.0:5000', '[::1]:5000'])('http://%s answers', async (host) => {
  const { app } = await house()
  expect(seen(await app.inject({ url: '/', headers: { host } }))).toStrictEqual(WELCOME)
})

describe('what real clients send', () => {
  test.each(['session_id=', 'session_id', 'session_id=; other=1', ';', '='])(
    'an empty or bare cookie, "%s", is no session and no fault',
    async (cookie) => {
      const { app } = await house()
      const client = new Client(app)
      client.cookie = cookie
      expect(seen(await client.send('GET', '/'))).toStrictEqual(WELCOME)
      expect((await client.profile()).statusCode).toBe(403)
      expect((await client.logOut()).statusCode).toBe(403)
      expect((await client.register()).statusCode).toBe(200)
      expect((await client.logIn()).statusCode).toBe(200)
    },
  )

  test('of the cookie twice in one header the first counts', async () => {
    const { app } = await house()
    const client = await signedIn(app)
    const { cookie } = client
    client.cookie = `${cookie}; session_id=${MADE_UP}`
    expect(seen(await client.profile())).toStrictEqual(PROFILE)
    client.cookie = `session_id=${MADE_UP}; ${cookie}`
    expect((await client.profile()).statusCode).toBe(403)
  })

  test('the cookie between cookies of others', async () => {
    const { app } = await house()
    const client = await signedIn(app)
    client.cookie = `theme=dark; ${client.cookie}; lang=fr`
    expect(seen(await client.profile())).toStrictEqual(PROFILE)
  })

  test('a stale cookie is ignored at GET /', async () => {
    const { app } = await house()
    const client = new Client(app)
    client.cookie = `session_id=${MADE_UP}`
    expect(seen(await client.send('GET', '/'))).toStrictEqual(WELCOME)
  })

  test('GET /profile with a form body', async () => {
    const { app } = await house()
    const client = await signedIn(app)
    expect(seen(await client.send('GET', '/profile', { email: ALICE }))).toStrictEqual(PROFILE)
  })

  test.each([
    ['a form body', form({ email: BOB })],
    ['a form type and no body', { headers: form({}).headers }],
    ['a JSON type and no body', { headers: { 'content-type': 'application/json' } }],
    ['a JSON type with a charset and no body', { headers: { 'content-type': 'application/json; charset=utf-8' } }],
    ['a JSON type and a length of zero', { headers: { 'content-type': 'application/json', 'content-length': '0' } }],
    ['a length of zero and no type', { headers: { 'content-length': '0' } }],
    ['a JSON body', { headers: { 'content-type': 'application/json' }, payload: '{"email":"x"}' }],
  ])('DELETE /sessions with %s', async (_, { headers, ...body }) => {
    const { app } = await house()
    const { cookie } = await signedIn(app)
    const loggedOut = await app.inject({ method: 'DELETE', url: '/sessions', headers: { ...headers, cookie }, ...body })
    expect([loggedOut.statusCode, loggedOut.headers.location]).toEqual([302, '/'])
  })
})

describe('the reset', () => {
  test('R-08: a new token replaces the pending one', async () => {
    const { app } = await house()
    const client = await signedIn(app)
    const first = await client.resetToken()
    const second = await client.resetToken()
    expect((await client.reset(first)).statusCode).toBe(403)
    expect((await client.reset(second)).statusCode).toBe(200)
  })

  test('R-05: a used token is spent', async () => {
    const { app } = await house()
    const client = await signedIn(app)
    const token = await client.resetToken()
    await client.reset(token)
    expect((await client.reset(token, 'a third one')).statusCode).toBe(403)
    expect((await client.logIn(BOB, 'a third one')).statusCode).toBe(401)
    expect((await client.logIn(BOB, NEW_PASSWORD)).statusCode).toBe(200)
  })

  test('R-07: a token is good for an hour', async () => {
    const { app, clock } = await house()
    const client = await signedIn(app)
    const token = await client.resetToken()
    clock.advance(61 * 60_000)
    expect((await client.reset(token)).statusCode).toBe(403)
    const fresh = await client.resetToken()
    clock.advance(59 * 60_000)
    expect((await client.reset(fresh)).statusCode).toBe(200)
  })

  test('a wrong token changes nothing', async () => {
    const { app } = await house()
    const client = await signedIn(app)
    const token = await client.resetToken()
    const secretOfAnother = `${token.slice(0, 37)}${'A'.repeat(43)}`
    expect((await client.reset(secretOfAnother)).statusCode).toBe(403)
    expect((await client.reset(MADE_UP)).statusCode).toBe(403)
    expect(seen(await client.profile())).toStrictEqual(PROFILE)
    expect((await client.logIn(BOB, NEW_PASSWORD)).statusCode).toBe(401)
    expect((await client.logIn()).statusCode).toBe(200)
    expect((await client.reset(token)).statusCode).toBe(200)
  })

  test('R-09: asking for tokens, however often, changes nothing', async () => {
    const { app } = await house()
    const client = await signedIn(app)
    for (let count = 0; count < 100; count += 1) await client.resetToken()
    expect(seen(await client.profile())).toStrictEqual(PROFILE)
    expect((await client.logIn()).statusCode).toBe(200)
  })

  test('the old password is refused afterwards, the new one is good', async () => {
    const { app } = await house()
    const client = await signedIn(app)
    await client.reset(await client.resetToken())
    const withOld = await client.logIn()
    expect([withOld.statusCode, setCookies(withOld)]).toEqual([401, []])
    expect((await client.logIn(BOB, NEW_PASSWORD)).statusCode).toBe(200)
    expect(seen(await client.profile())).toStrictEqual(PROFILE)
  })

  test('R-14: it signs nobody in', async () => {
    const { app } = await house()
    const client = await signedIn(app)
    const { cookie } = client
    const updated = await new Client(app).reset(await client.resetToken())
    expect(setCookies(updated)).toEqual([])
    expect(seen(updated)).toStrictEqual({ status: 200, body: { email: BOB, message: 'Password updated' } })
    client.cookie = cookie
    expect((await client.profile()).statusCode).toBe(403)
  })

  test('R-15: it ends all sessions of the user and nobody else’s', async () => {
    const { app } = await house()
    const laptop = await signedIn(app)
    const phone = await anotherDevice(app)
    const other = await signedIn(app, ALICE)
    await new Client(app).reset(await laptop.resetToken())
    expect([await laptop.profile(), await phone.profile()].map((answer) => answer.statusCode)).toEqual([403, 403])
    expect((await other.profile()).statusCode).toBe(200)
  })

  test('R-22: no other credential can take the place of a token that was asked for', async () => {
    const { app } = await house()
    const client = await signedIn(app)
    const jwt = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJib2JAZXhhbXBsZS5vcmcifQ.'
    for (const token of [cookieValue(client.cookie), jwt, MADE_UP]) {
      expect((await new Client(app).reset(token)).statusCode, token).toBe(403)
    }
    expect((await client.logIn()).statusCode).toBe(200)
  })

  test('a refused password spends nothing', async () => {
    const { app } = await house({ PASSWORD_MIN_LENGTH: '5' })
    const client = await signedIn(app)
    const token = await client.resetToken()
    expect((await client.reset(token, 'four')).statusCode).toBe(400)
    expect((await client.reset(token, '')).statusCode).toBe(400)
    expect((await client.reset(token)).statusCode).toBe(200)
  })
})
