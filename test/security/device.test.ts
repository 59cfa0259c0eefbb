import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DeviceCookies } from '../../src/security/device.ts'
import { Secrets } from '../../src/security/secrets.ts'
import { DAY, OWNER, PASSWORD, production, signedIn, Visitor } from '../production.ts'

const CURRENT = 'u1V9dQm3Xz7Lk0Rb5Tn8Wc2Yf6Hj4Gp3'
const OTHER = 'q4Zr8Kt1Vb6Nm2Xc9Lf5Hd7Jg3Ws0PyA'
const HASH = '$2b$12$nVk2sT0eQ8pZ5uXcW1rYfO3gJ6hLmA9bD4iKqE7yR.tUvSxNzBoCw'
const USER = owner(7)

function owner(id: number, hashedPassword = HASH) {
  return { id, hashedPassword }
}

const devices = new DeviceCookies(new Secrets(CURRENT))

/** @returns the same text with one character replaced by another of its alphabet */
function altered(text: string, at: number): string {
  const other = text[at] === 'A' ? 'B' : 'A'
  return `${text.slice(0, at)}${other}${text.slice(at + 1)}`
}

describe('a device cookie', () => {
  test('names its device to the account that it was made for, and to no other', () => {
    const cookie = devices.issue(USER, null)
    const device = devices.read(cookie, USER)
    expect(device).toMatch(/^[\w-]{22}$/)
    expect(devices.read(cookie, owner(8))).toBeNull()
    expect(devices.read(cookie, owner(70))).toBeNull()
  })

  test('is another for every device, and the same device when it is renewed', () => {
    const names = Array.from({ length: 1_000 }, () => devices.read(devices.issue(USER, null), USER))
    expect(new Set(names).size).toBe(1_000)
    const [name = null] = names
    expect(devices.read(devices.issue(USER, name), USER)).toBe(name)
  })

  test('is refused where a character of it was altered', () => {
    const cookie = devices.issue(USER, null)
    // The last character of the signature holds two bits that mean nothing.
    for (let at = 0; at < cookie.length - 1; at += 1)
      expect(devices.read(altered(cookie, at), USER), `${at}`).toBeNull()
  })

  test('is worth nothing any more after a new password', () => {
    const cookie = devices.issue(USER, null)
    expect(devices.read(cookie, owner(USER.id, HASH.replace('nVk2', 'Xb7q')))).toBeNull()
  })

  test('cannot be made without the key', () => {
    const forged = new DeviceCookies(new Secrets(OTHER)).issue(USER, null)
    expect(devices.read(forged, USER)).toBeNull()
  })

  test('cannot be moved to another account', () => {
    const [, nonce, signature] = devices.issue(USER, null).split('.')
    expect(devices.read(`8.${nonce}.${signature}`, owner(8))).toBeNull()
    // The boundary between id and name is signed as well.
    const [, name = '', sign] = devices.issue(owner(71), '1abc').split('.')
    expect(devices.read(`7.${name}.${sign}`, USER)).toBeNull()
  })

  test.each([
    ['none', undefined],
    ['an empty one', ''],
    ['dots', '...'],
    ['no signature', `${USER.id}.AAAAAAAAAAAAAAAAAAAAAA`],
    ['an empty signature', `${USER.id}.AAAAAAAAAAAAAAAAAAAAAA.`],
    ['a short signature', `${USER.id}.AAAAAAAAAAAAAAAAAAAAAA.AAAA`],
    ['a fourth part', `${devices.issue(USER, null)}.A`],
    ['another spelling of the id', devices.issue(USER, null).replace(/^7/, '07')],
    ['too long', `${devices.issue(USER, 'A'.repeat(100))}`],
  ])('is refused where it is %s', (_, cookie) => {
    expect(devices.read(cookie, USER)).toBeNull()
  })

  test('is refused without a fault, whatever was sent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (nonce, signature) => {
        expect(devices.read(`${USER.id}.${nonce}.${signature}`, USER)).toBeNull()
        expect(devices.read(signature, USER)).toBeNull()
      }),
    )
  })
})

describe('a browser', () => {
  test('gets it with a login, for a year, under the prefix, for this site alone', async () => {
    const house = await production()
    const laptop = new Visitor(house)
    await laptop.register()
    const answer = await laptop.logIn()
    const lines = [answer.headers['set-cookie'] ?? []].flat().filter((line) => line.startsWith('__Host-device='))
    expect(lines.map((line) => line.split('; ').slice(1).sort())).toEqual([
      [`Max-Age=${(365 * DAY) / 1_000}`, 'HttpOnly', 'Path=/', 'SameSite=Strict', 'Secure'].sort(),
    ])
  })

  test('is not signed in by it, and needs the password like anybody', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    laptop.keepDeviceOnly()
    expect([...laptop.cookies.keys()]).toEqual(['__Host-device'])
    expect((await laptop.profile()).statusCode).toBe(403)
    expect((await laptop.logIn(OWNER, `${PASSWORD}!`)).statusCode).toBe(401)
  })

  test('keeps it over a logout, and is the same device at the next login', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    const nameOf = () => laptop.cookies.get('__Host-device')?.split('.')[1]
    const before = nameOf()
    await laptop.send('DELETE', '/sessions')
    expect([...laptop.cookies.keys()]).toEqual(['__Host-device'])
    await laptop.logIn()
    expect(nameOf()).toBe(before)
  })
})
