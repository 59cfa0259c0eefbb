/** Requests that race for one thing: however many come at once, it happens as often as it may. */

import bcrypt from 'bcrypt'
import { expect, test } from 'vitest'
import { PRODUCTION, TEST_COST } from '../house.ts'
import {
  type Answer,
  anotherDevice,
  BOB,
  Client,
  house,
  NEW_PASSWORD,
  PASSWORD,
  seen,
  signedIn,
  textOf,
} from './client.ts'
import { GOOD_PASSWORD } from './routes.ts'

/** Runs a request twenty times at once. @returns the answers */
function twenty(request: (index: number) => Promise<Answer>): Promise<Answer[]> {
  return Promise.all(Array.from({ length: 20 }, (_, index) => request(index)))
}

async function inTurn(attempts: (() => Promise<Answer>)[]): Promise<Answer[]> {
  const answers: Answer[] = []
  for (const attempt of attempts) answers.push(await attempt())
  return answers
}

/** @returns how often each status was answered */
function counted(answers: Answer[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { statusCode } of answers) counts[statusCode] = (counts[statusCode] ?? 0) + 1
  return counts
}

test('of 20 registrations of one address one is answered 200, the rest 400', async () => {
  const { app, db } = await house()
  const answers = await twenty((index) => new Client(app).register(BOB, `password ${index}`))
  expect(counted(answers)).toEqual({ 200: 1, 400: 19 })
  const winner = answers.findIndex(({ statusCode }) => statusCode === 200)
  expect((await new Client(app).logIn(BOB, `password ${winner}`)).statusCode).toBe(200)
  expect(await db.read({ sql: 'SELECT email FROM users', params: [] }, ({ email }) => email)).toEqual([BOB])
  for (const loser of answers.filter(({ statusCode }) => statusCode === 400)) {
    expect(seen(loser).body).toStrictEqual({ message: 'email already registered' })
  }
})

test('R-06: of 20 uses of one reset token one is answered 200, the rest 403', async () => {
  const { app } = await house()
  const token = await (await signedIn(app)).resetToken()
  const answers = await twenty((index) => new Client(app).reset(token, `password ${index}`))
  expect(counted(answers)).toEqual({ 200: 1, 403: 19 })
  const winner = answers.findIndex(({ statusCode }) => statusCode === 200)
  expect((await new Client(app).logIn(BOB, `password ${winner}`)).statusCode).toBe(200)
  const logins = await twenty((index) => new Client(app).logIn(BOB, index === winner ? 'another' : `password ${index}`))
  expect(logins.filter(({ statusCode }) => statusCode === 200)).toEqual([])
})

test('of 20 reset tokens asked for at once one is good', async () => {
  const { app } = await house()
  const client = await signedIn(app)
  const tokens = (await twenty(() => client.askForReset())).map((answer) => textOf(answer, 'reset_token'))
  const answers = await twenty((index) => new Client(app).reset(tokens[index] ?? ''))
  expect(counted(answers)).toEqual({ 200: 1, 403: 19 })
})

test.each([
  ['development', {}],
  ['production', PRODUCTION],
])('20 right logins at once are all answered 200 in %s, and are 20 sessions', async (_, env) => {
  const { app } = await house(env)
  await new Client(app).register(BOB, GOOD_PASSWORD)
  // Twice: the first twenty leave nothing behind that would stop the next.
  for (let round = 1; round <= 2; round += 1) {
    const devices = Array.from({ length: 20 }, () => new Client(app))
    const logins = await Promise.all(devices.map((device) => device.logIn(BOB, GOOD_PASSWORD)))
    expect(counted(logins), `round ${round}`).toEqual({ 200: 20 })
    expect(new Set(devices.map(({ cookie }) => cookie)).size).toBe(20)
    expect(counted(await Promise.all(devices.map((device) => device.profile()))), `round ${round}`).toEqual({ 200: 20 })
  }
})

test('in production 20 people of one network may log in at once', async () => {
  const { app } = await house(PRODUCTION)
  const emails = Array.from({ length: 20 }, (_, index) => `user${index}@example.org`)
  for (const email of emails) await new Client(app).register(email, GOOD_PASSWORD)
  const logins = await Promise.all(emails.map((email) => new Client(app).logIn(email, GOOD_PASSWORD)))
  expect(counted(logins)).toEqual({ 200: 20 })
})

test.each([
  ['development', {}],
  ['production', PRODUCTION],
])('of 20 wrong logins at once 10 are checked in %s, as of 20 in a row', async (_, env) => {
  for (const [how, logIn] of [
    ['at once', (attempts: (() => Promise<Answer>)[]) => Promise.all(attempts.map((attempt) => attempt()))],
    ['in a row', inTurn],
  ] as const) {
    const { app } = await house(env)
    await new Client(app).register(BOB, GOOD_PASSWORD)
    const attempts = Array.from({ length: 20 }, () => () => new Client(app).logIn(BOB, 'a wrong way to go'))
    expect(counted(await logIn(attempts)), how).toEqual({ 401: 10, 429: 10 })
    expect((await new Client(app).logIn(BOB, GOOD_PASSWORD)).statusCode, how).toBe(429)
  }
})

test('20 logins at once are all good while the row is hashed anew, and it is hashed anew', async () => {
  const { app, db } = await house()
  const client = new Client(app)
  await client.register()
  const { id } = await db.findUserBy({ email: BOB })
  for (const outdated of [await bcrypt.hash(PASSWORD, 5), (await bcrypt.hash(PASSWORD, 6)).replace('$2b$', '$2y$')]) {
    await db.updateUser(id, { hashedPassword: outdated })
    const devices = Array.from({ length: 20 }, () => new Client(app))
    expect(counted(await twenty((index) => (devices[index] ?? client).logIn()))).toEqual({ 200: 20 })
    expect((await db.findUserBy({ id })).hashedPassword).toMatch(new RegExp(`^\\$2b\\$0${TEST_COST}\\$`))
    expect(counted(await twenty((index) => (devices[index] ?? client).profile()))).toEqual({ 200: 20 })
  }
})

test('a login that races a reset leaves no session with the old password', async () => {
  const { app, clock } = await house()
  const token = await (await signedIn(app)).resetToken()
  const devices = Array.from({ length: 20 }, () => new Client(app))
  const [reset] = await Promise.all([new Client(app).reset(token), ...devices.map((device) => device.logIn())])
  expect(reset?.statusCode).toBe(200)
  expect(counted(await twenty((index) => (devices[index] ?? new Client(app)).profile()))).toEqual({ 403: 20 })
  // Those that came too late were wrong passwords of strangers: the next stranger waits for half a minute.
  clock.advance(30_000)
  expect((await new Client(app).logIn(BOB, NEW_PASSWORD)).statusCode).toBe(200)
})

test('20 logouts of one session at once end it, and none is a fault', async () => {
  const { app } = await house()
  const [{ cookie }, phone] = [await signedIn(app), await anotherDevice(app)]
  const answers = await twenty(() => app.inject({ method: 'DELETE', url: '/sessions', headers: { cookie } }))
  expect(answers.map(({ statusCode }) => statusCode).filter((status) => status !== 302 && status !== 403)).toEqual([])
  expect((await app.inject({ url: '/profile', headers: { cookie } })).statusCode).toBe(403)
  expect((await phone.profile()).statusCode).toBe(200)
})

test('a session that ends while its change is being checked is not followed by another', async () => {
  const { app, db, auth } = await house(PRODUCTION)
  const laptop = await signedIn(app, BOB, GOOD_PASSWORD)
  const phone = await anotherDevice(app, BOB, GOOD_PASSWORD)
  const { id: userId } = await db.findUserBy({ email: BOB })
  const change = { email: 'robert@example.org', current_password: GOOD_PASSWORD }
  const [changed, ended] = await Promise.all([
    laptop.send('PATCH', '/users/me', change),
    phone.send('DELETE', '/sessions?others=true'),
  ])
  expect(ended.statusCode).toBe(200)
  // Whichever came first, the phone has ended what the laptop had or got.
  expect([200, 403]).toContain(changed.statusCode)
  expect(await auth.listSessions(userId)).toHaveLength(1)
  const many = Array.from({ length: 20 }, (_, n) =>
    phone.send('PATCH', '/users/me', { email: `robert${n}@example.org`, current_password: GOOD_PASSWORD }),
  )
  const statuses = (await Promise.all(many)).map(({ statusCode }) => statusCode)
  expect(statuses.filter((status) => status === 200)).toHaveLength(1)
  expect((await auth.listSessions(userId)).length).toBeLessThanOrEqual(2)
})

test('logins that are checked while their account is deleted are answered 401', async () => {
  const { app } = await house()
  const statuses: number[] = []
  for (let round = 0; round < 4; round += 1) {
    const client = await signedIn(app)
    const logins = Array.from({ length: 6 }, () => new Client(app).logIn(BOB, 'wrong'))
    const deleted = await client.send('DELETE', '/users/me', { current_password: PASSWORD })
    expect(deleted.statusCode).toBe(200)
    for (const { statusCode } of await Promise.all(logins)) statuses.push(statusCode)
  }
  expect(new Set(statuses)).toEqual(new Set([401]))
})
