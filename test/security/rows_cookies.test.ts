/** Rows of the security list about the cookies beside the session's. */

import { expect, test } from 'vitest'
import { attributesOf, cookieName, cookieValue, house } from '../app/client.ts'
import { PRODUCTION } from '../house.ts'
import { cookieLines, journey } from './journey.ts'

const LONGEST_LIFE = 400 * 24 * 3600

test.each([
  ['by default', {}, ['__Host-device', '__Host-reset', '__Host-session_id']],
  [
    'where the session is shared with subdomains',
    { COOKIE_DOMAIN: 'example.org' },
    ['__Host-device', '__Host-reset', 'session_id'],
  ],
])('K-08: what else is set is as well kept as the session, %s', async (_, env, names) => {
  const lines = cookieLines(await journey(await house({ ...PRODUCTION, ...env })))
  expect([...new Set(lines.map(cookieName))].sort()).toEqual(names)
  const devices = lines.filter((line) => ['__Host-device', '__Host-reset'].includes(cookieName(line)))
  expect(devices.length).toBeGreaterThan(1)
  for (const line of devices) {
    const attributes = attributesOf(line).filter((attribute) => !attribute.startsWith('Max-Age='))
    expect(attributes, line).toEqual(['HttpOnly', 'Path=/', 'SameSite=Strict', 'Secure'])
    const life = Number(/; Max-Age=(\d+)(?:;|$)/.exec(line)?.[1])
    expect(life, line).toBeLessThanOrEqual(LONGEST_LIFE)
    expect(cookieName(line).length + cookieValue(line).length, line).toBeLessThan(140)
  }
})
