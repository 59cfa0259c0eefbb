/** One's own account: seen, changed and deleted, by its owner alone and with the current password where it matters. */

import { describe, expect, test, vi } from 'vitest'
import { NO_CLIENT } from '../../src/auth/parts.ts'
import type { House } from '../house.ts'
import {
  type Answer,
  anotherDevice,
  breakTable,
  CHARLES,
  DAY,
  HOUR,
  inTurn,
  linesOf,
  MADE_UP,
  NEW_PASSWORD,
  OWNER,
  PASSWORD,
  production,
  productionOnFile,
  seen,
  signedIn,
  statusOf,
  stranger,
  tally,
  Visitor,
  WRONG,
} from '../production.ts'

const NEW_EMAIL = 'Ada@Byron.example'

/** The whole account, as its owner sees it. */
const ACCOUNT = { id: 1, email: OWNER, name: null, confirmed: false, created_at: '2026-01-01T00:00:00.000Z' }

function change(visitor: Visitor, fields: Record<string, unknown>): Promise<Answer> {
  return visitor.send('PATCH', '/users/me', fields)
}

function remove(visitor: Visitor, fields: Record<string, unknown> = { current_password: PASSWORD }): Promise<Answer> {
  return visitor.send('DELETE', '/users/me', fields)
}

/** @returns the names of the cookies that an answer sets */
function cookiesSet({ cookies }: Answer): string[] {
  return cookies.map(({ name }) => name)
}

/** @returns the status of a login with this password, on a device of its own */
async function loginWith(house: House, password: string, email = OWNER): Promise<number> {
  return (await new Visitor(house).logIn(email, password)).statusCode
}

describe('GET /users/me', () => {
  test('shows the whole account, and nothing that is secret', async () => {
    const laptop = await signedIn(await production())
    expect(seen(await laptop.send('GET', '/users/me'))).toStrictEqual({ status: 200, body: ACCOUNT })
    expect(seen(await laptop.profile())).toStrictEqual({ status: 200, body: { email: OWNER } })
  })

  test('shows the name and the address as they were typed', async () => {
    const house = await production()
    const laptop = new Visitor(house)
    await laptop.send('POST', '/users', { email: ' Ada@Lovelace.example', password: PASSWORD, name: '  Ada L. ' })
    await laptop.logIn()
    expect((await laptop.send('GET', '/users/me')).json()).toMatchObject({
      ...{ email: 'Ada@Lovelace.example', name: 'Ada L.' },
    })
  })
})

test.each(['GET', 'PATCH', 'DELETE'] as const)('%s /users/me needs a session', async (method) => {
  const house = await production()
  await signedIn(house)
  const body = method === 'GET' ? undefined : { name: 'Ada', current_password: PASSWORD }
  const refused = { status: 403, body: { message: 'no valid session: log in first', code: 'session_required' } }
  expect(seen(await new Visitor(house).send(method, '/users/me', body))).toEqual(refused)
})

describe('PATCH /users/me', () => {
  test('changes the name at once', async () => {
    const house = await production()
    const [laptop, phone] = [await signedIn(house), await anotherDevice(house)]
    house.clock.advance(DAY)
    const answer = await change(laptop, { name: ' Augusta Ada ' })
    expect(seen(answer)).toStrictEqual({ status: 200, body: { ...ACCOUNT, name: 'Augusta Ada' } })
    expect(cookiesSet(answer)).toEqual([])
    expect((await phone.send('GET', '/users/me')).json()).toEqual({ ...ACCOUNT, name: 'Augusta Ada' })
    expect((await change(laptop, { name: '' })).json()).toEqual(ACCOUNT)
  })

  test('changes the address with the current password, and gives this session a new id', async () => {
    const house = await production()
    const [laptop, phone] = [await signedIn(house), await anotherDevice(house)]
    const old = laptop.at(house)
    const answer = await change(laptop, { email: ` ${NEW_EMAIL}`, current_password: PASSWORD })
    expect(seen(answer)).toStrictEqual({ status: 200, body: { ...ACCOUNT, email: NEW_EMAIL } })
    expect(cookiesSet(answer).sort()).toEqual(['__Host-device', '__Host-session_id'])
    expect((await old.profile()).statusCode, 'the id before').toBe(403)
    expect((await laptop.profile()).json(), 'this session').toEqual({ email: NEW_EMAIL })
    expect((await phone.profile()).json(), 'another session').toEqual({ email: NEW_EMAIL })
    expect([await loginWith(house, PASSWORD), await loginWith(house, PASSWORD, NEW_EMAIL)]).toEqual([401, 200])
    expect((await stranger(house).register(OWNER)).statusCode, 'the old address is free').toBe(200)
  })

  test('P-02: changes the password only with the current one', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    const missing = { message: 'current_password missing', code: 'field_missing', field: 'current_password' }
    expect(seen(await change(laptop, { password: NEW_PASSWORD }))).toEqual({ status: 400, body: missing })
    const wrong = {
      message: 'the current password is wrong',
      code: 'current_password_wrong',
      field: 'current_password',
    }
    for (const current of [WRONG, '', NEW_PASSWORD, `${PASSWORD} `, PASSWORD.toUpperCase()]) {
      const refused = await change(laptop, { password: NEW_PASSWORD, current_password: current })
      expect(seen(refused), current).toEqual({ status: 403, body: wrong })
    }
    expect([await loginWith(house, PASSWORD), await loginWith(house, NEW_PASSWORD)]).toEqual([200, 401])

    const changed = await change(laptop, { password: NEW_PASSWORD, current_password: PASSWORD })
    expect(seen(changed)).toStrictEqual({ status: 200, body: ACCOUNT })
    expect([await loginWith(house, PASSWORD), await loginWith(house, NEW_PASSWORD)]).toEqual([401, 200])
  })

  test('S-14: a new password ends all other sessions and gives this one a new id', async () => {
    const house = await production()
    const [laptop, phone, tablet] = [await signedIn(house), await anotherDevice(house), await anotherDevice(house)]
    const other = await signedIn(house, CHARLES)
    const old = laptop.at(house)
    await change(laptop, { password: NEW_PASSWORD, current_password: PASSWORD })
    const statuses = await inTurn(5, async (n) =>
      statusOf(await ([laptop, old, phone, tablet, other][n] ?? other).profile()),
    )
    expect(statuses).toEqual([200, 403, 403, 403, 200])
  })

  test('S-14: a reset ends every session', async () => {
    const house = await production()
    const [laptop, phone] = [await signedIn(house), await anotherDevice(house)]
    await stranger(house).reset(await house.auth.getResetPasswordToken(OWNER))
    expect([(await laptop.profile()).statusCode, (await phone.profile()).statusCode]).toEqual([403, 403])
  })

  test('a new password ends the pending token', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    const token = await house.auth.getResetPasswordToken(OWNER)
    await change(laptop, { password: NEW_PASSWORD, current_password: PASSWORD })
    expect((await stranger(house).reset(token, 'yet another good one')).statusCode).toBe(403)
    expect(await loginWith(house, NEW_PASSWORD)).toBe(200)
  })

  test.each(['sessions', 'one_time_tokens'])(
    'a new password, the end of the sessions and that of the tokens are one step: a fault in %s undoes all',
    async (table) => {
      const house = await production()
      const [laptop, phone] = [await signedIn(house), await anotherDevice(house)]
      const token = await house.auth.getResetPasswordToken(OWNER)
      await breakTable(house, 'DELETE', table)
      expect((await change(laptop, { password: NEW_PASSWORD, current_password: PASSWORD })).statusCode).toBe(500)
      expect([(await laptop.profile()).statusCode, (await phone.profile()).statusCode]).toEqual([200, 200])
      expect([await loginWith(house, PASSWORD), await loginWith(house, NEW_PASSWORD)]).toEqual([200, 401])
      expect(await house.db.findTokenBy({ id: token.slice(0, 36) })).toMatchObject({ userId: 1 })
    },
  )

  test('R-11: a token is dead when the address has changed meanwhile, for the old address and the new', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    const token = await house.auth.getResetPasswordToken(OWNER)
    await change(laptop, { email: NEW_EMAIL, current_password: PASSWORD })
    for (const email of [OWNER, NEW_EMAIL]) {
      expect((await stranger(house).reset(token, NEW_PASSWORD, email)).statusCode, email).toBe(403)
    }
    expect((await laptop.profile()).statusCode).toBe(200)
    expect(await loginWith(house, PASSWORD, NEW_EMAIL)).toBe(200)
  })

  test('R-11: a token of one account changes nothing of another', async () => {
    const house = await production()
    const [laptop, other] = [await signedIn(house), await signedIn(house, CHARLES)]
    const token = await house.auth.getResetPasswordToken(OWNER)
    expect((await stranger(house).reset(token, NEW_PASSWORD, CHARLES)).statusCode).toBe(403)
    expect([(await laptop.profile()).statusCode, (await other.profile()).statusCode]).toEqual([200, 200])
    expect([await loginWith(house, PASSWORD), await loginWith(house, PASSWORD, CHARLES)]).toEqual([200, 200])
    expect((await stranger(house).reset(token)).statusCode, 'with its own address').toBe(200)
  })

  test('changes all together', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    const all = { name: 'Ada', email: NEW_EMAIL, password: NEW_PASSWORD, current_password: PASSWORD }
    expect(seen(await change(laptop, all))).toStrictEqual({
      status: 200,
      body: { ...ACCOUNT, name: 'Ada', email: NEW_EMAIL },
    })
    expect(await loginWith(house, NEW_PASSWORD, NEW_EMAIL)).toBe(200)
  })

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['a taken address', { email: ` ${CHARLES.toUpperCase()}` }, { message: 'email already registered' }],
    ['no address', { email: 'ada' }, { code: 'email_invalid', field: 'email' }],
    ['an empty address', { email: '' }, { code: 'email_invalid', field: 'email' }],
    ['a name with a line break', { name: 'Ada\nLovelace' }, { code: 'field_invalid', field: 'name' }],
    ['a name that is too long', { name: 'A'.repeat(201) }, { code: 'field_invalid', field: 'name' }],
    ['a short password', { password: 'sevn ch' }, { code: 'password_too_short', field: 'password' }],
    ['an empty password', { password: '' }, { code: 'field_missing', field: 'password' }],
    ['a common password', { password: 'iloveyou' }, { code: 'password_common', field: 'password' }],
    ['a name that is no text', { name: null }, { code: 'field_invalid', field: 'name' }],
    ['an address that is no text', { email: [NEW_EMAIL] }, { code: 'field_invalid', field: 'email' }],
    ['a password that is no text', { password: 12345678 }, { code: 'field_invalid', field: 'password' }],
  ])('changes all or nothing: %s', async (_, bad, body) => {
    const house = await production()
    const laptop = await signedIn(house)
    await new Visitor(house).register(CHARLES)
    const token = await house.auth.getResetPasswordToken(OWNER)
    const good = { name: 'Ada', email: NEW_EMAIL, password: NEW_PASSWORD, current_password: PASSWORD }
    const refused = await change(laptop, { ...good, ...bad })
    expect(seen(refused)).toMatchObject({ status: 400, body })
    expect(cookiesSet(refused)).toEqual([])
    expect((await laptop.send('GET', '/users/me')).json()).toEqual(ACCOUNT)
    expect(await loginWith(house, PASSWORD)).toBe(200)
    expect((await stranger(house).reset(token)).statusCode, 'the token').toBe(200)
  })

  test.each([
    ['the name it had', { name: 'x' }],
    ['nothing', {}],
  ])('answers %s as it is when the body has come, which may be long after the head', async (_, asked) => {
    const house = await production()
    const [owner, other] = [await signedIn(house), await anotherDevice(house)]
    await owner.send('PATCH', '/users/me', { name: 'x' })
    const read = await house.auth.checkSession(owner.cookies.get('__Host-session_id'))
    if (read === null) throw new Error('nobody is signed in')
    await other.send('PATCH', '/users/me', { name: 'y' })
    const { user } = await house.auth.changeAccount(read, asked, NO_CLIENT)
    expect((await other.send('GET', '/users/me')).json().name).toBe(user.name)
    await other.send('DELETE', '/sessions?others=true')
    await expect(house.auth.changeAccount(read, asked, NO_CLIENT)).rejects.toMatchObject({ code: 'session_required' })
  })

  test('asked for nothing changes nothing', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    for (const nothing of [{}, { current_password: WRONG }]) {
      const answer = await change(laptop, nothing)
      expect(seen(answer)).toStrictEqual({ status: 200, body: ACCOUNT })
      expect(cookiesSet(answer)).toEqual([])
    }
  })

  test('takes the address of the account itself in other letters', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    const answer = await change(laptop, { email: 'ADA@lovelace.example', current_password: PASSWORD })
    expect(answer.json()).toEqual({ ...ACCOUNT, email: 'ADA@lovelace.example' })
  })

  test('A-22: reads the listed fields and no other, of the caller and nobody else', async () => {
    const house = await production()
    const [laptop, other] = [await signedIn(house), await signedIn(house, CHARLES)]
    const smuggled = {
      ...{ id: 2, user_id: 2, userId: 2, confirmed: true, created_at: '1999-01-01', createdAt: 0, is_admin: true },
      ...{ email_key: 'x', emailKey: 'x', hashed_password: 'x', hashedPassword: 'x', name: 'Mallory' },
    }
    expect((await change(laptop, smuggled)).json()).toEqual({ ...ACCOUNT, name: 'Mallory' })
    expect((await change(laptop, { ...smuggled, password: NEW_PASSWORD, current_password: PASSWORD })).statusCode).toBe(
      200,
    )
    expect(await loginWith(house, NEW_PASSWORD)).toBe(200)
    expect((await other.send('GET', '/users/me')).json()).toMatchObject({ id: 2, email: CHARLES, name: null })
    expect(await loginWith(house, PASSWORD, CHARLES)).toBe(200)
  })

  test('A-22: an account has no other name than me', async () => {
    const house = await production()
    const [laptop] = [await signedIn(house), await signedIn(house, CHARLES)]
    for (const url of ['/users/2', '/users/1', `/users/${CHARLES}`, '/users/me/2']) {
      for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
        const answer = await laptop.send(method, url, method === 'GET' ? undefined : { current_password: PASSWORD })
        expect(answer.statusCode, `${method} ${url}`).toBe(404)
      }
    }
    expect(await loginWith(house, PASSWORD, CHARLES)).toBe(200)
  })

  test.each([
    ['just after the login', 0],
    ['in an old session', 6 * DAY],
  ])('A-23: changes the address only with the password, %s', async (_, age) => {
    const house = await production()
    const laptop = await signedIn(house)
    house.clock.advance(age)
    expect((await change(laptop, { email: NEW_EMAIL })).statusCode).toBe(400)
    expect((await change(laptop, { email: NEW_EMAIL, current_password: WRONG })).statusCode).toBe(403)
    expect((await laptop.profile()).json()).toEqual({ email: OWNER })
    expect((await change(laptop, { email: NEW_EMAIL, current_password: PASSWORD })).statusCode).toBe(200)
    expect((await laptop.profile()).json()).toEqual({ email: NEW_EMAIL })
  })

  test('of 20 new passwords at once exactly one wins', async () => {
    const house = await productionOnFile()
    const laptop = await signedIn(house)
    const wanted = Array.from({ length: 20 }, (_, n) => `the new one is number ${n}`)
    const tabs = wanted.map(() => laptop.at(house))
    const answers = await Promise.all(
      tabs.map((tab, n) => change(tab, { password: wanted[n], current_password: PASSWORD })),
    )
    expect(tally(answers)).toEqual({ 200: 1, 403: 19 })
    const winner = answers.findIndex(({ statusCode }) => statusCode === 200)
    expect((await tabs[winner]?.profile())?.statusCode).toBe(200)
    expect(house.rows('SELECT id FROM sessions')).toHaveLength(1)
    const good = await Promise.all(wanted.map((password) => house.auth.validLogin(OWNER, password)))
    expect(good).toEqual(wanted.map((_, n) => n === winner))
    expect(await house.auth.validLogin(OWNER, PASSWORD)).toBe(false)
    expect(linesOf(house, 'password_changed')).toHaveLength(1)
  })

  test('of 20 accounts that want one address at once exactly one gets it', async () => {
    const house = await production()
    const visitors = await inTurn(20, (n) => signedIn(house, `reader${n}@byron.example`))
    // A new address has the ceiling of a registration, which these 20 have reached.
    house.clock.advance(2 * HOUR)
    const answers = await Promise.all(
      visitors.map((one) => change(one, { email: NEW_EMAIL, current_password: PASSWORD })),
    )
    expect(tally(answers)).toEqual({ 200: 1, 400: 19 })
    const profiles = await Promise.all(
      visitors.map(async (one) => (await one.profile()).json<{ email: string }>().email),
    )
    expect(profiles.filter((email) => email === NEW_EMAIL)).toHaveLength(1)
  })
})

describe('DELETE /users/me', () => {
  test('removes the account and clears the cookie; the address is free, the id is never given again', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    const answer = await remove(laptop)
    expect(seen(answer)).toStrictEqual({ status: 200, body: { email: OWNER, message: 'account deleted' } })
    expect(answer.cookies).toEqual([
      expect.objectContaining({ name: '__Host-session_id', value: '', maxAge: 0, path: '/', secure: true }),
    ])
    expect(await loginWith(house, PASSWORD)).toBe(401)
    const again = await signedIn(house)
    expect((await again.send('GET', '/users/me')).json()).toEqual({ ...ACCOUNT, id: 2 })
  })

  test('S-13: ends every session and every token of a deleted account', async () => {
    const house = await productionOnFile()
    const [laptop, phone] = [await signedIn(house), await anotherDevice(house)]
    const other = await signedIn(house, CHARLES)
    const token = await house.auth.getResetPasswordToken(OWNER)
    const old = laptop.at(house)
    await remove(laptop)
    for (const session of [old, phone]) expect((await session.profile()).statusCode).toBe(403)
    expect((await stranger(house).reset(token)).statusCode).toBe(403)
    expect((await other.profile()).statusCode).toBe(200)
    expect(house.rows('SELECT id FROM users')).toEqual([{ id: 2 }])
    expect(house.rows('SELECT DISTINCT user_id FROM sessions')).toEqual([{ user_id: 2 }])
    expect(house.rows('SELECT id FROM one_time_tokens')).toEqual([])

    await signedIn(house)
    for (const session of [old, phone]) expect((await session.profile()).statusCode, 'registered anew').toBe(403)
    expect((await stranger(house).reset(token)).statusCode, 'registered anew').toBe(403)
  })

  test('S-13: ends every session and every token of an account whose password is disabled', async () => {
    const house = await production()
    const [laptop, phone] = [await signedIn(house), await anotherDevice(house)]
    const token = await house.auth.getResetPasswordToken(OWNER)
    await house.auth.disablePassword(1)
    for (const session of [laptop, phone]) expect((await session.profile()).statusCode).toBe(403)
    expect((await stranger(house).reset(token)).statusCode).toBe(403)
    expect(await loginWith(house, PASSWORD)).toBe(401)
    expect((await stranger(house).reset(await house.auth.getResetPasswordToken(OWNER))).statusCode).toBe(200)
    expect(await loginWith(house, NEW_PASSWORD)).toBe(200)
  })

  test.each([
    ['just after the login', 0],
    ['in an old session', 6 * DAY],
  ])('A-24: needs the password, %s', async (_, age) => {
    const house = await production()
    const laptop = await signedIn(house)
    house.clock.advance(age)
    const missing = { message: 'current_password missing', code: 'field_missing', field: 'current_password' }
    expect(seen(await remove(laptop, {}))).toEqual({ status: 400, body: missing })
    expect(seen(await remove(laptop, { current_password: WRONG }))).toMatchObject({
      ...{ status: 403, body: { code: 'current_password_wrong' } },
    })
    expect((await laptop.profile()).statusCode).toBe(200)
    expect((await remove(laptop)).statusCode).toBe(200)
  })

  test('A-24: a password that was proven for something else is not enough', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    await change(laptop, { email: NEW_EMAIL, current_password: PASSWORD })
    expect((await remove(laptop, {})).statusCode).toBe(400)
    expect((await laptop.profile()).statusCode).toBe(200)
  })

  test('A-22: deletes nobody else, whatever the body says', async () => {
    const house = await production()
    const [laptop, other] = [await signedIn(house), await signedIn(house, CHARLES)]
    await remove(laptop, { current_password: PASSWORD, id: 2, email: CHARLES })
    expect((await laptop.profile()).statusCode).toBe(403)
    expect((await other.profile()).statusCode).toBe(200)
  })

  test('happens once, of 20 at the same time', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    const answers = await Promise.all(Array.from({ length: 20 }, () => remove(laptop.at(house))))
    expect(tally(answers)).toEqual({ 200: 1, 403: 19 })
    expect(linesOf(house, 'user_deleted')).toHaveLength(1)
  })

  test('does not happen on top of a password that is no longer the current one', async () => {
    const house = await production({}, { hashConcurrency: 1, bcryptCost: 11 })
    const [laptop, thief] = [await signedIn(house), await anotherDevice(house)]
    const changing = change(laptop, { password: NEW_PASSWORD, current_password: PASSWORD })
    await vi.waitFor(() => expect(linesOf(house, 'password_confirmed')).toHaveLength(1), {
      interval: 1,
      timeout: 10_000,
    })
    // The new password is being hashed; this session and the old password are still good, but not for long.
    const removing = remove(thief)
    expect((await changing).statusCode).toBe(200)
    expect((await removing).statusCode).toBe(403)
    expect(await loginWith(house, NEW_PASSWORD)).toBe(200)
  })
})

describe('the current password', () => {
  test('is guarded by a wait after ten wrong ones, over every route that asks for it', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    const { sessions } = (await laptop.send('GET', '/sessions')).json<{ sessions: { id: string }[] }>()
    const routes = [
      (current_password: string) => change(laptop, { email: NEW_EMAIL, current_password }),
      (current_password: string) => remove(laptop, { current_password }),
      (current_password: string) => laptop.send('DELETE', `/sessions/${sessions[0]?.id}`, { current_password }),
      (current_password: string) => laptop.send('DELETE', '/sessions?others=true', { current_password }),
    ]
    const route = (n: number) => routes[n % routes.length] ?? change.bind(null, laptop, {})
    expect(tally(await inTurn(10, (n) => route(n)(WRONG)))).toEqual({ 403: 10 })
    expect(tally(await inTurn(routes.length, (n) => route(n)(PASSWORD)))).toEqual({ 429: routes.length })
    expect((await laptop.profile()).statusCode).toBe(200)
    house.clock.advance(30_000)
    expect((await route(0)(PASSWORD)).statusCode).toBe(200)
  })

  test('is forgotten when it was right: nine wrong, one right, nine wrong', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    const others = (current_password: string) => laptop.send('DELETE', '/sessions?others=true', { current_password })
    for (const round of [1, 2]) {
      expect(tally(await inTurn(9, () => others(WRONG))), `round ${round}`).toEqual({ 403: 9 })
      expect((await others(PASSWORD)).statusCode).toBe(200)
    }
  })

  test('cannot be a reset token, or the password before', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    await change(laptop, { password: NEW_PASSWORD, current_password: PASSWORD })
    house.clock.advance(HOUR)
    for (const current_password of [PASSWORD, MADE_UP, await house.auth.getResetPasswordToken(OWNER)]) {
      expect((await change(laptop, { email: NEW_EMAIL, current_password })).statusCode).toBe(403)
    }
  })
})
