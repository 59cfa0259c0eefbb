/** What a fifth trial by hand found in mails, addresses and codes, each as a test. */

import { expect, test } from 'vitest'
import { MAIL } from '../house.ts'
import { production, seen, stranger } from '../production.ts'

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
