/** What a path answers to every method, served or not. */

import { expect, test } from 'vitest'
import { Client, house, seen, signedIn } from './client.ts'
import { ROUTES } from './routes.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'QUERY']
const NOT_ALLOWED = {
  status: 405,
  body: { message: 'this path does not serve this method', code: 'method_not_allowed' },
}
const LOST = { status: 404, body: { message: 'nothing is served here', code: 'not_found' } }

function missing(field: string) {
  return { status: 400, body: { message: `${field} missing`, code: 'field_missing', field } }
}

const NO_SESSION = { status: 403, body: { message: 'no valid session: log in first', code: 'session_required' } }

test.each([
  ['GET', '/', { status: 200, body: { message: 'Bienvenue' } }],
  ['POST', '/users', missing('email')],
  ['POST', '/sessions', missing('email')],
  ['DELETE', '/sessions', NO_SESSION],
  ['GET', '/profile', NO_SESSION],
  ['GET', '/users/me', NO_SESSION],
  ['PATCH', '/users/me', NO_SESSION],
  ['DELETE', '/users/me', NO_SESSION],
  ['GET', '/sessions', NO_SESSION],
  ['DELETE', '/sessions?others=true', NO_SESSION],
  ['DELETE', '/sessions/3f0c1d52-9b1e-4c5a-8d0e-6a7b8c9d0e1f', NO_SESSION],
  ['POST', '/reset_password', missing('email')],
  ['PUT', '/reset_password', missing('email')],
])('%s %s bare: no header, no body', async (method, url, expected) => {
  const { app } = await house()
  expect(seen(await new Client(app).send(method, url))).toStrictEqual(expected)
})

test('HEAD answers as GET does, without the body', async () => {
  const { app } = await house()
  const client = new Client(app)
  const [welcome, refused] = [await client.send('HEAD', '/'), await client.send('HEAD', '/profile')]
  expect([welcome.statusCode, welcome.body, refused.statusCode, refused.body]).toEqual([200, '', 403, ''])
  const bob = await signedIn(app)
  const [head, get] = [await bob.send('HEAD', '/profile'), await bob.profile()]
  expect([head.statusCode, head.body]).toEqual([200, ''])
  expect(head.headers['content-length']).toBe(get.headers['content-length'])
  for (const url of ['/users/me', '/sessions']) {
    const [short, long] = [await bob.send('HEAD', url), await bob.send('GET', url)]
    expect([short.statusCode, short.body], url).toEqual([200, ''])
    expect(short.headers['content-length'], url).toBe(long.headers['content-length'])
  }
})

test.each(ROUTES)('OPTIONS %s names the methods', async (url, methods) => {
  const { app } = await house()
  const answer = await new Client(app).send('OPTIONS', url)
  expect(seen(answer)).toStrictEqual({ status: 204, body: '' })
  expect(answer.headers.allow).toBe([...methods, 'OPTIONS'].sort().join(', '))
})

test.each(ROUTES)('H-13: %s answers 405 with Allow to every other method, and echoes nothing', async (url, methods) => {
  const { app } = await house()
  const others = METHODS.filter((method) => !methods.includes(method))
  for (const method of others) {
    const answer = await app.inject({ method, url, headers: { 'x-echo': 'an echo' } })
    const body = method === 'HEAD' ? '' : NOT_ALLOWED.body
    expect(seen(answer), method).toStrictEqual({ status: 405, body })
    expect(answer.headers.allow, method).toBe([...methods, 'OPTIONS'].sort().join(', '))
    expect(answer.body, method).not.toContain('echo')
  }
  const unknown = await app.inject({ method: 'PROPFIND', url })
  expect(seen(unknown)).toStrictEqual(LOST)
})

test('a method that is not served is refused before its body is read', async () => {
  const { app } = await house()
  const headers = { 'content-type': 'multipart/form-data; boundary=x' }
  const answer = await app.inject({ method: 'PATCH', url: '/users', headers, payload: 'x'.repeat(100_000) })
  expect(seen(answer)).toStrictEqual(NOT_ALLOWED)
})

test.each([
  ...['/nowhere', '/profile/', '//profile', '/Profile', '/users/1', '/%2570rofile', '/profile%00'],
  ...['/users/me/', '/users/ME', '/users/m%65x', '/users/', '/sessions/a/b', '/sessions/a/', '/Sessions/a'],
])('%s is a 404 in JSON to every method', async (url) => {
  const { app } = await house()
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) {
    expect(seen(await new Client(app).send(method, url)), method).toStrictEqual(LOST)
  }
})

test('H-17: no private answer under the name of a file', async () => {
  const { app } = await house()
  const client = await signedIn(app)
  for (const path of ['/profile', '/users/me', '/sessions']) {
    for (const end of ['/x.css', ';a.css', '.css', '%2fx.css', '/..;/x.js']) {
      const answer = await client.send('GET', path + end)
      // Sessions have paths of their own below the list; none of them is served by GET.
      expect(seen(answer), path + end).toStrictEqual(path + end === '/sessions/x.css' ? NOT_ALLOWED : LOST)
    }
  }
})
