/** Who waits for tries that are being checked, and how many may. */

import { expect, test } from 'vitest'
import { InFlight, MOST_WAITING } from '../../../src/features/throttle/in_flight.ts'

test('where too many wait for a bucket one more is told to come back in a second, not when a block would be over', async () => {
  const inFlight = new InFlight()
  inFlight.enter(['network'])
  const waiting = Array.from({ length: MOST_WAITING }, () => inFlight.next('network'))
  await expect(inFlight.next('network')).rejects.toMatchObject({ code: 'throttled', retryAfter: 1 })
  expect(await inFlight.next('another')).toBe(false)
  inFlight.leave(['network'])
  expect(await Promise.all(waiting)).toEqual(Array(MOST_WAITING).fill(true))
})
