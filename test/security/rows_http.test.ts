/** Rows of the security list about what every answer carries, and what none does. */

import { describe, expect, test } from 'vitest'
import { accessRows } from '../../scripts/access.ts'
import { type Answer, BOB, bodyOf, Client, house, json, signedIn } from '../app/client.ts'
import { GOOD_PASSWORD } from '../app/routes.ts'
import { type House, MAIL, PRODUCTION } from '../house.ts'
import { journey, pathOf } from './journey.ts'

/** What the answers of each route may hold in production. */
const FIELDS: Record<string, string[]> = {
  'GET /': ['message'],
  'POST /users': ['email', 'message'],
  'POST /sessions': ['email', 'message'],
  'DELETE /sessions': ['message'],
  'GET /profile': ['email'],
  'POST /reset_password': ['message'],
  'PUT /reset_password': ['email', 'message'],
  'GET /users/me': ['confirmed', 'created_at', 'email', 'id', 'name'],
  // With tokens of a new session for a program that gave the password; a browser gets cookies.
  'PATCH /users/me': [
    ...['access_token', 'confirmed', 'created_at', 'email', 'expires_in', 'id', 'name', 'pending_email'],
    ...['refresh_token', 'token_type', 'tokens'],
  ],
  'GET /dashboard': ['confirmed', 'created_at', 'email', 'id', 'name'],
  'POST /tokens': ['access_token', 'expires_in', 'message', 'refresh_token', 'token_type'],
  'POST /tokens/refresh': ['access_token', 'expires_in', 'refresh_token', 'token_type'],
  'DELETE /tokens': ['message'],
  'POST /tokens/introspect': ['active', 'aud', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub', 'token_type'],
  'POST /tokens/revoke': [],
  'GET /.well-known/jwks.json': ['alg', 'crv', 'keys', 'kid', 'kty', 'use', 'x', 'y'],
  'GET /.well-known/oauth-authorization-server': [
    ...['grant_types_supported', 'introspection_endpoint', 'introspection_endpoint_auth_methods_supported', 'issuer'],
    ...['jwks_uri', 'response_types_supported', 'revocation_endpoint', 'token_endpoint'],
  ],
  'DELETE /users/me': ['email', 'message'],
  'GET /sessions': ['address', 'created_at', 'current', 'device', 'id', 'last_used_at', 'sessions'],
  'DELETE /sessions/:id': ['message'],
  'POST /email_verification': ['message'],
  'PUT /email_verification': ['email', 'message'],
  'POST /undo_email_change': ['message'],
  'GET /health/live': ['status'],
  'GET /health/ready': ['late', 'mail', 'oldest_seconds', 'status', 'waiting'],
}

test('H-08: every answer holds the fields that it needs, and no hash or secret', async () => {
  const steps = await journey(await house({ ...PRODUCTION, ...MAIL }))
  const found = new Map<string, Set<string>>()
  for (const { route, answer } of steps) {
    const names = found.get(route) ?? new Set()
    for (const name of fieldNames(bodyOf(answer))) names.add(name)
    found.set(route, names)
    expect(answer.body, route).not.toMatch(/\$2[aby]\$|bcrypt|hash/i)
    if (!/_token"|jwks/.test(`${route}${answer.body}`)) expect(answer.body, route).not.toMatch(/[\w-]{43}/i)
  }
  expect(Object.fromEntries([...found].map(([route, names]) => [route, [...names].sort()]))).toEqual(FIELDS)
  const routes = (await accessRows()).map(({ method, url }) => `${method} ${url}`)
  const pages = [
    ...['/login', '/register', '/forgot', '/reset', '/confirm', '/undo', '/outbox'],
    ...['/.well-known/change-password', '/assets/:name'],
  ]
  expect([...Object.keys(FIELDS), ...pages.map((path) => `GET ${path}`)].sort()).toEqual(routes.sort())
})

/** @returns the names of all fields of a body, those of what it contains included */
function fieldNames(body: unknown): string[] {
  if (typeof body !== 'object' || body === null) return []
  const own = Array.isArray(body) ? [] : Object.keys(body)
  return [...own, ...Object.values(body).flatMap(fieldNames)]
}

describe('on every answer', () => {
  test('W-05: Strict-Transport-Security, for a year, with subdomains', async () => {
    for (const [what, { headers }] of await everyAnswer()) {
      const [, age, rest] = /^max-age=(\d+)(.*)$/.exec(String(headers['strict-transport-security'])) ?? []
      expect(Number(age), what).toBeGreaterThanOrEqual(31_536_000)
      expect(rest, what).toBe('; includeSubDomains')
    }
  })

  test('W-07: no page may frame it', async () => {
    for (const [what, { headers }] of await everyAnswer()) {
      expect(String(headers['content-security-policy']).split('; '), what).toContain("frame-ancestors 'none'")
      expect(headers['x-frame-options'], what).toBe('DENY')
    }
  })

  test('W-08: a referrer policy that hides addresses from others and keeps Origin for ourselves', async () => {
    for (const [what, { headers }] of await everyAnswer()) {
      expect(['same-origin', 'strict-origin'], what).toContain(headers['referrer-policy'])
    }
  })

  test('W-11: no other origin may embed it, as a resource or as a script', async () => {
    for (const [what, { headers, body }] of await everyAnswer()) {
      expect(headers['cross-origin-resource-policy'], what).toBe('same-origin')
      expect(body, what).not.toContain('steal')
      const document = String(headers['content-type']).startsWith('text/html') && body.startsWith('<!doctype html>')
      if (body !== '' && !document) expect(headers['content-type'], what).toBe('application/json; charset=utf-8')
    }
  })
})

/** @returns the answers of all routes to strangers and to somebody signed in, and of what is refused before a route */
async function everyAnswer(): Promise<[string, Answer][]> {
  const opened = await house(PRODUCTION)
  const answers: [string, Answer][] = (await journey(opened)).map(({ route, answer }) => [route, answer])
  for (const { method, url } of await accessRows()) {
    const call = `${pathOf(url)}?callback=steal&jsonp=steal`
    answers.push([`${method} ${url} of a stranger`, await new Client(opened.app).send(method, call)])
    answers.push([`OPTIONS ${url}`, await new Client(opened.app).send('OPTIONS', call)])
    answers.push([`TRACE ${url}`, await new Client(opened.app).send('TRACE', call)])
  }
  return [...answers, ...(await refusals(opened))]
}

async function refusals({ app, db }: House): Promise<[string, Answer][]> {
  const client = await signedIn(app, BOB, GOOD_PASSWORD)
  const post = { method: 'POST', url: '/users' } as const
  const answers: [string, Answer][] = [
    ['404', await client.send('GET', '/nowhere')],
    ['a path that cannot be decoded', await app.inject('/%zz')],
    ['a body that is no JSON', await app.inject({ ...post, ...json(''), payload: '{' })],
    ['a large body', await client.register(BOB, 'x'.repeat(20_000))],
    ['a type that is not read', await app.inject({ ...post, payload: 'a', headers: { 'content-type': 'text/plain' } })],
    ['a page elsewhere', await client.send('POST', '/users', {}, { origin: 'https://evil.test' })],
    ['a HEAD', await client.send('HEAD', '/profile')],
  ]
  await db.close()
  answers.push(['a fault', await client.profile()])
  expect(answers.map(([, { statusCode }]) => statusCode)).toEqual([404, 400, 400, 413, 415, 403, 200, 500])
  return answers
}

test('W-14: no redirect makes a browser send what it just sent again', async () => {
  const opened = await house(PRODUCTION)
  const steps = await journey(opened)
  const redirects = steps.filter(({ answer }) => answer.statusCode >= 300)
  expect(redirects.map(({ route, answer }) => [route, answer.statusCode, answer.headers.location])).toEqual([
    ['DELETE /sessions', 302, '/'],
  ])
  const wrong = [
    await new Client(opened.app).logIn(BOB, 'wrong'),
    await new Client(opened.app).reset('wrong'),
    await new Client(opened.app).send('POST', '/sessions?next=https://evil.test', { email: BOB, password: 'wrong' }),
    await new Client(opened.app).send('POST', '/users/', { email: BOB, password: 'wrong' }),
  ]
  expect(wrong.map(({ statusCode }) => statusCode)).toEqual([401, 403, 401, 404])
})
