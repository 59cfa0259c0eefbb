/** The template tag: whatever comes from outside stays text. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { attributes, html } from '../../src/pages/html.ts'
import { unescaped } from './person.ts'

const BREAKOUT = `"><script>alert('x')</script>&amp;{{7*7}}`

test('W-12: text is escaped', () => {
  expect(String(html`<p>${BREAKOUT}</p>`)).toBe(
    '<p>&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;{{7*7}}</p>',
  )
})

test('W-12: any text comes out as it went in, in an element and in an attribute', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const [, inElement = ''] = /^<p>([^<>"']*)<\/p>$/su.exec(String(html`<p>${text}</p>`)) ?? []
      const [, inAttribute = ''] = /^<i title="([^<>"']*)">$/su.exec(String(html`<i title="${text}">`)) ?? []
      const [, inList = ''] = /^ title="([^<>"']*)"$/su.exec(String(attributes({ title: text }))) ?? []
      expect([unescaped(inElement), unescaped(inAttribute), unescaped(inList)]).toEqual([text, text, text])
    }),
  )
})

test('what has been escaped is not escaped again, and lists pass', () => {
  const items = ['<', '>'].map((sign) => html`<li>${sign}</li>`)
  expect(String(html`<ul>${items}</ul>`)).toBe('<ul><li>&lt;</li><li>&gt;</li></ul>')
})

test('nothing renders nothing, zero is something', () => {
  expect(String(html`${null}${undefined}${false}${''}${0}${[]}`)).toBe('0')
})

test('an object that only looks like markup is text', () => {
  expect(String(html`${[['<b>']]}`)).toBe('&lt;b&gt;')
})

test.each(['/login', '/login?next=%2F', '#top', 'https://example.org/terms'])('%s is an address', (address) => {
  expect(String(html`<a href="${address}">`)).toBe(`<a href="${address}">`)
})

test.each([
  'javascript:alert(1)',
  ' javascript:alert(1)',
  'JavaScript:x',
  'data:text/html,x',
  '//evil.test',
  '/\\evil.test',
  '',
])('W-12: %j is no address for a page', (address) => {
  expect(() => html`<a href="${address}">`).toThrow(TypeError)
  expect(() => html`<form action="${address}">`).toThrow(TypeError)
  expect(() => html`<img src="${address}">`).toThrow(TypeError)
})

test('W-12: a value where escaping is no help is refused', () => {
  expect(() => html`<a title=${'x'}>`).toThrow(TypeError)
  expect(() => html`<script>${'x'}</script>`).toThrow(TypeError)
  expect(() => html`<style>${'x'}</style>`).toThrow(TypeError)
  expect(() => html`<p style="${'x'}">`).toThrow(TypeError)
  expect(() => html`<p onclick="${'x'}">`).toThrow(TypeError)
})

test('attributes: those without a value are left out', () => {
  expect(String(attributes({ id: 'a', required: true, autofocus: false, hint: undefined, value: '' }))).toBe(
    ' id="a" required value=""',
  )
})
