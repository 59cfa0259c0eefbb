/** What a fifth trial by hand found in mails, addresses and codes, each as a test. */

import { statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MAIL } from '../house.ts'
import {
  type HouseOnFile,
  inTurn,
  NEW_PASSWORD,
  NOBODY,
  OWNER,
  production,
  productionOnFile,
  seen,
  stranger,
} from '../production.ts'

const LIMITS = { ...MAIL, RESETS_PER_ACCOUNT: '0', RESETS_PER_NETWORK: '0', REGISTRATIONS_PER_NETWORK: '0' }

test.each([
  ['a blank before it, the local part', ' wanted@corp.example', 'wanted@corp.example', 'wanted123'],
  ['wide letters, the domain', 'wanted@\uff43orp.example', 'wanted@corp.example', 'corp.example1'],
  ['wide letters, their own', 'wanted@\uff43orp.example', 'wanted@corp.example', '\uff43orp.example1'],
  [
    'another script as registered, its domain',
    'wanted@xn--mnchen-3ya.example',
    'wanted@münchen.example',
    'münchen.example1',
  ],
  [
    'ASCII as registered, its domain',
    'wanted@münchen.example',
    'wanted@xn--mnchen-3ya.example',
    'xn--mnchen-3ya.example1',
  ],
])('R-02: a code with a password of the words of an address is answered alike, known or not: %s', async (...given) => {
  const [, typed, registered, password] = given
  const house = await production(LIMITS)
  await stranger(house).register(registered.replace('wanted', 'another'))
  const unknown = seen(await stranger(house).reset('12345678', password, typed))
  await stranger(house).register(registered)
  expect(seen(await stranger(house).reset('12345678', password, typed))).toEqual(unknown)
})

test('R-02: as much is written for a wrong code where an address has an account as where it has none', async () => {
  const house = await productionOnFile({ ...LIMITS, FAILURES_PER_NETWORK: '0' })
  await stranger(house).register(OWNER)
  const written = async (email: string) => {
    const browser = stranger(house)
    await browser.askForReset(email)
    return inTurn(7, async () => {
      const before = writtenBy(house)
      expect((await browser.reset('12345678', NEW_PASSWORD, email)).statusCode).toBe(403)
      return writtenBy(house) - before
    })
  }
  const known = await written(OWNER)
  expect(known.slice(0, 5).every((bytes) => bytes > 0)).toBe(true)
  expect(await written(NOBODY)).toEqual(known)
})

/** @returns how many bytes have been written to the disk */
function writtenBy({ file }: HouseOnFile): number {
  return statSync(`${file}-wal`).size
}
