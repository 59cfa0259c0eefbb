/** The end of a delivery: what is under way is waited for, a little. */

import { expect, onTestFinished, test, vi } from 'vitest'
import { MAIL } from '../house.ts'
import { HOUR, production } from '../production.ts'
import { deliveryOf, logOf, openRoom, resetLetter } from './room.ts'
import { gate, read, startSmtp, tried } from './smtp.ts'

const ADA = 'ada@lovelace.example'
const BYRON = 'byron@poets.example'
const SENT = 'mail sent'

/** @returns a room of which a letter is on its way to a server that does not answer before `open` */
async function amidSending() {
  const smtp = await startSmtp()
  const { opened, open } = gate()
  smtp.reply = () => ({ after: opened })
  const room = await openRoom(smtp)
  await room.post(resetLetter(ADA))
  await tried(smtp, 1)
  return { smtp, room, open }
}

test('a stop does not wait long for a mail server: the letter goes after the next start', {
  timeout: 30_000,
}, async () => {
  const { room, open } = await amidSending()
  const begun = performance.now()
  await room.delivery.stop()
  expect(performance.now() - begun).toBeLessThan(15_000)
  const [left] = await room.outbox.recent(1)
  expect(left).toMatchObject({ claim: '', tries: 1, dueAt: expect.any(Number) })
  open()
})

test('a stop waits for what is under way and takes nothing more', async () => {
  const { smtp, room, open } = await amidSending()
  const stopped = room.delivery.stop()
  await room.post(resetLetter(BYRON))
  open()
  await stopped
  expect(smtp.received.map(({ to }) => to)).toEqual([[ADA]])
  expect(logOf(room).filter(({ msg }) => msg === SENT)).toHaveLength(1)
  expect((await read(smtp.received[0] ?? { raw: Buffer.alloc(0) })).to).toEqual([{ address: ADA, name: '' }])
})

test('a stop does not wait for the lane that a letter to nobody keeps', async () => {
  const house = await production(MAIL)
  let time = 0
  const pretend = vi.fn(async () => {})
  const send = async () => {
    time += HOUR
  }
  const delivery = deliveryOf(house, {}, { clock: () => time, transport: { send, pretend } })
  onTestFinished(() => delivery.stop())
  await house.db.commit(house.outbox.put(resetLetter(ADA)))
  delivery.wake()
  await vi.waitFor(() => expect(logOf(house).filter(({ msg }) => msg === SENT)).toHaveLength(1))
  await house.db.commit(house.outbox.decoy(resetLetter(BYRON)))
  delivery.wake()
  await vi.waitFor(() => expect(pretend).toHaveBeenCalled())
  const begun = performance.now()
  await delivery.stop()
  expect(performance.now() - begun).toBeLessThan(4_000)
  house.clock.advance(HOUR)
  expect(await house.outbox.claim(5, HOUR)).toEqual([])
})
