/** A house whose mails really go to a mail server of the test, with the delivery at work; only the clock is ours to move. */

import { expect, onTestFinished, vi } from 'vitest'
import type { Letter } from '../../src/letter.ts'
import { compose } from '../../src/mail/compose.ts'
import { Delivery } from '../../src/mail/delivery.ts'
import { smtpTransport } from '../../src/mail/transport.ts'
import type { SmtpServer } from '../../src/settings/smtp.ts'
import { type House, MAIL } from '../house.ts'
import { HOUR, production } from '../production.ts'
import { PATIENCE, type TestSmtp } from './smtp.ts'

export const CODE = '40961523'
export const TOKEN = `7a1f0b62-3c9d-4b1e-8f5a-2d6c9e0a4b7f.${'Tk7'.repeat(14)}x`

export interface Room extends House {
  smtp: TestSmtp
  delivery: Delivery
  /** Hands letters in and wakes the delivery. */
  post(...letters: Letter[]): Promise<void>
  /** Lets time pass and wakes the delivery. */
  pass(time: number): void
  /** Waits until the log says this so often. @returns those lines */
  said(msg: string, times?: number): Promise<Record<string, unknown>[]>
}

/**
 * Opens a house that sends its mail to `smtp`.
 * @param reached how, where it is not as its address says
 */
export async function openRoom(
  smtp: TestSmtp,
  env: Record<string, string> = {},
  reached: Partial<SmtpServer> = {},
): Promise<Room> {
  const house = await production({ ...MAIL, MAILS_PER_ADDRESS: '0', SMTP_URL: smtp.url, ...env })
  const delivery = deliveryOf(house, reached)
  onTestFinished(async () => {
    // What a silent server holds would be waited for.
    await smtp.close()
    await delivery.stop()
  })
  delivery.start()
  const pass = (time: number) => {
    house.clock.advance(time)
    delivery.wake()
  }
  return { ...house, smtp, delivery, pass, post: (...given) => post(house, given, delivery), said: saidIn(house) }
}

/**
 * @returns a delivery as the service makes it, not started yet
 * @param changes what it is given that is not the service's
 */
export function deliveryOf(
  { app, outbox, settings, db }: House,
  reached: Partial<SmtpServer> = {},
  changes: Partial<ConstructorParameters<typeof Delivery>[0]> = {},
): Delivery {
  if (settings.smtp === undefined) throw new Error('this house has no mail server')
  return new Delivery({
    ...{ outbox, transport: smtpTransport({ ...settings.smtp, ...reached }), log: app.log, now: db.now },
    compose: (row, letter) => compose(app.site, app.site.publicUrl, row, letter),
    ...changes,
  })
}

/** @returns a letter with a token and a code, of use for an hour */
export function resetLetter(to: string, changes: Partial<Letter> = {}): Letter {
  const values = { token: TOKEN, code: CODE }
  return { kind: 'password_reset', to, language: 'en', lasts: HOUR, values, ...changes }
}

/** @returns every line of the log so far */
export function logOf({ log }: Pick<House, 'log'>): Record<string, unknown>[] {
  return log.map((line): Record<string, unknown> => JSON.parse(line))
}

async function post({ db, outbox }: House, given: readonly Letter[], delivery: Delivery): Promise<void> {
  for (const letter of given) await db.commit(outbox.put(letter))
  delivery.wake()
}

function saidIn(house: House): Room['said'] {
  return (msg, times = 1) =>
    vi.waitFor(
      () => {
        const found = logOf(house).filter((line) => line.msg === msg)
        expect(found.length, `${msg}: ${house.log.join('')}`).toBeGreaterThanOrEqual(times)
        return found
      },
      { timeout: PATIENCE, interval: 10 },
    )
}
