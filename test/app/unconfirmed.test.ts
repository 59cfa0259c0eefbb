/** An address that is not confirmed yet: who may log in, and what a stranger learns of it. */

import bcrypt from 'bcrypt'
import { expect, test } from 'vitest'
import { letterOf, letters, MAIL, TEST_COST } from '../house.ts'
import { HOUR, MINUTE, OWNER, PASSWORD, production, seen, stranger, WRONG } from '../production.ts'

const HIDDEN = { ...MAIL, HIDE_ACCOUNTS: 'auto', REQUIRE_CONFIRMED_EMAIL: 'auto' }
const REQUIRED = { ...MAIL, REQUIRE_CONFIRMED_EMAIL: 'true' }

test('production with mail hides accounts and wants a confirmed address; both can be set otherwise', async () => {
  expect((await production(HIDDEN)).settings).toMatchObject({ hideAccounts: true, requireConfirmed: true })
  expect((await production(MAIL)).settings).toMatchObject({ hideAccounts: false, requireConfirmed: false })
  expect((await production(REQUIRED)).settings).toMatchObject({ hideAccounts: false, requireConfirmed: true })
  expect((await production()).settings).toMatchObject({ hideAccounts: false, requireConfirmed: false, mail: 'none' })
})

test('A-12: before it is confirmed the right password is answered like a wrong one', async () => {
  const house = await production(HIDDEN)
  await stranger(house).register(OWNER)
  const right = await stranger(house, 1).logIn(OWNER, PASSWORD)
  const wrong = await stranger(house, 2).logIn(OWNER, WRONG)
  const unknown = await stranger(house, 3).logIn('nobody@example.org', WRONG)
  expect(right.cookies).toEqual([])
  for (const other of [wrong, unknown]) expect(seen(right)).toEqual(seen(other))
  expect(right.statusCode).toBe(401)
  const { token = '' } = (await letterOf(house, 'email_confirmation')).values
  const confirmed = await stranger(house, 1).send('PUT', '/email_verification', { verification_token: token })
  expect(confirmed.statusCode).toBe(200)
  expect((await stranger(house, 1).logIn(OWNER, PASSWORD)).statusCode).toBe(200)
})

test('R-02: whoever registers an address and logs in, now and later, mails no more for it where it was free', async () => {
  const house = await production(HIDDEN)
  await stranger(house).register(OWNER)
  for (const wait of [0, MINUTE, 10 * MINUTE, HOUR]) {
    house.clock.advance(wait)
    expect((await stranger(house).logIn(OWNER)).statusCode).toBe(401)
  }
  expect(await letters(house)).toHaveLength(1)
})

test('A-12: before it is confirmed the right password is hashed no second time, after a change of the cost', async () => {
  const house = await production(HIDDEN)
  await stranger(house).register(OWNER)
  const { id } = await house.db.findUserBy({ email: OWNER })
  const hashedPassword = await bcrypt.hash(PASSWORD, TEST_COST + 1)
  await house.db.updateUser(id, { hashedPassword })
  expect((await stranger(house, 1).logIn(OWNER, PASSWORD)).statusCode).toBe(401)
  expect((await house.db.findUserBy({ id })).hashedPassword).toBe(hashedPassword)
  const { token = '' } = (await letterOf(house, 'email_confirmation')).values
  await stranger(house, 1).send('PUT', '/email_verification', { verification_token: token })
  expect((await stranger(house, 1).logIn(OWNER, PASSWORD)).statusCode).toBe(200)
  expect((await house.db.findUserBy({ id })).hashedPassword).not.toBe(hashedPassword)
})

test('the page of the login leads to another mail, where an address must be confirmed', async () => {
  const html = { accept: 'text/html' }
  const page = async (env: Record<string, string>) =>
    (await stranger(await production(env)).send('GET', '/login', undefined, html)).body
  for (const env of [HIDDEN, REQUIRED]) expect(await page(env)).toContain('href="/confirm"')
  expect(await page(MAIL)).not.toContain('href="/confirm"')
})

test('where accounts are not hidden it says what is missing, to whoever knows the password alone', async () => {
  const house = await production(REQUIRED)
  await stranger(house).register(OWNER)
  const right = await stranger(house).logIn(OWNER, PASSWORD)
  expect([right.statusCode, right.json()]).toMatchObject([403, { code: 'email_unconfirmed' }])
  expect((await stranger(house).logIn(OWNER, WRONG)).json()).toMatchObject({ code: 'credentials_invalid' })
})

test('the browser that opened the link is known when it logs in, so no notice of a new device follows', async () => {
  const house = await production(HIDDEN)
  const browser = stranger(house)
  await browser.register(OWNER)
  const { token = '' } = (await letterOf(house, 'email_confirmation')).values
  await browser.send('PUT', '/email_verification', { verification_token: token })
  expect((await browser.logIn(OWNER)).statusCode).toBe(200)
  expect((await letters(house)).map(({ kind }) => kind)).toEqual(['email_confirmation'])
  expect((await stranger(house, 9).logIn(OWNER)).statusCode).toBe(200)
  expect((await letters(house)).map(({ kind }) => kind).sort()).toEqual(['email_confirmation', 'new_device'])
})

test('a reset by mail confirms the address as well; in development, where a token is in the answer, it does not', async () => {
  const house = await production(HIDDEN)
  await stranger(house).register(OWNER)
  await stranger(house).askForReset()
  const { token = '' } = (await letterOf(house, 'password_reset')).values
  expect((await stranger(house).reset(token)).statusCode).toBe(200)
  expect((await house.db.findUserBy({ email: OWNER })).emailConfirmedAt).toBe(house.clock.now())

  const classic = await production({ NODE_ENV: 'development', PUBLIC_URL: 'http://localhost:5000' })
  const { id } = await classic.auth.registerUser(OWNER, PASSWORD)
  await classic.auth.updatePassword(await classic.auth.getResetPasswordToken(OWNER), 'sch0k0lade')
  expect((await classic.db.findUserBy({ id })).emailConfirmedAt).toBeNull()
})

test('a mail to an address that is confirmed, or has no account, is never sent, and the answer is the same', async () => {
  const house = await production(MAIL)
  await stranger(house).register(OWNER)
  const ask = async (email: string) => seen(await stranger(house).send('POST', '/email_verification', { email }))
  house.clock.advance(1)
  const waiting = await ask(OWNER)
  expect(await letters(house)).toHaveLength(2)
  const { token = '' } = (await letterOf(house, 'email_confirmation')).values
  await stranger(house).send('PUT', '/email_verification', { verification_token: token })
  expect([await ask(OWNER), await ask('nobody@example.org')]).toEqual([waiting, waiting])
  expect(await letters(house)).toHaveLength(2)
})

test.each([
  ['REQUIRE_CONFIRMED_EMAIL', { REQUIRE_CONFIRMED_EMAIL: 'true' }],
  ['HIDE_ACCOUNTS', { HIDE_ACCOUNTS: 'true', REQUIRE_CONFIRMED_EMAIL: 'false' }],
])('%s needs mail, or the start is refused with the mend', async (variable, env) => {
  await expect(production(env)).rejects.toThrow(`${variable}=true needs mail: set SMTP_URL and MAIL_FROM as well`)
})
