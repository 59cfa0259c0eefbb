/** The routes of the contract, for tests that go through all of them. */

import { ALICE, BOB, type Client, NEW_PASSWORD } from './client.ts'

/** Every path with the methods that it serves; `:id` is a path like any other, of no session. */
export const ROUTES: [string, string[]][] = [
  ['/', ['GET', 'HEAD']],
  ['/users', ['POST']],
  ['/users/me', ['GET', 'HEAD', 'PATCH', 'DELETE']],
  ['/sessions', ['GET', 'HEAD', 'POST', 'DELETE']],
  ['/sessions/:id', ['DELETE']],
  ['/profile', ['GET', 'HEAD']],
  ['/reset_password', ['POST', 'PUT']],
]

export const GOOD_PASSWORD = 'a long way to go'

/** Every route that shows something and changes nothing. */
export const SAFE: [string, string][] = [
  ['GET', '/'],
  ['GET', '/profile'],
  ['GET', '/users/me'],
  ['GET', '/sessions'],
]

/** Every unsafe route with fields that would do something. */
export const UNSAFE: [string, string, Record<string, string>][] = [
  ['POST', '/users', { email: ALICE, password: GOOD_PASSWORD }],
  ['POST', '/sessions', { email: BOB, password: GOOD_PASSWORD }],
  ['PATCH', '/users/me', { name: 'Robert' }],
  [
    'PATCH',
    '/users/me',
    { email: 'robert@example.org', password: 'another long way', current_password: GOOD_PASSWORD },
  ],
  ['DELETE', '/users/me', { current_password: GOOD_PASSWORD }],
  ['DELETE', '/sessions', {}],
  ['DELETE', '/sessions?others=true', { current_password: GOOD_PASSWORD }],
  ['DELETE', '/sessions/:id', { current_password: GOOD_PASSWORD }],
  ['POST', '/reset_password', { email: BOB }],
  ['PUT', '/reset_password', { email: BOB, reset_token: 'nonsense', new_password: NEW_PASSWORD }],
]

/** @returns the path with the client's own session in the place of `:id` */
export function pathFor({ sessionId }: Client, url: string): string {
  return url.replace(':id', sessionId)
}
