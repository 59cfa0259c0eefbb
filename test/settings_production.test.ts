/** The settings of what guards accounts: secrets, proxies, origins, limits. */

import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { StartError } from '../src/errors.ts'
import { readSettings, type Settings } from '../src/settings.ts'
import { openHouse, PRODUCTION } from './house.ts'
import { type Env, runServer, temporaryFolder } from './started.ts'

const DAY = 86_400_000

/** @returns the message with which these settings are refused */
function refusal(env: Env): string {
  try {
    readSettings(env)
  } catch (error) {
    if (error instanceof StartError) return error.message
    throw error
  }
  return 'taken'
}

describe('SECRET', () => {
  const MEND = 'set it to at least 32 random bytes, for example with openssl rand -base64 33.'

  test.each([
    ['none', ''],
    ['31 bytes', PRODUCTION.SECRET.slice(1)],
    ['one character, often', 'x'.repeat(64)],
    ['a few characters, often', 'abc123'.repeat(10)],
    ['a few characters, in no order', 'q7Xw0mT9q0Xm7wT9Xqm0w97TXwTm9q07q9'],
    ['a few letters again and again', 'q7Xw0mT9rV'.repeat(4)],
    ['a word of a manual', `my-secret-${PRODUCTION.SECRET}`],
    ['the word to be changed', `ChangeMe${PRODUCTION.SECRET}`],
    ['a sample', `sample_${PRODUCTION.SECRET}`],
    ['an example', `${PRODUCTION.SECRET}.example.org`],
    ['a password', `passwordPASSWORD${PRODUCTION.SECRET}`],
    ['a row of digits', '123456789012345678901234567890123456789'],
  ])('O-01: is refused in production where it is %s', (_, secret) => {
    expect(refusal({ ...PRODUCTION, SECRET: secret })).toBe(`SECRET is missing or easily guessed: ${MEND}`)
  })

  test('O-01: a start without it ends with a line that names the mend', async () => {
    const { SECRET: _, ...env } = PRODUCTION
    const child = runServer(env, temporaryFolder())
    expect(await child.ended).toBe(1)
    expect(child.stderr).toBe(`Bienvenue cannot start: SECRET is missing or easily guessed: ${MEND}\n`)
  })

  test('is taken as openssl makes it, and in whatever form that has 32 bytes', () => {
    for (let round = 0; round < 200; round += 1) {
      for (const encoding of ['base64', 'base64url', 'hex'] as const) {
        const secret = randomBytes(33).toString(encoding)
        // One in a few thousand holds a word like 12345 by chance.
        if (!/secret|change|example|sample|password|12345/i.test(secret)) {
          expect(readSettings({ ...PRODUCTION, SECRET: secret }).secret).toBe(secret)
        }
      }
    }
    expect(refusal({ ...PRODUCTION, SECRET: 'é'.repeat(6) + PRODUCTION.SECRET.slice(0, 20) })).toBe('taken')
  })

  test('may be anything in development, where it is made if it is absent', () => {
    expect(readSettings({ SECRET: 'x' }).secret).toBe('x')
    expect(readSettings({}).secret).toBe('')
  })

  test('before this one is named by SECRET_PREVIOUS', () => {
    const before = randomBytes(33).toString('hex')
    expect(readSettings({ ...PRODUCTION, SECRET_PREVIOUS: before }).secretPrevious).toBe(before)
    expect(readSettings(PRODUCTION).secretPrevious).toBe('')
  })

  test.each(['short', 'x'.repeat(64), `sample_${PRODUCTION.SECRET}`])(
    'O-01: before this one is refused in production where it is easily guessed: %s',
    (before) => {
      const mend = 'unset it, or set it to the SECRET before this one.'
      expect(refusal({ ...PRODUCTION, SECRET_PREVIOUS: before })).toMatch(
        new RegExp(`^SECRET_PREVIOUS is easily .*${mend}$`),
      )
    },
  )

  test('before this one may be anything in development', () => {
    expect(readSettings({ SECRET_PREVIOUS: 'x' }).secretPrevious).toBe('x')
  })
})

describe('HIDE_ACCOUNTS', () => {
  const MAIL = { SMTP_URL: 'smtp://127.0.0.1:2525', MAIL_FROM: 'no-reply@example.org' }

  test.each([
    ['true in production with mail', { ...PRODUCTION, ...MAIL }, true],
    ['false in production without', PRODUCTION, false],
    ['false in development', MAIL, false],
    ['what is said', { ...PRODUCTION, ...MAIL, HIDE_ACCOUNTS: 'false' }, false],
  ])('A-13: is %s, and REQUIRE_CONFIRMED_EMAIL follows it', (_, env, hidden) => {
    expect(readSettings(env)).toMatchObject({ hideAccounts: hidden, requireConfirmed: hidden })
  })
})

describe('TRUST_PROXY', () => {
  test.each([
    ['one address', '10.0.0.1', ['10.0.0.1']],
    ['one network', '10.0.0.0/8', ['10.0.0.0/8']],
    ['IPv6', '::1,2001:db8::/32,fd00::/8', ['::1', '2001:db8::/32', 'fd00::/8']],
    ['IPv4 in IPv6', '::ffff:10.0.0.1,::ffff:10.0.0.0/104', ['::ffff:10.0.0.1', '::ffff:10.0.0.0/104']],
    ['IPv4 behind a translator', '64:ff9b::a00:1,64:ff9b::a00:0/104', ['64:ff9b::a00:1', '64:ff9b::a00:0/104']],
    ['a list with blanks', ' 10.0.0.1 , 172.16.0.0/12 ', ['10.0.0.1', '172.16.0.0/12']],
  ])('is read: %s', (_, written, networks) => {
    expect(readSettings({ ...PRODUCTION, TRUST_PROXY: written }).trustProxy).toEqual(networks)
  })

  test.each([
    ...['0.0.0.0/0', '::/0', '10.0.0.1, 0.0.0.0/0', '10.0.0.0/33', '2001:db8::/129', '10.0.0.0/-1', '10.0.0.0/8.5'],
    ...['0.0.0.0/1,128.0.0.0/1', '0.0.0.0/7', '::/1', '8000::/6'],
    // All of IPv4, or much of it, as IPv6 writes it.
    ...['::ffff:0:0/96', '::ffff:0.0.0.0/96', '::FFFF:0:0/96', '0:0:0:0:0:ffff::/96', '::ffff:10.0.0.1/096'],
    ...['::ffff:0:0/97', '::ffff:128.0.0.0/97', '::ffff:10.0.0.0/103', '10.0.0.1,::ffff:0:0/96', '::ffff:0:0%1/96'],
    ...[
      '::0.0.0.0/96',
      '::127.0.0.1/96',
      '0::10.0.0.1',
      '::ffff:0:0/95',
      '::fffe:0:0/95',
      '::ffff:0:0/8',
      '::/80',
      '::/64',
      '::/7',
    ],
    ...['64:ff9b::/96', '64:FF9B:0::/96', '64:ff9b::/97', '64:ff9b::a00:0/103', '64:ff9b::/95', '64::/16', '60::/12'],
    ...['10.0.0.0/', '/8', '10.0.0', '10.0.0.256', '010.0.0.1', 'localhost', 'loopback', 'true', '*', '1', 'proxy.lan'],
    ...['10.0.0.1,', ',', '10.0.0.1;10.0.0.2', '10.0.0.1 10.0.0.2', '10.0.0.0/255.0.0.0', '10.0.0.0/8/9'],
  ])('H-14: is refused with the mend: %s', (written) => {
    expect(refusal({ ...PRODUCTION, TRUST_PROXY: written })).toBe(
      'TRUST_PROXY is wrong: it must be IP addresses or networks like 10.0.0.0/8, with commas between.',
    )
  })

  test('is none unless it is set', () => {
    expect([readSettings(PRODUCTION).trustProxy, readSettings({}).trustProxy]).toEqual([[], []])
  })
})

describe('TRUSTED_ORIGINS', () => {
  test('is read as browsers write an origin', () => {
    const { trustedOrigins } = readSettings({ TRUSTED_ORIGINS: ' https://App.example.org:443 ,http://localhost:8080/' })
    expect(trustedOrigins).toEqual(['https://app.example.org', 'http://localhost:8080'])
  })

  test.each([
    ...['*', 'null', 'app.example.org', 'https://', 'https://*.example.org/x', 'https://app.example.org/login'],
    ...['https://app.example.org,', 'https://bob@app.example.org', 'ftp://app.example.org', 'javascript:alert(1)'],
  ])('is refused with the mend: %s', (written) => {
    expect(refusal({ ...PRODUCTION, TRUSTED_ORIGINS: written })).toBe(
      'TRUSTED_ORIGINS is wrong: it must be addresses like https://app.example.org, with commas between.',
    )
  })

  test('W-01: takes no page without TLS in production, but where the service has none either', () => {
    const open = { ...PRODUCTION, TRUSTED_ORIGINS: 'https://app.example.org,http://www.example.org' }
    expect(refusal(open)).toMatch(/^TRUSTED_ORIGINS has http:\/\/www\.example\.org, .* list it with https:/)
    expect(readSettings({ ...open, INSECURE_HTTP: 'true' }).trustedOrigins).toHaveLength(2)
  })

  test('lets the pages of these origins change something, and no others', async () => {
    const house = await openHouse({ ...PRODUCTION, TRUSTED_ORIGINS: 'https://app.example.org' })
    const body = { email: 'ada@lovelace.example', password: 'the long way round' }
    const from = async (origin: string) =>
      (await house.app.inject({ method: 'POST', url: '/sessions', headers: { origin }, payload: body })).statusCode
    expect(await from('https://app.example.org')).toBe(401)
    for (const other of ['https://app.example.org:8443', 'http://app.example.org', 'https://example.org', 'null']) {
      expect(await from(other), other).toBe(403)
    }
    await house.close()
  })
})

describe('a limit', () => {
  test.each<[string, string, Partial<Settings>]>([
    ['SESSIONS_PER_USER', '1', { sessionsPerUser: 1 }],
    ['LOGIN_FAILURES_PER_ACCOUNT', '99', { loginFailuresPerAccount: 99 }],
    ['FAILURES_PER_NETWORK', '0', { failuresPerNetwork: 0 }],
    ['REGISTRATIONS_PER_NETWORK', '100000', { registrationsPerNetwork: 100_000 }],
    ['RESETS_PER_ACCOUNT', '1', { resetsPerAccount: 1 }],
    ['RESETS_PER_NETWORK', '3', { resetsPerNetwork: 3 }],
    ['FRESH_FOR', '90s', { freshFor: 90_000 }],
    ['AUDIT_RETENTION', '365d', { auditRetention: 365 * DAY }],
    ['SERVICE_NAME', 'Salle des Fêtes', { serviceName: 'Salle des Fêtes' }],
  ])('is read: %s=%s', (variable, written, settings) => {
    expect(readSettings({ ...PRODUCTION, [variable]: written })).toMatchObject(settings)
  })

  test.each([
    ['SESSIONS_PER_USER', '0'],
    ['SESSIONS_PER_USER', '10001'],
    // No account may be without a limit, nor may it reach the hundred at which NIST wants an end.
    ['LOGIN_FAILURES_PER_ACCOUNT', '0'],
    ['LOGIN_FAILURES_PER_ACCOUNT', '100'],
    ['FAILURES_PER_NETWORK', '-1'],
    ['REGISTRATIONS_PER_NETWORK', '1.5'],
    ['RESETS_PER_ACCOUNT', '1001'],
    ['RESETS_PER_NETWORK', 'many'],
    ['FRESH_FOR', '59s'],
    ['FRESH_FOR', '61m'],
    ['AUDIT_RETENTION', '23h'],
    ['AUDIT_RETENTION', '90'],
  ])('is refused: %s=%s', (variable, written) => {
    expect(refusal({ ...PRODUCTION, [variable]: written })).toMatch(new RegExp(`^${variable} is wrong: it must be a`))
  })
})

test('more resets than mails for one address are refused: each would void the last one that was mailed', () => {
  const message = refusal({ ...PRODUCTION, RESETS_PER_ACCOUNT: '6' })
  expect(message).toMatch(/^RESETS_PER_ACCOUNT is higher than MAILS_PER_ADDRESS: /)
  expect(readSettings({ ...PRODUCTION, RESETS_PER_ACCOUNT: '6', MAILS_PER_ADDRESS: '0' }).resetsPerAccount).toBe(6)
})

describe('BCRYPT_COST', () => {
  test('P-16: under 10 ends a start, in production and in development', async () => {
    for (const env of [PRODUCTION, {}]) {
      const child = runServer({ ...env, BCRYPT_COST: '9' }, temporaryFolder())
      expect(await child.ended).toBe(1)
      expect(child.stderr).toBe(
        'Bienvenue cannot start: BCRYPT_COST is wrong: it must be a whole number from 10 to 16.\n',
      )
    }
  })

  test('P-16: is 12 unless it is set', () => {
    expect([readSettings(PRODUCTION).bcryptCost, readSettings({}).bcryptCost]).toEqual([12, 12])
  })
})

describe('the device cookie', () => {
  test.each<[string, Env, string]>([
    ['production', PRODUCTION, '__Host-device'],
    [
      'production for a whole domain: the device is this host’s alone',
      { ...PRODUCTION, COOKIE_DOMAIN: 'example.org' },
      '__Host-device',
    ],
    ['production over plain HTTP', { ...PRODUCTION, PUBLIC_URL: 'http://auth.lan', INSECURE_HTTP: 'true' }, 'device'],
    ['development', {}, 'device'],
  ])('has its name in %s', (_, env, name) => {
    expect(readSettings(env).cookie.deviceName).toBe(name)
  })
})
