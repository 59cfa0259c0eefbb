/** Guessing is slow for strangers, and nobody can lock the owner out: proven on a whole house in production. */

import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Leave } from '../../src/feature.ts'
import { GROWING_WAITS, MOST_FAILURES, throttle } from '../../src/features/throttle.ts'
import { type House, openHouse, PRODUCTION } from '../house.ts'
import {
  addressOf,
  anotherDevice,
  DAY,
  guess,
  HOUR,
  inTurn,
  linesOf,
  MINUTE,
  NEW_PASSWORD,
  NOBODY,
  OWNER,
  PASSWORD,
  production,
  productionOnFile,
  SECOND,
  signedIn,
  statusOf,
  stranger,
  tally,
  Visitor,
  WRONG,
  waitOf,
} from '../production.ts'

const FREE = 10
const OTHER_NETWORKS = 5_000

/** Spends every free try of strangers for an account, each from an address of its own. */
async function spendFreeTries(house: House, email = OWNER): Promise<void> {
  const statuses = (await guess(house, FREE, { email })).map(statusOf)
  if (statuses.some((status) => status !== 401)) throw new Error(`not every free try was checked: ${statuses}`)
}

/**
 * Guesses from 1,000 addresses, an hour apart as long as that helps.
 * @returns how many guesses were checked
 */
async function siege(house: House): Promise<number> {
  const answers = await inTurn(1_000, async (n) => {
    const answer = await stranger(house, n).logIn(OWNER, WRONG)
    if (n < MOST_FAILURES) house.clock.advance(HOUR)
    return answer
  })
  return answers.filter(({ statusCode }) => statusCode === 401).length
}

describe('strangers to an account', () => {
  test('A-02: after 100 wrong passwords from changing addresses the right one is refused until a reset', async () => {
    const house = await production()
    await signedIn(house)
    expect(await siege(house)).toBe(100)
    for (const later of [HOUR, DAY, 400 * DAY]) {
      house.clock.advance(later)
      expect((await stranger(house, OTHER_NETWORKS).logIn()).statusCode, `${later / HOUR} h later`).toBe(429)
    }
    const token = await house.auth.getResetPasswordToken(OWNER)
    expect((await stranger(house, OTHER_NETWORKS).reset(token)).statusCode).toBe(200)
    expect((await stranger(house, OTHER_NETWORKS + 1).logIn(OWNER, NEW_PASSWORD)).statusCode).toBe(200)
  })

  test.each(['10', '93', '99'])(
    'A-02: an hour after a login from a known device strangers may try again, with %s free tries',
    async (free) => {
      const house = await production({ LOGIN_FAILURES_PER_ACCOUNT: free })
      const laptop = await signedIn(house)
      await siege(house)
      laptop.keepDeviceOnly()
      expect((await laptop.logIn()).statusCode).toBe(200)
      expect((await stranger(house, OTHER_NETWORKS).logIn()).statusCode).toBe(429)
      house.clock.advance(HOUR)
      expect((await stranger(house, OTHER_NETWORKS).logIn()).statusCode).toBe(200)
    },
  )

  test('A-02: after 99 the right password is only late', async () => {
    const house = await production()
    await signedIn(house)
    await guess(house, FREE)
    for (let n = FREE; n < 99; n += 1) {
      house.clock.advance(HOUR)
      expect((await stranger(house, n).logIn(OWNER, WRONG)).statusCode).toBe(401)
    }
    expect((await stranger(house, OTHER_NETWORKS).logIn()).statusCode).toBe(429)
    house.clock.advance(HOUR)
    expect((await stranger(house, OTHER_NETWORKS).logIn()).statusCode).toBe(200)
  })

  test('A-03: the wait grows from half a minute to an hour; within it a try is refused, after it checked', async () => {
    const house = await production()
    await signedIn(house)
    await spendFreeTries(house)
    const waits = await inTurn(GROWING_WAITS.length + 2, async (n) => {
      const wait = waitOf(await stranger(house, 100 + n).logIn())
      house.clock.advance(wait * SECOND - 1)
      expect((await stranger(house, 200 + n).logIn()).statusCode, 'a millisecond early').toBe(429)
      house.clock.advance(1)
      expect((await stranger(house, 300 + n).logIn(OWNER, WRONG)).statusCode, 'in time').toBe(401)
      return wait
    })
    expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600])
  })

  test('A-03: a refused try costs nothing: the wait does not start again', async () => {
    const house = await production()
    await signedIn(house)
    await spendFreeTries(house)
    expect(tally(await guess(house, 100, { from: 100 }))).toEqual({ 429: 100 })
    house.clock.advance(30 * SECOND)
    expect((await stranger(house, OTHER_NETWORKS).logIn()).statusCode).toBe(200)
  })

  test('A-04: one account is guarded over all addresses: one wrong password from each of ten, and the next waits', async () => {
    const house = await production()
    await signedIn(house)
    await signedIn(house, NOBODY)
    expect(tally(await guess(house, 10))).toEqual({ 401: 10 })
    expect(waitOf(await stranger(house, 10).logIn(OWNER, WRONG))).toBe(30)
    expect((await stranger(house, 11).logIn()).statusCode).toBe(429)
    expect((await stranger(house, 12).logIn(NOBODY)).statusCode, 'another account').toBe(200)
  })
})

describe('one network', () => {
  const accounts = (n: number) => `reader${n}@lovelace.example`

  test('A-05: waits ten minutes after ten wrong passwords, over all accounts, and no other network with it', async () => {
    const house = await production()
    await signedIn(house)
    const one = stranger(house)
    const answers = await inTurn(11, (n) => one.logIn(accounts(n), WRONG))
    expect(answers.map(statusOf)).toEqual([...new Array<number>(10).fill(401), 429])
    expect(answers.map(waitOf).at(-1)).toBe(600)
    expect((await one.logIn()).statusCode, 'the right password').toBe(429)
    expect((await stranger(house, 1).logIn()).statusCode, 'another network').toBe(200)
    house.clock.advance(10 * MINUTE - 1)
    expect((await one.logIn()).statusCode, 'a millisecond early').toBe(429)
    house.clock.advance(1)
    expect((await one.logIn()).statusCode, 'in time').toBe(200)
  })

  test('A-05: counts for ten minutes from the first wrong password on, however often somebody logs in there meanwhile', async () => {
    const house = await production()
    await signedIn(house)
    const one = stranger(house)
    const wrong = (times: number) => inTurn(times, (n) => one.logIn(accounts(n), WRONG))
    expect(tally(await wrong(5))).toEqual({ 401: 5 })
    for (const wait of [4, 5]) {
      house.clock.advance(wait * MINUTE)
      expect((await one.logIn()).statusCode).toBe(200)
    }
    one.cookies.clear()
    house.clock.advance(MINUTE)
    expect(tally(await wrong(9))).toEqual({ 401: 9 })
    expect((await one.logIn()).statusCode).toBe(200)
  })

  test('A-05: a right password as the tenth try does not begin the ten minutes anew', async () => {
    const house = await production()
    await signedIn(house)
    const one = () => stranger(house)
    const wrong = (times: number) => inTurn(times, (n) => one().logIn(accounts(n), WRONG))
    await wrong(9)
    house.clock.advance(9 * MINUTE)
    expect((await one().logIn()).statusCode).toBe(200)
    house.clock.advance(MINUTE)
    expect(tally(await wrong(10))).toEqual({ 401: 10 })
  })

  test('A-05: the wait lasts ten minutes, though the count ends before it, and the upkeep keeps it', async () => {
    const house = await production()
    const wrong = (times: number) => inTurn(times, (n) => stranger(house).logIn(accounts(n), WRONG))
    await wrong(1)
    house.clock.advance(9 * MINUTE)
    await wrong(9)
    house.clock.advance(10 * MINUTE - 1)
    await house.upkeep()
    expect(tally(await wrong(1))).toEqual({ 429: 1 })
    house.clock.advance(1)
    await house.upkeep()
    expect(tally(await wrong(10))).toEqual({ 401: 10 })
  })

  test('A-05: a right password as the tenth try is taken back, though the count ends and is swept meanwhile', async () => {
    const house = await production()
    await signedIn(house)
    const one = () => stranger(house)
    await inTurn(9, (n) => one().logIn(accounts(n), WRONG))
    house.clock.advance(10 * MINUTE - 1)
    const { commit } = house.db
    vi.spyOn(house.db, 'commit').mockImplementationOnce(async (statements) => {
      house.clock.advance(MINUTE)
      await house.upkeep()
      return commit.call(house.db, statements)
    })
    expect((await one().logIn()).statusCode).toBe(200)
    expect((await one().logIn()).statusCode).toBe(200)
  })

  test('A-05: what an account added to a count that is over is taken back from no later one', async () => {
    const house = await production()
    await signedIn(house)
    const one = () => stranger(house)
    const wrong = (times: number) => inTurn(times, (n) => one().logIn(accounts(n), WRONG))
    await wrong(1)
    house.clock.advance(9 * MINUTE)
    await inTurn(8, () => one().logIn(OWNER, WRONG))
    house.clock.advance(MINUTE)
    expect(tally(await wrong(9))).toEqual({ 401: 9 })
    expect((await one().logIn()).statusCode).toBe(200)
    expect(tally(await wrong(2))).toEqual({ 401: 1, 429: 1 })
  })

  test('A-05: nor does a success that comes when the next count has begun', async () => {
    const house = await production()
    await signedIn(house)
    const one = () => stranger(house)
    const wrong = (times: number) => inTurn(times, (n) => one().logIn(accounts(n), WRONG))
    await inTurn(8, () => one().logIn(OWNER, WRONG))
    house.clock.advance(10 * MINUTE - 1)
    const { commit } = house.db
    vi.spyOn(house.db, 'commit').mockImplementationOnce(async (statements) => {
      house.clock.advance(1)
      await wrong(9)
      return commit.call(house.db, statements)
    })
    expect((await one().logIn()).statusCode).toBe(200)
    expect(tally(await wrong(2))).toEqual({ 401: 1, 429: 1 })
  })

  test('A-05: an IPv6 client is its /64: no address of it escapes, and no neighbour is hit', async () => {
    const house = await production()
    await signedIn(house)
    const from = (address: string) => new Visitor(house, address)
    const network = '2001:db8:1:2'
    const answers = await inTurn(11, (n) => from(`${network}:${n}:${n * 7}::${n + 1}`).logIn(accounts(n), WRONG))
    expect(tally(answers)).toEqual({ 401: 10, 429: 1 })
    expect((await from(`${network}:ffff:ffff:ffff:ffff`).logIn()).statusCode).toBe(429)
    expect((await from('2001:db8:1:3::1').logIn()).statusCode).toBe(200)
  })

  test('A-05: an IPv4 client has one address, in whatever form the socket tells it', async () => {
    const house = await production()
    await inTurn(10, (n) => new Visitor(house, '198.51.100.7').logIn(accounts(n), WRONG))
    expect((await new Visitor(house, '::ffff:198.51.100.7').logIn()).statusCode).toBe(429)
    expect((await new Visitor(house, '::ffff:198.51.100.8').logIn()).statusCode).toBe(401)
  })

  test('A-05: of all IPv4 clients behind a translator to IPv6 each counts for itself', async () => {
    const house = await production()
    await inTurn(10, (n) => new Visitor(house, '64:ff9b::c633:6407').logIn(accounts(n), WRONG))
    expect((await new Visitor(house, '64:ff9b::198.51.100.7').logIn()).statusCode).toBe(429)
    expect((await new Visitor(house, '64:ff9b::198.51.100.8').logIn()).statusCode).toBe(401)
  })
})

describe('the owner is not locked out by a siege from 1,000 addresses', () => {
  /** A house in which strangers have spent everything for the owner's account. */
  async function besieged(): Promise<{ house: House; laptop: Visitor }> {
    const house = await production()
    const laptop = await signedIn(house)
    await siege(house)
    return { house, laptop }
  }

  test('A-06: a known device logs in, from wherever it is', async () => {
    const { house, laptop } = await besieged()
    expect((await stranger(house, OTHER_NETWORKS).logIn()).statusCode, 'a stranger').toBe(429)
    laptop.keepDeviceOnly()
    expect((await laptop.at(house, addressOf(OTHER_NETWORKS)).logIn()).statusCode, 'the device').toBe(200)
    expect(waitOf(await stranger(house, OTHER_NETWORKS + 1).logIn()), 'strangers wait again').toBe(3_600)
    house.clock.advance(HOUR)
    expect((await stranger(house, OTHER_NETWORKS + 1).logIn()).statusCode, 'an hour later').toBe(200)
  })

  test('A-06: a known device logs in from a network that others have shut', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    await inTurn(12, (n) => new Visitor(house, laptop.address).logIn(`reader${n}@lovelace.example`, WRONG))
    expect((await new Visitor(house, laptop.address).logIn()).statusCode, 'a stranger').toBe(429)
    laptop.keepDeviceOnly()
    expect((await laptop.logIn()).statusCode, 'the device').toBe(200)
  })

  test('A-06: a live session goes on', async () => {
    const { laptop } = await besieged()
    expect((await laptop.profile()).statusCode).toBe(200)
    const renamed = await laptop.send('PATCH', '/users/me', { email: 'ada@byron.example', current_password: PASSWORD })
    expect(renamed.statusCode).toBe(200)
  })

  test('A-06: a reset works, and then a device that was never here before', async () => {
    const { house } = await besieged()
    const phone = stranger(house, OTHER_NETWORKS)
    expect((await phone.askForReset()).statusCode).toBe(200)
    const token = await house.auth.getResetPasswordToken(OWNER)
    expect((await phone.reset(token)).statusCode).toBe(200)
    expect((await stranger(house, OTHER_NETWORKS + 1).logIn(OWNER, NEW_PASSWORD)).statusCode).toBe(200)
  })

  test('A-06: the browser that spent a reset token gets in even while the siege goes on', async () => {
    const { house } = await besieged()
    const phone = stranger(house, OTHER_NETWORKS)
    await phone.reset(await house.auth.getResetPasswordToken(OWNER))
    await guess(house, 2 * FREE, { from: OTHER_NETWORKS + 1 })
    expect((await stranger(house, 2 * OTHER_NETWORKS).logIn(OWNER, NEW_PASSWORD)).statusCode, 'a stranger').toBe(429)
    expect((await phone.logIn(OWNER, NEW_PASSWORD)).statusCode).toBe(200)
  })

  test('A-06: a stranger with a device cookie of another account is a stranger', async () => {
    const { house } = await besieged()
    const other = await signedIn(house, NOBODY, addressOf(OTHER_NETWORKS))
    expect((await other.logIn(OWNER)).statusCode).toBe(429)
    const forged = stranger(house, OTHER_NETWORKS + 1)
    forged.cookies.set('__Host-device', `1.${'A'.repeat(22)}.${'A'.repeat(43)}`)
    expect((await forged.logIn()).statusCode).toBe(429)
  })

  test('a known device has ten tries an hour of its own, then it counts as a stranger for an hour', async () => {
    const { house, laptop } = await besieged()
    laptop.keepDeviceOnly()
    expect(tally(await inTurn(11, () => laptop.logIn(OWNER, WRONG)))).toEqual({ 401: 10, 429: 1 })
    house.clock.advance(HOUR - 1)
    expect((await laptop.logIn()).statusCode, 'a millisecond early').toBe(429)
    house.clock.advance(1)
    expect((await laptop.logIn()).statusCode, 'in time').toBe(200)
  })

  test('A-06: twenty-five right passwords at once from a known device all pass, and are no stranger’s', async () => {
    const { house, laptop } = await besieged()
    laptop.keepDeviceOnly()
    const logins = await Promise.all(Array.from({ length: 25 }, () => laptop.at(house).logIn()))
    expect(tally(logins)).toEqual({ 200: 25 })
    expect((await new Visitor(house, laptop.address).logIn(NOBODY, WRONG)).statusCode).toBe(401)
  })

  test('wrong passwords of a known device are no stranger’s', async () => {
    const house = await production()
    const laptop = await signedIn(house)
    laptop.keepDeviceOnly()
    await inTurn(FREE, () => laptop.logIn(OWNER, WRONG))
    expect(tally(await guess(house, FREE))).toEqual({ 401: FREE })
  })
})

describe('a success', () => {
  test('A-07: empties the count: nine wrong, one right, nine wrong from one address, and no wait', async () => {
    const house = await production()
    await new Visitor(house).register()
    const one = stranger(house)
    const wrong = () => inTurn(9, () => new Visitor(house, one.address).logIn(OWNER, WRONG))
    expect(tally(await wrong())).toEqual({ 401: 9 })
    expect((await new Visitor(house, one.address).logIn()).statusCode).toBe(200)
    expect(tally(await wrong())).toEqual({ 401: 9 })
    expect((await new Visitor(house, one.address).logIn()).statusCode).toBe(200)
  })

  test('A-07: on an account of one’s own does not clear the count of the network', async () => {
    const house = await production()
    await new Visitor(house).register()
    await stranger(house).register('mallory@byron.example')
    const guessed = await inTurn(12, async (n) => {
      if (n >= 8) await stranger(house).logIn('mallory@byron.example')
      return stranger(house).logIn(`reader${n}@lovelace.example`, WRONG)
    })
    expect(guessed.map(statusOf)).toEqual([...new Array<number>(10).fill(401), 429, 429])
  })

  test('A-07: on an account of one’s own does not clear it either when the account’s failures are old', async () => {
    const house = await production()
    const own = 'mallory@byron.example'
    await stranger(house).register(own)
    await inTurn(9, () => stranger(house).logIn(own, WRONG))
    house.clock.advance(10 * MINUTE)
    const guessed = await inTurn(12, async (n) => {
      if (n === 8) await stranger(house).logIn(own)
      return stranger(house).logIn(`reader${n}@lovelace.example`, WRONG)
    })
    expect(tally(guessed)).toEqual({ 401: 10, 429: 2 })
  })

  test('A-07: no mix of own tries and own successes buys a network more than ten guesses', async () => {
    const house = await production({ REGISTRATIONS_PER_NETWORK: '0' })
    const others = ['own, wrong', 'own, right', 'own, begins', 'own, ends unjudged'] as const
    const moves = fc.array(fc.constantFrom('guess', 'guess', 'guess', ...others), { minLength: 40, maxLength: 40 })
    let attackers = 0
    await fc.assert(
      fc.asyncProperty(moves, async (played) => {
        attackers += 1
        const own = `mallory${attackers}@byron.example`
        const mallory = () => stranger(house, attackers)
        await mallory().register(own)
        let checked = 0
        const underWay: (Leave | undefined)[] = []
        const play = {
          async guess() {
            const { statusCode } = await mallory().logIn(`reader@lovelace${checked}.example`, WRONG)
            if (statusCode === 401) checked += 1
          },
          'own, wrong': () => mallory().logIn(own, WRONG),
          'own, right': () => mallory().logIn(own),
          // Each is checked by a process of its own: a good link with a password that is refused.
          'own, begins': async () => void underWay.push(await begin(house, own, mallory())),
          'own, ends unjudged': async () => underWay.pop()?.(false),
        }
        for (const move of played) await play[move]()
        expect(checked).toBeLessThanOrEqual(10)
        house.clock.advance(HOUR)
      }),
      { numRuns: 50 },
    )
  })
})

/** @returns what ends it, or undefined where it is refused */
async function begin({ db, settings }: House, emailKey: string, { address }: Visitor): Promise<Leave | undefined> {
  const client = { address, userAgent: '' }
  const attempt = { kind: 'guess_token', emailKey, client, device: null, tokenId: 'own' } as const
  return throttle(db, settings)
    .admit?.(attempt)
    .catch(() => undefined)
}

describe('what a refused stranger sees', () => {
  const paths: [string, (house: House, email: string) => Promise<unknown>][] = [
    ['too many tries for the account', (house, email) => guess(house, 10, { email })],
    ['100 tries for the account', (house, email) => hourly(house, email)],
    ['too many tries of the network', (house) => inTurn(10, (n) => shut(house).logIn(`reader${n}@byron.example`))],
  ]
  const shut = (house: House) => stranger(house, OTHER_NETWORKS)
  const hourly = (house: House, email: string) =>
    inTurn(100, async (n) => {
      await stranger(house, n).logIn(email, WRONG)
      house.clock.advance(HOUR)
    })

  test.each(paths)('A-08: is the same for known and unknown addresses: %s', async (_, exhaust) => {
    const answers = await Promise.all(
      [OWNER, NOBODY].map(async (email) => {
        const house = await production()
        await signedIn(house)
        await exhaust(house, email)
        house.clock.advance(7 * SECOND)
        const { statusCode, headers, body } = await shut(house).logIn(email)
        const { date: _date, ...rest } = headers
        return { statusCode, headers: rest, body }
      }),
    )
    const [known, unknown] = answers
    expect(known).toEqual(unknown)
    expect(known).toMatchObject({ statusCode: 429, headers: { 'retry-after': expect.stringMatching(/^\d+$/) } })
    expect(JSON.parse(known?.body ?? '')).toEqual({
      message: 'too many tries, wait before the next one',
      code: 'throttled',
    })
  })

  test('A-08: does not tell that the owner comes and goes on a known device', async () => {
    const looks = await Promise.all(
      [OWNER, NOBODY].map(async (email) => {
        const house = await production()
        const laptop = await signedIn(house)
        laptop.keepDeviceOnly()
        return inTurn(40, async (n) => {
          expect((await laptop.logIn()).statusCode).toBe(200)
          laptop.keepDeviceOnly()
          const answer = await stranger(house, n).logIn(email, WRONG)
          // In the end an hour after each other.
          if (n > 12) house.clock.advance(n < 25 ? 20 * MINUTE : HOUR)
          return [answer.statusCode, waitOf(answer)]
        })
      }),
    )
    expect(looks[0]).toEqual(looks[1])
    expect(looks[0]?.at(9)).toEqual([401, 0])
    expect(looks[0]?.at(10)).toEqual([429, 30])
    expect(looks[0]?.at(39)?.[0]).toBe(401)
  })

  test('is one account under every spelling of its address', async () => {
    const house = await production()
    await signedIn(house)
    await guess(house, 5, { email: '  ADA@Lovelace.Example ' })
    await guess(house, 5, { from: 5 })
    expect((await stranger(house, OTHER_NETWORKS).logIn('Ada@LOVELACE.example')).statusCode).toBe(429)
  })

  test('is an event in the log, with the reason', async () => {
    const house = await production()
    await spendFreeTries(house)
    await stranger(house, 77).logIn()
    expect(linesOf(house, 'throttled')).toEqual([
      expect.objectContaining({ address: addressOf(77), reason: 'login', user: null }),
    ])
  })
})

describe('at once', () => {
  test('20 wrong passwords get no more than ten checks', async () => {
    const house = await production()
    await signedIn(house)
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => stranger(house, n).logIn(OWNER, WRONG)))
    expect(tally(answers)).toEqual({ 401: 10, 429: 10 })
  })

  test('20 wrong passwords over as many accounts from one network get no more than ten checks', async () => {
    const house = await production()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => stranger(house).logIn(`reader${n}@byron.example`, WRONG)),
    )
    expect(tally(answers)).toEqual({ 401: 10, 429: 10 })
  })

  test('9 wrong passwords do not keep the right one in their midst out, in whatever order they are counted', async () => {
    const house = await production()
    await new Visitor(house).register()
    const passwords = Array.from({ length: FREE }, (_, n) => (n === 4 ? PASSWORD : WRONG))
    const answers = await Promise.all(passwords.map((password, n) => stranger(house, n).logIn(OWNER, password)))
    expect(answers[4]?.statusCode).toBe(200)
  })

  test('the right password among 19 wrong ones does not get them many more checks', async () => {
    const house = await production()
    await new Visitor(house).register()
    const passwords = Array.from({ length: 20 }, (_, n) => (n === 4 ? PASSWORD : WRONG))
    const answers = await Promise.all(passwords.map((password, n) => stranger(house, n).logIn(OWNER, password)))
    // Those before the success, and ten after it.
    expect(tally(answers)[401]).toBeLessThan(2 * FREE)
    await guess(house, FREE, { from: 100 })
    expect((await stranger(house, OTHER_NETWORKS).logIn()).statusCode).toBe(429)
  })

  test('20 logins with the right password are all good', async () => {
    const house = await production()
    await new Visitor(house).register()
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => stranger(house, n).logIn()))
    expect(tally(answers)).toEqual({ 200: 20 })
  })

  test('the logins of 60 readers behind one address are all good', async () => {
    const house = await production({ REGISTRATIONS_PER_NETWORK: '0' })
    await inTurn(60, (n) => new Visitor(house).register(`reader${n}@byron.example`))
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) => new Visitor(house).logIn(`reader${n}@byron.example`)),
    )
    expect(tally(answers)).toEqual({ 200: 60 })
  })
})

describe('the counters', () => {
  test('hold across a restart, and age while nobody is there', async () => {
    const first = await productionOnFile()
    await signedIn(first)
    await spendFreeTries(first)
    await first.close()
    const second = await productionOnFile({}, first.file)
    expect((await stranger(second, 50).logIn()).statusCode).toBe(429)
    second.clock.advance(30 * SECOND)
    expect((await stranger(second, 50).logIn()).statusCode).toBe(200)
  })

  test('hold over two instances on one database', async () => {
    const first = await productionOnFile()
    await signedIn(first)
    const second = await productionOnFile({}, first.file)
    await guess(first, 5)
    await guess(second, 5, { from: 5 })
    expect((await stranger(first, 50).logIn()).statusCode).toBe(429)
    expect((await stranger(second, 51).logIn()).statusCode).toBe(429)
  })

  test('keep no address in clear, known or unknown', async () => {
    const house = await productionOnFile()
    await signedIn(house)
    await guess(house, 1)
    await guess(house, 1, { email: NOBODY })
    await stranger(house).askForReset(NOBODY)
    const buckets = JSON.stringify(house.rows('SELECT * FROM throttle_buckets'))
    expect(buckets).toContain('account ')
    expect(buckets).not.toContain('lovelace')
  })

  test('are swept away when they are as good as empty', async () => {
    const house = await productionOnFile()
    await signedIn(house)
    await guess(house, 3)
    const count = () => house.rows('SELECT key FROM throttle_buckets').length
    expect(count()).toBeGreaterThan(3)
    house.clock.advance(HOUR + 10 * MINUTE)
    await house.upkeep()
    expect(house.rows('SELECT key FROM throttle_buckets')).toEqual([
      expect.objectContaining({ key: expect.stringMatching(/^account /) }),
    ])
    house.clock.advance(365 * DAY + 10 * MINUTE)
    await house.upkeep()
    expect(count()).toBe(0)
  })

  test('cost a session check nothing: it reads no counter and writes no row', async () => {
    const house = await productionOnFile()
    const laptop = await signedIn(house)
    const written = () => house.rows('PRAGMA data_version')
    const before = written()
    house.clock.advance(10 * MINUTE)
    expect(tally(await inTurn(50, () => laptop.profile()))).toEqual({ 200: 50 })
    expect(tally(await inTurn(50, () => laptop.send('GET', '/sessions')))).toEqual({ 200: 50 })
    expect(written()).toEqual(before)

    await house.db.commit([{ sql: 'DROP TABLE throttle_buckets', params: [] }])
    expect(written()).not.toEqual(before)
    expect((await laptop.profile()).statusCode).toBe(200)
    expect((await laptop.logIn()).statusCode, 'what does read them').toBe(500)
  })
})

describe('the current password', () => {
  test('is guarded within a session by a count of its own, with growing waits', async () => {
    const house = await production()
    const thief = await signedIn(house)
    const tryPassword = (one: Visitor, password: string) =>
      one.send('PATCH', '/users/me', { email: 'mallory@byron.example', current_password: password })
    expect(tally(await inTurn(10, () => tryPassword(thief, WRONG)))).toEqual({ 403: 10 })
    expect(waitOf(await tryPassword(thief, PASSWORD))).toBe(30)
    const owner = await anotherDevice(house)
    expect((await tryPassword(owner, WRONG)).statusCode, 'another session').toBe(403)
    expect((await stranger(house).logIn()).statusCode, 'a login').toBe(200)
    house.clock.advance(30 * SECOND)
    expect((await tryPassword(thief, WRONG)).statusCode).toBe(403)
    expect(waitOf(await tryPassword(thief, PASSWORD))).toBe(60)
    house.clock.advance(MINUTE)
    expect((await tryPassword(thief, PASSWORD)).statusCode).toBe(200)
  })
})

describe('development', () => {
  test('has no ceilings per network and of resets: everybody is on one machine', async () => {
    const house = await openHouse()
    onTestFinished(house.close)
    const local = () => new Visitor(house, '127.0.0.1')
    expect(tally(await inTurn(40, (n) => local().logIn(`reader${n}@byron.example`, WRONG)))).toEqual({ 401: 40 })
    expect(tally(await inTurn(40, (n) => local().register(`reader${n}@byron.example`)))).toEqual({ 200: 40 })
    expect(tally(await inTurn(40, () => local().askForReset('reader1@byron.example')))).toEqual({ 200: 40 })
  })

  test('has the ceilings that are asked for, and production those that are not', async () => {
    const limited = await openHouse({ FAILURES_PER_NETWORK: '2' })
    const open = await openHouse({ ...PRODUCTION, FAILURES_PER_NETWORK: '0' })
    for (const house of [limited, open]) onTestFinished(house.close)
    const spray = (house: House) => inTurn(20, (n) => new Visitor(house).logIn(`reader${n}@byron.example`, WRONG))
    expect(tally(await spray(limited))).toEqual({ 401: 2, 429: 18 })
    expect(tally(await spray(open))).toEqual({ 401: 20 })
  })

  test('counts tries for an account all the same', async () => {
    const house = await openHouse()
    onTestFinished(house.close)
    const local = () => new Visitor(house, '127.0.0.1')
    expect(tally(await inTurn(11, () => local().logIn(OWNER, WRONG)))).toEqual({ 401: 10, 429: 1 })
  })
})
