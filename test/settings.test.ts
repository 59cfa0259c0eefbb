import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { StartError } from '../src/errors.ts'
import { readSettings, type Settings, settingRows } from '../src/settings.ts'
import { PRODUCTION } from './house.ts'
import { Child, pathOf, temporaryFolder } from './started.ts'

type Env = Record<string, string>

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** @returns the message of the refusal, which must be a StartError */
function refusal(env: Env, dotEnv = ''): string {
  try {
    readSettings(env, dotEnv)
  } catch (error) {
    if (error instanceof StartError) return error.message
    throw error
  }
  throw new Error('the settings were accepted')
}

describe('the defaults', () => {
  const common = {
    port: 5000,
    insecureHttp: false,
    databaseUrl: 'sqlite:./data/bienvenue.db',
    cookieDomain: '',
    sessionIdle: 7 * DAY,
    sessionLifetime: 30 * DAY,
    sessionsPerUser: 50,
    freshFor: 5 * MINUTE,
    resetTokenLifetime: HOUR,
    bcryptCost: 12,
    workers: 1,
    hashConcurrency: availableParallelism(),
    hashQueue: 100,
    loginFailuresPerAccount: 10,
    auditRetention: 90 * DAY,
    serviceName: 'Bienvenue',
    secretPrevious: '',
    trustProxy: [],
    trustedOrigins: [],
    logLevel: 'info',
  }

  test('divide the cores among the workers, with one for each at least', () => {
    expect(readSettings({ WORKERS: '2' }).hashConcurrency).toBe(Math.max(1, Math.floor(availableParallelism() / 2)))
    expect(readSettings({ WORKERS: '64' }).hashConcurrency).toBe(Math.max(1, Math.floor(availableParallelism() / 64)))
    expect(readSettings({ WORKERS: '64', HASH_CONCURRENCY: '3' }).hashConcurrency).toBe(3)
  })

  test('of development serve the classic contract on loopback', () => {
    expect(readSettings({})).toMatchObject({
      ...common,
      nodeEnv: 'development',
      production: false,
      host: 'localhost',
      publicUrl: 'http://localhost:5000',
      passwordMinLength: 1,
      logRequests: true,
      failuresPerNetwork: 0,
      registrationsPerNetwork: 0,
      resetsPerAccount: 0,
      resetsPerNetwork: 0,
      secret: '',
      cookie: { name: 'session_id', deviceName: 'device', resetName: 'reset', secure: false, domain: undefined },
    })
  })

  test('of production relax nothing', () => {
    expect(readSettings(PRODUCTION)).toMatchObject({
      ...common,
      nodeEnv: 'production',
      production: true,
      host: '127.0.0.1',
      publicUrl: PRODUCTION.PUBLIC_URL,
      passwordMinLength: 8,
      logRequests: false,
      failuresPerNetwork: 10,
      registrationsPerNetwork: 20,
      resetsPerAccount: 5,
      resetsPerNetwork: 20,
      secret: PRODUCTION.SECRET,
      cookie: {
        name: '__Host-session_id',
        deviceName: '__Host-device',
        resetName: '__Host-reset',
        secure: true,
        domain: undefined,
      },
    })
  })

  test('of a test are those of development', () => {
    expect(readSettings({ NODE_ENV: 'test' })).toEqual({ ...readSettings({}), nodeEnv: 'test' })
  })

  test('are in the table, each variable once with its meaning', () => {
    const rows = settingRows()
    expect(new Set(rows.map(({ variable }) => variable)).size).toBe(rows.length)
    for (const { variable, looks, fallback, meaning } of rows) {
      expect(variable).toMatch(/^[A-Z][A-Z_]+$/)
      expect([looks, fallback, meaning]).not.toContain('')
    }
    expect(rows).toContainEqual(
      expect.objectContaining({ variable: 'PASSWORD_MIN_LENGTH', fallback: '`1`; production: `8`' }),
    )
    expect(rows).toContainEqual(expect.objectContaining({ variable: 'PORT', fallback: '`5000`' }))
  })

  test('stand where a variable is empty', () => {
    const empty = Object.fromEntries(settingRows().map(({ variable }) => [variable, '']))
    expect(readSettings(empty)).toEqual(readSettings({}))
  })
})

describe('a value', () => {
  test.each<[string, string, (settings: Settings) => unknown, unknown]>([
    ['PORT', '0', ({ port }) => port, 0],
    ['PORT', '65535', ({ port }) => port, 65_535],
    ['HOST', '127.0.0.1', ({ host }) => host, '127.0.0.1'],
    ['HOST', '::1', ({ host }) => host, '::1'],
    ['DATABASE_URL', 'sqlite::memory:', ({ databaseUrl }) => databaseUrl, 'sqlite::memory:'],
    ['LOG_REQUESTS', 'false', ({ logRequests }) => logRequests, false],
    ['INSECURE_HTTP', 'true', ({ insecureHttp }) => insecureHttp, true],
    ['SESSION_IDLE', '301s', ({ sessionIdle }) => sessionIdle, 301_000],
    ['SESSION_IDLE', '300s', ({ sessionIdle }) => sessionIdle, 5 * MINUTE],
    ['SESSION_IDLE', '30m', ({ sessionIdle }) => sessionIdle, 30 * MINUTE],
    ['SESSION_IDLE', '12h', ({ sessionIdle }) => sessionIdle, 12 * HOUR],
    ['SESSION_LIFETIME', '400d', ({ sessionLifetime }) => sessionLifetime, 400 * DAY],
    ['RESET_TOKEN_LIFETIME', '24h', ({ resetTokenLifetime }) => resetTokenLifetime, DAY],
    ['RESET_TOKEN_LIFETIME', '1d', ({ resetTokenLifetime }) => resetTokenLifetime, DAY],
    ['PASSWORD_MIN_LENGTH', '64', ({ passwordMinLength }) => passwordMinLength, 64],
    ['BCRYPT_COST', '10', ({ bcryptCost }) => bcryptCost, 10],
    ['BCRYPT_COST', '16', ({ bcryptCost }) => bcryptCost, 16],
    ['HASH_QUEUE', '0', ({ hashQueue }) => hashQueue, 0],
    ['LOG_LEVEL', 'silent', ({ logLevel }) => logLevel, 'silent'],
    ['PUBLIC_URL', 'http://localhost:8080', ({ publicUrl }) => publicUrl, 'http://localhost:8080'],
    ['PUBLIC_URL', 'https://Auth.Example.org:443/', ({ publicUrl }) => publicUrl, 'https://auth.example.org'],
    ['SESSIONS_PER_USER', '1', ({ sessionsPerUser }) => sessionsPerUser, 1],
    ['FRESH_FOR', '1h', ({ freshFor }) => freshFor, HOUR],
    ['LOGIN_FAILURES_PER_ACCOUNT', '99', ({ loginFailuresPerAccount }) => loginFailuresPerAccount, 99],
    ['FAILURES_PER_NETWORK', '0', ({ failuresPerNetwork }) => failuresPerNetwork, 0],
    ['REGISTRATIONS_PER_NETWORK', '7', ({ registrationsPerNetwork }) => registrationsPerNetwork, 7],
    ['RESETS_PER_ACCOUNT', '1000', ({ resetsPerAccount }) => resetsPerAccount, 1_000],
    ['RESETS_PER_NETWORK', '100000', ({ resetsPerNetwork }) => resetsPerNetwork, 100_000],
    ['AUDIT_RETENTION', '3650d', ({ auditRetention }) => auditRetention, 3_650 * DAY],
    ['SERVICE_NAME', 'Crème brûlée', ({ serviceName }) => serviceName, 'Crème brûlée'],
    ['TRUST_PROXY', '10.0.0.1', ({ trustProxy }) => trustProxy, ['10.0.0.1']],
    ['TRUST_PROXY', '10.0.0.0/8, ::1,fd00::/8', ({ trustProxy }) => trustProxy, ['10.0.0.0/8', '::1', 'fd00::/8']],
    [
      'TRUSTED_ORIGINS',
      'https://App.example.org:443/, http://localhost:3000',
      ({ trustedOrigins }) => trustedOrigins,
      ['https://app.example.org', 'http://localhost:3000'],
    ],
  ])('is read: %s=%s', (variable, written, read, value) => {
    expect(read(readSettings({ [variable]: written }))).toStrictEqual(value)
  })

  test('of PORT is in the public address, where none is set', () => {
    expect(readSettings({ PORT: '8080' }).publicUrl).toBe('http://localhost:8080')
  })

  const WHOLE = /a whole number from \d+ to \d+\.$/
  const TIME = /a time like 90s, 60m, 12h or 7d, from [15]m to \d+[hd]\.$/
  const ADDRESS = /an address like https:\/\/auth\.example\.org, without a path\.$/
  const ADDRESSES = /addresses like https:\/\/app\.example\.org, with commas between\.$/
  const NETWORKS = /IP addresses or networks like 10\.0\.0\.0\/8, with commas between\.$/
  const HOSTS = /host names like app\.example\.org, with commas between\.$/

  test.each([
    ['PORT', '65536', WHOLE],
    ['PORT', '-1', WHOLE],
    ['PORT', '80.5', WHOLE],
    ['PORT', '0x50', WHOLE],
    ['PORT', '1e3', WHOLE],
    ['PORT', ' 80', WHOLE],
    ['PORT', '８０', WHOLE],
    ['PORT', 'http', WHOLE],
    ['BCRYPT_COST', '9', WHOLE],
    ['BCRYPT_COST', '17', WHOLE],
    ['PASSWORD_MIN_LENGTH', '0', WHOLE],
    ['PASSWORD_MIN_LENGTH', '65', WHOLE],
    ['HASH_CONCURRENCY', '0', WHOLE],
    ['WORKERS', '0', WHOLE],
    ['WORKERS', '65', WHOLE],
    ['HASH_QUEUE', '10001', WHOLE],
    ['SESSION_IDLE', '3600', TIME],
    ['SESSION_IDLE', '1w', TIME],
    ['SESSION_IDLE', '1.5h', TIME],
    ['SESSION_IDLE', '-1h', TIME],
    ['SESSION_IDLE', '299s', TIME],
    ['SESSION_IDLE', '366d', TIME],
    ['SESSION_IDLE', '7 d', TIME],
    ['SESSION_LIFETIME', '401d', TIME],
    ['RESET_TOKEN_LIFETIME', '25h', TIME],
    ['NODE_ENV', 'prod', /development, test, production\.$/],
    ['LOG_LEVEL', 'debug', /info, warn, error, silent\.$/],
    ['LOG_REQUESTS', 'yes', /true or false\.$/],
    ['INSECURE_HTTP', 'TRUE', /true or false\.$/],
    ['PUBLIC_URL', 'auth.example.org', ADDRESS],
    ['PUBLIC_URL', 'https://', ADDRESS],
    ['PUBLIC_URL', 'ftp://auth.example.org', ADDRESS],
    ['PUBLIC_URL', 'https://auth.example.org/login', ADDRESS],
    ['PUBLIC_URL', 'https://auth.example.org/?next=1', ADDRESS],
    ['PUBLIC_URL', 'https://auth.example.org/#top', ADDRESS],
    ['PUBLIC_URL', 'https://bob@auth.example.org', ADDRESS],
    ['PUBLIC_URL', 'https://:secret@auth.example.org', ADDRESS],
    ['PUBLIC_URL', 'javascript:alert(1)', ADDRESS],
    ['TRUSTED_ORIGINS', '*', ADDRESSES],
    ['TRUSTED_ORIGINS', 'null', ADDRESSES],
    ['TRUSTED_ORIGINS', 'app.example.org', ADDRESSES],
    ['TRUSTED_ORIGINS', 'https://app.example.org/path', ADDRESSES],
    ['TRUSTED_ORIGINS', 'https://app.example.org https://www.example.org', ADDRESSES],
    ['TRUSTED_ORIGINS', 'https://app.example.org,', ADDRESSES],
    ['TRUST_PROXY', 'true', NETWORKS],
    ['TRUST_PROXY', '*', NETWORKS],
    ['TRUST_PROXY', '1', NETWORKS],
    ['TRUST_PROXY', 'proxy.example.org', NETWORKS],
    ['TRUST_PROXY', '0.0.0.0/0', NETWORKS],
    ['TRUST_PROXY', '::/0', NETWORKS],
    ['TRUST_PROXY', '0.0.0.0/1,128.0.0.0/1', NETWORKS],
    ['TRUST_PROXY', '::/1', NETWORKS],
    ['RETURN_HOSTS', '*', HOSTS],
    ['RETURN_HOSTS', '*.example.org', HOSTS],
    ['RETURN_HOSTS', 'app.example.org;script-src', HOSTS],
    ['TRUST_PROXY', '10.0.0.0/33', NETWORKS],
    ['TRUST_PROXY', '10.0.0.1,', NETWORKS],
    ['FRESH_FOR', '61m', TIME],
    ['AUDIT_RETENTION', '23h', /a time like 90s, 60m, 12h or 7d, from 1d to 3650d\.$/],
    ['SESSIONS_PER_USER', '0', WHOLE],
    ['LOGIN_FAILURES_PER_ACCOUNT', '0', WHOLE],
    ['LOGIN_FAILURES_PER_ACCOUNT', '100', WHOLE],
    ['FAILURES_PER_NETWORK', '-1', WHOLE],
  ])('is refused with the variable and the mend: %s=%s', (variable, written, mend) => {
    const message = refusal({ [variable]: written })
    expect(message.startsWith(`${variable} is wrong: it must be `)).toBe(true)
    expect(message).toMatch(mend)
  })
})

describe('.env', () => {
  const dotEnv = '# where it runs\nPORT=8080\nexport LOG_LEVEL="warn"\n\nSESSION_IDLE=12h # half a day\n'

  test('is read', () => {
    expect(readSettings({}, dotEnv)).toMatchObject({ port: 8080, logLevel: 'warn', sessionIdle: 12 * HOUR })
  })

  test('gives way to the environment, but not to what is empty there', () => {
    expect(readSettings({ PORT: '9090', LOG_LEVEL: '' }, dotEnv)).toMatchObject({ port: 9090, logLevel: 'warn' })
  })

  test('can choose the profile', () => {
    expect(refusal({}, 'NODE_ENV=production')).toMatch(/^PUBLIC_URL is missing/)
  })

  test('is refused where a value is wrong', () => {
    expect(refusal({}, 'PORT=http')).toMatch(/^PORT is wrong/)
  })

  test.each([
    ['PUBLIC_URI', 'PUBLIC_URL'],
    ['SESION_IDLE', 'SESSION_IDLE'],
    ['COOKIE_DOMIAN', 'COOKIE_DOMAIN'],
    ['port', 'PORT'],
    ['BCRYPT_ROUNDS', 'BCRYPT_COST'],
  ])('is refused where it sets %s, with the nearest name, %s', (name, nearest) => {
    const message = refusal({}, `${name}=1`)
    expect(message).toContain(`.env sets ${name}, which is no setting. The nearest one is ${nearest};`)
    expect(message).toContain('docs/settings.md')
  })

  test('alone is held to the names: the environment is full of others', () => {
    expect(readSettings({ PUBLIC_URI: '1', PATH: '/bin' })).toEqual(readSettings({}))
  })
})

describe('production refuses, with the mend', () => {
  test.each<[string, Env, RegExp]>([
    ['no PUBLIC_URL', { NODE_ENV: 'production' }, /^PUBLIC_URL is missing: set it to .*https:\/\/auth\.example\.org/],
    ['an empty PUBLIC_URL', { ...PRODUCTION, PUBLIC_URL: '' }, /^PUBLIC_URL is missing/],
    [
      'plain HTTP',
      { ...PRODUCTION, PUBLIC_URL: 'http://auth.example.org' },
      /^PUBLIC_URL must be https: in production\..* set INSECURE_HTTP=true/,
    ],
    [
      'plain HTTP on loopback',
      { ...PRODUCTION, PUBLIC_URL: 'http://localhost:5000' },
      /^PUBLIC_URL must be https: in production/,
    ],
    [
      'short passwords',
      { ...PRODUCTION, PASSWORD_MIN_LENGTH: '7' },
      /^PASSWORD_MIN_LENGTH must be at least 8 in production/,
    ],
    ['no SECRET', { ...PRODUCTION, SECRET: '' }, /^SECRET is missing or easily guessed: .* openssl rand -base64 33\.$/],
    ['a short SECRET', { ...PRODUCTION, SECRET: PRODUCTION.SECRET.slice(1) }, /^SECRET is missing or easily guessed/],
    ['a SECRET of one character', { ...PRODUCTION, SECRET: 'x'.repeat(64) }, /^SECRET is missing or easily guessed/],
    [
      'a sample SECRET',
      { ...PRODUCTION, SECRET: `change-me-${PRODUCTION.SECRET}` },
      /^SECRET is missing or easily guessed/,
    ],
    ['cheap hashes', { ...PRODUCTION, BCRYPT_COST: '9' }, /^BCRYPT_COST is wrong: .* from 10 to 16/],
  ])('%s', (_, env, mend) => {
    expect(refusal(env)).toMatch(mend)
  })

  test.each<[string, Env, Partial<Settings>]>([
    ['a SECRET of 32 bytes', { SECRET: 'é'.repeat(3) + PRODUCTION.SECRET.slice(6) }, {}],
    ['any address to listen on', { HOST: '0.0.0.0' }, { host: '0.0.0.0' }],
    ['passwords of 8 and more', { PASSWORD_MIN_LENGTH: '15' }, { passwordMinLength: 15 }],
    [
      'plain HTTP where it is asked for in so many words',
      { PUBLIC_URL: 'http://auth.lan', INSECURE_HTTP: 'true' },
      { publicUrl: 'http://auth.lan' },
    ],
  ])('but takes %s', (_, env, settings) => {
    expect(readSettings({ ...PRODUCTION, ...env })).toMatchObject(settings)
  })
})

describe('development listens on loopback only', () => {
  test.each(['0.0.0.0', '::', '192.168.1.5', 'example.org', '127.0.0.1.example.org', ' localhost'])(
    'and refuses HOST=%s',
    (host) => {
      const message = refusal({ HOST: host })
      expect(message).toContain(`HOST=${host} would open the development profile to the network`)
      expect(message).toContain('Use localhost, or run with NODE_ENV=production and PUBLIC_URL')
      expect(refusal({ HOST: host, NODE_ENV: 'test' })).toBe(message)
    },
  )
})

describe('the cookie', () => {
  test.each<[string, Env, Omit<Settings['cookie'], 'accessName' | 'refreshName' | 'refreshSessionName'>]>([
    [
      'development',
      {},
      { name: 'session_id', deviceName: 'device', resetName: 'reset', secure: false, domain: undefined },
    ],
    [
      'development behind TLS',
      { PUBLIC_URL: 'https://auth.example.org' },
      { name: 'session_id', deviceName: 'device', resetName: 'reset', secure: true, domain: undefined },
    ],
    [
      'production',
      PRODUCTION,
      {
        name: '__Host-session_id',
        deviceName: '__Host-device',
        resetName: '__Host-reset',
        secure: true,
        domain: undefined,
      },
    ],
    [
      'production for a whole domain, which the prefix forbids',
      { ...PRODUCTION, COOKIE_DOMAIN: 'example.org' },
      {
        name: 'session_id',
        deviceName: '__Host-device',
        resetName: '__Host-reset',
        secure: true,
        domain: 'example.org',
      },
    ],
    [
      'production over plain HTTP, where browsers drop Secure',
      { ...PRODUCTION, PUBLIC_URL: 'http://auth.lan', INSECURE_HTTP: 'true' },
      { name: 'session_id', deviceName: 'device', resetName: 'reset', secure: false, domain: undefined },
    ],
  ])('follows from the public address: %s', (_, env, cookie) => {
    const { accessName, refreshName, refreshSessionName, ...ofSession } = readSettings(env).cookie
    expect(ofSession).toEqual(cookie)
    // The token of a single path may not bear the prefix that demands all of them (RFC 6265bis 4.1.3).
    const ofTokens = [accessName, refreshName, refreshSessionName]
    const plain = ['access_token', 'refresh_token', 'refresh_session']
    if (cookie.deviceName === 'device') expect(ofTokens).toEqual(plain)
    else expect(ofTokens).toEqual(['__Host-access_token', '__Secure-refresh_token', '__Host-refresh_session'])
  })

  test.each([
    ['the very host', 'https://auth.example.org', 'auth.example.org'],
    ['the parent domain', 'https://auth.example.org', 'example.org'],
    ['a grandparent', 'https://auth.eu.example.org:8443', 'example.org'],
  ])('may be shared with the subdomains of %s', (_, publicUrl, domain) => {
    expect(readSettings({ ...PRODUCTION, PUBLIC_URL: publicUrl, COOKIE_DOMAIN: domain }).cookie.domain).toBe(domain)
  })

  test.each([
    ['another domain', 'https://auth.example.org', 'example.com'],
    ['a subdomain', 'https://auth.example.org', 'www.auth.example.org'],
    ['a domain that only ends alike', 'https://auth.example.org', 'ample.org'],
    ['a top-level domain', 'https://auth.example.org', 'org'],
    ['a leading dot', 'https://auth.example.org', '.example.org'],
    ['a port', 'https://auth.example.org:8443', 'example.org:8443'],
    ['attributes smuggled in', 'https://auth.example.org', 'example.org; Secure'],
    ['an address without a name', 'https://192.168.1.5', '192.168.1.5'],
    ['a part of an address', 'https://192.168.1.5', '168.1.5'],
    ['an IPv6 address', 'https://[::1]', '[::1]'],
    ['a host without a dot', 'https://localhost', 'localhost'],
  ])('is not given a domain that browsers would refuse: %s', (_, publicUrl, domain) => {
    const message = refusal({ ...PRODUCTION, PUBLIC_URL: publicUrl, COOKIE_DOMAIN: domain })
    expect(message).toContain(`COOKIE_DOMAIN=${domain} would be refused by browsers: it must be `)
    expect(message).toContain(new URL(publicUrl).hostname)
  })

  test('is not given a domain on the default address of development either', () => {
    expect(refusal({ COOKIE_DOMAIN: 'example.org' })).toContain('it must be localhost or')
  })
})

describe('this process', () => {
  const PROGRAM = `
    import { processSettings } from ${JSON.stringify(pathOf('src/settings.ts'))}
    try {
      console.log(JSON.stringify(processSettings()))
    } catch (error) {
      console.log(JSON.stringify({ [error.name]: error.message }))
    }`

  /** @returns what a process in that folder reads, or the error that it meets */
  async function settingsIn(folder: string, env: Env = {}): Promise<unknown> {
    const child = new Child(process.execPath, ['--input-type=module', '--eval', PROGRAM], env, folder)
    expect(await child.ended).toBe(0)
    return JSON.parse(child.stdout)
  }

  test('needs no .env', async () => {
    expect(await settingsIn(temporaryFolder(), { PORT: '7070' })).toMatchObject({ port: 7070 })
  })

  test('reads the .env of its working folder, and its environment first', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, '.env'), 'PORT=8080\nLOG_LEVEL=warn\n')
    expect(await settingsIn(folder, { PORT: '9090' })).toMatchObject({ port: 9090, logLevel: 'warn' })
  })

  test('is told what is wrong with a .env that cannot be read', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, '.env'))
    expect(await settingsIn(folder)).toEqual({ StartError: expect.stringMatching(/^\.env cannot be read .*EISDIR/) })
  })
})
