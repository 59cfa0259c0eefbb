/** What a fifth trial by hand found in mails, addresses and codes, each as a test. */

import { statSync } from 'node:fs'
import { expect, onTestFinished, test, vi } from 'vitest'
import { integer } from '../../src/engines/engine.ts'
import { compose } from '../../src/mail/compose.ts'
import { Delivery } from '../../src/mail/delivery.ts'
import { Outbox } from '../../src/mail/outbox.ts'
import { type House, letters, MAIL } from '../house.ts'
import {
  DAY,
  type HouseOnFile,
  inTurn,
  NEW_PASSWORD,
  NOBODY,
  OWNER,
  production,
  productionOnFile,
  seen,
  stranger,
  type Visitor,
} from '../production.ts'
import { change, confirm, settled, tokenOf, told } from './owner.ts'
import { deliveryOf, resetLetter } from './room.ts'
import { startSmtp } from './smtp.ts'

const LIMITS = { ...MAIL, RESETS_PER_ACCOUNT: '0', RESETS_PER_NETWORK: '0', REGISTRATIONS_PER_NETWORK: '0' }

test.each([
  ['a blank before it, the local part', ' wanted@corp.example', 'wanted@corp.example', 'wanted123'],
  ['wide letters, the domain', 'wanted@\uff43orp.example', 'wanted@corp.example', 'corp.example1'],
  ['wide letters, their own', 'wanted@\uff43orp.example', 'wanted@corp.example', '\uff43orp.example1'],
  [
    'another script as registered, its domain',
    'wanted@xn--mnchen-3ya.example',
    'wanted@münchen.example',
    'münchen.example1',
  ],
  [
    'ASCII as registered, its domain',
    'wanted@münchen.example',
    'wanted@xn--mnchen-3ya.example',
    'xn--mnchen-3ya.example1',
  ],
])('R-02: a code with a password of the words of an address is answered alike, known or not: %s', async (...given) => {
  const [, typed, registered, password] = given
  const house = await production(LIMITS)
  await stranger(house).register(registered.replace('wanted', 'another'))
  const unknown = seen(await stranger(house).reset('12345678', password, typed))
  await stranger(house).register(registered)
  expect(seen(await stranger(house).reset('12345678', password, typed))).toEqual(unknown)
})

test('R-02: as much is written for a wrong code where an address has an account as where it has none', async () => {
  const house = await productionOnFile({ ...LIMITS, FAILURES_PER_NETWORK: '0' })
  await stranger(house).register(OWNER)
  const written = async (email: string) => {
    const browser = stranger(house)
    await browser.askForReset(email)
    return inTurn(7, async () => {
      const before = writtenBy(house)
      expect((await browser.reset('12345678', NEW_PASSWORD, email)).statusCode).toBe(403)
      return writtenBy(house) - before
    })
  }
  const known = await written(OWNER)
  expect(known.slice(0, 5).every((bytes) => bytes > 0)).toBe(true)
  expect(await written(NOBODY)).toEqual(known)
})

/** @returns how many bytes have been written to the disk */
function writtenBy({ file }: HouseOnFile): number {
  return statSync(`${file}-wal`).size
}

const SPELLED = OWNER.replace('ada', 'Ada')
const THIEF = 'eve@example.net'

/** Asks for another address and follows the mailed link. */
async function move(house: House, visitor: Visitor, email: string) {
  house.clock.advance(1)
  expect((await change(visitor, { email })).json()).toMatchObject({ pending_email: email })
  expect((await confirm(visitor, await tokenOf(house, 'email_change'))).statusCode).toBe(200)
}

test('A-14: another spelling of an address waits for its proof, and the former one is told, with the way back', async () => {
  const { house, owner, since } = await settled()
  const asked = await change(owner, { email: SPELLED })
  expect(asked.json()).toMatchObject({ email: OWNER, pending_email: SPELLED })
  expect(await told(house, since)).toEqual([`email_change ${SPELLED}`])
  await confirm(owner, await tokenOf(house, 'email_change'))
  expect(await told(house, since)).toEqual([
    ...[`email_change ${SPELLED}`, `email_changed ${SPELLED}`, `email_changed ${OWNER}`].sort(),
  ])
  const undo = await tokenOf(house, 'email_changed')
  expect((await stranger(house).send('POST', '/undo_email_change', { undo_token: undo })).statusCode).toBe(200)
  expect((await house.db.findUserBy({ id: 1 })).email).toBe(OWNER)
})

test('A-14: whoever goes by other spellings to another address leaves the first owner the way back', async () => {
  const { house, owner } = await settled()
  await move(house, owner, SPELLED)
  const undo = await tokenOf(house, 'email_changed')
  for (const email of [OWNER.replace('ada', 'ADA'), THIEF]) await move(house, owner, email)
  expect((await stranger(house).send('POST', '/undo_email_change', { undo_token: undo })).statusCode).toBe(200)
  expect((await house.db.findUserBy({ id: 1 })).email).toBe(OWNER)
})

test('A-14: who returns with another spelling of the domain begins anew, and the next change is told with a way back', async () => {
  const { house, owner } = await settled()
  await move(house, owner, THIEF.replace('eve', 'ada'))
  await move(house, owner, OWNER.replace('lovelace', 'Lovelace'))
  house.clock.advance(6 * DAY)
  await move(house, owner, THIEF)
  house.clock.advance(6 * DAY)
  const undo = await tokenOf(house, 'email_changed')
  expect((await stranger(house).send('POST', '/undo_email_change', { undo_token: undo })).statusCode).toBe(200)
  expect((await house.db.findUserBy({ id: 1 })).email).toBe(OWNER.replace('lovelace', 'Lovelace'))
})

test('A-14: the address as it is needs no proof', async () => {
  const { house, owner, since } = await settled()
  expect((await change(owner, { email: OWNER })).statusCode).toBe(200)
  expect(await told(house, since)).toEqual([])
  expect((await owner.send('GET', '/users/me')).json()).toMatchObject({ email: OWNER, confirmed: true })
})

test('A-19: whatever spelling a stranger registers, mails go to the address that mail servers take it for', async () => {
  const house = await production(LIMITS)
  await stranger(house).register('\u212aate@corp.example')
  await stranger(house).askForReset('kate@corp.example')
  expect((await letters(house)).map(({ to }) => to)).toEqual(['kate@corp.example', 'kate@corp.example'])
})

/** What is done to send what a request causes: what a mail is made of, the writes that change something, the mails. */
async function workOf(house: House, url: string, email: string) {
  let [composed, writes, tried, sent] = [0, 0, 0, 0]
  const { app, outbox, db } = house
  const { settle } = outbox
  const { commit } = db
  const { promise: written, resolve } = Promise.withResolvers<number>()
  outbox.settle = (row) => settle.call(outbox, row).finally(() => resolve(writes))
  const pretend = async () => {
    tried += 1
  }
  const send = async () => {
    tried += 1
    sent += 1
  }
  const delivery = new Delivery({
    ...{ outbox, log: app.log, now: db.now, transport: { send, pretend } },
    compose: (row, letter) => {
      composed += 1
      return compose(app.site, app.site.publicUrl, row, letter)
    },
  })
  expect((await stranger(house).send('POST', url, { email })).statusCode).toBe(200)
  db.commit = (statements) => {
    writes += 1
    return commit.call(db, statements)
  }
  delivery.wake()
  const done = { writes: await written }
  await delivery.stop()
  db.commit = commit
  outbox.settle = settle
  return { ...done, composed, tried, sent }
}

test.each(['/reset_password', '/email_verification'])(
  'R-02: %s for an address that is mailed nothing is as much work after the answer as for one that is',
  async (url) => {
    const house = await production(LIMITS)
    await stranger(house).register(OWNER)
    await workOf(house, url, OWNER)
    const known = await workOf(house, url, OWNER)
    expect(known).toMatchObject({ composed: 1, sent: 1 })
    expect(await workOf(house, url, NOBODY)).toEqual({ ...known, sent: 0 })
  },
)

test('R-02: a letter to nobody is no letter that waits, and tells not what was typed', async () => {
  const house = await production(LIMITS)
  await stranger(house).askForReset(NOBODY)
  expect(await house.outbox.waiting()).toEqual({ count: 0, oldest: 0 })
  expect(await house.outbox.recent(10)).toEqual([])
  const [row] = await house.outbox.claim(5, 1_000)
  expect(row === undefined ? '' : house.outbox.open(row).to).toMatch(/^[\da-f]{64}@nobody\.invalid$/)
})

test.each([
  ['to somebody', OWNER],
  ['to nobody', NOBODY],
])('R-02: each letter %s goes at a moment of its own, which does not follow from the request', async (_, email) => {
  const { db, settings } = await production({ ...LIMITS, MAILS_PER_ADDRESS: '0' })
  const outbox = new Outbox(db, settings)
  for (let n = 0; n < 50; n += 1) {
    const letter = resetLetter(email)
    await db.commit(email === NOBODY ? outbox.decoy(letter) : outbox.put(letter))
  }
  const waits = await db.read(
    { sql: 'SELECT due_at FROM outbox', params: [] },
    (row) => integer(row, 'due_at') - db.now(),
  )
  expect(new Set(waits).size).toBeGreaterThan(40)
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...waits)).toBeGreaterThan(2_500)
  expect(Math.max(...waits)).toBeLessThan(5_000)
})

test('R-02: letters that are handed in together go when each may, not together', async () => {
  const smtp = await startSmtp()
  const house = await production({ ...LIMITS, SMTP_URL: smtp.url })
  const moments = [900, 0, 600, 300]
  const outbox = new Outbox(house.db, house.settings, () => moments.shift() ?? 0)
  const delivery = deliveryOf({ ...house, outbox })
  onTestFinished(() => smtp.close())
  onTestFinished(() => delivery.stop())
  for (const name of ['fourth', 'first', 'third', 'second']) {
    await house.db.commit(outbox.put(resetLetter(`${name}@example.org`)))
  }
  delivery.wake()
  const gone: number[] = []
  for (let time = 1; time <= 4; time += 1) {
    await vi.waitFor(() => expect(smtp.received).toHaveLength(time), { timeout: 4_000 })
    gone.push(smtp.received.length)
    house.clock.advance(300)
  }
  expect(gone).toEqual([1, 2, 3, 4])
  expect(smtp.received.map(({ to }) => to)).toEqual(
    ['first', 'second', 'third', 'fourth'].map((name) => [`${name}@example.org`]),
  )
})

test('R-02: a letter that may go when the others have just been looked for does not wait for the next round', async () => {
  const smtp = await startSmtp()
  const house = await production({ ...LIMITS, SMTP_URL: smtp.url })
  const outbox = new Outbox(house.db, house.settings, () => 300)
  const { claim } = outbox
  vi.spyOn(outbox, 'claim').mockImplementationOnce(async (...asked) => {
    const claimed = await claim.apply(outbox, asked)
    house.clock.advance(300)
    return claimed
  })
  const delivery = deliveryOf({ ...house, outbox })
  onTestFinished(() => smtp.close())
  onTestFinished(() => delivery.stop())
  await house.db.commit(outbox.put(resetLetter('first@example.org')))
  delivery.wake()
  await vi.waitFor(() => expect(smtp.received).toHaveLength(1), { timeout: 4_000 })
})

test('R-02: for a letter to nobody the mail server is reached and given nothing, and whether it is there is not told', async () => {
  const smtp = await startSmtp()
  const house = await production({ ...LIMITS, SMTP_URL: smtp.url })
  const waits = () =>
    house.db.read({ sql: 'SELECT id FROM outbox WHERE due_at IS NOT NULL', params: [] }, ({ id }) => id)
  for (const connections of [1, 1]) {
    await stranger(house).askForReset(NOBODY)
    const delivery = deliveryOf(house)
    delivery.wake()
    await vi.waitFor(async () => expect(await waits()).toEqual([]), { timeout: 10_000 })
    await delivery.stop()
    expect([smtp.connections, smtp.tries, smtp.received]).toEqual([connections, [], []])
    await smtp.close()
  }
  expect(house.log.filter((line) => /"level":[456]0/.test(line))).toEqual([])
})
