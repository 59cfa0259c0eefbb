/** The owner of an account in production, and what is written to them; nobody empties the outbox here. */

import type { Letter } from '../../src/letter.ts'
import { type House, letterOf, MAIL } from '../house.ts'
import { HOUR, OWNER, PASSWORD, production, Visitor } from '../production.ts'

export const NEW_ADDRESS = 'ada.king@lovelace.example'
/** The form of every secret that this service makes. */
export const SECRET = /(?<![\w-])[\w-]{43}(?![\w-])/
export const FIREFOX = {
  'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
}
/** No limits but those of MAILS_PER_ADDRESS. */
export const OPEN = {
  REGISTRATIONS_PER_NETWORK: '0',
  FAILURES_PER_NETWORK: '0',
  RESETS_PER_NETWORK: '0',
  RESETS_PER_ACCOUNT: '0',
}

/** @returns kind and recipient of every letter since `from`, in order of their names */
export async function told(house: House, from = 0): Promise<string[]> {
  const all = (await house.outbox.recent(1_000)).filter(({ createdAt }) => createdAt >= from)
  return all
    .map((row) => house.outbox.open(row))
    .map(({ kind, to }) => `${kind} ${to}`)
    .sort()
}

/** @returns the token of the newest letter of a kind */
export async function tokenOf(house: House, kind: Letter['kind']): Promise<string> {
  return (await letterOf(house, kind)).values.token ?? ''
}

/** Opens a house in which the owner has registered, confirmed and logged in, all of it an hour ago. */
export async function settled(
  env: Record<string, string> = {},
): Promise<{ house: House; owner: Visitor; since: number }> {
  const house = await production({ ...MAIL, ...OPEN, ...env })
  const owner = new Visitor(house)
  await owner.register()
  await confirm(owner, await tokenOf(house, 'email_confirmation'))
  await owner.logIn(OWNER, PASSWORD, FIREFOX)
  house.clock.advance(HOUR)
  return { house, owner, since: house.clock.now() }
}

export function confirm(visitor: Visitor, token: string) {
  return visitor.send('PUT', '/email_verification', { verification_token: token })
}

export function change(visitor: Visitor, fields: Record<string, string>) {
  return visitor.send('PATCH', '/users/me', { current_password: PASSWORD, ...fields }, FIREFOX)
}
