/** How a form reaches the verbs that it does not know. */

import { expect, test } from 'vitest'
import { takeFormMethod } from '../../src/app/form_methods.ts'
import { house, signedIn } from '../pages/person.ts'

function taken(method: string, url: string): string | undefined {
  const request = { method, url }
  expect(takeFormMethod(request)).toBe(url)
  return request.method
}

test.each(['PUT', 'PATCH', 'DELETE'])('a POST with _method=%s is one', (method) => {
  expect(taken('POST', `/x?_method=${method}`)).toBe(method)
  expect(taken('POST', `/x?others=true&_method=${method}`)).toBe(method)
})

test.each([
  '/x',
  '/x?',
  '/x?_method=',
  '/x?_method=GET',
  '/x?_method=POST',
  '/x?_method=delete',
  '/x?_method=CONNECT',
  '/x?_method=DELETE%20',
  '/x?_method=DELETE&_method=DELETE',
  '/x?_method=PUT&_method=DELETE',
  '/x?x_method=DELETE',
  '/x?method=DELETE',
])('POST %s stays a POST', (url) => {
  expect(taken('POST', url)).toBe('POST')
})

test.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s stays what it is', (method) => {
  expect(taken(method, '/x?_method=DELETE')).toBe(method)
  expect(taken(method, '/x?_method=PUT')).toBe(method)
})

test('a link cannot log anybody out', async () => {
  const { app } = await house()
  const bob = await signedIn(app)
  await bob.open('/sessions?_method=DELETE')
  expect((await bob.open('/dashboard')).statusCode).toBe(200)
})

test.each([
  [{ 'sec-fetch-site': 'cross-site' }],
  [{ 'sec-fetch-site': 'same-site' }],
  [{ origin: 'https://evil.test' }],
  [{ origin: 'null' }],
])('a page elsewhere reaches no verb: %j', async (headers: Record<string, string>) => {
  const { app } = await house()
  const bob = await signedIn(app)
  for (const url of ['/sessions?_method=DELETE', '/users/me?_method=PATCH', '/reset_password?_method=PUT']) {
    const answer = await bob.send('POST', url, { name: 'Mallory' }, headers)
    expect(answer.statusCode, url).toBe(403)
    expect(answer.body, url).toContain('another site')
    expect(answer.body, url).not.toContain('Mallory')
  }
  expect((await bob.open('/dashboard')).body).not.toContain('Mallory')
})

test('the log names the method that was meant', async () => {
  const { app, log } = await house({ LOG_REQUESTS: 'true' })
  const bob = await signedIn(app)
  await bob.send('POST', '/sessions?_method=DELETE', {})
  expect(log.some((line) => line.includes('"method":"DELETE","path":"/sessions","status":303'))).toBe(true)
})
