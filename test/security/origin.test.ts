import { describe, expect, test } from 'vitest'
import { isCrossOrigin } from '../../src/security/origin.ts'

const OURS = 'https://auth.example.org'
const FOREIGN = 'https://evil.example'

interface Headers {
  site?: string
  origin?: string
}

function refused(method: string, { site, origin }: Headers): boolean {
  return isCrossOrigin({ method, secFetchSite: site, origin }, [OURS])
}

const passing: [string, Headers][] = [
  ['our own page', { site: 'same-origin', origin: OURS }],
  ['our own page, without an Origin', { site: 'same-origin' }],
  ['our own page, whatever Origin a proxy has made of it', { site: 'same-origin', origin: FOREIGN }],
  ['the user, by the address bar or a bookmark', { site: 'none' }],
  ['our own page in a browser without Sec-Fetch-Site', { origin: OURS }],
  ['a program, which sends neither header', {}],
]

const crossing: [string, Headers][] = [
  ['a foreign page', { site: 'cross-site', origin: FOREIGN }],
  ['a foreign page without an Origin', { site: 'cross-site' }],
  ['a foreign page that claims our Origin', { site: 'cross-site', origin: OURS }],
  ['a sibling of ours', { site: 'same-site', origin: 'https://www.example.org' }],
  ['a word that no standard knows', { site: 'same-planet' }],
  ['the right word in capitals', { site: 'SAME-ORIGIN' }],
  ['an empty Sec-Fetch-Site', { site: '' }],
  ['an empty list', { site: ' , ' }],
  ['Sec-Fetch-Site twice', { site: 'same-origin, same-origin' }],
  ['a foreign Origin', { origin: FOREIGN }],
  ['our host at another port', { origin: 'https://auth.example.org:8443' }],
  ['our host over plain http', { origin: 'http://auth.example.org' }],
  ['a host that begins like ours', { origin: 'https://auth.example.org.evil.example' }],
  ['a host that ends like ours', { origin: 'https://evil-auth.example.org' }],
  ['our parent domain', { origin: 'https://example.org' }],
  ['our origin with a path', { origin: 'https://auth.example.org/' }],
  ['our origin twice', { origin: 'https://auth.example.org, https://auth.example.org' }],
  ['a page that hides its Origin', { origin: 'null' }],
  ['an empty Origin', { origin: '' }],
  ['junk', { origin: '\u0000%' }],
]

describe.each(['POST', 'PUT', 'PATCH', 'DELETE', 'post', 'LOCK'])('%s', (method) => {
  test.each(passing)('passes from %s', (_, headers) => {
    expect(refused(method, headers)).toBe(false)
  })

  test.each(crossing)('is refused from %s', (_, headers) => {
    expect(refused(method, headers)).toBe(true)
  })
})

describe.each(['GET', 'HEAD', 'OPTIONS'])('%s changes nothing, so it', (method) => {
  test.each([...passing, ...crossing])('passes from %s', (_, headers) => {
    expect(refused(method, headers)).toBe(false)
  })
})

test('with several origins of our own, each passes and no other', () => {
  const own = ['http://localhost:5000', 'http://127.0.0.1:5000']
  const judge = (origin: string) => isCrossOrigin({ method: 'POST', secFetchSite: undefined, origin }, own)
  expect([...own, 'http://localhost:5001', 'http://[::1]:5000'].map(judge)).toEqual([false, false, true, true])
})

describe('the trusted list', () => {
  const TRUSTED = ['https://app.example.org', 'http://localhost:3000']

  function refusedAmongTrusted(method: string, { site, origin }: Headers): boolean {
    return isCrossOrigin({ method, secFetchSite: site, origin }, [OURS], TRUSTED)
  }

  describe.each(['POST', 'PUT', 'PATCH', 'DELETE'])('%s', (method) => {
    test.each<[string, Headers]>([
      ['cross-site', { site: 'cross-site', origin: 'https://app.example.org' }],
      ['same-site', { site: 'same-site', origin: 'https://app.example.org' }],
      ['in a browser without Sec-Fetch-Site', { origin: 'https://app.example.org' }],
      ['the second on it', { site: 'cross-site', origin: 'http://localhost:3000' }],
    ])('W-01: passes from an origin on it: %s', (_, headers) => {
      expect(refusedAmongTrusted(method, headers)).toBe(false)
    })

    test.each(passing)('passes from %s as before', (_, headers) => {
      expect(refusedAmongTrusted(method, headers)).toBe(false)
    })

    test.each<[string, Headers]>([
      ...crossing,
      ['an origin on it, without the port', { site: 'cross-site', origin: 'http://localhost' }],
      ['an origin on it, at another port', { site: 'cross-site', origin: 'https://app.example.org:8443' }],
      ['an origin on it, over plain http', { origin: 'http://app.example.org' }],
      ['an origin on it, in capitals', { origin: 'HTTPS://APP.EXAMPLE.ORG' }],
      ['an origin on it, with a path', { origin: 'https://app.example.org/' }],
      ['a subdomain of one on it', { site: 'cross-site', origin: 'https://evil.app.example.org' }],
      ['a host that begins like one on it', { site: 'cross-site', origin: 'https://app.example.org.evil.example' }],
      ['two on it at once', { site: 'cross-site', origin: TRUSTED.join(', ') }],
    ])('W-01: is refused from %s', (_, headers) => {
      expect(refusedAmongTrusted(method, headers)).toBe(true)
    })
  })

  test('that is empty trusts nobody, not even an empty Origin', () => {
    const judge = (origin: string) => isCrossOrigin({ method: 'POST', secFetchSite: 'cross-site', origin }, [OURS], [])
    expect(['', 'null', FOREIGN, OURS].map(judge)).toEqual([true, true, true, true])
  })
})
