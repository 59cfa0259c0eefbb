import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPrivate, networkOf } from '../../src/security/network.ts'

/** The eight groups of an address, as numbers. */
const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })

/** Everything that may be different in the text of one address. */
const style = fc.record({ upper: fc.boolean(), padded: fc.boolean(), dotted: fc.boolean(), shortened: fc.nat(7) })
type Style = typeof style extends fc.Arbitrary<infer T> ? T : never

/** @returns a text of the address, in one of its many forms (RFC 4291 2.2) */
function written(address: readonly number[], { upper, padded, dotted, shortened }: Style): string {
  const hex = address.map((group) => group.toString(16).padStart(padded ? 4 : 1, '0'))
  const [high = 0, low = 0] = address.slice(6)
  if (dotted) hex.splice(6, 2, [high >> 8, high & 255, low >> 8, low & 255].join('.'))
  const length = runOfZeros(address, shortened, dotted ? 6 : 8)
  if (length > 0) {
    const [left, right] = [hex.slice(0, shortened), hex.slice(shortened + length)]
    hex.splice(0, hex.length, left.join(':'), right.join(':'))
  }
  const text = hex.join(length > 0 ? '::' : ':')
  return upper ? text.toUpperCase() : text
}

/** @returns how many groups from `from` on, before `end`, are zero and may become `::` */
function runOfZeros(address: readonly number[], from: number, end: number): number {
  const rest = address.slice(from, end)
  const stop = rest.findIndex((group) => group !== 0)
  return stop === -1 ? rest.length : stop
}

function isMapped(address: readonly number[]): boolean {
  return address.slice(0, 5).every((group) => group === 0) && address[5] === 0xffff
}

describe('the network of an IPv6 address', () => {
  test('is its first four groups, in whatever form it is written', () => {
    fc.assert(
      fc.property(groups, style, (address, form) => {
        fc.pre(!isMapped(address))
        const first = address.slice(0, 4).map((group) => group.toString(16))
        expect(networkOf(written(address, form))).toBe(`${first.join(':')}::/64`)
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['fe80::a:b:c:d%25', 'fe80:0:0:0::/64'],
    ['64:ff9b:1::192.0.2.33', '64:ff9b:1:0::/64'],
    ['64:ff9b:0:0:0:1:c000:221', '64:ff9b:0:0::/64'],
    ['::2:3:4:5:6:192.0.2.33', '0:2:3:4::/64'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })

  test('is the same for all that share it and another for all that do not', () => {
    fc.assert(
      fc.property(groups, groups, style, style, (one, other, form, otherForm) => {
        fc.pre(!isMapped(one) && !isMapped(other))
        const neighbour = [...one.slice(0, 4), ...other.slice(4)]
        fc.pre(!isMapped(neighbour))
        expect(networkOf(written(neighbour, form))).toBe(networkOf(written(one, otherForm)))
        const same = one.slice(0, 4).join() === other.slice(0, 4).join()
        expect(networkOf(written(other, form)) === networkOf(written(one, otherForm))).toBe(same)
      }),
    )
  })
})

describe('the network of an IPv4 address', () => {
  test('is the address itself, mapped into IPv6 or not', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(networkOf(address)).toBe(address)
        for (const prefix of ['::ffff:', '::FFFF:']) expect(networkOf(`${prefix}${address}`)).toBe(address)
      }),
    )
  })

  test.each([
    ['a mapped one', [0, 0, 0, 0, 0, 0xffff], 0],
    // 0.0.0.0/16 is nobody's.
    ['one that was translated', [0x64, 0xff9b, 0, 0, 0, 0], 1],
  ])('is the address itself in every form of %s', (_, prefix, least) => {
    fc.assert(
      fc.property(fc.tuple(fc.integer({ min: least, max: 0xffff }), fc.nat(0xffff)), style, ([high, low], form) => {
        const address = [high >> 8, high & 255, low >> 8, low & 255].join('.')
        expect(networkOf(written([...prefix, high, low], form))).toBe(address)
      }),
    )
  })
})

describe('a private address', () => {
  test.each([
    ...['127.0.0.1', '127.255.255.255', '10.0.0.0', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1'],
    ...['169.254.1.1', '::1', 'fc00::1', 'fdff:ffff::1', 'fe80::1', 'fe80::1%eth0', 'febf::1', '::ffff:10.0.0.1'],
    ...['::FFFF:192.168.1.1'],
  ])('is %s', (address) => {
    expect(isPrivate(address)).toBe(true)
  })

  test.each([
    ...['9.255.255.255', '11.0.0.0', '126.255.255.255', '128.0.0.1', '172.15.255.255', '172.32.0.0', '192.167.255.255'],
    ...['192.169.0.0', '203.0.113.9', '8.8.8.8', '::', '::2', '2001:db8::1', 'fbff::1', 'fe00::1', 'fec0::1'],
    ...['::ffff:8.8.8.8', '', 'unknown', 'localhost'],
  ])('is not %s', (address) => {
    expect(isPrivate(address)).toBe(false)
  })
})
