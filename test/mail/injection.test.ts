/**
 * What strangers may write into a mail: an address is refused at the registration, or is the one recipient of a mail that
 * has the headers and parts of every other one.
 */

import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { domainToASCII } from 'node:url'
import fc from 'fast-check'
import type { Email } from 'postal-mime'
import { expect, test } from 'vitest'
import { compose } from '../../src/mail/compose.ts'
import { folderTransport } from '../../src/mail/transport.ts'
import { type House, MAIL } from '../house.ts'
import { production, Visitor } from '../production.ts'
import { temporaryFolder } from '../started.ts'
import { openRoom } from './room.ts'
import { read, startSmtp } from './smtp.ts'

const UNLIMITED = { REGISTRATIONS_PER_NETWORK: '0', MAILS_PER_ADDRESS: '0' }
const HEADERS = [
  ...['auto-submitted', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to'],
  'x-auto-response-suppress',
]
const PARTS = ['multipart/alternative', 'text/plain', 'text/html']

/** What means something in a header, in an address, or to whoever takes a mail apart. */
const SIGNS = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\0',
    '\t',
    ' ',
    ',',
    ';',
    ':',
    '"',
    "'",
    '`',
    '<',
    '>',
    '(',
    ')',
    '[',
    ']',
    '\\',
    '@',
    '.',
    '..',
  ],
  ...['%', '%0a', '%0d%0a', '!', '|', '$', '&', '/', '=', '?', '#', '+', '-', '_', '*', '{', '}', '~', '^'],
  ...[
    'Bcc: eve@evil.test',
    '\r\nBcc: eve@evil.test',
    '\r\n\r\n<b>',
    'eve@evil.test',
    '=?utf-8?q?=0ABcc:eve=40evil.test?=',
  ],
  ...[
    '=?utf-8?b?DQpCY2M6IGV2ZUBldmlsLnRlc3Q=?=',
    'xn--',
    'xn--80ak6aa92e',
    '--',
    '\u2028',
    '\u0085',
    '\u00a0',
    '\u00ad',
  ],
  ...[
    '\u200b',
    '\u202e',
    '\ufeff',
    '＠',
    '，',
    '；',
    '＜',
    '。',
    '．',
    'İ',
    'ß',
    'ſ',
    'K',
    'é',
    '名',
    '😀',
    '\ud800',
    '\u037e',
  ],
]

const piece = fc.oneof(
  { weight: 5, arbitrary: fc.stringMatching(/^[a-z0-9.]{1,8}$/) },
  { weight: 3, arbitrary: fc.constantFrom(...SIGNS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
)
const words = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''))
const domain = fc.oneof(
  fc.domain(),
  words,
  words.map((word) => `${word}.example`),
  fc.constant('example.org'),
)
const address = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(words, domain).map(([local, host]) => `${local}@${host}`) },
  { weight: 2, arbitrary: fc.emailAddress() },
  { weight: 1, arbitrary: words },
  { weight: 1, arbitrary: fc.integer({ min: 40, max: 300 }).map((long) => `${'long.'.repeat(long / 5)}x@example.org`) },
)
const name = fc.oneof(words, fc.string({ unit: 'binary', maxLength: 80 }), fc.constant('n'.repeat(2_000)))

function partsOf(email: string): [local: string, host: string] {
  const at = email.lastIndexOf('@')
  return [email.slice(0, at), email.slice(at + 1)]
}

/** @returns the name of a domain in the one form that mail servers know, or undefined where it is none in any form */
function domainName(host: string): string | undefined {
  const ascii = /[/\\?#%]/.test(host) ? '' : domainToASCII(host)
  if (ascii !== '') return ascii
  return /^[\0-\x7f]*$/.test(host) ? host.toLowerCase() : undefined
}

/** What is no name of a domain must only be one recipient, and lead nowhere else. */
function expectAddress(found: string, email: string): void {
  const [local, host] = partsOf(email)
  const [foundLocal, foundHost] = partsOf(found)
  // Where its dots are not between letters it must stand in quotes (RFC 5322 3.4.1), which say nothing.
  const [said, meant] = [foundLocal, local].map((one) => one.replace(/^"(.*)"$/, '$1'))
  expect(said).toBe(meant)
  const name = domainName(host)
  if (name === undefined) expect(foundHost).toMatch(/^[^\s@,;:<>()"\\[\]]+$/)
  else expect(domainName(foundHost)).toBe(name)
}

function sameAddress(found: string, email: string): boolean {
  try {
    expectAddress(found, email)
    return true
  } catch {
    return false
  }
}

/** @returns the MIME types of all parts of a raw message, in order */
function typesIn(raw: Buffer): string[] {
  return [...raw.toString('latin1').matchAll(/^content-type: ([\w-]+\/[\w-]+)/gim)].map(([, type = '']) => type)
}

function expectHarmless(parsed: Email, raw: Buffer, email: string): void {
  expect(parsed.headers.map(({ key }) => key).sort()).toEqual(HEADERS)
  expect(typesIn(raw)).toEqual(PARTS)
  expect([parsed.attachments, parsed.cc, parsed.bcc, parsed.replyTo]).toEqual([[], undefined, undefined, undefined])
  expect(parsed.to).toHaveLength(1)
  expectAddress(parsed.to?.[0]?.address ?? '', email)
  expect(parsed.from?.address).toBe('no-reply@example.org')
  const head = raw.toString('latin1').split('\r\n\r\n')[0] ?? ''
  expect(head).not.toMatch(/[\0\x7f]|\r(?!\n)|(?<!\r)\n/)
  expect(head).not.toMatch(/^bcc:/im)
}

async function written({ outbox }: House): Promise<number> {
  return (await outbox.recent(1_000)).length
}

/** Registers. @returns the address as it is registered, or null where it was refused and nothing was written */
async function registered(house: House, email: string, given: string): Promise<string | null> {
  const before = await written(house)
  const fields = { email, password: 'a long way home', name: given }
  const answer = await new Visitor(house).send('POST', '/users', fields)
  if (answer.statusCode === 400) {
    expect(await written(house)).toBe(before)
    return null
  }
  expect([answer.statusCode, await written(house)], JSON.stringify(fields)).toEqual([200, before + 1])
  return answer.json<{ email: string }>().email
}

async function empty({ db }: House): Promise<void> {
  await db.commit(
    ['outbox', 'one_time_tokens', 'users', 'audit_log'].map((table) => ({ sql: `DELETE FROM ${table}`, params: [] })),
  )
}

test('R-21: 2,000 odd addresses and names: refused, or the one recipient of a mail like all others', async () => {
  const house = await production({ ...MAIL, ...UNLIMITED, LOG_LEVEL: 'error' })
  const folder = temporaryFolder()
  const transport = folderTransport(folder)
  const seen = { refused: 0, mailed: 0 }
  await fc.assert(
    fc.asyncProperty(address, name, fc.oneof(fc.constant('Bienvenue'), name), async (email, given, serviceName) => {
      await empty(house)
      const taken = (await registered(house, email, '')) ?? ''
      // A name that is refused is no reason to refuse the address, and is tried for itself.
      if (taken !== '') await registered(house, `named+${taken.length}@example.org`, given)
      const [row] = (await house.outbox.recent(5)).filter((one) => house.outbox.open(one).to === taken)
      if (row === undefined) {
        seen.refused += 1
        return
      }
      seen.mailed += 1
      const settings = { ...house.settings, serviceName }
      const site = { ...house.app.site, settings }
      await transport.send(compose(site, settings.publicUrl, row, house.outbox.open(row)))
      const [file = ''] = readdirSync(folder)
      const raw = readFileSync(join(folder, file))
      rmSync(join(folder, file))
      expectHarmless(await read({ raw }), raw, taken)
    }),
    { numRuns: 2_000 },
  )
  expect(seen.refused).toBeGreaterThan(300)
  expect(seen.mailed).toBeGreaterThan(300)
}, 180_000)

test('R-21: over SMTP an odd address is the one recipient, or no mail goes', async () => {
  const smtp = await startSmtp()
  const room = await openRoom(smtp, {
    ...UNLIMITED,
    LOG_LEVEL: 'info',
    SERVICE_NAME: 'A "name",\r\nBcc: <eve@evil.test>',
  })
  const accepted: string[] = []
  for (const email of [...fc.sample(address, 400), ...SIGNS.map((sign) => `a${sign}b@example.org`)]) {
    const taken = await registered(room, email, '')
    if (taken !== null) accepted.push(taken)
  }
  room.delivery.wake()
  const settled = ['mail sent', 'a mail was refused for good', 'a mail could not be sent yet']
  await expect
    .poll(() => room.log.filter((line) => settled.some((msg) => line.includes(`"${msg}"`))).length, { timeout: 60_000 })
    .toBe(accepted.length)
  expect(accepted.length).toBeGreaterThan(100)
  expect(smtp.received.length).toBeGreaterThan(accepted.length / 2)
  for (const { to, raw } of smtp.received) {
    const parsed = await read({ raw })
    // The envelope and the header name the same one, and somebody registered it.
    expect(to).toHaveLength(1)
    expectAddress(to[0] ?? '', parsed.to?.[0]?.address ?? '')
    const email = accepted.find((one) => sameAddress(to[0] ?? '', one))
    expectHarmless(parsed, raw, email ?? '(nobody)')
  }
}, 120_000)
