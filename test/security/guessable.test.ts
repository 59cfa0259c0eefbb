/** Passwords that a stranger would try first are refused in production, on every route that sets one. */

import { readFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import { checkPassword, contextWordsOf } from '../../src/security/password_policy.ts'
import { type House, openHouse } from '../house.ts'
import {
  type Answer,
  NEW_PASSWORD,
  OWNER,
  PASSWORD,
  production,
  seen,
  signedIn,
  stranger,
  Visitor,
} from '../production.ts'
import { pathOf } from '../started.ts'

const common = readFileSync(pathOf('lists/common_passwords.txt'), 'utf8').trimEnd().split('\n')

const POLICY = { minLength: 8, refuseGuessable: true, contextWords: contextWordsOf('Bienvenue', 'auth.example.org') }

/** @returns the code of the refusal, or `accepted` */
async function judge(password: string, email = OWNER): Promise<string> {
  try {
    await checkPassword(password, email, POLICY)
    return 'accepted'
  } catch (error) {
    if (error instanceof AuthError) return error.code
    throw error
  }
}

const NEIGHBOUR = 'charles@lovelace.example'

/** The three routes that set a password, for the owner's account. */
const ROUTES: [string, string, (house: House, password: string, laptop: Visitor) => Promise<Answer>][] = [
  ['POST /users', 'password', (house, password) => stranger(house).register(NEIGHBOUR, password)],
  [
    'PATCH /users/me',
    'password',
    (_house, password, laptop) => laptop.send('PATCH', '/users/me', { password, current_password: PASSWORD }),
  ],
  [
    'PUT /reset_password',
    'new_password',
    async (house, password) => stranger(house).reset(await house.auth.getResetPasswordToken(OWNER), password),
  ],
]

describe('a common password', () => {
  test('P-03, P-04: is refused, every one of the list', async () => {
    expect(common.length).toBeGreaterThanOrEqual(3_000)
    const verdicts = await Promise.all(common.map((password) => judge(password, 'ada@byron.example')))
    const accepted = common.filter((_, index) => verdicts[index] !== 'password_common')
    expect(accepted).toEqual([])
  })

  test.each(ROUTES)('P-03: is refused by %s, in small letters and large', async (_, field, set) => {
    const house = await production()
    const laptop = await signedIn(house)
    const refused = {
      status: 400,
      body: { message: 'password is one of the most common, which are tried first', code: 'password_common', field },
    }
    for (const password of ['trustno1', 'TrustNo1']) expect(seen(await set(house, password, laptop))).toEqual(refused)
    expect((await set(house, NEW_PASSWORD, laptop)).statusCode).toBe(200)
  })

  test('P-04: is good as a part of another: the whole counts', async () => {
    const known = new Set(common)
    const longer = common.map((password) => `xx${password}yy`).filter((password) => !known.has(password))
    expect(longer.length).toBeGreaterThan(0.99 * common.length)
    const verdicts = await Promise.all(longer.map((password) => judge(password)))
    expect(longer.filter((_, index) => verdicts[index] !== 'accepted')).toEqual([])
  })
})

const GRACE = 'Grace.Hopper+navy@cobol.example'

describe('a password made of what everybody can see', () => {
  const made: [string, string][] = [
    ['the address', GRACE],
    ['the address in other letters', GRACE.toUpperCase()],
    ['the part before the @', 'Grace.Hopper+navy'],
    ['that part padded with digits', 'grace.hopper1906'],
    ['that part padded with signs', '**hopper**'],
    ['a name of it, twice', 'hopperhopper'],
    ['a name of it, padded', 'hopper1906!'],
    ['all of its names', 'hopper-grace-navy'],
    ['the domain', 'cobol.example'],
    ['the name of the service', 'Bienvenue'],
    ['the name of the service, padded', '  Bienvenue2026!'],
    ['the host', 'auth.example.org'],
    ['a label of the host, padded', 'example1'],
    ['both', 'bienvenue-hopper'],
    ['one and a letter', 'xBienvenue'],
  ]

  test.each(made)('P-05: is refused: %s', async (_, password) => {
    expect(await judge(password, GRACE)).toBe('password_context')
  })

  test('P-05: is refused however the letters of the address are composed', async () => {
    const [composed, decomposed] = ['zoé-lía', 'zoé-lía'.normalize('NFD')]
    for (const [typed, chosen] of [
      [composed, decomposed],
      [decomposed, composed],
    ]) {
      expect(await judge(`${chosen}1234`, `${typed}@byron.example`), `${typed}`).toBe('password_context')
    }
  })

  test.each(ROUTES)('P-05: is refused by %s', async (_, field, set) => {
    const house = await production()
    const laptop = await signedIn(house)
    for (const password of ['lovelace.example1', 'Bienvenue2026', 'auth.example.org']) {
      expect(seen(await set(house, password, laptop))).toEqual({
        status: 400,
        body: {
          message: 'password is made of your address or the name of this service',
          code: 'password_context',
          field,
        },
      })
    }
  })

  test('P-05: follows the name and the host that are set', async () => {
    const house = await production({ SERVICE_NAME: 'Salle des Fêtes', PUBLIC_URL: 'https://login.kastanie.example' })
    const tried = ['salle des fêtes 7', 'kastanie2026', 'login.kastanie.example', 'Bienvenue2026', 'auth.example.org']
    const statuses: number[] = []
    for (const password of tried)
      statuses.push((await stranger(house, statuses.length).register(OWNER, password)).statusCode)
    expect(statuses).toEqual([400, 400, 400, 200, 400])
    expect((await stranger(house, 9).register('someone@else.example', 'auth.example.org')).statusCode).toBe(200)
  })

  test('P-05: follows a new address that comes with it', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    const change = (email: string, password: string) =>
      laptop.send('PATCH', '/users/me', { email, password, current_password: PASSWORD })
    expect(seen(await change('turing@byron.example', 'turing1912'))).toMatchObject({
      status: 400,
      body: { code: 'password_context' },
    })
    expect((await change('turing@byron.example', 'not about me at all')).statusCode).toBe(200)
  })

  test.each([
    'hopping along',
    'a gracenote',
    'bienvenue chez les amis',
    'author of nothing',
    'do re mi fa so',
    'nav1gation',
  ])('is not: %s', async (password) => {
    expect(await judge(password, GRACE)).toBe('accepted')
  })

  test('is not a password that shares a very short name', async () => {
    expect(await judge('jo 12 34 56 78', 'jo@x.example')).toBe('accepted')
  })
})

describe('the refusal of a password', () => {
  test.each([
    ['too short', 'sevn ch', 'password_too_short', /at least 8 characters/],
    ['too long', 'long enough '.repeat(342), 'password_too_long', /4096/],
    ['common', 'iloveyou', 'password_common', /most common/],
    ['made of the address', OWNER, 'password_context', /address or the name of this service/],
    ['half of a surrogate pair', '\ud800 a good long one', 'password_invalid', /Unicode/],
    ['none', '', 'field_missing', /missing/],
  ])('P-15: has one stable code and says why: %s', async (_, password, code, why) => {
    const house = await production()
    const refused = await new Visitor(house).register(OWNER, password)
    expect(seen(refused)).toEqual({
      status: 400,
      body: { message: expect.stringMatching(why), code, field: 'password' },
    })
  })
})

test('development takes any password that is not empty', async () => {
  const house = await openHouse()
  onTestFinished(house.close)
  for (const [n, password] of ['a', 'password', 'Bienvenue', `reader3@byron.example`].entries()) {
    const registered = await new Visitor(house, '127.0.0.1').register(`reader${n}@byron.example`, password)
    expect(registered.statusCode, password).toBe(200)
  }
})
