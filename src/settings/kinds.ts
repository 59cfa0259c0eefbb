/** The kinds of value that a setting can have. */

import { BlockList, isIP } from 'node:net'

export interface Kind<T> {
  /** What a value looks like, for the docs and for the message about a wrong one. */
  looks: string
  /** @returns the value, or undefined where the text is none */
  read(text: string): T | undefined
}

export const text: Kind<string> = { looks: 'text', read: (value) => value }

export const flag: Kind<boolean> = {
  looks: '`true` or `false`',
  read: (value) => (value === 'true' ? true : value === 'false' ? false : undefined),
}

export function integer(least: number, most: number): Kind<number> {
  return {
    looks: `a whole number from ${least} to ${most}`,
    read(value) {
      const number = Number(value)
      return /^\d+$/.test(value) && number >= least && number <= most ? number : undefined
    },
  }
}

const UNITS = new Map([
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/** Milliseconds, written with a unit. */
export function duration(least: string, most: string): Kind<number> {
  const parse = (value: string) => {
    const [, amount, unit = ''] = /^(\d{1,6})([smhd])$/.exec(value) ?? []
    return amount === undefined ? Number.NaN : Number(amount) * (UNITS.get(unit) ?? Number.NaN)
  }
  return {
    looks: `a time like \`90s\`, \`60m\`, \`12h\` or \`7d\`, from ${least} to ${most}`,
    read(value) {
      const time = parse(value)
      return time >= parse(least) && time <= parse(most) ? time : undefined
    },
  }
}

export function choice<const T extends string>(...choices: T[]): Kind<T> {
  return {
    looks: choices.map((one) => `\`${one}\``).join(', '),
    read: (value) => choices.find((one) => one === value),
  }
}

/** Some of these with commas between, or `none`. */
export function choices<const T extends string>(...all: T[]): Kind<readonly T[]> {
  const one = choice(...all)
  return {
    looks: `${one.looks} with commas between, or \`none\``,
    read(value) {
      const chosen = value === 'none' ? [] : value.split(',').map((name) => one.read(name.trim()))
      return chosen.every((name) => name !== undefined) ? chosen : undefined
    },
  }
}

export const origin: Kind<string> = {
  looks: 'an address like `https://auth.example.org`, without a path',
  read(value) {
    const url = URL.parse(value)
    const plain =
      url !== null &&
      ['http:', 'https:'].includes(url.protocol) &&
      url.username + url.password === '' &&
      // A pattern would be taken for a name that nobody has.
      !url.hostname.includes('*') &&
      url.pathname === '/'
    return plain && url.search === '' && url.hash === '' ? url.origin : undefined
  },
}

/** Any page of the web. */
export const url: Kind<string> = {
  looks: 'an address like `https://example.org/terms`',
  read(value) {
    const parsed = URL.parse(value)
    return parsed !== null && ['http:', 'https:'].includes(parsed.protocol) ? parsed.href : undefined
  },
}

export const color: Kind<string> = {
  looks: 'a colour like `#1f5f8b`',
  read: (value) => (/^#[\da-f]{6}$/i.test(value) ? value.toLowerCase() : undefined),
}

/** A comma-separated list of which every member must be good. */
function list(looks: string, read: (one: string) => string | undefined): Kind<readonly string[]> {
  return {
    looks,
    read(value) {
      const members = value.split(',').map((one) => read(one.trim()))
      return members.every((one) => one !== undefined) ? members : undefined
    },
  }
}

export const origins = list('addresses like `https://app.example.org`, with commas between', (one) => origin.read(one))

/** Without a scheme: it is that of PUBLIC_URL, or https. */
export const hosts = list('host names like `app.example.org`, with commas between', (one) => {
  const parsed = URL.parse(`https://${one}`)
  // It also stands in the policy of the pages, where other signs would have a meaning.
  const plain = /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d+)?$/i.test(one)
  return plain && parsed !== null && parsed.host === one.toLowerCase() ? parsed.host : undefined
})

export const networks = list('IP addresses or networks like `10.0.0.0/8`, with commas between', (one) =>
  isNetwork(one) ? one : undefined,
)

/** All of IPv4 as IPv6 writes it: peers of IPv4 are found in a network of the first, those behind a translator in the second. */
const MAPPED = '::ffff:0:0'
const TRANSLATED = '64:ff9b::'
const ipv4 = new BlockList()
for (const network of [MAPPED, TRANSLATED]) ipv4.addSubnet(network, 96, 'ipv6')

function isNetwork(one: string): boolean {
  const [address = '', prefix, ...rest] = one.split('/')
  const version = isIP(address)
  // `::10.0.0.1` is another address to those who read it here than to those who compare it with peers.
  if (version === 0 || rest.length > 0 || (version === 6 && /^(?!::ffff:).*\./i.test(address))) return false
  if (prefix === undefined) return true
  try {
    const network = new BlockList()
    network.addSubnet(address, Number(prefix), version === 6 ? 'ipv6' : 'ipv4')
    const holdsIPv4 = ipv4.check(address, 'ipv6') || [MAPPED, TRANSLATED].some((all) => network.check(all, 'ipv6'))
    // Half of all addresses is no network of proxies: anyone could then claim to be anyone.
    const shortest = version === 4 ? 8 : holdsIPv4 ? 96 + 8 : 7
    return /^\d+$/.test(prefix) && Number(prefix) >= shortest
  } catch {
    return false
  }
}
