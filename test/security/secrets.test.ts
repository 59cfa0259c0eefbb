import { hkdfSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Secrets } from '../../src/security/secrets.ts'
import {
  guess,
  HOUR,
  inTurn,
  NEW_PASSWORD,
  productionOnFile,
  signedIn,
  stranger,
  Visitor,
  WRONG,
} from '../production.ts'

const FIRST = 'u1V9dQm3Xz7Lk0Rb5Tn8Wc2Yf6Hj4Gp3'
const SECOND = 'q4Zr8Kt1Vb6Nm2Xc9Lf5Hd7Jg3Ws0PyA'

/** HKDF-SHA-256 of RFC 5869 with an empty salt. */
function derived(secret: string, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', info, 32))
}

describe('a key', () => {
  test('is derived from the secret and for its purpose alone', () => {
    const [key] = new Secrets(FIRST).keys('device_cookie')
    expect(key).toEqual(derived(FIRST, 'bienvenue/device_cookie'))
    expect(key).not.toEqual(derived(FIRST, 'bienvenue/another_purpose'))
    expect(key?.includes(FIRST)).toBe(false)
  })

  test('is the same at every start, and another with another secret', () => {
    expect(new Secrets(FIRST).keys('device_cookie')).toEqual(new Secrets(FIRST).keys('device_cookie'))
    expect(new Secrets(FIRST).keys('device_cookie')).not.toEqual(new Secrets(SECOND).keys('device_cookie'))
  })

  test('of the secret before is read with, and never made with', () => {
    const [made, read, ...none] = new Secrets(SECOND, FIRST).keys('device_cookie')
    expect([made]).toEqual(new Secrets(SECOND).keys('device_cookie'))
    expect([read]).toEqual(new Secrets(FIRST).keys('device_cookie'))
    expect(none).toEqual([])
    expect(new Secrets(SECOND, '').keys('device_cookie')).toHaveLength(1)
  })
})

describe('a rotation of the SECRET', () => {
  /** Lets strangers wait for the owner's account, so that only a known device gets in. */
  async function shutOutStrangers(house: Parameters<typeof guess>[0]): Promise<void> {
    await guess(house, 10)
    const status = (await stranger(house, 50).logIn()).statusCode
    if (status !== 429) throw new Error(`a stranger got ${status}`)
  }

  test('O-02: leaves live sessions alone, and known devices known as long as the one before is named', async () => {
    const first = await productionOnFile({ SECRET: FIRST })
    const [laptop, phone] = [await signedIn(first), new Visitor(first)]
    await phone.logIn()
    await first.close()

    const second = await productionOnFile({ SECRET: SECOND, SECRET_PREVIOUS: FIRST }, first.file)
    const laptopThen = laptop.at(second)
    expect((await laptopThen.profile()).statusCode).toBe(200)
    await shutOutStrangers(second)
    laptopThen.keepDeviceOnly()
    expect((await laptopThen.logIn()).statusCode).toBe(200)
    await second.close()

    const third = await productionOnFile({ SECRET: SECOND }, first.file)
    expect((await laptopThen.at(third).profile()).statusCode).toBe(200)
    expect((await phone.at(third).profile()).statusCode).toBe(200)
    await shutOutStrangers(third)
    const [renewed, old] = [laptopThen.at(third), phone.at(third)]
    for (const device of [renewed, old]) device.keepDeviceOnly()
    expect((await old.logIn()).statusCode, 'a device that was not here since').toBe(429)
    expect((await renewed.logIn()).statusCode, 'one that was').toBe(200)
  })

  test('O-02: leaves passwords, sessions and pending tokens alone, even where nothing of the one before is kept', async () => {
    const first = await productionOnFile({ SECRET: FIRST })
    const laptop = await signedIn(first)
    const token = await first.auth.getResetPasswordToken('ada@lovelace.example')
    await first.close()

    const second = await productionOnFile({ SECRET: SECOND }, first.file)
    expect((await laptop.at(second).profile()).statusCode).toBe(200)
    expect((await new Visitor(second).logIn()).statusCode).toBe(200)
    expect((await new Visitor(second).reset(token)).statusCode).toBe(200)
    expect((await new Visitor(second).logIn(undefined, NEW_PASSWORD)).statusCode).toBe(200)
  })

  test('does not let a device that tried too often start anew', async () => {
    const first = await productionOnFile({ SECRET: FIRST })
    const laptop = await signedIn(first)
    laptop.keepDeviceOnly()
    await inTurn(10, () => laptop.logIn(undefined, WRONG))
    await first.close()
    const second = await productionOnFile({ SECRET: SECOND, SECRET_PREVIOUS: FIRST }, first.file)
    await shutOutStrangers(second)
    expect((await laptop.at(second).logIn()).statusCode).toBe(429)
    second.clock.advance(HOUR)
    expect((await laptop.at(second).logIn()).statusCode).toBe(200)
  })
})
