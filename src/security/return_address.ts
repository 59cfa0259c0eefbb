/**
 * Where a person may be sent after a login (`next`): a path of this service or a host that the operator named, and nowhere
 * else, or our login would vouch for any page (OWASP ASVS 5.0 3.7.2).
 */

interface Home {
  /** The origin of this service. */
  readonly publicUrl: string
  /** Hosts, with a port where it is not the usual one. */
  readonly returnHosts: readonly string[]
}

const LONGEST = 2_000

/**
 * @param wanted whatever the client sent
 * @returns the address in its normal form, good for a header; undefined where nobody may be sent there
 */
export function returnAddress(wanted: string | undefined, { publicUrl, returnHosts }: Home): string | undefined {
  // Browsers read a backslash as a slash and leave out tabs and line ends.
  if (wanted === undefined || wanted.length > LONGEST || /[\p{C}\\]/u.test(wanted)) return undefined
  const url = URL.parse(wanted, publicUrl)
  if (url === null) return undefined
  if (!wanted.startsWith('/')) return isListed(url, publicUrl, returnHosts) ? url.href : undefined
  const path = `${url.pathname}${url.search}${url.hash}`
  // `/.//evil.test` becomes `//evil.test`, which is a host again.
  return url.origin === new URL(publicUrl).origin && !path.startsWith('//') ? path : undefined
}

function isListed({ protocol, host, username, password }: URL, publicUrl: string, hosts: readonly string[]): boolean {
  const safe = protocol === 'https:' || (protocol === 'http:' && publicUrl.startsWith('http:'))
  return safe && hosts.includes(host) && `${username}${password}` === ''
}
