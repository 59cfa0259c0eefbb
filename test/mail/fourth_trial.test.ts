/** What a fourth trial by hand found in mails, addresses and numbers, each as a test. */

import { expect, test } from 'vitest'
import type { Letter } from '../../src/letter.ts'
import { type House, letters, MAIL } from '../house.ts'
import {
  addressOf,
  inTurn,
  OWNER,
  PASSWORD,
  production,
  seen,
  signedIn,
  stranger,
  type Visitor,
} from '../production.ts'
import { deliveryOf } from './room.ts'

const THIEF = 'eve@example.net'
const LIMITS = { ...MAIL, RESETS_PER_ACCOUNT: '0', RESETS_PER_NETWORK: '0', REGISTRATIONS_PER_NETWORK: '0' }
const HIDDEN = { ...LIMITS, HIDE_ACCOUNTS: 'true', REQUIRE_CONFIRMED_EMAIL: 'false' }

/** Asks for another address and follows the mailed link. */
async function move(house: House, visitor: Visitor, email: string) {
  house.clock.advance(1)
  const asked = await visitor.send('PATCH', '/users/me', { email, current_password: PASSWORD })
  expect(asked.statusCode).toBe(200)
  const token = (await tokenIn(house, 'email_change', email)) ?? ''
  expect((await visitor.send('PUT', '/email_verification', { verification_token: token })).statusCode).toBe(200)
}

/** @returns the token of the last letter of a kind to an address, if it has one */
async function tokenIn(house: House, kind: Letter['kind'], address: string): Promise<string | undefined> {
  return (await letters(house)).find((letter) => letter.kind === kind && letter.to === address)?.values.token
}

async function loggedIn(house: House, email: string, from: number): Promise<Visitor> {
  const visitor = stranger(house, from)
  expect((await visitor.logIn(email)).statusCode).toBe(200)
  return visitor
}

test('A-13: the numbers of accounts registered before and after do not tell whether one was added in between', async () => {
  const house = await production(HIDDEN)
  await stranger(house).register(OWNER)
  const numberOf = async (email: string) => {
    const visitor = await signedIn(house, email, addressOf(email.length))
    return (await visitor.send('GET', '/users/me')).json<{ id: number }>().id
  }
  const first = await numberOf('a@mine.example')
  await stranger(house).register(OWNER)
  const second = await numberOf('bb@mine.example')
  await stranger(house).register('free@free.example')
  const third = await numberOf('ccc@mine.example')
  expect([second - first, third - second]).toEqual([2, 2])
})

test('A-13: nor do the numbers around four registrations of one address at once, whether it was free or taken', async () => {
  const house = await production(HIDDEN)
  const numberOf = async (n: number) => {
    const visitor = await signedIn(house, `own${n}@mine.example`, addressOf(n))
    return (await visitor.send('GET', '/users/me')).json<{ id: number }>().id
  }
  const numbers = [await numberOf(1)]
  for (const n of [2, 3]) {
    await Promise.all(Array.from({ length: 4 }, () => stranger(house).register(OWNER)))
    numbers.push(await numberOf(n))
  }
  const [before = 0, free = 0, taken = 0] = numbers
  expect([free - before, taken - free]).toEqual([5, 5])
})

test.each(['own@ex%61mple.com', 'own@example.com.', 'own@example..com', 'own@0x7f.1', 'own@127.1', 'own@-v.example'])(
  'R-10: %s is no address, so no other spelling uses up the mails of one',
  async (email) => {
    const house = await production(LIMITS)
    const answer = await stranger(house).register(email)
    expect(seen(answer)).toMatchObject({ status: 400, body: { code: 'email_invalid' } })
  },
)

test('A-19: spellings of a domain that mail servers take for the same are one account', async () => {
  const house = await production(LIMITS)
  expect((await stranger(house).register('ada@münchen.example')).statusCode).toBe(200)
  for (const other of ['ada@xn--mnchen-3ya.example', 'ada@MÜNCHEN.example', 'ada@münchen。example']) {
    expect((await stranger(house).register(other)).json()).toEqual({ message: 'email already registered' })
  }
  expect((await stranger(house).logIn('ada@xn--mnchen-3ya.example')).statusCode).toBe(200)
})

test('A-14: no number of mails keeps the notice of a changed address, with its way back, from the former one', async () => {
  const house = await production({ ...LIMITS, MAILS_PER_ADDRESS: '1' })
  const owner = await signedIn(house)
  for (const email of ['second@example.net', OWNER, 'third@example.net']) await move(house, owner, email)
  expect((await letters(house)).filter(({ kind, to }) => kind === 'email_changed' && to === OWNER)).toHaveLength(3)
  expect(await tokenIn(house, 'email_changed', OWNER)).toBeDefined()
})

test('A-13: a change to an address whose mailbox has had its mails is answered like any other, taken or free', async () => {
  const house = await production(HIDDEN)
  await stranger(house).register(OWNER)
  await inTurn(6, () => stranger(house).register(OWNER))
  const visitor = await signedIn(house, THIEF)
  const ask = (email: string) => visitor.send('PATCH', '/users/me', { email, current_password: PASSWORD })
  const answers = [await ask(OWNER)]
  for (let n = 0; n < 7; n += 1) answers.push(await ask('free@free.example'))
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(8).fill(200))
  expect(answers.map((answer) => answer.json().pending_email)).toEqual([OWNER, ...Array(7).fill('free@free.example')])
  expect((await letters(house)).filter(({ to }) => to === 'free@free.example')).toHaveLength(5)
})

test('A-14: whoever went to another address and back can still take back the change of a thief', async () => {
  const house = await production(LIMITS)
  const owner = await signedIn(house)
  await move(house, owner, 'second@example.net')
  await move(house, owner, OWNER)
  house.clock.advance(house.settings.emailUndoLifetime - 1)
  const thief = await loggedIn(house, OWNER, 9)
  await move(house, thief, THIEF)
  const undo = (await tokenIn(house, 'email_changed', OWNER)) ?? ''
  expect((await stranger(house).send('POST', '/undo_email_change', { undo_token: undo })).statusCode).toBe(200)
  expect((await house.db.findUserBy({ email: OWNER })).id).toBe(1)
})

test('A-14: a way back that has ended leaves room for the next one', async () => {
  const house = await production(LIMITS)
  const owner = await signedIn(house)
  await move(house, owner, 'second@example.net')
  house.clock.advance(house.settings.emailUndoLifetime)
  const thief = await loggedIn(house, 'second@example.net', 9)
  await move(house, thief, THIEF)
  expect(await tokenIn(house, 'email_changed', 'second@example.net')).toBeDefined()
})

test('A-14: an address that was never proven is reserved for nobody', async () => {
  const house = await production(LIMITS)
  const visitor = await signedIn(house, OWNER)
  await move(house, visitor, THIEF)
  expect((await stranger(house).register(OWNER)).statusCode).toBe(200)
})

test('R-02: no more is written before the answer where a letter goes out than where none does', async () => {
  const house = await production(LIMITS)
  await stranger(house).register(OWNER)
  const { outbox, db } = house
  const delivery = deliveryOf(house)
  outbox.listen(() => delivery.stir())
  let commits = 0
  const commit = db.commit.bind(db)
  db.commit = (statements) => {
    commits += 1
    return commit(statements)
  }
  const asked = async (email: string) => {
    const before = commits
    await stranger(house).send('POST', '/reset_password', { email })
    return commits - before
  }
  expect(await asked(OWNER)).toBe(await asked('nobody@example.org'))
  await delivery.stop()
})
