/** Rows of the security list about what the owner of an account is told: after changes, resets and suspicious logins. */

import { describe, expect, test, vi } from 'vitest'
import { letterOf, letters } from '../house.ts'
import { DAY, guess, HOUR, linesOf, MINUTE, NEW_PASSWORD, OWNER, PASSWORD, stranger, tally } from '../production.ts'
import { change, confirm, FIREFOX, NEW_ADDRESS, SECRET, settled, tokenOf, told } from './owner.ts'

describe('A-14: after a change of a credential its owner is told once', () => {
  const values = { address: '192.0.2.1', userAgent: FIREFOX['user-agent'] }

  test('A-14: a new password', async () => {
    const { house, owner, since } = await settled()
    expect((await change(owner, { password: NEW_PASSWORD })).statusCode).toBe(200)
    expect(await told(house, since)).toEqual([`password_changed ${OWNER}`])
    const notice = await letterOf(house, 'password_changed')
    expect(notice.values).toMatchObject(values)
    expect(JSON.stringify(notice)).not.toMatch(SECRET)
    expect(JSON.stringify(notice)).not.toContain(NEW_PASSWORD)
  })

  test('A-14: a refused change tells nobody', async () => {
    const { house, owner, since } = await settled()
    expect((await change(owner, { password: NEW_PASSWORD, current_password: 'not this' })).statusCode).toBe(403)
    expect((await change(owner, { password: 'short' })).statusCode).toBe(400)
    expect(await told(house, since)).toEqual([])
  })

  test('A-14: a password that an operator disabled', async () => {
    const { house, since } = await settled()
    const { id } = await house.db.findUserBy({ email: OWNER })
    await house.auth.disablePassword(id)
    expect(await told(house, since)).toEqual([`password_changed ${OWNER}`])
  })

  test('A-14: another address: the former one and the new one, when it is confirmed', async () => {
    const { house, owner, since } = await settled()
    expect((await change(owner, { email: NEW_ADDRESS })).statusCode).toBe(200)
    expect(await told(house, since)).toEqual([`email_change ${NEW_ADDRESS}`])
    house.clock.advance(HOUR)
    expect((await confirm(stranger(house), await tokenOf(house, 'email_change'))).statusCode).toBe(200)
    expect(await told(house, since + HOUR)).toEqual([`email_changed ${OWNER}`, `email_changed ${NEW_ADDRESS}`].sort())
    for (const { kind, to, values: said } of await letters(house)) {
      if (kind !== 'email_changed') continue
      expect(said.email).toBe(NEW_ADDRESS)
      expect([to, said.token !== undefined]).toEqual([to, to === OWNER])
    }
  })

  test('A-14: the link in the mail to the former address takes the change back, once, and ends every session', async () => {
    const { house, owner } = await settled()
    await change(owner, { email: NEW_ADDRESS })
    await confirm(owner, await tokenOf(house, 'email_change'))
    expect((await owner.profile()).json()).toEqual({ email: NEW_ADDRESS })
    const undo = { undo_token: await tokenOf(house, 'email_changed') }
    expect((await stranger(house).send('POST', '/undo_email_change', undo)).statusCode).toBe(200)
    expect((await owner.profile()).statusCode).toBe(403)
    expect((await stranger(house).send('POST', '/undo_email_change', undo)).statusCode).toBe(403)
    expect((await stranger(house).logIn(OWNER)).statusCode).toBe(401)
    await stranger(house).askForReset()
    expect((await stranger(house).reset(await tokenOf(house, 'password_reset'))).statusCode).toBe(200)
    expect((await stranger(house).logIn(OWNER, NEW_PASSWORD)).statusCode).toBe(200)
  })

  test('A-14: a thief who changes the address twice takes nothing from the first owner', async () => {
    const { house, owner, since } = await settled()
    await change(owner, { email: 'thief1@example.net' })
    await confirm(owner, await tokenOf(house, 'email_change'))
    const undo = await tokenOf(house, 'email_changed')
    house.clock.advance(HOUR)
    await change(owner, { email: 'thief2@example.net' })
    await confirm(owner, await tokenOf(house, 'email_change'))
    expect(await told(house, since + HOUR)).toContain('email_changed thief1@example.net')
    const latest = (await letters(house)).filter(({ kind }) => kind === 'email_changed').slice(0, 2)
    expect(latest.map(({ values: said }) => said.token)).toEqual([undefined, undefined])
    expect((await stranger(house).send('POST', '/undo_email_change', { undo_token: undo })).statusCode).toBe(200)
    expect((await house.db.findUserBy({ email: OWNER })).email).toBe(OWNER)
  })

  test('A-14: a deleted account', async () => {
    const { house, owner, since } = await settled()
    expect((await owner.send('DELETE', '/users/me', { current_password: PASSWORD })).statusCode).toBe(200)
    expect(await told(house, since)).toEqual([`account_deleted ${OWNER}`])
  })

  test('A-14: a thief who moved the address deletes the account: the former address is told as well, while it has the way back', async () => {
    for (const [wait, expected] of [
      [HOUR, [`account_deleted ${NEW_ADDRESS}`, `account_deleted ${OWNER}`]],
      [7 * DAY, [`account_deleted ${NEW_ADDRESS}`]],
    ] as const) {
      const { house, owner } = await settled()
      await change(owner, { email: NEW_ADDRESS })
      await confirm(owner, await tokenOf(house, 'email_change'))
      house.clock.advance(wait)
      const since = house.clock.now()
      const thief = stranger(house)
      expect((await thief.logIn(NEW_ADDRESS, PASSWORD)).statusCode).toBe(200)
      expect((await thief.send('DELETE', '/users/me', { current_password: PASSWORD })).statusCode).toBe(200)
      expect((await told(house, since)).filter((line) => line.startsWith('account_deleted'))).toEqual(expected)
    }
  })

  test('A-14: 20 changes at once: one happens, and one notice tells of it', async () => {
    const { house, owner, since } = await settled()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        owner.at(house).send('PATCH', '/users/me', { current_password: PASSWORD, password: `${NEW_PASSWORD} ${n}` }),
      ),
    )
    expect(tally(answers)[200]).toBe(1)
    expect(await told(house, since)).toEqual([`password_changed ${OWNER}`])
  })
})

test('R-13: a reset is told to the owner, without the password and without a token', async () => {
  const { house, since } = await settled()
  await stranger(house).askForReset()
  const token = await tokenOf(house, 'password_reset')
  expect((await stranger(house).reset(token)).statusCode).toBe(200)
  expect(await told(house, since)).toEqual([`password_changed ${OWNER}`, `password_reset ${OWNER}`])
  const notice = JSON.stringify(await letterOf(house, 'password_changed'))
  for (const secret of [NEW_PASSWORD, token, token.slice(-43)]) expect(notice).not.toContain(secret)
  expect(notice).not.toMatch(SECRET)
})

describe('A-15: a suspicious login is told to the owner, and is in the log', () => {
  test('A-15: ten wrong passwords, then the right one', async () => {
    const { house, owner, since } = await settled()
    await guess(house, 9)
    expect(await told(house, since)).toEqual([])
    await guess(house, 1, { from: 9 })
    expect(await told(house, since)).toEqual([`failed_logins ${OWNER}`])
    expect((await letterOf(house, 'failed_logins')).values).toMatchObject({ count: '10', address: '20.0.0.9' })
    house.clock.advance(HOUR)
    expect((await stranger(house, 700).logIn(OWNER, PASSWORD, FIREFOX)).statusCode).toBe(200)
    expect(await told(house, since + HOUR)).toEqual([`login_after_failures ${OWNER}`])
    const notice = await letterOf(house, 'login_after_failures')
    expect(notice.values).toEqual({ count: '10', address: '20.0.2.188', userAgent: FIREFOX['user-agent'] })
    expect(linesOf(house, 'login_succeeded').at(-1)).toMatchObject({ address: '20.0.2.188' })
    // It counts anew: the next login of the owner's own device is not suspicious.
    await owner.logIn()
    expect(await told(house, since + HOUR)).toEqual([`login_after_failures ${OWNER}`])
  })

  test('A-12: the notice of wrong passwords goes at a moment by chance, and none is looked for before', async () => {
    const { house } = await settled({ MAILS_PER_ADDRESS: '0' })
    await house.outbox.claim(100, HOUR)
    const looked = vi.fn()
    house.outbox.listen(looked)
    await guess(house, 10)
    expect(await told(house, house.clock.now())).toEqual([`failed_logins ${OWNER}`])
    expect(looked).not.toHaveBeenCalled()
    const letter = await letterOf(house, 'failed_logins')
    for (let n = 0; n < 29; n += 1) await house.db.commit(house.outbox.put(letter))
    const delays = (await house.outbox.recent(30)).map(({ dueAt }) => (dueAt ?? 0) - house.clock.now())
    expect(new Set(delays).size).toBeGreaterThan(25)
    expect(Math.min(...delays)).toBeLessThan(2 * MINUTE)
    expect(Math.max(...delays)).toBeGreaterThan(3 * MINUTE)
    house.clock.advance(5 * MINUTE)
    expect(await house.outbox.claim(100, HOUR)).toHaveLength(30)
  })

  test('A-15: a login on a device that was not used for the account before, and on it once', async () => {
    const { house, owner, since } = await settled()
    const phone = stranger(house, 7)
    await phone.logIn(OWNER, PASSWORD, FIREFOX)
    expect(await told(house, since)).toEqual([`new_device ${OWNER}`])
    expect((await letterOf(house, 'new_device')).values).toMatchObject({ address: '20.0.0.7' })
    for (const visitor of [phone, owner, phone]) await visitor.logIn()
    expect(await told(house, since)).toEqual([`new_device ${OWNER}`])
  })

  test('A-15: guesses at an address without an account are told to nobody', async () => {
    const { house, since } = await settled()
    await guess(house, 12, { email: 'nobody@example.net' })
    expect(await told(house, since)).toEqual([])
  })
})
