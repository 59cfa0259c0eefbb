/** Rows of the security list about access and refresh tokens, but for the forgeries, which are in jwt_attacks.test.ts. */

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { StartError } from '../../src/errors.ts'
import { readSettings } from '../../src/settings.ts'
import {
  type Answer,
  BOB,
  bodyOf,
  Client,
  cookieValue,
  house,
  NEW_PASSWORD,
  PASSWORD,
  setCookies,
  signedIn,
} from '../app/client.ts'
import { Program, programOf } from '../app/program.ts'
import { type House, PRODUCTION } from '../house.ts'
import { DAY, linesOf, MINUTE, SECOND } from '../production.ts'
import { temporaryFolder } from '../started.ts'
import { decoded, forgeOf, signed } from './forge.ts'

const GRACE = { REFRESH_GRACE: '10s' }
const INVALID = [401, 'token_invalid']
const REFUSED = [401, 'refresh_refused']
const REUSED = [401, 'refresh_token_reused']

function seen(answer: Answer): unknown[] {
  const { code } = Object.assign({ code: undefined }, bodyOf(answer))
  return code === undefined ? [answer.statusCode] : [answer.statusCode, code]
}

/** Twenty at once with the same refresh token. */
function race(program: Program): Promise<Answer[]> {
  const { refreshToken } = program
  return Promise.all(Array.from({ length: 20 }, () => program.copy().refresh(refreshToken)))
}

function claimsOf({ accessToken }: Program) {
  return decoded(accessToken.split('.')[1])
}

test.each(['RS256', 'PS256', 'HS256', 'none', 'es256'])('T-03: TOKEN_ALGORITHM=%s does not start', (algorithm) => {
  const start = () => readSettings({ TOKEN_ALGORITHM: algorithm })
  expect(start).toThrow(StartError)
  expect(start).toThrow('TOKEN_ALGORITHM is wrong: it must be ES256, EdDSA.')
})

test.each(['ES256', 'EdDSA'])('T-03: tokens of %s are made and read', async (algorithm) => {
  const program = await programOf(await house({ TOKEN_ALGORITHM: algorithm }))
  expect(decoded(program.accessToken.split('.')[0]).alg).toBe(algorithm)
  expect((await program.profile()).statusCode).toBe(200)
})

describe('keys', () => {
  test('T-05: are made at random, of full length, for each database its own, and never SECRET', async () => {
    const ids = new Set<unknown>()
    for (const { app } of [await house(PRODUCTION), await house(PRODUCTION)]) {
      const { keys } = (await app.inject({ url: '/.well-known/jwks.json' })).json()
      expect(keys).toHaveLength(1)
      for (const { kid, x, y, ...rest } of keys) {
        expect(rest).toEqual({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' })
        expect([Buffer.from(x, 'base64url').length, Buffer.from(y, 'base64url').length]).toEqual([32, 32])
        ids.add(kid)
      }
    }
    expect(ids.size).toBe(2)
  })

  test.each([
    ['short', 'too short for this'],
    ['a repeated character', 'a'.repeat(44)],
    ['a sample', 'change-me-change-me-change-me-change-me'],
  ])('T-05: an OPERATOR_KEY that is %s does not start', (_, OPERATOR_KEY) => {
    expect(() => readSettings({ OPERATOR_KEY })).toThrow(/^OPERATOR_KEY is easily guessed/)
  })

  test('T-05: an OPERATOR_KEY that is SECRET does not start', () => {
    const env = { ...PRODUCTION, OPERATOR_KEY: PRODUCTION.SECRET }
    expect(() => readSettings(env)).toThrow(/^OPERATOR_KEY is the same as SECRET/)
  })
})

test('T-06: a token is good to its last second, and not a moment longer', async () => {
  const opened = await house()
  const program = await programOf(opened)
  opened.clock.advance(10 * MINUTE - 1)
  expect((await program.profile()).statusCode).toBe(200)
  opened.clock.advance(1)
  expect(seen(await program.profile())).toEqual(INVALID)
})

test('T-06: no token outlives its session', async () => {
  const opened = await house({ SESSION_LIFETIME: '4m' })
  const program = await programOf(opened)
  const { exp, iat } = claimsOf(program)
  expect(Number(exp) - Number(iat)).toBe(240)
})

test('T-07: no other kind of token is an access token, and an access token is no other kind', async () => {
  const opened = await house(PRODUCTION)
  const program = await programOf(opened, BOB, 'a long way to go')
  const browser = await signedIn(opened.app, BOB, 'a long way to go')
  const others = [
    program.refreshToken,
    cookieValue(browser.cookie),
    cookieValue(browser.device),
    await opened.auth.getResetPasswordToken(BOB),
  ]
  for (const other of others) {
    expect(other.length).toBeGreaterThan(20)
    expect(seen(await program.send('GET', '/profile', undefined, { authorization: `Bearer ${other}` }))).toEqual(
      INVALID,
    )
  }
  for (const other of [program.accessToken, ...others.slice(1)]) {
    expect(seen(await program.copy().refresh(other))).toEqual(REFUSED)
  }
  const reset = { email: BOB, reset_token: program.accessToken, new_password: 'another long way' }
  expect((await program.send('PUT', '/reset_password', reset)).statusCode).toBe(403)
  expect((await program.refresh()).statusCode).toBe(200)
})

test('T-08: an audience of its own is set, and demanded', async () => {
  const opened = await house({ ...PRODUCTION, TOKEN_AUDIENCE: 'https://api.example.org' })
  const program = await programOf(opened, BOB, 'a long way to go')
  expect(claimsOf(program).aud).toBe('https://api.example.org')
  const { header, payload, ours } = await forgeOf(opened, program.accessToken)
  program.accessToken = signed(header, { ...payload, aud: 'https://auth.example.org' }, ours)
  expect(seen(await program.profile())).toEqual(INVALID)
})

/** What ends a session of tokens, from wherever it is done. */
const ENDINGS: [string, (scene: { opened: House; program: Program; browser: Client }) => Promise<unknown>][] = [
  ['the program logs out', ({ program }) => program.copy().send('DELETE', '/sessions')],
  ['the program gives its access token back', ({ program }) => program.copy().send('DELETE', '/tokens', {})],
  [
    'the program gives its refresh token back',
    ({ program, opened }) => new Program(opened).send('DELETE', '/tokens', { refresh_token: program.refreshToken }),
  ],
  ['it is ended in the list', ({ program, browser }) => browser.send('DELETE', `/sessions/${program.sessionId}`)],
  ['all others are ended in the list', ({ browser }) => browser.send('DELETE', '/sessions?others=true')],
  [
    'the password is changed',
    ({ browser }) => browser.send('PATCH', '/users/me', { password: NEW_PASSWORD, current_password: PASSWORD }),
  ],
  ['the password is reset', async ({ browser }) => browser.reset(await browser.resetToken())],
  [
    'the password is disabled',
    async ({ opened }) => opened.auth.disablePassword((await opened.db.findUserBy({ email: BOB })).id),
  ],
  [
    'all of the user’s sessions are ended',
    async ({ opened }) => opened.auth.destroySession((await opened.db.findUserBy({ email: BOB })).id),
  ],
  ['the account is deleted', ({ browser }) => browser.send('DELETE', '/users/me', { current_password: PASSWORD })],
  ['another service revokes the access token', ({ opened, program }) => revoke(opened, program.accessToken)],
  ['another service revokes the refresh token', ({ opened, program }) => revoke(opened, program.refreshToken)],
]

const { OPERATOR_KEY } = PRODUCTION

function revoke({ app }: House, token: string) {
  const headers = { authorization: `Bearer ${OPERATOR_KEY}` }
  return app.inject({ method: 'POST', url: '/tokens/revoke', payload: { token }, headers })
}

async function ended(ending: (typeof ENDINGS)[number][1]) {
  const opened = await house({ OPERATOR_KEY })
  const browser = await signedIn(opened.app)
  const program = new Program(opened)
  await program.logIn()
  expect((await program.profile()).statusCode).toBe(200)
  await ending({ opened, program, browser })
  return { opened, program, browser }
}

test.each(ENDINGS)('T-10, T-22: the access token is refused at the next call when %s', async (_, ending) => {
  const { program } = await ended(ending)
  expect(seen(await program.profile())).toEqual(INVALID)
})

test.each(ENDINGS)('T-16: the refresh token is refused when %s', async (_, ending) => {
  const { program } = await ended(ending)
  expect(seen(await program.refresh())).toEqual(REFUSED)
})

test('T-11: a revoked token stays revoked in whatever form it is written', async () => {
  const opened = await house(PRODUCTION)
  const program = await programOf(opened, BOB, 'a long way to go')
  const { header, payload, ours, token } = await forgeOf(opened, program.accessToken)
  const [head, body, signature = ''] = token.split('.')
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
  const bytes = Buffer.from(signature, 'base64url').toString('hex')
  const mirrored = (order - BigInt(`0x${bytes.slice(64)}`)).toString(16).padStart(64, '0')
  const malleable = Buffer.from(bytes.slice(0, 64) + mirrored, 'hex').toString('base64url')
  const forms = [token, `${head}.${body}.${malleable}`, signed(header, payload, ours)]
  const answers = () =>
    Promise.all(forms.map((form) => program.send('GET', '/profile', undefined, { authorization: `Bearer ${form}` })))
  expect((await answers()).map(({ statusCode }) => statusCode)).toEqual([200, 200, 200])
  await program.copy().send('DELETE', '/sessions')
  expect((await answers()).map(seen)).toEqual([INVALID, INVALID, INVALID])
})

describe('a refresh token', () => {
  test('T-12: is spent by its use, and ends its session when it comes back', async () => {
    const opened = await house()
    const program = await programOf(opened)
    const other = new Program(opened)
    await other.logIn()
    const thief = program.copy()
    expect((await program.refresh()).statusCode).toBe(200)
    expect(program.refreshToken).not.toBe(thief.refreshToken)
    expect(program.refreshToken.slice(0, 36)).toBe(thief.refreshToken.slice(0, 36))
    expect((await program.profile()).statusCode).toBe(200)

    expect(seen(await thief.refresh())).toEqual(REUSED)
    expect(linesOf(opened, 'refresh_token_reused')).toEqual([
      expect.objectContaining({ user: 1, session: program.sessionId, address: '127.0.0.1' }),
    ])
    expect(seen(await program.refresh())).toEqual(REFUSED)
    expect(seen(await program.profile())).toEqual(INVALID)
    expect((await other.profile()).statusCode).toBe(200)
    expect((await other.refresh()).statusCode).toBe(200)
  })

  test('T-12: that was stolen and used once ends the session at the owner’s next refresh', async () => {
    const opened = await house()
    const owner = await programOf(opened)
    const thief = owner.copy()
    expect((await thief.refresh()).statusCode).toBe(200)
    expect((await thief.profile()).statusCode).toBe(200)
    expect(seen(await owner.refresh())).toEqual(REUSED)
    expect(seen(await thief.profile())).toEqual(INVALID)
    expect(seen(await thief.refresh())).toEqual(REFUSED)
  })

  test.each([
    ['none', {}],
    ['ten seconds', GRACE],
  ])('T-12: is known again however many came after it, with a grace of %s', async (_, env) => {
    const opened = await house(env)
    const program = await programOf(opened)
    const first = program.copy()
    for (let refreshes = 0; refreshes < 5; refreshes += 1) expect((await program.refresh()).statusCode).toBe(200)
    expect(seen(await first.refresh())).toEqual(REUSED)
    expect(seen(await program.refresh())).toEqual(REFUSED)
  })

  test('T-12: that somebody makes up for a session they know of ends nothing', async () => {
    const opened = await house()
    const program = await programOf(opened)
    const guess = `${program.sessionId}.${'A'.repeat(43)}`
    expect(seen(await program.copy().refresh(guess))).toEqual(REFUSED)
    expect(seen(await new Program(opened).send('DELETE', '/tokens', { refresh_token: guess }))).toEqual([200])
    expect((await program.profile()).statusCode).toBe(200)
    expect((await program.refresh()).statusCode).toBe(200)
  })

  test('T-13: of twenty at once a single one succeeds, and the answer to the others is clear', async () => {
    const opened = await house()
    const program = await programOf(opened)
    const answers = (await race(program)).map(seen)
    expect(answers.filter(([status]) => status === 200)).toHaveLength(1)
    const losers = answers.filter(([status]) => status !== 200)
    for (const [status, code] of losers) expect([status, String(code).startsWith('refresh_')]).toEqual([401, true])
    expect(losers).toContainEqual(REUSED)
    expect(linesOf(opened, 'refresh_token_reused')).toHaveLength(1)
    expect(await opened.db.findSessionsOf(1)).toEqual([])
  })

  test.each([
    ['twenty', () => Array.from({ length: 20 }, () => 0)],
    ['two instances', () => Array.from({ length: 20 }, (_, n) => n % 2)],
  ])('T-13: where %s have read the same row before any of them writes, a single one writes', async (_, turns) => {
    const env = { DATABASE_URL: `sqlite:${join(temporaryFolder(), 'bienvenue.db')}`, SECRET: 'one for both' }
    const houses = [await house(env), await house(env)] as const
    const { refreshToken } = await programOf(houses[0])
    const client = { address: '', userAgent: '' }
    const tries = turns().map((turn) => houses[turn === 0 ? 0 : 1].auth.tokens.refresh(refreshToken, 'token', client))
    const codes = (await Promise.allSettled(tries)).map((ended) =>
      ended.status === 'fulfilled' ? 'done' : String(Object(ended.reason).code),
    )
    expect(codes.filter((code) => code === 'done')).toHaveLength(1)
    for (const code of codes) expect(['done', 'refresh_token_reused', 'refresh_refused']).toContain(code)
    expect(houses.flatMap((one) => linesOf(one, 'refresh_token_reused'))).toHaveLength(1)
  })

  test('T-13: within the grace twenty at once get one and the same successor', async () => {
    const opened = await house(GRACE)
    const program = await programOf(opened)
    const answers = await race(program)
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 20 }, () => 200))
    expect(new Set(answers.map((answer) => answer.json().refresh_token)).size).toBe(1)
    expect(linesOf(opened, 'refresh_token_reused')).toEqual([])
    const [answer] = answers
    if (answer !== undefined) program.keep(answer)
    expect((await program.refresh()).statusCode).toBe(200)
  })

  test('T-13: the grace is for the last one alone, and ends', async () => {
    const opened = await house(GRACE)
    const program = await programOf(opened)
    const late = program.copy()
    await program.refresh()
    opened.clock.advance(10 * SECOND - 1)
    expect((await late.copy().refresh()).statusCode).toBe(200)
    opened.clock.advance(1)
    expect(seen(await late.refresh())).toEqual(REUSED)
    expect(seen(await program.refresh())).toEqual(REFUSED)
  })

  test('T-13: the grace outlives a change of SECRET', async () => {
    const file = `sqlite:${join(temporaryFolder(), 'bienvenue.db')}`
    const before = await house({ DATABASE_URL: file, ...GRACE, SECRET: 'the first of two' })
    const program = await programOf(before)
    const second = program.copy()
    await program.refresh()
    const after = await house({
      DATABASE_URL: file,
      ...GRACE,
      SECRET: 'the other',
      SECRET_PREVIOUS: 'the first of two',
    })
    const answer = await new Program(after).refresh(second.refreshToken)
    expect([answer.statusCode, answer.json().refresh_token]).toEqual([200, program.refreshToken])
  })

  test('T-14: ends after 30 days, however often it is used', async () => {
    const opened = await house()
    const program = await programOf(opened)
    for (let days = 1; days < 30; days += 1) {
      opened.clock.advance(DAY)
      expect((await program.refresh()).statusCode, `day ${days}`).toBe(200)
    }
    opened.clock.advance(DAY)
    expect(seen(await program.refresh())).toEqual(REFUSED)
  })

  test('T-14: ends when it is unused for 7 days, and a use of the access token is a use', async () => {
    const opened = await house()
    const [idle, busy] = [await programOf(opened), new Program(opened)]
    await busy.logIn()
    opened.clock.advance(MINUTE)
    expect((await busy.profile()).statusCode).toBe(200)
    opened.clock.advance(7 * DAY - MINUTE - 1)
    expect((await idle.copy().refresh()).statusCode).toBe(200)
    opened.clock.advance(2)
    expect((await busy.refresh()).statusCode).toBe(200)

    opened.clock.advance(7 * DAY)
    expect(seen(await busy.refresh())).toEqual(REFUSED)
  })

  test('T-15: is in the list of sessions, with its program, and can be ended there', async () => {
    const opened = await house()
    const program = await programOf(opened)
    const browser = new Client(opened.app)
    await browser.logIn()
    const list = async () => (await browser.send('GET', '/sessions')).json().sessions
    expect(await list()).toContainEqual(expect.objectContaining({ id: program.sessionId, current: false }))
    expect((await program.send('GET', '/sessions')).json().sessions).toContainEqual(
      expect.objectContaining({ id: program.sessionId, current: true }),
    )
    expect((await browser.send('DELETE', `/sessions/${program.sessionId}`)).statusCode).toBe(200)
    expect(await list()).toHaveLength(1)
    expect(seen(await program.refresh())).toEqual(REFUSED)
  })

  test('T-17: tells nothing and is long enough, and only hashes of it are stored', async () => {
    const folder = temporaryFolder()
    const opened = await house({ DATABASE_URL: `sqlite:${join(folder, 'bienvenue.db')}` })
    const program = await programOf(opened)
    const tokens = [program.refreshToken]
    for (let refreshes = 0; refreshes < 3; refreshes += 1) {
      await program.refresh()
      tokens.push(program.refreshToken)
    }
    expect(new Set(tokens).size).toBe(4)
    const bytes = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))))
    for (const token of [...tokens, program.accessToken]) {
      expect(bytes.includes(token)).toBe(false)
    }
    for (const token of tokens) {
      const [, secret = ''] = token.split('.')
      expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
      for (const half of [
        [0, 16],
        [16, 32],
      ]) {
        expect(bytes.includes(Buffer.from(secret, 'base64url').subarray(...half))).toBe(false)
        expect(
          bytes.includes(
            Buffer.from(secret, 'base64url')
              .subarray(...half)
              .toString('base64url')
              .slice(0, 20),
          ),
        ).toBe(false)
      }
    }
    const [, last = ''] = program.refreshToken.split('.')
    expect(bytes.includes(createHash('sha256').update(last).digest('base64url'))).toBe(true)
  })
})

test('T-18: a token in the address or in the body of a request is none', async () => {
  const program = await programOf(await house())
  const token = program.accessToken
  program.accessToken = ''
  const tries = [
    program.send('GET', `/profile?access_token=${token}`),
    program.send('GET', `/profile?authorization=Bearer%20${token}`),
    program.send('PATCH', '/users/me', { name: 'Bob', access_token: token }),
    program.send('GET', '/profile', undefined, { 'x-access-token': token }),
    program.send('GET', '/profile', undefined, { authorization: `Basic ${token}` }),
    program.send('GET', '/profile', undefined, { authorization: token }),
  ]
  for (const answer of await Promise.all(tries)) expect(seen(answer)).toEqual([403, 'session_required'])
  expect(seen(await program.send('POST', `/tokens/refresh?refresh_token=${program.refreshToken}`, {}))).toEqual([
    400,
    'field_missing',
  ])
})

test('T-19: no answer with a token may be stored', async () => {
  const opened = await house()
  const program = await programOf(opened)
  const login = { email: BOB, password: PASSWORD }
  const answers = [
    await program.logIn(),
    await program.refresh(),
    await program.send('POST', '/tokens', { ...login, transport: 'cookie' }),
    await program.send('PATCH', '/users/me', { email: 'bobby@example.org', current_password: PASSWORD }),
    await program.refresh('nonsense'),
    await program.send('DELETE', '/tokens', {}),
  ]
  for (const { headers } of answers) expect(headers['cache-control']).toBe('no-store')
})

test('T-21: an access token says who and which session by their ids, and nothing else', async () => {
  const opened = await house(PRODUCTION)
  const program = await programOf(opened, BOB, 'a long way to go')
  await program.send('PATCH', '/users/me', { name: 'Robert' })
  await program.refresh()
  const [header, payload] = program.accessToken.split('.')
  expect(Object.keys(decoded(header)).sort()).toEqual(['alg', 'kid', 'typ'])
  expect(claimsOf(program)).toEqual({
    ...{ iss: 'https://auth.example.org', aud: 'https://auth.example.org', sub: '1', sid: program.sessionId },
    ...{
      jti: expect.stringMatching(/^[\w-]{22}$/),
      iat: opened.clock.now() / 1_000,
      exp: opened.clock.now() / 1_000 + 600,
    },
  })
  expect(Buffer.from(`${header}${payload}`, 'base64url').toString()).not.toMatch(/bob|robert|@/i)
})

describe('a token proves nothing about who is there', () => {
  /** What needs the password, with fields that would otherwise do it. */
  const DANGEROUS: [string, string, string, Record<string, string>, unknown][] = [
    ['a new address', 'PATCH', '/users/me', { email: 'robert@example.org' }, [400, 'field_missing']],
    ['a new password', 'PATCH', '/users/me', { password: NEW_PASSWORD }, [400, 'field_missing']],
    ['deletion', 'DELETE', '/users/me', {}, [400, 'field_missing']],
    ['the end of all other sessions', 'DELETE', '/sessions?others=true', {}, [403, 'fresh_password_required']],
    ['the end of another session', 'DELETE', '/sessions/:id', {}, [403, 'fresh_password_required']],
  ]

  test.each(DANGEROUS)(
    'T-23: %s needs the password, just after the login too',
    async (_, method, path, fields, refusal) => {
      const opened = await house()
      const browser = await signedIn(opened.app)
      const program = await programOf(opened)
      const url = path.replace(':id', browser.sessionId)
      expect(seen(await program.send(method, url, fields))).toEqual(refusal)
      const wrong = await program.send(method, url, { ...fields, current_password: 'wrong' })
      expect(seen(wrong)).toEqual([403, 'current_password_wrong'])
      expect((await browser.profile()).json()).toEqual({ email: BOB })
      const right = await program.send(method, url, { ...fields, current_password: PASSWORD })
      expect(right.statusCode).toBe(200)
    },
  )

  test('T-23: nor does one in a cookie', async () => {
    const opened = await house()
    const browser = await signedIn(opened.app)
    const login = { email: BOB, password: PASSWORD, transport: 'cookie' }
    const [access = ''] = setCookies(await new Program(opened).send('POST', '/tokens', login))
    const headers = { cookie: `access_token=${cookieValue(access)}` }
    const answer = await new Program(opened).send('DELETE', `/sessions/${browser.sessionId}`, {}, headers)
    expect(seen(answer)).toEqual([403, 'fresh_password_required'])
  })
})

describe('worlds apart', () => {
  const COOKIES = ['session_id', 'access_token', 'refresh_token']

  test('T-25: a session cookie is no bearer, and no refresh token', async () => {
    const opened = await house()
    const browser = await signedIn(opened.app)
    const credential = cookieValue(browser.cookie)
    const program = new Program(opened)
    expect(seen(await program.send('GET', '/profile', undefined, { authorization: `Bearer ${credential}` }))).toEqual(
      INVALID,
    )
    expect(seen(await program.refresh(credential))).toEqual(REFUSED)
    expect(seen(await program.send('POST', '/tokens/refresh', {}, { cookie: `refresh_token=${credential}` }))).toEqual(
      REFUSED,
    )
    expect((await browser.profile()).statusCode).toBe(200)
  })

  test('T-25: the tokens of a program are no cookies', async () => {
    const opened = await house()
    const program = await programOf(opened)
    for (const token of [program.accessToken, program.refreshToken]) {
      for (const name of COOKIES) {
        const headers = { cookie: `${name}=${token}` }
        expect(seen(await new Program(opened).send('GET', '/profile', undefined, headers)), name).toEqual([
          403,
          'session_required',
        ])
      }
    }
    const headers = { cookie: `refresh_token=${program.refreshToken}` }
    expect(seen(await new Program(opened).send('POST', '/tokens/refresh', {}, headers))).toEqual(REFUSED)
    expect((await program.refresh()).statusCode).toBe(200)
  })

  test('T-25: tokens in cookies are no bearer, and none for the body', async () => {
    const opened = await house()
    const program = await programOf(opened)
    const login = { email: BOB, password: PASSWORD, transport: 'cookie' }
    const [access = '', refresh = ''] = setCookies(await program.send('POST', '/tokens', login)).map(cookieValue)
    const headers = { authorization: `Bearer ${access}` }
    expect(seen(await program.send('GET', '/profile', undefined, headers))).toEqual(INVALID)
    expect(seen(await program.copy().refresh(refresh))).toEqual(REFUSED)
    const kept = { cookie: `access_token=${access}` }
    expect((await new Program(opened).send('GET', '/profile', undefined, kept)).statusCode).toBe(200)
  })

  test('T-25: a bad bearer is not helped by a good cookie', async () => {
    const opened = await house()
    const browser = await signedIn(opened.app)
    const answer = await browser.send('GET', '/profile', undefined, { authorization: 'Bearer nonsense' })
    expect(seen(answer)).toEqual(INVALID)
  })
})
