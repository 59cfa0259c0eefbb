/** Rows of the security list about mailed links: what their tokens are good for, how long, and how often. */

import { describe, expect, test } from 'vitest'
import { type House, letters, MAIL } from '../house.ts'
import {
  DAY,
  HOUR,
  inTurn,
  linesOf,
  NEW_PASSWORD,
  OWNER,
  PASSWORD,
  production,
  stranger,
  tally,
  Visitor,
} from '../production.ts'
import { change, confirm, NEW_ADDRESS, OPEN, SECRET, settled, tokenOf, told } from './owner.ts'

describe('A-17: the token of a confirmation', () => {
  test('A-17: is random: 1,000 of them are 1,000, of 256 bits', async () => {
    const house = await production({ ...MAIL, ...OPEN, MAILS_PER_ADDRESS: '0' })
    for (let n = 0; n < 500; n += 1) {
      const email = `reader${n}@example.net`
      await new Visitor(house).register(email)
      await new Visitor(house).send('POST', '/email_verification', { email })
    }
    const tokens = (await letters(house)).map(({ values }) => values.token ?? '')
    expect(tokens).toHaveLength(1_000)
    expect(new Set(tokens.map((token) => token.slice(-43))).size).toBe(1_000)
    for (const token of tokens) expect(token).toMatch(/^[\da-f-]{36}\.[\w-]{43}$/)
  })

  test('A-17: is good once, for 20 at once as well', async () => {
    const house = await production({ ...MAIL, ...OPEN })
    await new Visitor(house).register()
    const token = await tokenOf(house, 'email_confirmation')
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => confirm(stranger(house, n), token)))
    expect(tally(answers)).toEqual({ 200: 1, 403: 19 })
    expect((await confirm(stranger(house), token)).json()).toMatchObject({ code: 'verification_refused' })
    expect(linesOf(house, 'email_confirmed')).toHaveLength(1)
  })

  test('A-17: is good for a day and not longer, and not after another one was asked for', async () => {
    const house = await production({ ...MAIL, ...OPEN })
    await new Visitor(house).register()
    const first = await tokenOf(house, 'email_confirmation')
    house.clock.advance(DAY)
    expect((await confirm(stranger(house), first)).statusCode).toBe(403)
    await stranger(house).send('POST', '/email_verification', { email: OWNER })
    const second = await tokenOf(house, 'email_confirmation')
    house.clock.advance(1_000)
    await stranger(house).send('POST', '/email_verification', { email: OWNER })
    expect((await confirm(stranger(house), second)).statusCode).toBe(403)
    house.clock.advance(DAY - 1)
    expect((await confirm(stranger(house), await tokenOf(house, 'email_confirmation'))).statusCode).toBe(200)
  })

  test('A-17: is no login, no reset and no undo', async () => {
    const house = await production({ ...MAIL, ...OPEN })
    await new Visitor(house).register()
    const token = await tokenOf(house, 'email_confirmation')
    const visitor = stranger(house)
    expect((await visitor.reset(token)).statusCode).toBe(403)
    expect((await visitor.send('POST', '/undo_email_change', { undo_token: token })).statusCode).toBe(403)
    const confirmed = await confirm(visitor, token)
    expect([confirmed.statusCode, confirmed.body]).toEqual([200, expect.not.stringMatching(SECRET)])
    expect((await visitor.profile()).statusCode).toBe(403)
  })
})

describe('A-18: a new address counts when it is confirmed', () => {
  test('A-18: until then a reset goes to the former one, and a login takes the former one', async () => {
    const { house, owner, since } = await settled()
    await change(owner, { email: NEW_ADDRESS })
    const token = await tokenOf(house, 'email_change')
    await stranger(house).askForReset(NEW_ADDRESS)
    await stranger(house, 1).askForReset()
    expect(await told(house, since)).toEqual([`email_change ${NEW_ADDRESS}`, `password_reset ${OWNER}`])
    expect((await stranger(house).logIn(NEW_ADDRESS)).statusCode).toBe(401)
    expect((await owner.profile()).json()).toEqual({ email: OWNER })

    expect((await confirm(stranger(house), token)).json()).toMatchObject({ email: NEW_ADDRESS })
    house.clock.advance(HOUR)
    await stranger(house, 2).askForReset()
    await stranger(house, 3).askForReset(NEW_ADDRESS)
    expect(await told(house, since + HOUR)).toEqual([`password_reset ${NEW_ADDRESS}`])
    expect((await stranger(house).logIn(NEW_ADDRESS)).statusCode).toBe(200)
  })

  test('A-18: the reset that was asked for before the change is good no more', async () => {
    const { house, owner } = await settled()
    await change(owner, { email: NEW_ADDRESS })
    await stranger(house).askForReset()
    await confirm(owner, await tokenOf(house, 'email_change'))
    const reset = await tokenOf(house, 'password_reset')
    for (const email of [OWNER, NEW_ADDRESS]) {
      expect((await stranger(house).reset(reset, NEW_PASSWORD, email)).statusCode).toBe(403)
    }
  })

  test('A-18: a password that was reset meanwhile leaves no pending change of address', async () => {
    const { house, owner } = await settled()
    await change(owner, { email: NEW_ADDRESS })
    const token = await tokenOf(house, 'email_change')
    await stranger(house).askForReset()
    await stranger(house).reset(await tokenOf(house, 'password_reset'))
    expect((await confirm(stranger(house), token)).statusCode).toBe(403)
    expect((await house.db.findUserBy({ email: OWNER })).email).toBe(OWNER)
  })

  test.each<[string, (given: Sides) => Promise<unknown>]>([
    ['all other sessions', ({ owner }) => owner.send('DELETE', '/sessions?others=true')],
    ['the session of whoever asked', async ({ owner, thief }) => owner.send('DELETE', `/sessions/${idOf(thief)}`)],
    ['all sessions', ({ house }) => house.auth.destroySession(1)],
    ['a session of which a refresh token came twice', ({ house }) => presentTwice(house)],
    [
      'all others, of which none is left',
      async ({ owner, thief }) => {
        await thief.send('DELETE', '/sessions')
        await owner.send('DELETE', '/sessions?others=true')
      },
    ],
  ])('A-18: the end of %s leaves no pending change of address', async (_, end) => {
    const sides = await twoSides()
    await change(sides.thief, { email: NEW_ADDRESS })
    const token = await tokenOf(sides.house, 'email_change')
    await end(sides)
    expect((await confirm(stranger(sides.house), token)).statusCode).toBe(403)
    expect((await sides.house.db.findUserBy({ id: 1 })).email).toBe(OWNER)
  })

  test('A-18: of changes that are asked for while all other sessions end, none is pending', async () => {
    const { house, owner } = await twoSides()
    const thieves = await inTurn(10, async (n) => {
      const thief = stranger(house, n)
      await thief.logIn(OWNER)
      return thief
    })
    const asked = thieves.map((thief) => change(thief, { email: NEW_ADDRESS }))
    await Promise.race(asked)
    await Promise.all([...asked, owner.send('DELETE', '/sessions?others=true')])
    const pending = { sql: "SELECT id FROM one_time_tokens WHERE purpose = 'email_change'", params: [] }
    expect(await house.db.read(pending, ({ id }) => id)).toEqual([])
  })

  test('a logout of one’s own leaves a pending change of address', async () => {
    const { house, owner } = await twoSides()
    await change(owner, { email: NEW_ADDRESS })
    await owner.send('DELETE', '/sessions')
    expect((await confirm(stranger(house), await tokenOf(house, 'email_change'))).statusCode).toBe(200)
  })
})

interface Sides {
  house: House
  owner: Visitor
  thief: Visitor
}

/** An owner whose password was proven just now, and somebody who is signed in to the same account. */
async function twoSides(): Promise<Sides> {
  const { house, owner } = await settled()
  await owner.logIn()
  const thief = stranger(house)
  await thief.logIn(OWNER)
  return { house, owner, thief }
}

function idOf({ cookies }: Visitor): string {
  return (cookies.get('__Host-session_id') ?? '').split('.')[0] ?? ''
}

test('R-19: opening the links of mails five times, as scanners do, spends nothing', async () => {
  const { house, owner } = await settled()
  await change(owner, { email: NEW_ADDRESS })
  const token = await tokenOf(house, 'email_change')
  await scan(house, ['/confirm', `/confirm?t=${token}`, `/confirm?verification_token=${token}`, '/email_verification'])
  expect((await confirm(stranger(house), token)).statusCode).toBe(200)
  const undo = await tokenOf(house, 'email_changed')
  await scan(house, ['/undo', `/undo?t=${undo}`, `/undo?undo_token=${undo}`, `/undo_email_change?undo_token=${undo}`])
  expect((await stranger(house).send('POST', '/undo_email_change', { undo_token: undo })).statusCode).toBe(200)
  await stranger(house).askForReset()
  const reset = await tokenOf(house, 'password_reset')
  const typed = new URLSearchParams({ email: OWNER, reset_token: reset, new_password: NEW_PASSWORD })
  await scan(house, ['/reset', `/reset?t=${reset}`, `/reset?${typed}`, `/reset_password?${typed}`])
  expect((await stranger(house).reset(reset)).statusCode).toBe(200)
})

/** Opens addresses as machines do that look at a mail before its reader. */
async function scan(house: House, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    for (const method of ['GET', 'HEAD', 'GET', 'HEAD', 'GET'] as const) {
      const { statusCode } = await stranger(house).send(method, path, undefined, { accept: 'text/html' })
      expect([200, 303, 404, 405], `${method} ${path}`).toContain(statusCode)
    }
  }
}

/** A refresh token that was spent long ago is presented once more: somebody has stolen it. */
async function presentTwice(house: House): Promise<void> {
  const program = stranger(house, 20)
  const answer = await program.send('POST', '/tokens', { email: OWNER, password: PASSWORD })
  const { refresh_token } = answer.json()
  const refresh = () => program.send('POST', '/tokens/refresh', { refresh_token })
  expect((await refresh()).statusCode).toBe(200)
  house.clock.advance(HOUR)
  expect((await refresh()).json()).toMatchObject({ code: 'refresh_token_reused' })
}
