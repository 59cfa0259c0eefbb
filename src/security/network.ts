/** Which addresses count as one client, and which can only be a neighbour. */

import { BlockList, isIPv6 } from 'node:net'

const privateNetworks = new BlockList()
for (const [network, prefix, family] of [
  ['127.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['::1', 128, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
] as const) {
  privateNetworks.addSubnet(network, prefix, family)
}

/**
 * @param address as a socket tells it, those that stand for one of IPv4 included
 * @returns the address itself for IPv4; for IPv6 its first 64 bits, since whoever has one has them all
 */
export function networkOf(address: string): string {
  const plain = unmapped(address)
  if (!isIPv6(plain)) return plain
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = new Array<string>(8 - left.length - right.length).fill('0')
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':')}::/64`
}

/** @returns whether this address can only belong to this machine or its own network */
export function isPrivate(address: string): boolean {
  const plain = unmapped(address)
  return privateNetworks.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
}

/** @returns the canonical form (RFC 5952), or the IPv4 address that an IPv6 one stands for: mapped, or translated (RFC 6052) */
function unmapped(address: string): string {
  const [plain = ''] = address.split('%')
  if (!isIPv6(plain)) return plain
  const canonical = new URL(`http://[${plain}]`).hostname.slice(1, -1)
  const [, high = '', low = ''] = /^(?:::ffff|64:ff9b:):([\da-f]+):([\da-f]+)$/.exec(canonical) ?? []
  if (high === '') return canonical
  return [high, low].flatMap((pair) => bytesOf(Number.parseInt(pair, 16))).join('.')
}

function bytesOf(pair: number): number[] {
  return [pair >> 8, pair & 255]
}
