/** The outbox in the database: written with what it is about, limited, unreadable to whoever steals it, swept. */

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { letters, MAIL, openHouse, PRODUCTION } from '../house.ts'
import {
  DAY,
  HOME,
  HOUR,
  MINUTE,
  NEW_PASSWORD,
  OWNER,
  PASSWORD,
  production,
  productionOnFile,
  SECOND,
  signedIn,
  stranger,
  Visitor,
} from '../production.ts'
import { temporaryFolder } from '../started.ts'
import { CODE, deliveryOf, logOf, openRoom, resetLetter, TOKEN } from './room.ts'
import { arrivals, linksIn, startSmtp } from './smtp.ts'

const ADA = 'ada@lovelace.example'
const UNLIMITED = { RESETS_PER_ACCOUNT: '0', RESETS_PER_NETWORK: '0', REGISTRATIONS_PER_NETWORK: '0' }
const SECRET_AFTER = 'Zr5kQw8eTn2vXy7uJb4mLs9dFh6gCp3a'

test('a transaction that fails leaves no letter', async () => {
  const { db, outbox } = await production(MAIL)
  const [put] = outbox.put(resetLetter(ADA))
  if (put === undefined) throw new Error('nothing was handed in')
  const refused = { sql: 'DELETE FROM users WHERE id = 4711', params: [], mustChange: true }
  expect(await db.commit([put, refused])).toBe(false)
  await expect(db.commit([put, { sql: 'INSERT INTO nowhere VALUES (1)', params: [] }])).rejects.toThrow('nowhere')
  expect(await outbox.recent(10)).toEqual([])
  expect(await db.commit([put])).toBe(true)
  expect(await outbox.recent(10)).toHaveLength(1)
})

test('a registration that the database refuses leaves neither account nor letter', async () => {
  const house = await productionOnFile(MAIL)
  const sql = "CREATE TRIGGER broken BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'broken'); END"
  await house.db.commit([{ sql, params: [] }])
  expect((await new Visitor(house).register()).statusCode).toBe(500)
  expect(['users', 'one_time_tokens', 'outbox'].map((table) => house.rows(`SELECT * FROM ${table}`))).toEqual([
    [],
    [],
    [],
  ])
})

test('more mails of one kind to one address in an hour than the limit are not written, and nobody is told', async () => {
  const house = await production({ ...MAIL, ...UNLIMITED, MAILS_PER_ADDRESS: '3' })
  await signedIn(house)
  const answers = []
  for (const email of [OWNER, 'ADA@lovelace.EXAMPLE', ` ${OWNER}`, OWNER, OWNER]) {
    answers.push(await stranger(house).askForReset(email))
    house.clock.advance(MINUTE)
  }
  expect(new Set(answers.map(({ statusCode, body }) => `${statusCode} ${body}`)).size).toBe(1)
  const resets = async () => (await letters(house)).filter(({ kind }) => kind === 'password_reset')
  expect(await resets()).toHaveLength(3)
  // Of another kind, and to another address, there is room.
  await house.db.commit(house.outbox.put(resetLetter(OWNER, { kind: 'test' })))
  await house.db.commit(house.outbox.put(resetLetter('byron@poets.example')))
  expect(await resets()).toHaveLength(4)
  house.clock.advance(HOUR - 5 * MINUTE)
  await stranger(house).askForReset()
  expect(await resets()).toHaveLength(5)
})

test('mails that were written while the clock was ahead keep back none when it is right again', async () => {
  const house = await production({ ...MAIL, ...UNLIMITED, MAILS_PER_ADDRESS: '3' })
  await signedIn(house)
  house.clock.advance(DAY)
  for (let n = 0; n < 4; n += 1) await stranger(house).askForReset()
  house.clock.advance(-DAY)
  const resets = async () => (await letters(house)).filter(({ kind }) => kind === 'password_reset').length
  expect(await resets()).toBe(3)
  for (let n = 0; n < 4; n += 1) await stranger(house).askForReset()
  expect(await resets()).toBe(6)
})

test('20 requests at once get no more mails than the limit', async () => {
  const house = await production({ ...MAIL, ...UNLIMITED, MAILS_PER_ADDRESS: '3' })
  await signedIn(house)
  await Promise.all(Array.from({ length: 20 }, () => stranger(house).askForReset()))
  expect((await letters(house)).filter(({ kind }) => kind === 'password_reset')).toHaveLength(3)
})

test.each([
  ['none', []],
  ['password_changed', ['password_changed']],
  ['new_device,account_deleted', ['account_deleted', 'new_device']],
])('NOTICES=%s: of the notices only these are written', async (wanted, expected) => {
  const house = await production({ ...MAIL, NOTICES: wanted })
  const owner = await signedIn(house)
  const changed = { password: NEW_PASSWORD, current_password: PASSWORD }
  expect((await owner.send('PATCH', '/users/me', changed)).statusCode).toBe(200)
  expect((await owner.send('DELETE', '/users/me', { current_password: NEW_PASSWORD })).statusCode).toBe(200)
  const kinds = (await letters(house)).map(({ kind }) => kind).filter((kind) => kind !== 'email_confirmation')
  expect(kinds.sort()).toEqual(expected)
})

test('a stolen database tells nothing of what a letter says', async () => {
  const house = await productionOnFile(MAIL)
  const { db, outbox } = house
  const letter = resetLetter(ADA, { values: { token: TOKEN, code: CODE, email: ADA, address: HOME } })
  await db.commit(outbox.put(letter))
  const bytes = readdirSync(dirname(house.file)).map((name) => readFileSync(join(dirname(house.file), name), 'latin1'))
  const all = bytes.join('\n')
  expect(all).toContain('password_reset')
  for (const plain of [ADA, 'lovelace', TOKEN, TOKEN.slice(-43), CODE, HOME]) {
    const forms = [plain, encodeURIComponent(plain), Buffer.from(plain).toString('hex')]
    // Base64 of a text within another one has three forms, for the three places where it may begin.
    const base64 = [0, 1, 2].map((before) =>
      Buffer.from('\0'.repeat(before) + plain)
        .toString('base64')
        .slice(before === 0 ? 0 : 4, -4),
    )
    for (const form of [...forms, ...base64]) expect(all.includes(form), form).toBe(false)
  }
  const [row] = await outbox.recent(1)
  expect(row === undefined ? undefined : outbox.open(row)).toEqual(letter)
})

test('what was written before SECRET changed is sent while SECRET_PREVIOUS names the old one', async () => {
  const file = join(temporaryFolder(), 'bienvenue.db')
  const before = await productionOnFile(MAIL, file)
  await before.db.commit(before.outbox.put(resetLetter(ADA)))
  await before.close()
  const smtp = await startSmtp()
  const rotated = { SECRET: SECRET_AFTER, SECRET_PREVIOUS: PRODUCTION.SECRET, DATABASE_URL: `sqlite:${file}` }
  await openRoom(smtp, rotated)
  const [mail] = await arrivals(smtp, 1)
  expect(await linksIn(mail ?? { raw: Buffer.alloc(0) })).toContainEqual(expect.stringContaining(TOKEN))
})

test('what was written under a SECRET that nobody knows any more is given up when it is of no use, with a line before that says why', async () => {
  const file = join(temporaryFolder(), 'bienvenue.db')
  const before = await productionOnFile(MAIL, file)
  await before.db.commit(before.outbox.put(resetLetter(ADA)))
  await before.close()
  const room = await openRoom(await startSmtp(), { SECRET: SECRET_AFTER, DATABASE_URL: `sqlite:${file}` })
  const [line] = await room.said('a mail could not be sent yet')
  expect(JSON.stringify(line)).toContain('SECRET_PREVIOUS')
  room.pass(HOUR)
  await room.said('a mail was never sent: it could not go before it was of no use any more')
  expect(room.smtp.connections).toBe(0)
})

test('what has gone is swept a day after its end, and what waits never', async () => {
  const smtp = await startSmtp()
  smtp.reply = (to) => (to === ADA ? 'take' : { at: 'recipient', words: '450 4.2.0 later' })
  const room = await openRoom(smtp)
  await room.post(resetLetter(ADA), resetLetter('byron@poets.example', { lasts: 30 * DAY }))
  await room.said('mail sent')
  await room.said('a mail could not be sent yet')
  await room.delivery.stop()
  const kept = async () => {
    await room.upkeep()
    return (await room.outbox.recent(10)).length
  }
  room.clock.advance(HOUR + DAY - 1)
  expect(await kept()).toBe(2)
  room.clock.advance(1)
  expect(await kept()).toBe(1)
  room.clock.advance(10 * DAY)
  expect(await kept()).toBe(1)
})

test('how much waits, and for how long, is counted until it has gone or been given up', async () => {
  const { db, outbox, clock } = await production(MAIL)
  expect(await outbox.waiting()).toEqual({ count: 0, oldest: 0 })
  await db.commit(outbox.put(resetLetter(ADA)))
  clock.advance(3 * SECOND)
  await db.commit(outbox.put(resetLetter('byron@poets.example')))
  clock.advance(SECOND)
  expect(await outbox.waiting()).toEqual({ count: 2, oldest: 4 * SECOND })
  const claimed = await outbox.claim(5, MINUTE)
  expect(await outbox.waiting()).toMatchObject({ count: 2 })
  const [first, second] = claimed.toSorted((a, b) => a.createdAt - b.createdAt)
  if (first === undefined || second === undefined) throw new Error('nothing was claimed')
  await outbox.settle(first)
  expect(await outbox.waiting()).toEqual({ count: 1, oldest: SECOND })
  await outbox.postpone(second, HOUR)
  expect(await outbox.waiting()).toEqual({ count: 1, oldest: SECOND })
})

test('a letter whose link ends while it is under way is not tried again, whether that fails or its process dies', async () => {
  const { db, outbox, clock } = await production(MAIL)
  for (const fails of [true, false]) {
    await db.commit(outbox.put(resetLetter(ADA)))
    const [row] = await outbox.claim(5, MINUTE)
    if (row === undefined) throw new Error('nothing was claimed')
    await db.commit(outbox.outdate('password_reset', ADA))
    if (fails) expect(await outbox.postpone(row, SECOND)).toBe(false)
    clock.advance(HOUR / 2)
    expect([await outbox.claim(5, MINUTE), await outbox.waiting()]).toEqual([[], { count: 0, oldest: 0 }])
  }
})

test('that mails grow old is said once, at ten minutes, and its end once', async () => {
  const smtp = await startSmtp()
  smtp.reply = () => ({ at: 'sender', words: '421 4.3.2 not now' })
  const room = await openRoom(smtp)
  const late = () => logOf(room).filter(({ msg }) => String(msg).startsWith('mails wait for the mail server'))
  const gone = () => logOf(room).filter(({ msg }) => msg === 'the mails that waited have gone')
  await room.post(resetLetter(ADA))
  await room.said('a mail could not be sent yet')
  room.clock.advance(10 * MINUTE)
  await room.upkeep()
  expect(late()).toEqual([])
  room.clock.advance(1)
  for (let times = 0; times < 3; times += 1) await room.upkeep()
  expect(late()).toEqual([expect.objectContaining({ level: 50, waiting: 1, minutes: 10 })])
  const health = await room.app.inject('/health/ready')
  expect(health.json()).toEqual({ status: 'ok', mail: { waiting: 1, oldest_seconds: 600, late: true } })
  expect(gone()).toEqual([])
  smtp.reply = () => 'take'
  room.pass(SECOND)
  await room.said('mail sent')
  await room.delivery.stop()
  for (let times = 0; times < 3; times += 1) await room.upkeep()
  expect([late().length, gone().length]).toEqual([1, 1])
})

test('a letter goes when what it is about has happened, not at the next round', async () => {
  const smtp = await startSmtp()
  const house = await production({ ...MAIL, SMTP_URL: smtp.url })
  // Never started: it looks only when it is told to.
  const delivery = deliveryOf(house)
  house.outbox.listen(() => delivery.wake())
  await new Visitor(house).register()
  const [mail] = await arrivals(smtp, 1)
  expect(mail?.to).toEqual([OWNER])
  await delivery.stop()
})

test('the page of development passes over what was written under another SECRET', async () => {
  const env = { DATABASE_URL: `sqlite:${join(temporaryFolder(), 'bienvenue.db')}` }
  const before = await openHouse({ ...env, SECRET: 'the first' })
  await before.app.inject({ method: 'POST', url: '/users', payload: { email: ADA, password: PASSWORD } })
  await before.close()
  const after = await openHouse({ ...env, SECRET: 'the second' })
  onTestFinished(after.close)
  await after.app.inject({ method: 'POST', url: '/users', payload: { email: 'byron@example.org', password: PASSWORD } })
  const { statusCode, body } = await after.app.inject({ url: '/outbox' })
  expect(statusCode).toBe(200)
  expect(JSON.parse(body).mails.map(({ to }: { to: string }) => to)).toEqual(['byron@example.org'])
})
