/** What the notices tell beside what test/mail looks at: a change of address that was taken back. */

import { expect, test } from 'vitest'
import { letterOf } from '../house.ts'
import { change, confirm, FIREFOX, NEW_ADDRESS, settled, tokenOf, told } from '../mail/owner.ts'
import { HOUR, OWNER, stranger } from '../production.ts'

test('A-14: a change of address that was taken back is told to both addresses', async () => {
  const { house, owner, since } = await settled()
  await change(owner, { email: NEW_ADDRESS })
  await confirm(owner, await tokenOf(house, 'email_change'))
  const undo = { undo_token: await tokenOf(house, 'email_changed') }
  house.clock.advance(HOUR)
  const answer = await stranger(house, 7).send('POST', '/undo_email_change', undo, FIREFOX)
  expect(answer.statusCode).toBe(200)
  expect(await told(house, since + HOUR)).toEqual([`email_changed ${NEW_ADDRESS}`, `password_changed ${OWNER}`])
  const { values } = await letterOf(house, 'password_changed')
  expect(values).toMatchObject({ address: '20.0.0.7', userAgent: FIREFOX['user-agent'] })
})
