/** Rows of the security list about the password reset: where the token is told, and what the new password must be. */

import { expect, test } from 'vitest'
import { ALICE, BOB, Client, house, seen } from '../app/client.ts'
import { GOOD_PASSWORD } from '../app/routes.ts'
import { PRODUCTION } from '../house.ts'
import { processorTime } from '../processor.ts'
import { NEW_GOOD_PASSWORD } from './journey.ts'

/** The form of every secret that this service makes. */
const SECRET = /(?<![\w-])[\w-]{43}(?![\w-])/

test('R-01: in production the token is in no answer, no header and no line of the log', async () => {
  const { app, auth, log } = await house({ ...PRODUCTION, LOG_REQUESTS: 'true' })
  const client = new Client(app)
  await client.register(BOB, GOOD_PASSWORD)
  const token = await auth.getResetPasswordToken(BOB)
  expect(token).toMatch(SECRET)
  const proxied = { 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1', host: 'localhost' }
  const answers = [
    await client.askForReset(BOB),
    await client.send('POST', '/reset_password', { email: BOB }, proxied),
    await client.askForReset(ALICE),
  ]
  for (const { statusCode, headers, body } of answers) {
    expect(statusCode).toBe(200)
    const { 'set-cookie': cookies = '', ...others } = headers
    expect(JSON.stringify(others) + body).not.toMatch(SECRET)
    // What binds the mailed code to this browser is the one secret in an answer, and is no token.
    const [, browser = ''] = /^__Host-reset=([^;]*)/.exec(String(cookies)) ?? []
    expect(String(cookies).replace(browser, '')).not.toMatch(SECRET)
    expect((await client.reset(browser, NEW_GOOD_PASSWORD)).statusCode).toBe(403)
  }
  const used = await client.reset(await auth.getResetPasswordToken(BOB), NEW_GOOD_PASSWORD)
  expect([used.statusCode, used.body]).toEqual([200, expect.not.stringMatching(SECRET)])
  expect(log.length).toBeGreaterThan(5)
  for (const line of log) expect(line).not.toMatch(SECRET)
})

test('R-12: a new password must be as good as a first one, and a refused one leaves the token unspent', async () => {
  const { app, auth } = await house(PRODUCTION)
  const client = new Client(app)
  await client.register(BOB, GOOD_PASSWORD)
  const token = await auth.getResetPasswordToken(BOB)
  const refusals = [
    ['', 'field_missing'],
    ['short7!', 'password_too_short'],
    ['x'.repeat(4097), 'password_too_long'],
    ['Password123', 'password_common'],
    ['bienvenue2026', 'password_context'],
    ['bob@example.org', 'password_context'],
  ] as const
  for (const [password, code] of refusals) {
    const refused = seen(await client.reset(token, password))
    expect(refused, code).toMatchObject({ status: 400, body: { code, field: 'new_password' } })
  }
  expect((await client.reset(token, NEW_GOOD_PASSWORD)).statusCode).toBe(200)
  expect((await client.logIn(BOB, NEW_GOOD_PASSWORD)).statusCode).toBe(200)
})

const COMBINING = '\u0301'.repeat(3_800) + '\u0316'.repeat(3_800)

test.each([
  ['in signs that a normal form must sort', `a@b${COMBINING}`, 'bienvenue1'],
  ['in words that a password repeats', `${Array(2_800).fill('aab').join('.')}@b.example`, `${'a'.repeat(4_000)}1`],
])(
  'R-10: a code for an address longer than any is a wrong guess like another, and no work: %s',
  async (_, ...given) => {
    const [email, password] = given
    const { app } = await house(PRODUCTION)
    const payload = { email, reset_token: '12345678', new_password: password }
    const statuses: number[] = []
    const work = await processorTime(async () => {
      while (statuses.length < 11)
        statuses.push((await app.inject({ method: 'PUT', url: '/reset_password', payload })).statusCode)
    })
    expect(statuses).toEqual([...Array(10).fill(403), 429])
    expect(work).toBeLessThan(500)
  },
)
