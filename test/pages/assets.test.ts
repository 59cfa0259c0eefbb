/** What pages load: made once, named by its content. */

import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { StartError } from '../../src/errors.ts'
import { loadAssets } from '../../src/pages/assets.ts'

const PLAIN = { color: '#1f5f8b', logo: '' }

test('the name follows the content, and nothing else', () => {
  const [first, again, other] = [loadAssets(PLAIN), loadAssets(PLAIN), loadAssets({ ...PLAIN, color: '#ffee00' })]
  expect(again.addresses).toEqual(first.addresses)
  expect(other.addresses.style).not.toBe(first.addresses.style)
  expect(other.addresses.script).toBe(first.addresses.script)
})

test.each([
  ['#1f5f8b', '#ffffff'],
  ['#ffee00', '#000000'],
  ['#000000', '#ffffff'],
])('on %s the text is %s', (color, text) => {
  const { assets, addresses } = loadAssets({ color, logo: '' })
  const style = assets.get(addresses.style.replace('/assets/', ''))?.content.toString()
  expect(style).toMatch(new RegExp(`^:root \\{ --accent: ${color}; --on-accent: ${text}; \\}`))
})

test('the logo of the operator takes the place of ours', () => {
  const logo = join(tmpdir(), `logo-${process.pid}.PNG`)
  writeFileSync(logo, 'an image')
  const { assets, addresses } = loadAssets({ ...PLAIN, logo })
  expect(addresses.logo).toMatch(/^\/assets\/logo\.[\w-]{12}\.png$/)
  expect(assets.get(addresses.logo.replace('/assets/', ''))).toEqual({
    type: 'image/png',
    content: Buffer.from('an image'),
  })
})

test.each(['/nowhere.png', '/etc/passwd', 'logo.html'])('LOGO=%s stops the start', (logo) => {
  expect(() => loadAssets({ ...PLAIN, logo })).toThrow(StartError)
})

test('W-17: the files name no other host', () => {
  for (const [name, { content }] of loadAssets(PLAIN).assets) {
    expect(content.toString().replace('http://www.w3.org/2000/svg', ''), name).not.toMatch(/\/\/[a-z]|url\(|@import/i)
  }
})

test('W-16: the script keeps nothing, and stops nobody from pasting', () => {
  const { assets, addresses } = loadAssets(PLAIN)
  const script = assets.get(addresses.script.replace('/assets/', ''))?.content.toString()
  expect(script).toContain('addShowButton')
  expect(script).not.toMatch(/localStorage|sessionStorage|indexedDB|document\.cookie|paste|fetch|innerHTML|eval/)
})
