/**
 * Whether a browser sends this request for a page of another origin. The rule of Go's net/http.CrossOriginProtection, with
 * the exact public origin (scheme too) in the place of the Host header: Sec-Fetch-Site decides where it is sent, Origin
 * where it is not; a request with neither does not come from a browser.
 */

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

interface Provenance {
  method: string
  secFetchSite: string | undefined
  origin: string | undefined
}

/**
 * @param own the origins under which this service is reached, like `https://auth.example.org`
 * @param trusted other origins whose pages may do the same
 */
export function isCrossOrigin(
  { method, secFetchSite, origin }: Provenance,
  own: readonly string[],
  trusted: readonly string[] = [],
): boolean {
  if (SAFE.has(method)) return false
  switch (secFetchSite) {
    case 'same-origin':
    case 'none':
      return false
    case 'same-site':
    case 'cross-site':
      return origin === undefined || !trusted.includes(origin)
    case undefined:
      return origin !== undefined && !own.includes(origin) && !trusted.includes(origin)
    default:
      return true
  }
}
