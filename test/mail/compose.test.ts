/** Every mail in every language, as it arrives: its words, its links, its headers; and what strangers can put into it. */

import { expect, test } from 'vitest'
import { type Letter, type LetterKind, letterKinds } from '../../src/letter.ts'
import { compose } from '../../src/mail/compose.ts'
import { smtpTransport } from '../../src/mail/transport.ts'
import { noticeKinds } from '../../src/settings/mail.ts'
import { languages } from '../../src/texts.ts'
import { MAIL } from '../house.ts'
import { HOUR, MINUTE, OWNER, production, stranger, Visitor } from '../production.ts'
import { CODE, openRoom, resetLetter, TOKEN } from './room.ts'
import { arrivals, linksIn, mailTo, type Received, read, startSmtp } from './smtp.ts'

const ADA = 'ada@lovelace.example'
const SITE = 'https://auth.example.org'
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'
/** What would have to be escaped in HTML, and in a header. */
const NAME = 'Fish & "Chips" <b>, Ltd.'
const NEW_ADDRESS = 'ada.king@lovelace.example'

const FACTS = { address: '192.0.2.44', userAgent: FIREFOX }
const FULL: Letter['values'] = { ...FACTS, token: TOKEN, code: CODE, email: NEW_ADDRESS, count: '10' }

/** The links of each kind, from what follows PUBLIC_URL. */
const LINKS: Record<LetterKind, (to: string) => readonly string[]> = {
  password_reset: (to) => [`/reset#t=${TOKEN}&e=${encodeURIComponent(to)}`],
  email_confirmation: () => [`/confirm#t=${TOKEN}`],
  email_change: () => [`/confirm#t=${TOKEN}`],
  account_exists: () => ['/login'],
  password_changed: () => ['/forgot'],
  email_changed: () => [`/undo#t=${TOKEN}`],
  new_device: () => ['/forgot'],
  failed_logins: () => [],
  login_after_failures: () => ['/forgot'],
  token_reused: () => ['/forgot'],
  account_deleted: () => [],
  test: () => [],
}

const NOT_YOU: Record<string, RegExp> = { en: /if this was not you/i, fr: /si ce n’était pas vous/i }
const NOT_ASKED: Record<string, RegExp> = { en: /if you did not ask for this/i, fr: /si vous n’avez rien demandé/i }
const ASKED = ['password_reset', 'email_confirmation', 'email_change', 'account_exists']

interface Sent {
  kind: LetterKind
  language: string
  to: string
  mail: Received
}

/** Sends a letter of every kind in every language for real, each to an address of its own. @returns them as they came */
async function everyMail(env: Record<string, string> = {}, values: Letter['values'] = FULL): Promise<Sent[]> {
  const smtp = await startSmtp()
  const room = await openRoom(smtp, { SERVICE_NAME: NAME, ...env })
  const every = letterKinds.flatMap((kind) =>
    [...languages.keys()].map((language) => ({ kind, language, to: `${kind}.${language}+x@lovelace.example` })),
  )
  // A code is in a letter of one kind alone.
  const { code, ...rest } = values
  const given = (kind: LetterKind) => (kind === 'password_reset' ? values : rest)
  await room.post(...every.map(({ kind, language, to }) => ({ kind, to, language, lasts: HOUR, values: given(kind) })))
  // Those of one kind go at a moment by chance.
  await room.said('mail sent', every.length - languages.size)
  room.pass(5 * MINUTE)
  const received = await arrivals(smtp, every.length)
  return every.map((one) => {
    const mail = received.find(({ to }) => to.includes(one.to))
    if (mail === undefined) throw new Error(`no mail came to ${one.to}`)
    return { ...one, mail }
  })
}

/** @returns the words that HTML shows, without the markup */
function wordsOfHtml(html: string): string {
  const shown = html.replace(/<head>.*?<\/head>/s, '').replace(/<[^>]*>/g, ' ')
  const entities = new Map([
    ['&lt;', '<'],
    ['&gt;', '>'],
    ['&quot;', '"'],
    ['&#39;', "'"],
    ['&amp;', '&'],
  ])
  return shown.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => entities.get(entity) ?? entity)
}

/** Sends one letter for real. @returns it as it came */
async function sent(letter: Letter, env: Record<string, string> = {}): Promise<Received> {
  const room = await openRoom(await startSmtp(), { SERVICE_NAME: NAME, ...env })
  await room.post(letter)
  const [mail] = await arrivals(room.smtp, 1)
  if (mail === undefined) throw new Error('no mail came')
  return mail
}

test('the text and the HTML of every mail have the same words and the same links', async () => {
  for (const { kind, language, to, mail } of await everyMail()) {
    const { text = '', html = '', subject = '', attachments } = await read(mail)
    expect(attachments).toEqual([])
    // A table has no colon between its cells, and a link shows its address below.
    expect(wordsOfHtml(html).replace(/[:\s]/g, '')).toBe(text.replace(/[:\s]/g, ''))
    const links = LINKS[kind](to).map((path) => `${SITE}${path}`)
    expect(html.match(/(?<=href=")[^"]*/g) ?? []).toEqual(links.map((link) => link.replaceAll('&', '&amp;')))
    expect(subject).toContain(NAME)
    expect(`${subject} ${text}`).not.toMatch(/\{\w+\}|\bundefined\b|\bnull\b|\bNaN\b/)
    expect(html).toContain(`lang="${language}"`)
  }
})

test('R-07: a code is said to last ten minutes, or as long as its link where that lasts for less', async () => {
  for (const [lasts, said] of [
    [HOUR, '10 minutes'],
    [5 * MINUTE, '5 minutes'],
  ] as const) {
    const { text = '' } = await read(await sent(resetLetter(ADA, { lasts })))
    expect(text.match(/\d+ minutes/g)).toContain(said)
    if (lasts < HOUR) expect(text).not.toContain('10 minutes')
  }
})

test('R-17: every link of every mail begins with PUBLIC_URL, and nothing is fetched or followed', async () => {
  for (const { kind, to, mail } of await everyMail()) {
    const { text = '', html = '' } = await read(mail)
    // Every mail names the service with its address at the end.
    const links = (text.match(/https?:\/\/[^\s,]+/g) ?? []).map((link) => link.replace(/\.$/, ''))
    expect(links).toEqual([...LINKS[kind](to).map((path) => `${SITE}${path}`), SITE])
    expect(html).not.toMatch(
      /<(?:img|script|style|link|iframe|form|object|video|audio)\b|\bsrc=|url\(|@import|\bon\w+=/i,
    )
    for (const [address] of html.matchAll(/\w+:\/\/[^\s"<]+/g)) expect(address.startsWith(SITE)).toBe(true)
  }
})

test('R-17: a link leads to PUBLIC_URL, whatever host the request names', async () => {
  const smtp = await startSmtp()
  const room = await openRoom(smtp, { TRUST_PROXY: '127.0.0.1', RESETS_PER_NETWORK: '0' })
  const evil = {
    ...{ host: 'evil.test', 'x-forwarded-host': 'evil.test', 'x-forwarded-server': 'evil.test' },
    ...{ 'x-forwarded-proto': 'http', 'x-forwarded-prefix': '/evil', 'x-original-host': 'evil.test' },
    ...{ forwarded: 'host=evil.test;proto=http', referer: 'http://evil.test/', 'x-host': 'evil.test' },
  }
  room.outbox.listen(() => room.delivery.wake())
  const visitor = new Visitor(room, '127.0.0.1')
  expect((await visitor.send('POST', '/users', { email: OWNER, password: 'a long way home' }, evil)).statusCode).toBe(
    200,
  )
  expect((await visitor.send('POST', '/reset_password', { email: OWNER }, evil)).statusCode).toBe(200)
  for (const mail of await arrivals(smtp, 2)) {
    expect(mail.raw.toString()).not.toContain('evil')
    const links = await linksIn(mail)
    expect(links).toHaveLength(2)
    for (const link of links) expect(link.startsWith(`${SITE}/`) || link === `${SITE}.`).toBe(true)
  }
})

test('the headers of every mail are those of a mail that a machine writes to one person', async () => {
  for (const { to, mail } of await everyMail()) {
    const parsed = await read(mail)
    const names = parsed.headers.map(({ key }) => key).sort()
    const machine = ['auto-submitted', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to']
    expect(names).toEqual([...machine, 'x-auto-response-suppress'])
    expect(parsed.headers.find(({ key }) => key === 'auto-submitted')?.value).toBe('auto-generated')
    expect(parsed.from).toEqual({ address: 'no-reply@example.org', name: NAME })
    expect([parsed.to, mail.to]).toEqual([[{ address: to, name: '' }], [to]])
    expect(parsed.date).toBe('2026-01-01T00:00:00.000Z')
    expect(parsed.messageId).toMatch(/^<[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}@example\.org>$/)
  }
})

test.each([
  ['Ada’s Engine, Ltd. <mail@engine.example>', { name: 'Ada’s Engine, Ltd.', address: 'mail@engine.example' }],
  ['mail@engine.example', { name: NAME, address: 'mail@engine.example' }],
])('MAIL_FROM=%s is who sends it', async (written, expected) => {
  const mail = await sent(resetLetter(ADA), { MAIL_FROM: written })
  const { from, messageId } = await read(mail)
  expect([mail.from, from]).toEqual([expected.address, expected])
  expect(messageId).toMatch(/@engine\.example>$/)
})

test('the Message-ID and the date are the same at every try', async () => {
  const smtp = await startSmtp()
  smtp.reply = () => 'take'
  const { app, settings } = await production({ ...MAIL, SMTP_URL: smtp.url })
  if (settings.smtp === undefined) throw new Error('there is no mail server')
  const row = { id: '0d9f4c5e-6b1a-4e7d-9c3b-2a1f0e8d7c6b', createdAt: Date.UTC(2026, 4, 3, 2, 1) }
  for (let tries = 0; tries < 2; tries += 1) {
    await smtpTransport(settings.smtp).send(compose(app.site, settings.publicUrl, row, resetLetter(ADA)))
  }
  const ids = await Promise.all(smtp.received.map(async (mail) => (await read(mail)).messageId))
  expect(ids).toEqual(Array(2).fill(`<${row.id}@example.org>`))
})

test('A-14: every notice says when, from where, on what device, and what to do if it was somebody else', async () => {
  for (const { kind, language, mail } of await everyMail()) {
    if (!noticeKinds.some((notice) => notice === kind)) continue
    const { text = '' } = await read(mail)
    expect(text, kind).toMatch(NOT_YOU[language] ?? /^$/)
    for (const fact of ['2026', '00:00', 'UTC', FACTS.address, 'Firefox', 'Windows']) expect(text, kind).toContain(fact)
    // The one secret in a notice takes the change back.
    expect(text.includes(TOKEN), kind).toBe(kind === 'email_changed')
    expect(mail.raw.toString(), kind).not.toContain(CODE)
  }
})

test('A-14: the notice of a new address that has no link to undo it says whom to ask', async () => {
  const { token, ...values } = FULL
  const changed = (await everyMail({}, values)).filter(({ kind }) => kind === 'email_changed')
  expect(changed).toHaveLength(languages.size)
  for (const { language, mail } of changed) {
    const { text = '' } = await read(mail)
    expect(text).toContain(NEW_ADDRESS)
    expect(text).toMatch(NOT_YOU[language] ?? /^$/)
    expect(text).not.toContain('/undo')
  }
})

test('a mail that somebody else may have asked for says that nothing need be done', async () => {
  const asked = (await everyMail()).filter(({ kind }) => ASKED.includes(kind))
  expect(asked).toHaveLength(ASKED.length * languages.size)
  for (const { language, mail } of asked) expect((await read(mail)).text).toMatch(NOT_ASKED[language] ?? /^$/)
})

test('no line of a mail is longer than the 998 octets that mail servers must take (RFC 5321 4.5.3.1.6)', async () => {
  const long = {
    ...FULL,
    userAgent: 'A browser with a long story '.repeat(60),
    email: `${'a'.repeat(240)}@example.org`,
  }
  const name = `${'Wolfeschlegelsteinhausenbergerdorff'.repeat(20)} ${'é'.repeat(400)}`
  for (const { mail } of await everyMail({ SERVICE_NAME: name }, long)) {
    const lines = mail.raw.toString('latin1').split('\r\n')
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(998)
    expect(lines.join('')).not.toMatch(/[\r\n]/)
  }
})

test('the language of a mail is that of the browser that asked, and else that of the service', async () => {
  const smtp = await startSmtp()
  const room = await openRoom(smtp, { DEFAULT_LANGUAGE: 'fr' })
  room.outbox.listen(() => room.delivery.wake())
  const register = (n: number, headers: Record<string, string>) =>
    stranger(room, n).send('POST', '/users', { email: `reader${n}@example.net`, password: 'a long way home' }, headers)
  await register(1, { 'accept-language': 'en-GB,fr;q=0.3' })
  await register(2, {})
  await mailTo(smtp, 'reader1@example.net', 'Confirm your address')
  await mailTo(smtp, 'reader2@example.net', 'Confirmez votre adresse')
})
