/** Confirmations that come at the same moment, as from two instances: all have read the token before any of them writes. */

import { expect, test } from 'vitest'
import { MAIL } from '../house.ts'
import { OPEN, tokenOf } from '../mail/owner.ts'
import { linesOf, production, Visitor } from '../production.ts'

test('A-17: of twenty confirmations that have read the token before one of them writes, one spends it', async () => {
  const house = await production({ ...MAIL, ...OPEN })
  await new Visitor(house).register()
  const token = await tokenOf(house, 'email_confirmation')
  const client = { address: '', userAgent: '' }
  const tries = Array.from({ length: 20 }, () => house.auth.address.confirm(token, client))
  const codes = (await Promise.allSettled(tries)).map((ended) =>
    ended.status === 'fulfilled' ? 'done' : String(Object(ended.reason).code),
  )
  expect(codes.toSorted()).toEqual(['done', ...Array<string>(19).fill('verification_refused')])
  expect(linesOf(house, 'email_confirmed')).toHaveLength(1)
})
