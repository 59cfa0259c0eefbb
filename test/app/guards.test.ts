/** From where requests are taken, under which names, and to whom a reset token is told. */

import type { InjectOptions } from 'fastify'
import { describe, expect, test } from 'vitest'
import { form, PRODUCTION } from '../house.ts'
import {
  ALICE,
  type Answer,
  BOB,
  bodyOf,
  Client,
  house,
  houseOnFile,
  PASSWORD,
  seen,
  setCookies,
  signedIn,
} from './client.ts'
import { GOOD_PASSWORD, pathFor, ROUTES, SAFE, UNSAFE } from './routes.ts'

interface Provenance {
  origin?: string
  'sec-fetch-site'?: string
}

const OWN = 'https://auth.example.org'

/** Where an unsafe request comes from, and whether it may, in production. */
const PROVENANCES: [string, Provenance, boolean][] = [
  ['a page of ours', { 'sec-fetch-site': 'same-origin', origin: OWN }, true],
  ['a page of ours that sends no Origin', { 'sec-fetch-site': 'same-origin' }, true],
  ['the address bar', { 'sec-fetch-site': 'none' }, true],
  ['a page of ours in an older browser', { origin: OWN }, true],
  ['a program', {}, true],
  ['a page elsewhere', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }, false],
  ['a page elsewhere that claims our origin', { 'sec-fetch-site': 'cross-site', origin: OWN }, false],
  ['a sibling', { 'sec-fetch-site': 'same-site', origin: 'https://www.example.org' }, false],
  ['an unknown word', { 'sec-fetch-site': 'same-planet', origin: OWN }, false],
  ['an empty word', { 'sec-fetch-site': '', origin: OWN }, false],
  ['two words', { 'sec-fetch-site': 'same-origin, cross-site' }, false],
  ['the word in capitals', { 'sec-fetch-site': 'Same-Origin' }, false],
  ['a page elsewhere in an older browser', { origin: 'https://evil.test' }, false],
  ['another port', { origin: `${OWN}:8443` }, false],
  ['our twin on http', { origin: 'http://auth.example.org' }, false],
  ['no origin to speak of', { origin: 'null' }, false],
  ['an empty origin', { origin: '' }, false],
  ['our origin with a path', { origin: `${OWN}/` }, false],
  ['our origin at the end', { origin: `https://evil.test?${OWN}` }, false],
  ['our origin as a beginning', { origin: `${OWN}.evil.test` }, false],
  ['loopback, which is ours in development only', { origin: 'http://localhost:5000' }, false],
]

const CROSS_ORIGIN = {
  status: 403,
  body: { message: 'a page of another origin may not do this', code: 'cross_origin' },
}

/** What each unsafe route answers somebody who may: the last is refused for its token, not for where it comes from. */
const ALLOWED = [200, 200, 200, 200, 200, 302, 200, 200, 200, 403]

/** @returns the status of each unsafe route, asked with these headers by somebody who has just signed in */
async function unsafeStatuses(env: Record<string, string>, headers: Record<string, string>): Promise<number[]> {
  const statuses: number[] = []
  for (const [method, url, fields] of UNSAFE) {
    const client = await signedIn((await house(env)).app, BOB, GOOD_PASSWORD)
    statuses.push((await client.send(method, pathFor(client, url), fields, headers)).statusCode)
  }
  return statuses
}

describe('cross-origin requests', () => {
  test('W-01: what another origin starts is refused, on every unsafe route, and changes nothing', async () => {
    const { app, dump } = await houseOnFile(PRODUCTION)
    const client = await signedIn(app, BOB, GOOD_PASSWORD)
    const before = dump()
    for (const [name, headers] of PROVENANCES.filter(([, , allowed]) => !allowed)) {
      for (const [method, url, fields] of UNSAFE) {
        const answer = await client.send(method, pathFor(client, url), fields, { ...headers })
        expect(seen(answer), `${method} ${url}: ${name}`).toStrictEqual(CROSS_ORIGIN)
        expect(setCookies(answer), `${method} ${url}: ${name}`).toEqual([])
      }
      expect((await client.send('PATCH', '/users', {}, { ...headers })).statusCode, name).toBe(403)
    }
    expect(dump()).toBe(before)
  })

  test.each(PROVENANCES.filter(([, , allowed]) => allowed))('%s may', async (_, headers) => {
    expect(await unsafeStatuses(PRODUCTION, { ...headers })).toEqual(ALLOWED)
  })

  test('W-01: a page on the trusted list may, and no other', async () => {
    const trusting = { ...PRODUCTION, TRUSTED_ORIGINS: 'https://app.example.org, https://www.example.com:8443' }
    for (const origin of ['https://app.example.org', 'https://www.example.com:8443']) {
      expect(await unsafeStatuses(trusting, { 'sec-fetch-site': 'cross-site', origin }), origin).toEqual(ALLOWED)
      expect(await unsafeStatuses(trusting, { origin }), origin).toEqual(ALLOWED)
    }
    const { app, dump } = await houseOnFile(trusting)
    const client = await signedIn(app, BOB, GOOD_PASSWORD)
    const before = dump()
    const near = ['http://app.example.org', 'https://app.example.org:8443', 'https://www.example.com', 'null']
    for (const origin of [...near, 'https://app.example.org.evil.test', 'https://evil.app.example.org']) {
      for (const [method, url, fields] of UNSAFE) {
        for (const site of [{}, { 'sec-fetch-site': 'cross-site' }]) {
          const answer = await client.send(method, pathFor(client, url), fields, { ...site, origin })
          expect(seen(answer), `${method} ${url}: ${origin}`).toStrictEqual(CROSS_ORIGIN)
        }
      }
    }
    expect(dump()).toBe(before)
  })

  test('a page on the trusted list is granted no look at the answers', async () => {
    const { app } = await house({ ...PRODUCTION, TRUSTED_ORIGINS: 'https://app.example.org' })
    const client = await signedIn(app, BOB, GOOD_PASSWORD)
    for (const [method, url] of SAFE) {
      const { headers } = await client.send(method, url, undefined, { origin: 'https://app.example.org' })
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
  })

  test('in development the trusted list counts as well', async () => {
    const { app } = await house({ TRUSTED_ORIGINS: 'http://localhost:3000' })
    const statuses = []
    for (const origin of ['http://localhost:3000', 'http://localhost:3001']) {
      statuses.push(
        (await new Client(app).send('POST', '/users', { email: BOB, password: 'x' }, { origin })).statusCode,
      )
    }
    expect(statuses).toEqual([200, 403])
  })

  test.each(PROVENANCES)('safe methods pass from anywhere: %s', async (_, headers) => {
    const { app } = await house(PRODUCTION)
    const client = await signedIn(app, BOB, GOOD_PASSWORD)
    for (const [, url] of SAFE) {
      const answers = [
        await client.send('GET', url, undefined, { ...headers }),
        await client.send('HEAD', url, undefined, { ...headers }),
        await client.send('OPTIONS', url, undefined, { ...headers }),
      ]
      expect(
        answers.map((answer) => answer.statusCode),
        url,
      ).toEqual([200, 200, 204])
    }
  })

  test('W-02: safe methods change nothing, on every route', async () => {
    const { app, dump } = await houseOnFile()
    const client = await signedIn(app)
    await client.askForReset()
    const before = dump()
    const fields = { email: ALICE, password: PASSWORD, reset_token: 'x', new_password: 'y' }
    const strange = ['/logout', '/sessions?_method=DELETE', '/sessions?others=true', '/users/me?name=Robert']
    for (const url of [...ROUTES.map(([path]) => pathFor(client, path)), ...strange]) {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) await client.send(method, url, fields)
    }
    expect(dump()).toBe(before)
    expect((await client.profile()).statusCode).toBe(200)
  })

  test('W-03: the forms for login, registration and reset are protected as well', async () => {
    const { app, dump } = await houseOnFile()
    const owner = await signedIn(app)
    const token = await owner.resetToken()
    const before = dump()
    const elsewhere = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }
    const visitor = new Client(app)
    const answers = [
      await visitor.send('POST', '/sessions', { email: BOB, password: PASSWORD }, elsewhere),
      await visitor.send('POST', '/users', { email: ALICE, password: PASSWORD }, elsewhere),
      await visitor.send('POST', '/reset_password', { email: BOB }, elsewhere),
      await visitor.send('PUT', '/reset_password', { email: BOB, reset_token: token, new_password: 'x' }, elsewhere),
    ]
    expect(answers.map(seen)).toStrictEqual(answers.map(() => CROSS_ORIGIN))
    expect(answers.flatMap(setCookies)).toEqual([])
    expect(dump()).toBe(before)
  })

  test.each([
    ['http://127.0.0.1:5000', '127.0.0.1:5000', 200],
    ['http://0.0.0.0:5000', '0.0.0.0:5000', 200],
    ['http://[::1]:5000', '[::1]:5000', 200],
    ['http://localhost:5000', '127.0.0.1:5000', 200],
    ['http://localhost:3000', 'localhost:5000', 403],
    ['http://127.0.0.1:5000', 'localhost:5000', 403],
    ['https://127.0.0.1:5000', '127.0.0.1:5000', 403],
    ['http://evil.test:5000', '127.0.0.1:5000', 403],
    ['http://evil.test', 'evil.test', 421],
    ['null', 'localhost:5000', 403],
  ])('in development a page of %s at %s gets %i', async (origin, host, status) => {
    const { app } = await house()
    const answer = await new Client(app).send('POST', '/users', { email: BOB, password: 'x' }, { origin, host })
    expect(answer.statusCode).toBe(status)
  })

  test('W-01: in production the Host header makes no origin ours', async () => {
    const { app } = await house(PRODUCTION)
    const headers = { origin: 'https://evil.test', host: 'evil.test' }
    const answer = await new Client(app).send('POST', '/users', { email: BOB, password: GOOD_PASSWORD }, headers)
    expect(seen(answer)).toStrictEqual(CROSS_ORIGIN)
  })
})

describe('the host', () => {
  test.each([
    'evil.test',
    'evil.test:5000',
    'localhost.evil.test',
    '127.0.0.1.nip.io:5000',
    '192.168.0.1',
    'localhost@evil.test',
  ])('development does not answer to "%s"', async (host) => {
    const { app } = await house()
    const client = await signedIn(app)
    for (const [method, url, fields] of [...UNSAFE, ...SAFE, ['GET', '/nowhere'] as const]) {
      const answer = await client.send(method, pathFor(client, url), fields, { host })
      expect(seen(answer), `${method} ${url}`).toStrictEqual({
        status: 421,
        body: { message: 'this host name is not served here', code: 'host_refused' },
      })
    }
  })

  test('production answers to any name that reaches it', async () => {
    const { app } = await house(PRODUCTION)
    const answer = await new Client(app).send('GET', '/', undefined, { host: 'internal.example.net:8080' })
    expect(answer.statusCode).toBe(200)
  })
})

describe('the reset token in the answer', () => {
  const direct: [string, InjectOptions][] = [
    ['127.0.0.1', { remoteAddress: '127.0.0.1' }],
    ['127.0.0.2', { remoteAddress: '127.0.0.2' }],
    ['::1', { remoteAddress: '::1' }],
    ['::ffff:127.0.0.1', { remoteAddress: '::ffff:127.0.0.1' }],
  ]
  const mediated: [string, InjectOptions][] = [
    ['the peer is on the network', { remoteAddress: '192.0.2.7' }],
    ['the peer is on the network, mapped', { remoteAddress: '::ffff:192.0.2.7' }],
    ['the peer is on the network, IPv6', { remoteAddress: '2001:db8::1' }],
    ['an address that only looks like loopback', { remoteAddress: '::ffff:7f00:1:127.0.0.1' }],
    ...[
      'forwarded',
      'x-forwarded-for',
      'x-forwarded-proto',
      'x-forwarded-host',
      'X-Forwarded-Port',
      'via',
      'x-real-ip',
    ].map((name): [string, InjectOptions] => [`there is a header ${name}`, { headers: { [name]: '127.0.0.1' } }]),
  ]

  async function ask(options: InjectOptions): Promise<Answer> {
    const { app } = await house()
    await new Client(app).register()
    const { headers, payload } = form({ email: BOB })
    return app.inject({
      method: 'POST',
      url: '/reset_password',
      ...options,
      payload,
      headers: { ...options.headers, ...headers },
    })
  }

  test.each(direct)('is there for a program at %s', async (_, options) => {
    expect(bodyOf(await ask(options))).toStrictEqual({ email: BOB, reset_token: expect.any(String) })
  })

  test.each(mediated)('is not there where %s', async (_, options) => {
    const answer = await ask(options)
    expect(answer.statusCode).toBe(200)
    expect(bodyOf(answer)).toStrictEqual({ email: BOB, message: 'the token is only answered on this machine' })
  })

  test('is never there in production, whose answer is the same for known and unknown addresses', async () => {
    const { app } = await house(PRODUCTION)
    const client = await signedIn(app, BOB, GOOD_PASSWORD)
    const [known, unknown] = [await client.askForReset(BOB), await client.askForReset(ALICE)]
    const message = 'if this address has an account, a reset token goes to it by mail'
    expect(seen(known)).toStrictEqual({ status: 200, body: { message } })
    expect(seen(unknown)).toStrictEqual(seen(known))
    expect(Object.keys(unknown.headers)).toEqual(Object.keys(known.headers))
  })
})
