/** What a trial by hand found in mails and addresses, each as a test. */

import { expect, test } from 'vitest'
import { update } from '../../src/db/table.ts'
import { users } from '../../src/db/users.ts'
import { type House, letterOf, letters, MAIL } from '../house.ts'
import {
  addressOf,
  HOUR,
  inTurn,
  OWNER,
  PASSWORD,
  production,
  signedIn,
  stranger,
  tally,
  Visitor,
} from '../production.ts'

const EVE = 'eve@example.net'
const LIMITS = { ...MAIL, RESETS_PER_ACCOUNT: '0', RESETS_PER_NETWORK: '0', REGISTRATIONS_PER_NETWORK: '0' }

/** A thief with the password has moved the account of the owner to an address of their own. */
async function stolen(env: Record<string, string> = LIMITS, before: (house: House) => Promise<void> = async () => {}) {
  const house = await production(env)
  const thief = await signedIn(house)
  const confirm = async (kind: 'email_confirmation' | 'email_change') => {
    const { token = '' } = (await letterOf(house, kind)).values
    await thief.send('PUT', '/email_verification', { verification_token: token })
  }
  await confirm('email_confirmation')
  await before(house)
  await thief.send('PATCH', '/users/me', { email: EVE, current_password: PASSWORD })
  await confirm('email_change')
  const { token: undo = '' } = (await letterOf(house, 'email_changed')).values
  return { house, thief, undo }
}

async function askedForFive(house: House): Promise<void> {
  await inTurn(5, async (n) => {
    house.clock.advance(1)
    await stranger(house, n).askForReset()
  })
}

test('A-14: a former address stays reserved as long as it can be brought back', async () => {
  const { house, undo } = await stolen()
  expect((await stranger(house).register(OWNER)).json()).toEqual({ message: 'email already registered' })
  const other = await signedIn(house, 'other@example.net', addressOf(7))
  const wanted = await other.send('PATCH', '/users/me', { email: OWNER, current_password: PASSWORD })
  expect(wanted.json()).toEqual({ message: 'email already registered' })
  expect((await stranger(house).send('POST', '/undo_email_change', { undo_token: undo })).statusCode).toBe(200)
  expect((await house.db.findUserBy({ email: OWNER })).id).toBe(1)
})

test('A-06: whoever brings an address back may ask for a reset at once, however many a thief has asked for', async () => {
  const { house, undo } = await stolen(MAIL, askedForFive)
  house.clock.advance(1)
  expect((await letters(house)).filter(({ kind }) => kind === 'password_reset')).toHaveLength(5)
  expect((await stranger(house).askForReset()).statusCode).toBe(429)
  expect((await stranger(house).send('POST', '/undo_email_change', { undo_token: undo })).statusCode).toBe(200)
  const owner = new Visitor(house)
  expect((await owner.askForReset()).statusCode).toBe(200)
  const { token = '' } = (await letterOf(house, 'password_reset')).values
  expect((await owner.reset(token)).statusCode).toBe(200)
})

test('A-06: where an operator disabled the password a reset may be asked for at once, whoever asked before', async () => {
  const house = await production(MAIL)
  const owner = await signedIn(house)
  await askedForFive(house)
  await house.auth.disablePassword(1)
  house.clock.advance(1)
  expect((await owner.askForReset()).statusCode).toBe(200)
  const { token = '' } = (await letterOf(house, 'password_reset')).values
  expect((await owner.reset(token)).statusCode).toBe(200)
})

test('of twenty resets that are asked for at once the one letter that goes has the good link', async () => {
  const house = await production({ ...LIMITS, MAILS_PER_ADDRESS: '0' })
  await signedIn(house)
  const asked = await Promise.all(Array.from({ length: 20 }, (_, n) => stranger(house, n).askForReset()))
  expect(tally(asked)).toEqual({ 200: 20 })
  const due = (await house.outbox.claim(50, HOUR)).map((row) => house.outbox.open(row))
  const [letter, ...more] = due.filter(({ kind }) => kind === 'password_reset')
  expect(more).toEqual([])
  expect((await new Visitor(house).reset(letter?.values.token ?? '')).statusCode).toBe(200)
})

test('a former address is free for its owner at once, and for others when it cannot be brought back any more', async () => {
  const { house, thief } = await stolen()
  const back = await thief.send('PATCH', '/users/me', { email: OWNER, current_password: PASSWORD })
  expect(back.json()).toMatchObject({ pending_email: OWNER })
  house.clock.advance(house.settings.emailUndoLifetime)
  expect((await stranger(house).register(OWNER)).statusCode).toBe(200)
})

test('A-13: where accounts are hidden a reserved address is answered like a free one, and its owner is told', async () => {
  const { house } = await stolen({ ...LIMITS, HIDE_ACCOUNTS: 'true' })
  expect((await stranger(house).register(OWNER)).json()).toEqual({ email: OWNER, message: 'user created' })
  expect((await letterOf(house, 'account_exists')).to).toBe(OWNER)
})

test('right confirmations are no failures of their network', async () => {
  const house = await production(LIMITS)
  const answers = await inTurn(15, async (n) => {
    const email = `reader${n}@byron.example`
    await stranger(house).register(email)
    const letter = (await letters(house)).find(({ to }) => to === email)
    return stranger(house).send('PUT', '/email_verification', { verification_token: letter?.values.token ?? '' })
  })
  expect(tally(answers)).toEqual({ 200: 15 })
})

test('R-08: a request whose mail is one too many leaves the last mailed link good', async () => {
  const house = await production(LIMITS)
  await stranger(house).register(OWNER)
  await inTurn(20, async () => {
    house.clock.advance(1)
    await stranger(house).askForReset()
  })
  expect((await letters(house)).filter(({ kind }) => kind === 'password_reset')).toHaveLength(5)
  const { token = '' } = (await letterOf(house, 'password_reset')).values
  expect((await stranger(house).reset(token)).statusCode).toBe(200)
})

test('R-08: no token goes to an address that is given up at the very moment', async () => {
  const house = await production(LIMITS)
  await stranger(house).register(OWNER)
  const before = (await letters(house)).length
  const commit = house.db.commit.bind(house.db)
  // As another process confirms a change after the account was found, and before its token is stored.
  house.db.commit = async (statements) => {
    if (statements.some(({ sql }) => sql.includes('one_time_tokens'))) {
      await commit([update(users, { email: EVE, emailKey: EVE }, { id: 1 })])
    }
    return commit(statements)
  }
  expect((await stranger(house).send('POST', '/reset_password', { email: OWNER })).statusCode).toBe(200)
  expect((await house.db.findUserBy({ id: 1 })).email).toBe(EVE)
  expect(await letters(house)).toHaveLength(before)
})

test('A-17: the same holds for the link that confirms an address', async () => {
  const house = await production(LIMITS)
  await stranger(house).register(OWNER)
  await inTurn(20, async () => {
    house.clock.advance(1)
    await stranger(house).send('POST', '/email_verification', { email: OWNER })
  })
  const { token = '' } = (await letterOf(house, 'email_confirmation')).values
  const fields = { verification_token: token }
  expect((await stranger(house).send('PUT', '/email_verification', fields)).statusCode).toBe(200)
})

test('R-10: other spellings of a domain are the same mailbox', async () => {
  const house = await production({ ...LIMITS, HIDE_ACCOUNTS: 'true' })
  await stranger(house).register('zz@abcdefgh.example')
  for (const letter of 'abcdefgh') {
    const wide = String.fromCodePoint(letter.charCodeAt(0) + 0xfee0)
    await stranger(house).send('POST', '/email_verification', { email: 'zz@abcdefgh.example'.replace(letter, wide) })
  }
  expect((await letters(house)).filter(({ kind }) => kind === 'email_confirmation')).toHaveLength(5)
})

test('A-06: a front end that logs in for tokens in cookies is a known device as well', async () => {
  const house = await production(LIMITS)
  await stranger(house).register(OWNER)
  const browser = new Visitor(house)
  await browser.send('POST', '/tokens', { email: OWNER, password: PASSWORD, transport: 'cookie' })
  expect([...browser.cookies.keys()]).toContain('__Host-device')
  browser.keepDeviceOnly()
  await inTurn(12, (n) => stranger(house, n).logIn(OWNER, 'no way through here'))
  expect((await browser.logIn(OWNER)).statusCode).toBe(200)
})

test('a right code with a password that is refused costs no try', async () => {
  const house = await production(LIMITS)
  await stranger(house).register(OWNER)
  const browser = new Visitor(house, '198.51.100.3')
  await browser.askForReset()
  const { code = '' } = (await letterOf(house, 'password_reset')).values
  for (const _ of Array(6)) expect((await browser.reset(code, 'short')).statusCode).toBe(400)
  expect((await browser.reset(code)).statusCode).toBe(200)
})
