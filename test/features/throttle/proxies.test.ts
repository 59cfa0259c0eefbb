/** Whose address counts: the peer's, unless the peer is a proxy that the operator named. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { SHARED_FACTOR } from '../../../src/features/throttle/keys.ts'
import { type House, openHouse } from '../../house.ts'
import { addressOf, inTurn, linesOf, production, signedIn, statusOf, tally, Visitor, WRONG } from '../../production.ts'

const PROXY = '10.1.2.3'
const CLIENT = '203.0.113.9'

/** A wrong password for an account of its own. */
function spray(house: House, peer: string, n: number, headers: Record<string, string>) {
  return new Visitor(house, peer).logIn(`reader${n}@byron.example`, WRONG, headers)
}

function warnings({ log }: House): unknown[] {
  return log.map((line): { level: number } => JSON.parse(line)).filter(({ level }) => level === 40)
}

describe('X-Forwarded-For', () => {
  test('H-14: of a client from the outside is not believed: with a fresh one for every try it is still one address', async () => {
    for (const env of [{}, { TRUST_PROXY: '10.0.0.0/8, 172.16.0.1' }]) {
      const house = await production(env)
      const answers = await inTurn(11, (n) => spray(house, CLIENT, n, { 'x-forwarded-for': addressOf(n) }))
      expect(tally(answers)).toEqual({ 401: 10, 429: 1 })
      expect(new Set(linesOf(house, 'login_failed').map(({ address }) => address))).toEqual(new Set([CLIENT]))
    }
  })

  test.each([
    ['a network', '10.0.0.0/8', PROXY],
    ['one address', PROXY, PROXY],
    ['one of a list', '192.0.2.77, 10.0.0.0/8', PROXY],
    ['an IPv6 network', '2001:db8:77::/48', '2001:db8:77::1'],
  ])('H-14: of a proxy that TRUST_PROXY names is believed: %s', async (_, trusted, proxy) => {
    const house = await production({ TRUST_PROXY: trusted })
    const from = (address: string, n: number) => spray(house, proxy, n, { 'x-forwarded-for': address })
    expect(tally(await inTurn(11, (n) => from(CLIENT, n)))).toEqual({ 401: 10, 429: 1 })
    expect((await from('203.0.113.10', 20)).statusCode, 'another client').toBe(401)
    const owner = new Visitor(house, proxy)
    await owner.send('POST', '/users', { email: 'ada@lovelace.example', password: 'the long way round' })
    const answer = await owner.logIn(undefined, undefined, { 'x-forwarded-for': '2001:db8:5::8' })
    expect(answer.statusCode).toBe(200)
    const { sessions } = (await owner.send('GET', '/sessions')).json<{ sessions: { address: string }[] }>()
    expect(sessions).toEqual([expect.objectContaining({ address: '2001:db8:5::8' })])
  })

  test('H-14: what the client put before the proxy’s own word is not believed', async () => {
    const house = await production({ TRUST_PROXY: '10.0.0.0/8' })
    const claim = (n: number) => ({ 'x-forwarded-for': `${addressOf(n)}, ${CLIENT}, 10.9.9.9` })
    expect(tally(await inTurn(11, (n) => spray(house, PROXY, n, claim(n))))).toEqual({ 401: 10, 429: 1 })
  })

  test('H-14: other headers of proxies are nobody’s word', async () => {
    const house = await production({ TRUST_PROXY: '10.0.0.0/8' })
    const claims = (n: number) => ({
      ...{ forwarded: `for=${addressOf(n)}`, 'x-real-ip': addressOf(n), 'client-ip': addressOf(n) },
      'x-forwarded-for': CLIENT,
    })
    expect(tally(await inTurn(11, (n) => spray(house, PROXY, n, claims(n))))).toEqual({ 401: 10, 429: 1 })
  })
})

describe('a proxy that nobody named', () => {
  const behind = (n: number) => ({ 'x-forwarded-for': addressOf(n) })

  test('is told of in the log, once, with its address and the mend', async () => {
    const house = await production()
    await inTurn(3, (n) => spray(house, PROXY, n, behind(n)))
    await spray(house, '10.1.2.4', 3, behind(3))
    expect(warnings(house)).toEqual([
      expect.objectContaining({ proxy: PROXY, msg: expect.stringMatching(/TRUST_PROXY .* set TRUST_PROXY to/) }),
    ])
  })

  test.each([
    ['it is named', { TRUST_PROXY: '10.0.0.0/8' }, PROXY, behind(1)],
    ['the peer is no neighbour: anybody can send that header', {}, CLIENT, behind(1)],
    ['the request came through none', {}, PROXY, {}],
  ])('but not where %s', async (_, env, peer, headers) => {
    const house = await production(env)
    await spray(house, peer, 1, headers)
    expect(warnings(house)).toEqual([])
  })

  test('nor in development', async () => {
    const house = await openHouse()
    onTestFinished(house.close)
    await spray(house, '127.0.0.1', 1, behind(1))
    expect(warnings(house)).toEqual([])
  })

  test('may do twenty times as much as one client, so that one guesser does not lock everybody out', async () => {
    const house = await production()
    await signedIn(house)
    const most = 10 * SHARED_FACTOR
    const statuses = (await inTurn(most + 1, (n) => spray(house, PROXY, n, behind(n)))).map(statusOf)
    expect(statuses).toEqual([...new Array<number>(200).fill(401), 429])
    expect((await new Visitor(house, PROXY).logIn(undefined, undefined, behind(1))).statusCode).toBe(429)
  })

  test('is not shut by the right password that comes as its 200th try', async () => {
    const house = await production()
    await signedIn(house)
    await inTurn(199, (n) => spray(house, PROXY, n, behind(n)))
    expect((await new Visitor(house, PROXY).logIn(undefined, undefined, behind(1))).statusCode).toBe(200)
    expect((await new Visitor(house, PROXY).logIn(undefined, undefined, behind(2))).statusCode).toBe(200)
  })
})
