/** CORS: what browsers are told for scripts of other origins, which is nothing unless the operator lists them. */

import { describe, expect, test } from 'vitest'
import { StartError } from '../../src/errors.ts'
import { readSettings } from '../../src/settings.ts'
import { PRODUCTION } from '../house.ts'
import { BOB, house, seen } from './client.ts'
import { programOf } from './program.ts'

const APP = 'https://app.example.org'
const LISTED = { ...PRODUCTION, CORS_ORIGINS: `${APP}, https://admin.example.org:8443` }
const PREFLIGHT = { 'access-control-request-method': 'DELETE', 'access-control-request-headers': 'authorization' }

/** Near to what is listed, and not it. */
const STRANGERS = [
  'https://evil.test',
  'http://app.example.org',
  'https://app.example.org:444',
  'https://app.example.org.evil.test',
  'https://sub.app.example.org',
  'https://APP.example.org',
  'https://app.example.org/',
  'null',
  '*',
  '',
]

function corsHeaders(headers: Record<string, unknown>): string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-'))
}

test('production lists no origin without TLS, unless it is without TLS itself', () => {
  const CORS_ORIGINS = `${APP}, http://app.example.org`
  expect(() => readSettings({ ...PRODUCTION, CORS_ORIGINS })).toThrow('CORS_ORIGINS has http://app.example.org')
  expect(readSettings({ ...PRODUCTION, CORS_ORIGINS, INSECURE_HTTP: 'true' }).corsOrigins).toHaveLength(2)
  expect(readSettings({ CORS_ORIGINS }).corsOrigins).toHaveLength(2)
})

test.each(['*', `${APP}, *`, 'app.example.org', 'null', `${APP}/path`, 'https://*.example.org'])(
  'CORS_ORIGINS=%s does not start',
  (value) => {
    expect(() => readSettings({ CORS_ORIGINS: value })).toThrow(StartError)
  },
)

describe('a listed origin', () => {
  test('gets its own name and the leave to send cookies, on refusals too', async () => {
    const { app } = await house(LISTED)
    for (const url of ['/', '/profile', '/nowhere']) {
      const { headers } = await app.inject({ url, headers: { origin: APP } })
      expect(headers['access-control-allow-origin'], url).toBe(APP)
      expect(headers['access-control-allow-credentials'], url).toBe('true')
      expect(headers['access-control-expose-headers'], url).toBe('Retry-After, WWW-Authenticate')
      expect(String(headers.vary).split(', '), url).toContain('Origin')
    }
  })

  test('may ask before it sends, on every path', async () => {
    const { app } = await house(LISTED)
    for (const url of ['/tokens', '/users/me', '/sessions/3f0c1d52-9b1e-4c5a-8d0e-6a7b8c9d0e1f']) {
      const answer = await app.inject({ method: 'OPTIONS', url, headers: { origin: APP, ...PREFLIGHT } })
      expect([answer.statusCode, answer.body]).toEqual([204, ''])
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': APP,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers': 'Authorization, Content-Type',
        'access-control-max-age': '600',
      })
    }
  })

  test('logs in, calls and logs out', async () => {
    const opened = await house(LISTED)
    const program = await programOf(opened, BOB, 'a long way to go')
    const browser = { origin: APP, 'sec-fetch-site': 'cross-site' }
    const login = { email: BOB, password: 'a long way to go' }
    expect((await program.send('POST', '/tokens', login, browser)).statusCode).toBe(200)
    expect((await program.send('PATCH', '/users/me', { name: 'Bob' }, browser)).statusCode).toBe(200)
    expect((await program.send('DELETE', '/tokens', {}, browser)).statusCode).toBe(200)
  })
})

describe('any other origin', () => {
  test.each(STRANGERS)('H-15: gets no leave: %s', async (origin) => {
    const opened = await house(LISTED)
    const program = await programOf(opened, BOB, 'a long way to go')
    for (const answer of [
      await program.send('GET', '/profile', undefined, { origin }),
      await program.send('OPTIONS', '/profile', undefined, { origin, ...PREFLIGHT }),
      await program.send('DELETE', '/tokens', {}, { origin, 'sec-fetch-site': 'cross-site' }),
    ]) {
      expect(corsHeaders(answer.headers)).toEqual([])
      // So that no cache gives it what was for a listed one.
      expect(String(answer.headers.vary).split(', ')).toContain('Origin')
    }
    const write = await program.send(
      'PATCH',
      '/users/me',
      { name: 'Mallory' },
      { origin, 'sec-fetch-site': 'cross-site' },
    )
    expect(seen(write)).toMatchObject({ status: 403, body: { code: 'cross_origin' } })
  })

  test('H-15: gets none where none is listed', async () => {
    const { app } = await house(PRODUCTION)
    for (const method of ['GET', 'OPTIONS'] as const) {
      const { headers } = await app.inject({ method, url: '/profile', headers: { origin: APP, ...PREFLIGHT } })
      expect(corsHeaders(headers)).toEqual([])
      expect(headers.vary).toBeUndefined()
    }
  })
})

test('what a page varies by stays beside the origin', async () => {
  const { app } = await house(LISTED)
  const { headers } = await app.inject({ url: '/login', headers: { accept: 'text/html', origin: APP } })
  expect(headers.vary).toBe('Accept, Accept-Language, Cookie, Origin')
})
