/** Notices of what neither a page nor a change of a credential brings about. */

import { expect, test } from 'vitest'
import { Program } from '../app/program.ts'
import { letterOf, MAIL } from '../house.ts'
import { addressOf, OWNER, PASSWORD, production, stranger, Visitor } from '../production.ts'
import { change, confirm, NEW_ADDRESS, OPEN, SECRET, settled, tokenOf, told } from './owner.ts'

test('T-12: a refresh token that comes back is told to the owner, without the token', async () => {
  const { house, since } = await settled()
  const program = new Program(house)
  await program.logIn(OWNER, PASSWORD)
  const thief = program.copy()
  expect((await thief.refresh()).statusCode).toBe(200)
  expect((await program.refresh()).statusCode).toBe(401)
  expect(await told(house, since)).toContain(`token_reused ${OWNER}`)
  expect(JSON.stringify(await letterOf(house, 'token_reused'))).not.toMatch(SECRET)
  expect((await thief.refresh()).statusCode).toBe(401)
})

test('A-14: a change that is taken back is told at both addresses', async () => {
  const { house, owner, since } = await settled()
  await change(owner, { email: NEW_ADDRESS })
  await confirm(owner, await tokenOf(house, 'email_change'))
  house.clock.advance(1_000)
  const undo = { undo_token: await tokenOf(house, 'email_changed') }
  expect((await stranger(house).send('POST', '/undo_email_change', undo)).statusCode).toBe(200)
  const after = await told(house, since + 1_000)
  expect(after).toEqual([`email_changed ${NEW_ADDRESS}`, `password_changed ${OWNER}`])
})

test('A-14: an address that was never proven gets no more notices of a change than other mails', async () => {
  const house = await production({ ...MAIL, ...OPEN, MAILS_PER_ADDRESS: '3' })
  const victim = 'victim@example.org'
  for (let n = 0; n < 8; n += 1) {
    const stranger = new Visitor(house, addressOf(n))
    await stranger.register(victim)
    await stranger.logIn(victim)
    await stranger.send('PATCH', '/users/me', { email: `eve${n}@example.org`, current_password: PASSWORD })
    await confirm(stranger, await tokenOf(house, 'email_change'))
    house.clock.advance(1)
  }
  const notices = (await told(house)).filter((one) => one === `email_changed ${victim}`)
  expect(notices).toHaveLength(3)
  expect((await told(house)).filter((one) => one.startsWith('email_changed eve'))).toHaveLength(8)
})
