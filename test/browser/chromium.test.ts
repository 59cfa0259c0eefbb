/** Where no Chromium is, nothing passes in silence: a line says what is missing, or the tests fail. */

import { expect, test } from 'vitest'
import { findChromium, withoutBrowser } from './chromium.ts'

function lines(env: Record<string, string>, found?: string): { said: string[]; left: string[] } {
  const said: string[] = []
  return { left: withoutBrowser(env, (line) => void said.push(line), found), said }
}

test('the Chromium that is named is used, and no other', () => {
  expect(findChromium({ CHROMIUM: '/opt/mine' }, () => true)).toBe('/opt/mine')
  expect(findChromium({ CHROMIUM: '/opt/mine' }, (path) => path === '/usr/bin/chromium')).toBeUndefined()
  expect(findChromium({}, (path) => path === '/usr/bin/google-chrome')).toBe('/usr/bin/google-chrome')
})

test('without a Chromium one line says how to install one, and its tests are left out', () => {
  const nowhere = { CHROMIUM: '/nowhere' }
  expect(lines(nowhere)).toEqual({
    left: ['test/browser/**'],
    said: [expect.stringContaining('apt-get install chromium')],
  })
})

test.each([{ CI: 'true' }, { BIENVENUE_BROWSER: 'required' }])('with %o nothing is left out', (demand) => {
  expect(lines({ CHROMIUM: '/nowhere', ...demand })).toEqual({ left: [], said: [] })
})

test('with a Chromium nothing is left out', () => {
  expect(lines({}, '/usr/bin/chromium')).toEqual({ left: [], said: [] })
})
