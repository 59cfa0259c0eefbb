/** The routes of tokens: what they answer, to programs, to front ends with cookies, and to other services. */

import { describe, expect, test } from 'vitest'
import { REFRESHES_PER_SESSION } from '../../src/features/throttle.ts'
import { form, type House, letterOf, PRODUCTION } from '../house.ts'
import { linesOf, MINUTE, SECOND } from '../production.ts'
import { decoded } from '../security/forge.ts'
import {
  type Answer,
  attributesOf,
  BOB,
  bodyOf,
  Client,
  cookieName,
  cookieValue,
  house,
  json,
  NEW_PASSWORD,
  PASSWORD,
  seen,
  setCookies,
  signedIn,
  textOf,
} from './client.ts'
import { Program, programOf } from './program.ts'

const LOGIN = { email: BOB, password: PASSWORD }

describe('a program', () => {
  test.each([
    ['a form', form],
    ['JSON', json],
  ])('logs in by %s and gets what RFC 6749 5.1 names', async (_, encoded) => {
    const { app } = await house()
    await new Client(app).register()
    const answer = await app.inject({ method: 'POST', url: '/tokens', ...encoded(LOGIN) })
    expect(seen(answer)).toEqual({
      status: 200,
      body: {
        access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        token_type: 'Bearer',
        expires_in: 600,
        refresh_token: expect.stringMatching(/^[\da-f-]{36}\.[\w-]{43}$/),
      },
    })
    expect(setCookies(answer)).toEqual([])
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  test('is refused with a wrong password like everybody else', async () => {
    const { app } = await house()
    await new Client(app).register()
    const answer = await app.inject({ method: 'POST', url: '/tokens', ...form({ ...LOGIN, password: 'wrong' }) })
    expect(seen(answer)).toMatchObject({ status: 401, body: { code: 'credentials_invalid' } })
  })

  test('reaches every route that a session reaches', async () => {
    const opened = await house()
    const program = await programOf(opened)
    const account = { id: 1, email: BOB, name: null, confirmed: false, created_at: expect.any(String) }
    expect(seen(await program.profile())).toEqual({ status: 200, body: { email: BOB } })
    expect(seen(await program.send('GET', '/users/me'))).toEqual({ status: 200, body: account })
    expect(seen(await program.send('GET', '/dashboard'))).toEqual({ status: 200, body: account })
    expect((await program.send('HEAD', '/dashboard')).statusCode).toBe(200)
    expect((await program.send('GET', '/dashboard', undefined, { accept: 'text/html' })).body).toMatch(
      /^<!doctype html>/,
    )
    const [session] = (await program.send('GET', '/sessions')).json().sessions
    expect(session).toMatchObject({ id: program.sessionId, current: true })
    expect(seen(await program.send('PATCH', '/users/me', { name: 'Bob' }))).toEqual({
      status: 200,
      body: { ...account, name: 'Bob' },
    })
    const out = await program.send('DELETE', '/sessions')
    expect([out.statusCode, out.headers.location, setCookies(out)]).toEqual([302, '/', []])
    expect((await program.profile()).statusCode).toBe(401)
  })

  test('registers, updates and deletes an account without ever having a cookie', async () => {
    const opened = await house()
    const program = new Program(opened)
    expect((await program.send('POST', '/users', LOGIN)).json()).toEqual({ email: BOB, message: 'user created' })
    await program.logIn()
    const moved = await program.send('PATCH', '/users/me', { email: 'rob@example.org', current_password: PASSWORD })
    expect(setCookies(moved)).toEqual([])
    expect(moved.json()).toMatchObject({ email: BOB, pending_email: 'rob@example.org' })
    program.accessToken = moved.json().tokens.access_token
    const { values } = await letterOf(opened, 'email_change')
    const confirmed = await program.send('PUT', '/email_verification', { verification_token: values.token ?? '' })
    expect(setCookies(confirmed)).toEqual([])
    const deleted = await program.send('DELETE', '/users/me', { current_password: PASSWORD })
    expect(seen(deleted)).toEqual({ status: 200, body: { email: 'rob@example.org', message: 'account deleted' } })
    expect(setCookies(deleted)).toEqual([])
  })

  test('that changes the password gets new tokens in the answer, and the old ones end', async () => {
    const program = await programOf(await house())
    const old = program.copy()
    const changed = await program.send('PATCH', '/users/me', { password: NEW_PASSWORD, current_password: PASSWORD })
    expect(bodyOf(changed)).toMatchObject({ email: BOB, tokens: { token_type: 'Bearer', expires_in: 600 } })
    program.accessToken = changed.json().tokens.access_token
    program.refreshToken = changed.json().tokens.refresh_token
    expect((await program.profile()).statusCode).toBe(200)
    expect((await program.refresh()).statusCode).toBe(200)
    expect([(await old.profile()).statusCode, (await old.refresh()).statusCode]).toEqual([401, 401])
  })

  test('is told in the words of RFC 6750 that its token is no good, also where a page was asked for', async () => {
    const { app } = await house()
    for (const accept of ['application/json', 'text/html']) {
      const headers = { authorization: 'Bearer nonsense', accept }
      const answer = await app.inject({ url: '/profile', headers })
      expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, 'Bearer error="invalid_token"'])
      const form = await app.inject({ method: 'DELETE', url: '/sessions', headers })
      expect(form.statusCode).toBe(401)
    }
    for (const authorization of ['Bearer', 'bearer ', 'BEARER nonsense', 'Bearer  two words']) {
      const answer = await app.inject({ url: '/profile', headers: { authorization } })
      expect(answer.statusCode, authorization).toBe(401)
    }
    expect((await app.inject({ url: '/profile', headers: { authorization: 'Basic Og==' } })).statusCode).toBe(403)
  })

  test('gives its tokens back, and nobody hears whether one was good', async () => {
    const opened = await house()
    const [first, second] = [await programOf(opened), await programOf(opened)]
    const back = { status: 200, body: { message: 'tokens revoked' } }
    expect(seen(await first.send('DELETE', '/tokens', {}))).toEqual(back)
    const { refreshToken } = second
    const anybody = new Program(opened)
    const third = await programOf(opened)
    expect(seen(await anybody.send('DELETE', '/tokens', { token: third.accessToken }))).toEqual(back)
    expect((await third.profile()).statusCode).toBe(401)
    for (const refresh_token of [refreshToken, refreshToken, 'nonsense']) {
      expect(seen(await anybody.send('DELETE', '/tokens', { refresh_token }))).toEqual(back)
    }
    expect([(await first.profile()).statusCode, (await second.profile()).statusCode]).toEqual([401, 401])
    expect(linesOf(opened, 'logged_out')).toHaveLength(3)
    expect(seen(await anybody.send('DELETE', '/tokens', {}))).toMatchObject({
      status: 403,
      body: { code: 'session_required' },
    })
    expect((await first.send('DELETE', '/tokens', {})).statusCode).toBe(401)
  })

  test('counts among the sessions that one user may have', async () => {
    const opened = await house({ SESSIONS_PER_USER: '2' })
    const programs: Program[] = []
    for (let count = 0; count < 3; count += 1) {
      opened.clock.advance(SECOND)
      programs.push(await programOf(opened))
    }
    const statuses = await Promise.all(programs.map(async (program) => (await program.profile()).statusCode))
    expect(statuses).toEqual([401, 200, 200])
  })

  test('a page that logs the program out in the list kills its access token at the next call', async () => {
    const opened = await house()
    const browser = await signedIn(opened.app)
    const program = await programOf(opened)
    const page = await browser.send('GET', '/dashboard', undefined, { accept: 'text/html' })
    const [, action = ''] = new RegExp(`action="(/sessions/${program.sessionId}[^"]*)"`).exec(page.body) ?? []
    expect((await browser.send('POST', action.replaceAll('&amp;', '&'), {}, { accept: 'text/html' })).statusCode).toBe(
      303,
    )
    expect((await program.profile()).statusCode).toBe(401)
  })
})

/** A front end with its cookies, as a browser keeps them. */
class FrontEnd {
  readonly jar = new Map<string, string>()
  readonly #app: House['app']

  constructor({ app }: House) {
    this.#app = app
  }

  async send(method: string, url: string, fields?: Record<string, string>, accept = '*/*'): Promise<Answer> {
    const sent = [...this.jar].filter(([name]) => !name.endsWith('refresh_token') || url === '/tokens/refresh')
    const cookie = sent.map(([name, value]) => `${name}=${value}`).join('; ')
    const body = fields === undefined ? {} : { payload: fields }
    const answer = await this.#app.inject({ method, url, ...body, headers: { cookie, accept } })
    for (const line of setCookies(answer)) {
      if (cookieValue(line) === '') this.jar.delete(cookieName(line))
      else this.jar.set(cookieName(line), cookieValue(line))
    }
    return answer
  }

  logIn(password = PASSWORD): Promise<Answer> {
    return this.send('POST', '/tokens', { email: BOB, password, transport: 'cookie' })
  }
}

async function frontEnd(
  env?: Record<string, string>,
  password = PASSWORD,
): Promise<{ opened: House; front: FrontEnd }> {
  const opened = await house(env)
  await new Client(opened.app).register(BOB, password)
  const front = new FrontEnd(opened)
  expect((await front.logIn(password)).statusCode).toBe(200)
  return { opened, front }
}

describe('a front end', () => {
  test('gets the tokens in cookies that no script reads, and none in the body', async () => {
    const { front } = await frontEnd()
    const answer = await front.logIn()
    expect(bodyOf(answer)).toEqual({ message: 'logged in', expires_in: 600 })
    expect(setCookies(answer).map((line) => [cookieName(line), attributesOf(line)])).toEqual([
      ['access_token', ['HttpOnly', 'Max-Age=600', 'Path=/', 'SameSite=Lax']],
      ['refresh_token', ['HttpOnly', 'Max-Age=2592000', 'Path=/tokens/refresh', 'SameSite=Strict']],
      ['refresh_session', ['HttpOnly', 'Max-Age=2592000', 'Path=/', 'SameSite=Strict']],
    ])
  })

  test('in production they are Secure, and bear the prefix that their path allows', async () => {
    const { front } = await frontEnd(PRODUCTION, 'a long way to go')
    expect([...front.jar.keys()].sort()).toEqual([
      '__Host-access_token',
      '__Host-device',
      '__Host-refresh_session',
      '__Secure-refresh_token',
    ])
    expect((await front.send('GET', '/profile')).json()).toEqual({ email: BOB })
    expect((await front.send('POST', '/tokens/refresh', {})).statusCode).toBe(200)
  })

  test('sees the dashboard, as JSON and as a page, and without the cookie nobody does', async () => {
    const { opened, front } = await frontEnd()
    expect((await front.send('GET', '/dashboard')).json()).toMatchObject({ email: BOB })
    expect((await front.send('GET', '/dashboard', undefined, 'text/html')).body).toContain(BOB)
    expect((await front.send('GET', '/', undefined, 'text/html')).body).toContain(BOB)
    expect((await front.send('GET', '/login', undefined, 'text/html')).headers.location).toBe('/dashboard')
    const stranger = new FrontEnd(opened)
    expect((await stranger.send('GET', '/dashboard')).statusCode).toBe(403)
    expect((await stranger.send('GET', '/dashboard', undefined, 'text/html')).headers.location).toMatch(/^\/login/)
  })

  test('gets a new access cookie by its use when less than half of the life is left, and not before', async () => {
    const { opened, front } = await frontEnd()
    const first = front.jar.get('access_token')
    opened.clock.advance(5 * MINUTE)
    expect(setCookies(await front.send('GET', '/profile'))).toEqual([])
    opened.clock.advance(1)
    const [line = '', ...more] = setCookies(await front.send('GET', '/profile'))
    expect([cookieName(line), attributesOf(line), more]).toEqual([
      'access_token',
      ['HttpOnly', 'Max-Age=600', 'Path=/', 'SameSite=Lax'],
      [],
    ])
    expect(front.jar.get('access_token')).not.toBe(first)
    expect(decoded(cookieValue(line).split('.')[1])).toMatchObject({ sub: '1' })
  })

  test('stays in as long as it is used, and ten idle minutes end it', async () => {
    const { opened, front } = await frontEnd()
    for (let minutes = 0; minutes < 60; minutes += 6) {
      opened.clock.advance(6 * MINUTE)
      expect((await front.send('GET', '/profile')).statusCode).toBe(200)
    }
    opened.clock.advance(10 * MINUTE)
    expect((await front.send('GET', '/profile')).statusCode).toBe(403)
    expect((await front.send('POST', '/tokens/refresh', {})).json()).toEqual({ message: 'refreshed', expires_in: 600 })
    expect((await front.send('GET', '/profile')).statusCode).toBe(200)
  })

  test.each([
    ['DELETE', '/sessions', undefined],
    ['DELETE', '/tokens', {}],
    ['DELETE', '/users/me', { current_password: PASSWORD }],
  ])('loses its cookies by %s %s, at once and even when a new one was due', async (method, url, fields) => {
    const { opened, front } = await frontEnd()
    const held = [...front.jar]
    opened.clock.advance(6 * MINUTE)
    const answer = await front.send(method, url, fields)
    expect(answer.statusCode).toBeLessThan(400)
    expect(setCookies(answer).map(cookieName).sort()).toEqual(['access_token', 'refresh_session', 'refresh_token'])
    expect([...front.jar]).toEqual([])
    for (const [name, value] of held) front.jar.set(name, value)
    expect((await front.send('GET', '/profile')).statusCode).toBe(403)
    expect((await front.send('POST', '/tokens/refresh', {})).statusCode).toBe(401)
    expect([...front.jar]).toEqual([])
  })

  test('A-09: keeps its cookies where a refresh is one too many, and refreshes when it has waited', async () => {
    const { opened, front } = await frontEnd(PRODUCTION, 'a long way to go')
    for (let n = 0; n < REFRESHES_PER_SESSION; n += 1) await front.send('POST', '/tokens/refresh', {})
    const refused = await front.send('POST', '/tokens/refresh', {})
    expect([refused.statusCode, setCookies(refused)]).toEqual([429, []])
    expect((await front.send('GET', '/profile')).statusCode).toBe(200)
    opened.clock.advance(MINUTE / 2)
    expect((await front.send('POST', '/tokens/refresh', {})).statusCode).toBe(200)
  })

  test('that is in the same browser as a session cookie is logged out with it', async () => {
    const { opened, front } = await frontEnd()
    await front.send('POST', '/sessions', LOGIN)
    expect([...front.jar.keys()].sort()).toEqual(['access_token', 'refresh_session', 'refresh_token', 'session_id'])
    const access = front.jar.get('access_token') ?? ''
    expect((await front.send('DELETE', '/sessions')).statusCode).toBe(302)
    expect([...front.jar]).toEqual([])
    front.jar.set('access_token', access)
    expect((await front.send('GET', '/profile')).statusCode).toBe(403)
    expect(await opened.auth.listSessions(1)).toEqual([])
  })

  test('ends with the login of somebody else in the same browser, and leaves theirs nothing', async () => {
    const { opened, front } = await frontEnd()
    await new Client(opened.app).register('eve@example.org', PASSWORD)
    const eve = { email: 'eve@example.org', password: PASSWORD }
    await front.send('POST', '/sessions', eve)
    expect([...front.jar.keys()]).toEqual(['session_id'])
    expect(await opened.auth.listSessions(1)).toEqual([])
    const session = front.jar.get('session_id') ?? ''
    expect((await front.logIn()).statusCode).toBe(200)
    expect([...front.jar.keys()]).toEqual(['access_token', 'refresh_token', 'refresh_session'])
    expect((await front.send('GET', '/profile')).json()).toEqual({ email: BOB })
    expect(await opened.auth.checkSession(session)).toBeNull()
    front.jar.delete('access_token')
    await front.send('POST', '/sessions', eve)
    expect([...front.jar.keys()]).toEqual(['session_id'])
  })

  test('gets new cookies, and no tokens, when it changes the password', async () => {
    const { front } = await frontEnd()
    const changed = await front.send('PATCH', '/users/me', { password: NEW_PASSWORD, current_password: PASSWORD })
    expect(changed.json()).not.toHaveProperty('tokens')
    expect(setCookies(changed).map(cookieName)).toEqual(['access_token', 'refresh_token', 'refresh_session'])
    expect((await front.send('GET', '/profile')).statusCode).toBe(200)
    expect((await front.send('POST', '/tokens/refresh', {})).statusCode).toBe(200)
  })

  test('T-25: takes no refresh token that another host of the domain has planted, and keeps its own', async () => {
    const { opened, front } = await frontEnd(PRODUCTION, 'a long way to go')
    await new Client(opened.app).register('eve@example.org', 'a long way to go')
    const eve = new FrontEnd(opened)
    await eve.send('POST', '/tokens', { email: 'eve@example.org', password: 'a long way to go', transport: 'cookie' })
    const planted = eve.jar.get('__Secure-refresh_token')
    const own = [...front.jar].map(([name, value]) => `${name}=${value}`)
    const refresh = async (...cookies: string[]) => {
      const answer = await opened.app.inject({
        ...{ method: 'POST', url: '/tokens/refresh', payload: {} },
        headers: { cookie: cookies.join('; ') },
      })
      return [answer.statusCode, setCookies(answer).map((line) => [cookieName(line), cookieValue(line).split('.')[0]])]
    }
    const gone = ['__Host-access_token', '__Secure-refresh_token', '__Host-refresh_session'].map((name) => [name, ''])
    const theirs = `__Secure-refresh_token=${planted}`
    const withoutOwn = own.filter((pair) => !pair.startsWith('__Secure-refresh_token='))
    expect(await refresh(theirs)).toEqual([401, gone])
    expect(await refresh(theirs, ...withoutOwn)).toEqual([401, gone])
    const id = front.jar.get('__Host-refresh_session')
    expect(await refresh(theirs, '__Secure-refresh_token=x', ...own)).toEqual([
      200,
      [
        ['__Host-access_token', expect.anything()],
        ['__Secure-refresh_token', id],
        ['__Host-refresh_session', id],
      ],
    ])
    // Nothing was spent that is not this browser's.
    expect((await eve.send('POST', '/tokens/refresh', {})).statusCode).toBe(200)
  })

  test('leaves no session behind when it logs in again', async () => {
    const { opened, front } = await frontEnd()
    await front.logIn()
    expect(await opened.auth.listSessions(1)).toHaveLength(1)
  })

  test('is protected from pages elsewhere like any session', async () => {
    const { opened, front } = await frontEnd()
    const headers = { cookie: `access_token=${front.jar.get('access_token')}`, origin: 'https://evil.test' }
    const answer = await opened.app.inject({ method: 'DELETE', url: '/sessions', headers })
    expect(seen(answer)).toMatchObject({ status: 403, body: { code: 'cross_origin' } })
  })
})

describe('another service of the operator', () => {
  const { OPERATOR_KEY } = PRODUCTION
  const key = { authorization: `Bearer ${OPERATOR_KEY}` }

  async function ask({ app }: House, token: string): Promise<unknown> {
    const answer = await app.inject({
      method: 'POST',
      url: '/tokens/introspect',
      ...form({ token }),
      headers: {
        ...form({ token }).headers,
        ...key,
      },
    })
    expect(answer.statusCode).toBe(200)
    return answer.json()
  }

  test('asks about an access token, and uses nothing up', async () => {
    const opened = await house({ OPERATOR_KEY, TOKEN_AUDIENCE: 'https://api.example.org' })
    const program = await programOf(opened)
    const [session] = await opened.auth.listSessions(1)
    opened.clock.advance(MINUTE)
    const { iss, aud, sub, sid, jti, exp, iat } = decoded(program.accessToken.split('.')[1])
    expect(aud).toBe('https://api.example.org')
    const told = { active: true, token_type: 'Bearer', iss, aud, sub, sid, jti, exp, iat }
    expect(await ask(opened, program.accessToken)).toEqual(told)
    expect((await opened.auth.listSessions(1))[0]?.lastSeenAt).toBe(session?.lastSeenAt)
    opened.clock.advance(9 * MINUTE)
    expect(await ask(opened, program.accessToken)).toEqual({ active: false })
  })

  test('asks about a refresh token: one that is spent is not active, and no harm is done by asking', async () => {
    const opened = await house({ OPERATOR_KEY })
    const program = await programOf(opened)
    const spent = program.refreshToken
    await program.refresh()
    const now = opened.clock.now() / 1_000
    expect(await ask(opened, program.refreshToken)).toEqual({
      ...{ active: true, iss: 'http://localhost:5000', sub: '1', sid: program.sessionId },
      ...{ iat: now, exp: now + 30 * 24 * 3600 },
    })
    expect(await ask(opened, spent)).toEqual({ active: false })
    expect((await program.refresh()).statusCode).toBe(200)
  })

  test('is told of nothing else that it is active', async () => {
    const opened = await house({ OPERATOR_KEY })
    const browser = await signedIn(opened.app)
    const program = await programOf(opened)
    const ended = program.copy()
    await program.send('DELETE', '/sessions')
    const others = [cookieValue(browser.cookie), await opened.auth.getResetPasswordToken(BOB), 'nonsense', '', 'a.b.c']
    for (const token of [...others, ended.accessToken, ended.refreshToken, OPERATOR_KEY]) {
      expect(await ask(opened, token), token).toEqual({ active: false })
    }
  })

  test('needs the key: not another one, not a token, not a part of it, and where none is set nobody has it', async () => {
    const opened = await house({ OPERATOR_KEY })
    const program = await programOf(opened)
    const refusal = { status: 401, body: { code: 'operator_required' } }
    const wrong = ['', OPERATOR_KEY.slice(0, -1), `${OPERATOR_KEY}x`, OPERATOR_KEY.toLowerCase(), program.accessToken]
    for (const bearer of wrong) {
      for (const url of ['/tokens/introspect', '/tokens/revoke']) {
        const headers = { authorization: `Bearer ${bearer}` }
        const answer = await opened.app.inject({
          method: 'POST',
          url,
          payload: { token: program.accessToken },
          headers,
        })
        expect(seen(answer)).toMatchObject(refusal)
        expect(answer.headers['www-authenticate']).toBe('Bearer realm="operator"')
      }
    }
    expect((await program.profile()).statusCode).toBe(200)
    const { app } = await house()
    for (const headers of [{}, { authorization: 'Bearer ' }, { authorization: 'Bearer' }]) {
      const answer = await app.inject({ method: 'POST', url: '/tokens/revoke', payload: { token: 'x' }, headers })
      expect(seen(answer)).toMatchObject(refusal)
    }
  })

  test('revokes with an answer that is the same for every token', async () => {
    const opened = await house({ OPERATOR_KEY })
    const program = await programOf(opened)
    for (const token of ['nonsense', program.refreshToken, program.refreshToken]) {
      const answer = await opened.app.inject({
        method: 'POST',
        url: '/tokens/revoke',
        payload: { token },
        headers: key,
      })
      expect([answer.statusCode, answer.body]).toEqual([200, '{}'])
    }
    expect((await program.profile()).statusCode).toBe(401)
  })
})

describe('what others verify with', () => {
  test('the keys are public halves alone, and may be kept for five minutes', async () => {
    const { app } = await house(PRODUCTION)
    const answer = await app.inject({ url: '/.well-known/jwks.json' })
    expect([answer.statusCode, answer.headers['cache-control']]).toEqual([200, 'public, max-age=300'])
    for (const key of answer.json().keys)
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  })

  test('the description has our own addresses, and those for services where they are served', async () => {
    const { app } = await house(PRODUCTION)
    const answer = await app.inject({ url: '/.well-known/oauth-authorization-server' })
    const issuer = 'https://auth.example.org'
    expect(answer.headers['cache-control']).toBe('public, max-age=300')
    expect(answer.json()).toEqual({
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      token_endpoint: `${issuer}/tokens`,
      ...{ response_types_supported: [], grant_types_supported: [] },
      revocation_endpoint: `${issuer}/tokens/revoke`,
      introspection_endpoint: `${issuer}/tokens/introspect`,
      introspection_endpoint_auth_methods_supported: ['Bearer'],
    })
    const without = await (await house()).app.inject({ url: '/.well-known/oauth-authorization-server' })
    expect(Object.keys(without.json())).not.toContain('introspection_endpoint')
  })

  test('a failure to say so is not kept', async () => {
    const opened = await house()
    opened.auth.tokens.keys.published = () => Promise.reject(new Error('broken'))
    const answer = await opened.app.inject({ url: '/.well-known/jwks.json' })
    expect([answer.statusCode, answer.headers['cache-control']]).toEqual([500, 'no-store'])
  })
})

test('the token of one login is not the token of the next', async () => {
  const opened = await house()
  const [first, second] = [await programOf(opened), await programOf(opened)]
  const answers = await Promise.all(
    [1, 2].map(() => opened.app.inject({ method: 'POST', url: '/tokens', ...form(LOGIN) })),
  )
  const all = [first.accessToken, second.accessToken, ...answers.map((answer) => textOf(answer, 'access_token'))]
  expect(new Set(all.map((token) => decoded(token.split('.')[1]).jti)).size).toBe(4)
})
