/** Times in words: what they say, and that saying it often costs no memory. */

import { expect, test } from 'vitest'
import { ago, day, duration, moment, momentText } from '../../src/pages/times.ts'

const NOON = Date.UTC(2026, 10, 20, 12)
const MINUTE = 60_000

test.each([
  ['en', 59_999, undefined],
  ['en', MINUTE, '1 minute ago'],
  ['en', 59 * MINUTE, '59 minutes ago'],
  ['fr', 60 * MINUTE, 'il y a 1 heure'],
  ['en', 48 * 60 * MINUTE, '2 days ago'],
])('in %s, %i ms ago is %s', (language, time, words) => {
  expect(ago(NOON - time, NOON, language)).toBe(words)
})

test.each([
  ['en', 1, '1 second'],
  ['en', 119, '119 seconds'],
  ['en', 121, '3 minutes'],
  ['en', 3_600, '60 minutes'],
  ['fr', 7_200, '2 heures'],
  ['en', 86_400, '24 hours'],
  ['fr', 7 * 86_400, '7 jours'],
])('in %s, %i seconds last %s', (language, seconds, words) => {
  expect(duration(seconds, language).replace(/\s/g, ' ')).toBe(words)
})

test('a day and a moment are told in UTC', () => {
  expect(`${day(NOON, 'en')}`).toBe('<time datetime="2026-11-20T12:00:00.000Z">November 20, 2026</time>')
  expect(`${moment(NOON, 'en')}`).toContain('Nov 20, 2026, 12:00 UTC')
  expect(momentText(NOON, 'fr')).toBe('20 nov. 2026, 12:00 UTC')
})

test('H-19: ten thousand times in words take no memory that stays', () => {
  const say = () => `${moment(NOON, 'en')}${day(NOON, 'fr')}${ago(0, NOON, 'en')}${duration(90, 'fr')}`
  say()
  const before = process.memoryUsage().rss
  for (let n = 0; n < 10_000; n += 1) say()
  // With a formatter for each it was more than 300 MB.
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024)
})
