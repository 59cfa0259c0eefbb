/** What becomes of a letter between the outbox and the mail server: taken, tried again, given up; once, and by one process. */

import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test, vi } from 'vitest'
import { LATE } from '../../src/mail/delivery.ts'
import { DAY, HOUR, MADE_UP, MINUTE, SECOND } from '../production.ts'
import { temporaryFolder } from '../started.ts'
import { CODE, deliveryOf, openRoom, type Room, resetLetter, TOKEN } from './room.ts'
import { arrivals, gate, PATIENCE, selfSigned, startSmtp, tried } from './smtp.ts'

const ADA = 'ada@lovelace.example'
const BYRON = 'byron@poets.example'

const SENT = 'mail sent'
const LATER = 'a mail could not be sent yet'
const REFUSED = 'a mail was refused for good'
const NEVER = 'a mail was never sent: it could not go before it was of no use any more'

/** The log knows letters by their ids, and repeats nothing that they say. */
function expectSilence({ log }: Pick<Room, 'log'>): void {
  expect(log.length).toBeGreaterThan(0)
  for (const secret of [ADA, 'lovelace', TOKEN, CODE, encodeURIComponent(ADA)])
    expect(log.join('')).not.toContain(secret)
}

test('a letter that is taken is wiped, and is not sent again', async () => {
  const room = await openRoom(await startSmtp())
  await room.post(resetLetter(ADA))
  const [mail] = await arrivals(room.smtp, 1)
  expect([mail?.from, mail?.to]).toEqual(['no-reply@example.org', [ADA]])
  const [line] = await room.said(SENT)
  expect(line).toMatchObject({ level: 30, kind: 'password_reset', tries: 1 })
  const [row] = await room.outbox.recent(1)
  expect(row).toMatchObject({ id: line?.letter, sealed: '', dueAt: null, claim: '' })
  room.pass(30 * MINUTE)
  await room.delivery.stop()
  expect(room.smtp.tries).toEqual([ADA])
  expectSilence(room)
})

test('a letter whose link has ended stays behind, and no other one', async () => {
  const room = await openRoom(await startSmtp())
  const ended = resetLetter(ADA, { values: { token: MADE_UP, code: CODE } })
  const others = [resetLetter(ADA, { kind: 'email_change' }), resetLetter(BYRON)]
  await room.db.commit([ended, ...others].flatMap((letter) => room.outbox.put(letter)))
  await room.db.commit(room.outbox.outdate('password_reset', ADA))
  await room.post(resetLetter(ADA))
  const mails = await arrivals(room.smtp, 3)
  expect(mails.map(({ to }) => to.join()).toSorted()).toEqual([ADA, ADA, BYRON])
  expect(mails.filter(({ raw }) => raw.includes(MADE_UP))).toEqual([])
  await room.said(SENT, 3)
  await room.delivery.stop()
  expect(await room.outbox.waiting()).toEqual({ count: 0, oldest: 0 })
})

test('a letter whose link ends while the server refuses it for now stays behind', async () => {
  const smtp = await startSmtp()
  const { opened, open } = gate()
  smtp.reply = (to, before) =>
    to === ADA && before === 0 ? { after: opened, words: '451 4.3.0 come back later' } : 'take'
  const room = await openRoom(smtp)
  await room.post(resetLetter(ADA))
  await tried(smtp, 1)
  await room.db.commit(room.outbox.outdate('password_reset', ADA))
  open()
  const [line] = await room.said(
    'a mail could not be sent, and this try is the last: its link has ended, or another try has begun',
  )
  expect(line).toMatchObject({ level: 40, kind: 'password_reset', tries: 1, reply: '451 4.3.0 come back later' })
  room.pass(10 * SECOND)
  await room.post(resetLetter(BYRON))
  await arrivals(smtp, 1)
  await room.delivery.stop()
  expect(smtp.tries).toEqual([ADA, BYRON])
})

test('a letter that was taken, and could not be noted for longer than it was claimed, is not sent again', async () => {
  const room = await openRoom(await startSmtp())
  const settle = vi.spyOn(room.outbox, 'settle').mockRejectedValueOnce(new Error('the database is gone'))
  await room.post(resetLetter(ADA))
  await room.said('a sent mail cannot be noted yet')
  room.pass(4 * MINUTE)
  await room.post(resetLetter(BYRON))
  await room.said(SENT, 2)
  await room.delivery.stop()
  expect(settle.mock.calls.length).toBe(3)
  expect([room.smtp.tries, await room.outbox.waiting()]).toEqual([[ADA, BYRON], { count: 0, oldest: 0 }])
})

test('a letter that is still on its way when its claim is over is not sent beside itself', async () => {
  const smtp = await startSmtp()
  const { opened, open } = gate()
  smtp.reply = (to) => (to === ADA ? { after: opened } : 'take')
  const room = await openRoom(smtp)
  await room.post(resetLetter(ADA))
  await tried(smtp, 1)
  room.pass(4 * MINUTE)
  await room.post(resetLetter(BYRON))
  await arrivals(smtp, 1)
  open()
  await room.said(SENT, 2)
  await room.delivery.stop()
  expect([smtp.tries, await room.outbox.waiting()]).toEqual([[ADA, BYRON], { count: 0, oldest: 0 }])
})

test('a letter that the server cannot take now goes after the pause, not before', async () => {
  const smtp = await startSmtp()
  smtp.reply = (to, before) =>
    to === ADA && before === 0 ? { at: 'recipient', words: `451 4.3.0 <${ADA}> come back later` } : 'take'
  const room = await openRoom(smtp)
  await room.post(resetLetter(ADA))
  const [line] = await room.said(LATER)
  expect(line).toMatchObject({ level: 40, wait: 10, reply: '451 4.3.0 <(address)> come back later' })
  room.pass(10 * SECOND - 1)
  // Whoever is due goes first, so this one shows that the other is not.
  await room.post(resetLetter(BYRON))
  await arrivals(smtp, 1)
  expect(smtp.tries).toEqual([ADA, BYRON])
  room.pass(1)
  await arrivals(smtp, 2)
  expect(smtp.received.map(({ to }) => to)).toEqual([[BYRON], [ADA]])
  expectSilence(room)
})

test.each([
  ['the recipient', 'recipient', `550 5.1.1 <${ADA}>: nobody of this name, says ${ADA}`],
  ['what it says', 'data', `554 5.6.0 we do not want ${TOKEN} for ${ADA}`],
  [
    'the link in it',
    'data',
    `554 5.6.0 https://auth.example.org/reset#t=${TOKEN}&e=${encodeURIComponent(ADA)} is listed`,
  ],
] as const)('a letter of which the server refuses %s for good is given up at once', async (_, at, words) => {
  const smtp = await startSmtp()
  smtp.reply = (to) => (to === ADA ? { at, words } : 'take')
  const room = await openRoom(smtp)
  await room.post(resetLetter(ADA))
  const [line] = await room.said(REFUSED)
  expect(line).toMatchObject({ level: 50, kind: 'password_reset', tries: 1 })
  expect(String(line?.reply)).toContain('(address)')
  expect((await room.outbox.recent(1))[0]).toMatchObject({ sealed: '', dueAt: null })
  room.pass(2 * MINUTE)
  await room.post(resetLetter(BYRON))
  await arrivals(smtp, 1)
  expect(smtp.tries).toEqual([ADA, BYRON])
  expectSilence(room)
})

test.each([
  ['a sender', 'sender', '550 5.7.1 this sender is not yours'],
  ['a relay', 'recipient', '554 5.7.1 Relay access denied'],
  ['a sender, said late,', 'recipient', '553 5.1.8 sender address rejected'],
  ['a missing login', 'data', '530 5.7.0 log in first'],
] as const)('%s that is refused is a fault of ours, and the letter is tried again', async (_, at, words) => {
  const smtp = await startSmtp()
  smtp.reply = () => ({ at, words })
  const room = await openRoom(smtp)
  await room.post(resetLetter(ADA))
  expect(await room.said(LATER)).toEqual([expect.objectContaining({ wait: 10, reply: words })])
  smtp.reply = () => 'take'
  room.pass(10 * SECOND)
  await arrivals(smtp, 1)
  expectSilence(room)
})

test('a login that is refused is a fault of ours, and the letter is tried again', async () => {
  const smtp = await startSmtp({ login: { user: 'bienvenue', password: 'p@ss:word/' } })
  const url = smtp.url.replace('//', '//bienvenue:p%40ss%3Aword%2F@')
  const room = await openRoom(smtp, { SMTP_URL: url }, { password: 'not this one' })
  await room.post(resetLetter(ADA))
  expect(await room.said(LATER)).toEqual([expect.objectContaining({ code: 'EAUTH' })])
  expect(smtp.received).toEqual([])
  // With the password of SMTP_URL the same letter goes; who has not got it must not come first.
  await room.delivery.stop()
  const mended = deliveryOf(room)
  room.clock.advance(10 * SECOND)
  mended.wake()
  const [mail] = await arrivals(smtp, 1)
  expect(mail?.user).toBe('bienvenue')
  await mended.stop()
  expect(room.log.join('')).not.toContain('not this one')
  expectSilence(room)
})

test('slow letters hold up only their own places: the others arrive meanwhile', async () => {
  const smtp = await startSmtp()
  const { opened, open } = gate()
  const slow = [1, 2, 3, 4].map((n) => `slow${n}@example.net`)
  smtp.reply = (to) => (slow.includes(to) ? { after: opened } : 'take')
  const room = await openRoom(smtp)
  const quick = Array.from({ length: 12 }, (_, n) => `quick${n}@example.net`)
  await room.post(...[...slow, ...quick].map((to) => resetLetter(to)))
  const before = await arrivals(smtp, quick.length)
  expect(before.flatMap(({ to }) => to).sort()).toEqual(quick.sort())
  open()
  expect(
    (await arrivals(smtp, 16))
      .slice(12)
      .flatMap(({ to }) => to)
      .sort(),
  ).toEqual(slow)
})

test('a server that says nothing gets no more than five connections, and the letters go when it speaks again', async () => {
  const smtp = await startSmtp()
  smtp.greets = false
  const room = await openRoom(smtp)
  await room.post(...Array.from({ length: 8 }, (_, n) => resetLetter(`reader${n}@example.net`)))
  // The limit of a greeting is 10 s of real time.
  await vi.waitFor(() => expect(smtp.connections).toBe(5), { timeout: PATIENCE, interval: 10 })
  const lines = await room.said(LATER, 5)
  expect(lines.map(({ code }) => code)).toContain('ETIMEDOUT')
  const claimed = (await room.outbox.recent(10)).filter(({ tries }) => tries > 0)
  expect(claimed.length).toBeGreaterThanOrEqual(5)
  smtp.greets = true
  room.pass(MINUTE)
  await arrivals(smtp, 5)
}, 60_000)

test('a line that is dropped after the whole mail: it is sent once more, later', async () => {
  const smtp = await startSmtp()
  smtp.reply = (_to, before) => (before === 0 ? 'drop' : 'take')
  const room = await openRoom(smtp)
  await room.post(resetLetter(ADA))
  await room.said(LATER)
  expect(smtp.received).toEqual([])
  room.pass(10 * SECOND)
  await arrivals(smtp, 1)
  await room.said(SENT)
  room.pass(30 * MINUTE)
  await room.delivery.stop()
  expect(smtp.tries).toEqual([ADA, ADA])
})

test('nothing is sent to a server whose certificate nobody has signed, and the log warns', async () => {
  const smtp = await startSmtp({ tls: selfSigned(), secure: true })
  const room = await openRoom(smtp)
  await room.post(resetLetter(ADA))
  expect(await room.said(LATER)).toEqual([expect.objectContaining({ level: 40, tries: 1 })])
  expect([smtp.tries, smtp.received]).toEqual([[], []])
  expect((await room.outbox.recent(1))[0]).toMatchObject({ tries: 1, claim: '', dueAt: room.clock.now() + 10 * SECOND })
  expectSilence(room)
})

test.each([
  ['does not offer TLS', undefined],
  ['has a certificate that nobody has signed', selfSigned],
])('nothing is sent in the clear to a server elsewhere that %s', async (_, certificate) => {
  const tls = certificate?.()
  const smtp = await startSmtp(tls === undefined ? {} : { tls })
  // What is demanded of every host that is not this machine.
  const room = await openRoom(smtp, {}, { plain: false })
  await room.post(resetLetter(ADA))
  await room.said(LATER)
  expect([smtp.tries, smtp.received]).toEqual([[], []])
  expectSilence(room)
})

test('a letter past its end is not sent any more, and the log says so', async () => {
  const smtp = await startSmtp()
  smtp.reply = () => ({ at: 'data', words: '452 4.3.1 full' })
  const room = await openRoom(smtp)
  await room.post(resetLetter(ADA))
  await room.said(LATER)
  smtp.reply = () => 'take'
  room.pass(HOUR - 1)
  await arrivals(smtp, 1)
  await room.post(resetLetter(BYRON))
  await arrivals(smtp, 2)
  smtp.reply = () => ({ at: 'data', words: '452 4.3.1 full' })
  await room.post(resetLetter('late@example.net'))
  await room.said(LATER, 2)
  smtp.reply = () => 'take'
  room.pass(HOUR)
  expect(await room.said(NEVER)).toEqual([expect.objectContaining({ level: 50, tries: 2 })])
  expect(smtp.received.length).toBe(2)
  expect((await room.outbox.recent(10)).map(({ sealed, dueAt }) => [sealed, dueAt])).toEqual([
    ['', null],
    ['', null],
    ['', null],
  ])
})

test('the pauses grow to an hour and stay there', async () => {
  const smtp = await startSmtp()
  smtp.reply = () => ({ at: 'recipient', words: '450 4.2.0 later' })
  const room = await openRoom(smtp)
  await room.post(resetLetter(ADA, { lasts: DAY }))
  const waits: unknown[] = []
  for (let tries = 1; tries <= 10; tries += 1) {
    const line = (await room.said(LATER, tries)).at(-1)
    waits.push(line?.wait)
    room.pass(Number(line?.wait) * SECOND)
  }
  expect(waits).toEqual([10, 30, 60, 300, 900, 1_800, 3_600, 3_600, 3_600, 3_600])
  expect(LATE).toBeLessThan(HOUR)
})

test('what a process that died had claimed is sent by another one, not before the end of its lease', async () => {
  const room = await openRoom(await startSmtp())
  await room.db.commit(room.outbox.put(resetLetter(ADA)))
  // A process claims it, and is never heard of again.
  expect(await room.outbox.claim(5, 120 * SECOND)).toHaveLength(1)
  room.pass(120 * SECOND - 1)
  await room.post(resetLetter(BYRON))
  await arrivals(room.smtp, 1)
  expect(room.smtp.tries).toEqual([BYRON])
  room.pass(1)
  await arrivals(room.smtp, 2)
  expect(room.smtp.tries).toEqual([BYRON, ADA])
})

test('20 processes that look at once claim each letter for one of them', async () => {
  const room = await openRoom(await startSmtp())
  for (let n = 0; n < 30; n += 1) await room.db.commit(room.outbox.put(resetLetter(`reader${n}@example.net`)))
  const claims = await Promise.all(Array.from({ length: 20 }, () => room.outbox.claim(5, MINUTE)))
  const ids = claims.flat().map(({ id }) => id)
  expect([ids.length, new Set(ids).size]).toEqual([30, 30])
})

test('a letter that this process cannot open is left to one with another SECRET, to its end, and the next one goes', async () => {
  const room = await openRoom(await startSmtp())
  await room.db.commit(room.outbox.put(resetLetter(ADA)))
  await room.db.commit(room.outbox.put(resetLetter(BYRON)))
  const [first, second] = await room.outbox.recent(2)
  // Each is sealed for its own row, so neither opens what was the other's.
  const params = [second?.sealed ?? '', first?.id ?? '']
  await room.db.commit([{ sql: 'UPDATE outbox SET sealed = ? WHERE id = ?', params }])
  room.delivery.wake()
  expect(await room.said(LATER)).toEqual([expect.objectContaining({ level: 40, letter: first?.id, wait: 10 })])
  await arrivals(room.smtp, 1)
  await room.said(SENT)
  await room.db.commit([
    { sql: 'UPDATE outbox SET sealed = ? WHERE id = ?', params: [first?.sealed ?? '', first?.id ?? ''] },
  ])
  room.pass(10 * SECOND)
  await room.said(SENT, 2)
  expect(room.smtp.tries.toSorted()).toEqual([ADA, BYRON])
  expectSilence(room)
})

test('a mail that went while the database was held by somebody else is noted later, not sent twice', async () => {
  const smtp = await startSmtp()
  const room = await openRoom(smtp, { DATABASE_URL: `sqlite:${join(temporaryFolder(), 'bienvenue.db')}` })
  const other = new Database(room.settings.databaseUrl.slice('sqlite:'.length))
  const { opened, open } = gate()
  smtp.reply = () => ({ after: opened })
  await room.post(resetLetter(ADA))
  await tried(smtp, 1)
  other.exec('BEGIN IMMEDIATE')
  open()
  await room.said('a sent mail cannot be noted yet')
  other.exec('COMMIT')
  other.close()
  await room.said(SENT)
  expect((await room.outbox.recent(1))[0]).toMatchObject({ sealed: '', dueAt: null })
  expect(smtp.tries).toEqual([ADA])
})
