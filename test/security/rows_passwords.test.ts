/** Rows of the security list about passwords: breaches, age, hints. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { accessRows } from '../../scripts/access.ts'
import { BOB, bodyOf, Client, house, houseOnFile, signedIn } from '../app/client.ts'
import { GOOD_PASSWORD } from '../app/routes.ts'
import { PRODUCTION } from '../house.ts'

const YEAR = 365 * 24 * 3_600_000

test('P-04: a password known from a breach is refused as such, and only as a whole', async () => {
  const { app } = await house({ ...PRODUCTION, REGISTRATIONS_PER_NETWORK: '0' })
  const list = readFileSync(new URL('../../lists/common_passwords.txt', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
  const some = list.filter((_, index) => index % 5_000 === 0)
  expect(some.length).toBeGreaterThan(5)
  for (const [index, breached] of some.entries()) {
    const client = new Client(app)
    const refused = await client.register(`bob${index}@example.org`, breached)
    expect([refused.statusCode, bodyOf(refused)], breached).toMatchObject([400, { code: 'password_common' }])
    const around = await client.register(`bob${index}@example.org`, `xx${breached}yy`)
    expect(around.statusCode, `xx${breached}yy`).toBe(200)
  }
})

test('P-13: a password is good for years, and useless from the moment it is known to be compromised until it is reset', async () => {
  const { app, auth, clock, db } = await house(PRODUCTION)
  await new Client(app).register(BOB, GOOD_PASSWORD)
  clock.advance(5 * YEAR)
  const client = new Client(app)
  expect((await client.logIn(BOB, GOOD_PASSWORD)).statusCode).toBe(200)

  const { id } = await db.findUserBy({ email: BOB })
  const pending = await auth.getResetPasswordToken(BOB)
  await auth.disablePassword(id)
  expect((await client.profile()).statusCode).toBe(403)
  expect((await new Client(app).logIn(BOB, GOOD_PASSWORD)).statusCode).toBe(401)
  expect((await client.reset(pending, 'yet another way')).statusCode).toBe(403)

  expect((await client.reset(await auth.getResetPasswordToken(BOB), GOOD_PASSWORD)).statusCode).toBe(200)
  expect((await client.logIn(BOB, GOOD_PASSWORD)).statusCode).toBe(200)
})

test('P-14: hints and answers to questions are neither asked for nor kept', async () => {
  const { app, dump } = await houseOnFile(PRODUCTION)
  const tell = { hint: 'my-dog-rex', password_hint: 'my-dog-rex', question: 'first-pet', answer: 'rex-the-dog' }
  const registered = await new Client(app).send('POST', '/users', { email: BOB, password: GOOD_PASSWORD, ...tell })
  expect(registered.statusCode).toBe(200)
  for (const told of Object.values(tell)) expect(dump()).not.toContain(told)
  const client = await signedIn(app, BOB, GOOD_PASSWORD)
  expect((await client.send('PATCH', '/users/me', { name: 'Bob', ...tell })).statusCode).toBe(200)
  for (const told of Object.values(tell)) expect(dump()).not.toContain(told)

  const fields = (await accessRows()).flatMap(({ body, query }) => [...body, ...query])
  expect(fields.filter((field) => /hint|question|answer|mother|pet/.test(field))).toEqual([])
  expect(fields).toContain('new_password')
})
