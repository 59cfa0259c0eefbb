/** The short code of a mailed reset: good in the browser that asked, for a few tries and a short time, and nowhere else. */

import { expect, test, vi } from 'vitest'
import { letterOf, MAIL } from '../house.ts'
import { MINUTE, NEW_PASSWORD, OWNER, production, signedIn, stranger, tally, Visitor } from '../production.ts'

async function asked(env: Record<string, string> = {}) {
  const house = await production({ ...MAIL, ...env })
  await signedIn(house)
  const browser = stranger(house)
  await browser.askForReset()
  const { code = '' } = (await letterOf(house, 'password_reset')).values
  const wrong = code === '00000000' ? '00000001' : '00000000'
  return { house, browser, code, wrong }
}

test('R-03: it is eight digits, another one each time', async () => {
  const { house, browser } = await asked()
  const codes = new Set<string>()
  for (let n = 0; n < 4; n += 1) {
    await browser.askForReset()
    codes.add((await letterOf(house, 'password_reset')).values.code ?? '')
    house.clock.advance(1)
  }
  expect(codes.size).toBeGreaterThan(1)
  for (const code of codes) expect(code).toMatch(/^\d{8}$/)
})

test.each([
  ['as it is', (code: string) => code],
  ['with a space', (code: string) => `${code.slice(0, 4)} ${code.slice(4)}`],
  ['with a hyphen and spaces around', (code: string) => ` ${code.slice(0, 4)}-${code.slice(4)} `],
])('it sets a new password where it was asked for, typed %s, once', async (_, typed) => {
  const { house, browser, code } = await asked()
  expect((await browser.reset(typed(code))).statusCode).toBe(200)
  expect((await stranger(house, 1).logIn(OWNER, NEW_PASSWORD)).statusCode).toBe(200)
  expect((await browser.reset(code, 'yet another way home')).statusCode).toBe(403)
})

test('R-10: it is good in no other browser, and no wrong try there costs the right browser anything', async () => {
  const { house, browser, code } = await asked()
  const other = stranger(house, 1)
  for (let n = 0; n < 6; n += 1) expect((await other.reset(code)).statusCode).toBe(403)
  await other.askForReset('nobody@example.org')
  expect((await other.reset(code)).statusCode).toBe(403)
  expect((await browser.reset(code)).statusCode).toBe(200)
})

test('it is good for no other address', async () => {
  const { house, browser, code } = await asked()
  await signedIn(house, 'eve@example.org', '198.51.100.9')
  expect((await browser.reset(code, NEW_PASSWORD, 'eve@example.org')).statusCode).toBe(403)
  expect((await stranger(house, 2).logIn('eve@example.org', NEW_PASSWORD)).statusCode).toBe(401)
})

test('R-10: after five tries it is worthless, whether they come in turn or at once', async () => {
  const { browser, code, wrong } = await asked()
  for (let n = 0; n < 5; n += 1) expect((await browser.reset(wrong)).statusCode).toBe(403)
  expect((await browser.reset(code)).statusCode).toBe(403)

  const again = await asked()
  const tries = await Promise.all(
    Array.from({ length: 20 }, (_, n) => again.browser.at(again.house, `198.51.100.${n}`).reset(again.wrong)),
  )
  expect(tally(tries)).toEqual({ 403: 20 })
  expect((await again.browser.at(again.house, '198.51.100.77').reset(again.code)).statusCode).toBe(403)
})

test('H-19: a password that is refused anyway costs the database nothing, however often it comes', async () => {
  const { house, browser, code } = await asked()
  const written = [vi.spyOn(house.db, 'note'), vi.spyOn(house.db, 'commit')]
  for (let n = 0; n < 30; n += 1) {
    for (const [visitor, typed] of [
      [browser, code],
      [stranger(house, 1), '12345678'],
    ] as const) {
      const { statusCode, body } = await visitor.reset(typed, 'password1')
      expect([statusCode, JSON.parse(body).code]).toEqual([400, 'password_common'])
    }
  }
  expect(written.map(({ mock }) => mock.calls.length)).toEqual([0, 0])
  expect((await browser.reset(code)).statusCode).toBe(200)
})

test('the link is good as long as it lasts, whatever becomes of the code', async () => {
  const { house, browser, wrong } = await asked()
  for (let n = 0; n < 5; n += 1) await browser.reset(wrong)
  const { token = '' } = (await letterOf(house, 'password_reset')).values
  expect((await stranger(house, 3).reset(token)).statusCode).toBe(200)
})

test('R-06: 20 times at once it sets one password', async () => {
  const { house, browser, code } = await asked()
  const spent = await Promise.all(
    Array.from({ length: 5 }, (_, n) => browser.at(house, `198.51.100.${n}`).reset(code, `${NEW_PASSWORD} ${n}`)),
  )
  expect(tally(spent)).toEqual({ 200: 1, 403: 4 })
})

test('R-07: it ends after ten minutes, when the link still lasts', async () => {
  const early = await asked()
  early.house.clock.advance(10 * MINUTE - 1)
  expect((await early.browser.reset(early.code)).statusCode).toBe(200)
  const late = await asked()
  late.house.clock.advance(10 * MINUTE)
  expect((await late.browser.reset(late.code)).statusCode).toBe(403)
  const { token = '' } = (await letterOf(late.house, 'password_reset')).values
  expect((await late.browser.reset(token)).statusCode).toBe(200)
})

test('R-07: it ends with its link, where that lasts for less', async () => {
  for (const [wait, status] of [
    [5 * MINUTE - 1, 200],
    [5 * MINUTE, 403],
  ] as const) {
    const { house, browser, code } = await asked({ RESET_TOKEN_LIFETIME: '5m' })
    house.clock.advance(wait)
    expect((await browser.reset(code)).statusCode).toBe(status)
  }
})

test('S-21: what was counted goes when no code that it could be about is good any more', async () => {
  const { house, browser, wrong } = await asked()
  const counted = () => house.db.read({ sql: 'SELECT tries FROM code_tries', params: [] }, ({ tries }) => Number(tries))
  for (let n = 0; n < 2; n += 1) await browser.reset(wrong)
  house.clock.advance(10 * MINUTE - 1)
  await house.upkeep()
  expect(await counted()).toEqual([2])
  house.clock.advance(MINUTE)
  await house.upkeep()
  expect(await counted()).toEqual([])
})

test('R-02: every request sets the cookie anew, whether a letter goes or not, whether the address has an account or not', async () => {
  const house = await production({ ...MAIL, RESETS_PER_ACCOUNT: '0', MAILS_PER_ADDRESS: '2' })
  await signedIn(house)
  for (const email of [OWNER, 'nobody@example.org']) {
    const browser = stranger(house)
    const values = new Set<string | undefined>()
    for (let n = 0; n < 4; n += 1) {
      const { statusCode, cookies } = await browser.askForReset(email)
      expect([statusCode, cookies.map(({ name }) => name)]).toEqual([200, ['__Host-reset']])
      values.add(browser.cookies.get('__Host-reset'))
    }
    expect(values.size).toBe(4)
  }
})

test('R-08: a new request makes the earlier code and link worthless', async () => {
  const { house, browser, code } = await asked()
  const { token = '' } = (await letterOf(house, 'password_reset')).values
  house.clock.advance(1)
  await browser.askForReset()
  expect((await browser.reset(code)).statusCode).toBe(403)
  expect((await browser.reset(token)).statusCode).toBe(403)
  const { code: newer = '' } = (await letterOf(house, 'password_reset')).values
  expect((await browser.reset(newer)).statusCode).toBe(200)
})

test('the cookie that binds it goes with it, and stays where it was not used', async () => {
  const { browser, code, wrong } = await asked()
  expect(browser.cookies.has('__Host-reset')).toBe(true)
  await browser.reset(wrong)
  expect(browser.cookies.has('__Host-reset')).toBe(true)
  await browser.reset(code)
  expect(browser.cookies.has('__Host-reset')).toBe(false)
})

test('R-04: neither code nor cookie stands in the database', async () => {
  const { house, browser, code } = await asked()
  const rows = await house.db.read({ sql: 'SELECT * FROM one_time_tokens', params: [] }, (row) => JSON.stringify(row))
  expect(rows.some((row) => row.includes('reset_code'))).toBe(true)
  const [, secret = ''] = (browser.cookies.get('__Host-reset') ?? '').split('.')
  expect(secret).toHaveLength(43)
  for (const row of rows) for (const plain of [code, secret]) expect(row).not.toContain(plain)
})

test('in development a program gets the token and no cookie, as it always did; a browser gets the cookie', async () => {
  const house = await production({ NODE_ENV: 'development', PUBLIC_URL: 'http://localhost:5000' })
  const visitor = new Visitor(house, '127.0.0.1')
  await visitor.register(OWNER, 'pwd12')
  const program = await visitor.askForReset()
  expect(program.json()).toEqual({ email: OWNER, reset_token: expect.stringMatching(/^[\w-]{36}\.[\w-]{43}$/) })
  expect(program.headers['set-cookie']).toBeUndefined()
  const page = await visitor.send('POST', '/reset_password', { email: OWNER }, { accept: 'text/html' })
  expect(page.cookies.map(({ name }) => name)).toEqual(['reset'])
})
