/** Rows of the security list about the cookies beside the session's. */

import { expect, test } from 'vitest'
import { attributesOf, cookieName, cookieValue, house } from '../app/client.ts'
import { PRODUCTION } from '../house.ts'
import { cookieLines, journey } from './journey.ts'

const LONGEST_LIFE = 400 * 24 * 3600

/** What is set beside the session, with its attributes but for its life. */
const KEPT: Record<string, string[]> = {
  '__Host-device': ['HttpOnly', 'Path=/', 'SameSite=Strict', 'Secure'],
  '__Host-reset': ['HttpOnly', 'Path=/', 'SameSite=Strict', 'Secure'],
  // It goes along where a link from elsewhere leads to a page.
  '__Host-access_token': ['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure'],
  '__Host-refresh_session': ['HttpOnly', 'Path=/', 'SameSite=Strict', 'Secure'],
  '__Secure-refresh_token': ['HttpOnly', 'Path=/tokens/refresh', 'SameSite=Strict', 'Secure'],
}

test.each([
  ['by default', {}, [...Object.keys(KEPT), '__Host-session_id']],
  [
    'where the session is shared with subdomains',
    { COOKIE_DOMAIN: 'example.org' },
    [...Object.keys(KEPT), 'session_id'],
  ],
])('K-08: what else is set is as well kept as the session, %s', async (_, env, names) => {
  const lines = cookieLines(await journey(await house({ ...PRODUCTION, ...env })))
  expect([...new Set(lines.map(cookieName))].sort()).toEqual(names.sort())
  const others = lines.filter((line) => cookieName(line) in KEPT)
  expect(others.length).toBeGreaterThan(3)
  for (const line of others) {
    const attributes = attributesOf(line).filter((attribute) => !attribute.startsWith('Max-Age='))
    expect(attributes, line).toEqual(KEPT[cookieName(line)])
    const life = Number(/; Max-Age=(\d+)(?:;|$)/.exec(line)?.[1])
    expect(life, line).toBeLessThanOrEqual(LONGEST_LIFE)
    expect(cookieName(line).length + cookieValue(line).length, line).toBeLessThan(
      cookieName(line).includes('access') ? 800 : 140,
    )
  }
})
