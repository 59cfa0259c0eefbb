/** What cannot be one of our tokens names no key, so that nothing is looked up for it and no library reads it. */

import { expect, test } from 'vitest'
import { claimedKey } from '../../src/security/access_token.ts'
import { encoded } from './forge.ts'

const HEADER = encoded({ alg: 'ES256', typ: 'at+jwt', kid: 'ours' })
const TOKEN = `${HEADER}.${encoded({ sub: '1' })}.c2lnbmF0dXJl`

/** A header with a byte that no text in UTF-8 has. */
const LATIN = Buffer.from('{"kid":"ours","x":"\xff"}', 'latin1').toString('base64url')

test('a token of the right form names its key', () => {
  expect(claimedKey(TOKEN)).toBe('ours')
})

test.each([
  ['no signature', TOKEN.slice(0, TOKEN.lastIndexOf('.') + 1)],
  ['two parts', TOKEN.slice(0, TOKEN.lastIndexOf('.'))],
  ['four parts', `${TOKEN}.c2ln`],
  ['five parts', `${TOKEN}.a.b`],
  ['padding', `${TOKEN}=`],
  ['white space inside', TOKEN.replace('.', ' .')],
  ['another alphabet', `${TOKEN}+/`],
  ['a header that is not UTF-8', TOKEN.replace(HEADER, LATIN)],
  ['more than any of ours', TOKEN + 'A'.repeat(2_048)],
])('T-26: what has %s names none', (_, token) => {
  expect(claimedKey(token)).toBeNull()
})
