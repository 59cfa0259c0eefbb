/** Where a person may be sent after a login. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { returnAddress } from '../../src/security/return_address.ts'

const HOME = { publicUrl: 'https://auth.example.org', returnHosts: ['app.example.org', 'other.example.org:8443'] }

test.each([
  ['/', '/'],
  ['/dashboard', '/dashboard'],
  ['/a/../b?c=d#e', '/b?c=d#e'],
  ['/é?ü="<', '/%C3%A9?%C3%BC=%22%3C'],
  ['/%0d%0aset-cookie:x', '/%0d%0aset-cookie:x'],
  ['/https://evil.test', '/https://evil.test'],
  ['https://app.example.org', 'https://app.example.org/'],
  ['https://app.example.org/x?y', 'https://app.example.org/x?y'],
  ['HTTPS://APP.example.org/', 'https://app.example.org/'],
  ['https://other.example.org:8443/', 'https://other.example.org:8443/'],
])('%j leads to %s', (wanted, address) => {
  expect(returnAddress(wanted, HOME)).toBe(address)
})

test.each([
  undefined,
  '',
  'dashboard',
  'https://evil.test',
  '//evil.test',
  '///evil.test',
  '/\\evil.test',
  '\\\\evil.test',
  '/.//evil.test',
  '/..//evil.test',
  '/a/..//evil.test',
  '/%2e//evil.test',
  '/\t/evil.test',
  '\t//evil.test',
  ' //evil.test',
  '/\r\nset-cookie: x',
  '/\u0000',
  '/\u200b/evil.test',
  'javascript:alert(1)',
  'java\tscript:alert(1)',
  'data:text/html,x',
  'https:evil.test',
  'https:/evil.test',
  'https://app.example.org@evil.test/',
  'https://evil@app.example.org/',
  'https://app.example.org.evil.test/',
  'https://app.example.org:444/',
  'https://other.example.org/',
  'http://app.example.org/',
  'ftp://app.example.org/',
  `/${'a'.repeat(2_000)}`,
])('W-13: %j leads nowhere', (wanted) => {
  expect(returnAddress(wanted, HOME)).toBeUndefined()
})

test('plain http is as good as the service itself', () => {
  const home = { publicUrl: 'http://localhost:5000', returnHosts: ['localhost:3000'] }
  expect(returnAddress('http://localhost:3000/x', home)).toBe('http://localhost:3000/x')
})

test('W-13: whatever is wanted, a browser ends up here or at a listed host', () => {
  const pieces = fc.constantFrom(
    '/',
    '\\',
    '//',
    '.',
    '..',
    '%2f',
    '%5c',
    ':',
    '@',
    '?',
    '#',
    'evil.test',
    'https:',
    '\t',
    '\n',
    ' ',
    'x',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const address = returnAddress(parts.join(''), HOME)
      if (address === undefined) return
      expect(new URL(address, HOME.publicUrl).host).toMatch(/^(?:auth|app)\.example\.org$|^other\.example\.org:8443$/)
      expect(address).toMatch(/^[!-~]+$/)
    }),
    { numRuns: 5_000 },
  )
})
