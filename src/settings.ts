/**
 * Every setting in one table: variable, kind, default, meaning. Read once at the start from the environment and `.env`,
 * checked, and explained where it is wrong. docs/settings.md is made from this table.
 */

import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import { parseEnv } from 'node:util'
import leven from 'leven'
import { StartError } from './errors.ts'
import { choice, duration, flag, integer, type Kind, networks, origin, origins, text } from './settings/kinds.ts'

type Scalar = string | number | boolean | readonly string[]

/** Where the two profiles agree there is one default, otherwise one for each. */
type Fallback<T extends Scalar> = T | { development: T; production: T }

interface Setting<T extends Scalar> {
  variable: string
  kind: Kind<T>
  meaning: string
  fallback: Fallback<NoInfer<T>>
  /** How the docs show a default that is computed or empty. */
  shown?: string
}

type Reader = <T extends Scalar>(setting: Setting<T>) => T

const DAY = 86_400_000

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table has as many lines as it has rows
function declare(read: Reader) {
  return {
    nodeEnv: read({
      variable: 'NODE_ENV',
      kind: choice('development', 'test', 'production'),
      fallback: 'development',
      meaning: 'The profile. `production` relaxes nothing; anything else serves the classic contract on loopback.',
    }),
    host: read({
      variable: 'HOST',
      kind: text,
      fallback: { development: 'localhost', production: '127.0.0.1' },
      meaning: 'The address to listen on. In development only a loopback address; `localhost` is 127.0.0.1 and ::1.',
    }),
    port: read({
      variable: 'PORT',
      kind: integer(0, 65_535),
      fallback: 5000,
      meaning: 'The port to listen on; 0 takes a free one.',
    }),
    publicUrl: read({
      variable: 'PUBLIC_URL',
      kind: origin,
      fallback: '',
      shown: '`http://localhost:PORT`; required in production',
      meaning:
        'The address under which browsers reach the service. Cookies, links and the cross-origin guard follow from it.',
    }),
    insecureHttp: read({
      variable: 'INSECURE_HTTP',
      kind: flag,
      fallback: false,
      meaning:
        'Allows a PUBLIC_URL with plain `http:` in production, for a private network. Passwords then cross it unprotected.',
    }),
    databaseUrl: read({
      variable: 'DATABASE_URL',
      kind: text,
      fallback: 'sqlite:./data/bienvenue.db',
      meaning: 'The database: `sqlite:` and a path. The file and its folder are made if absent.',
    }),
    cookieDomain: read({
      variable: 'COOKIE_DOMAIN',
      kind: text,
      fallback: '',
      shown: 'none: only the exact host',
      meaning:
        'Shares the session cookie with the subdomains of this domain, which must be that of PUBLIC_URL or a parent of it.',
    }),
    serviceName: read({
      variable: 'SERVICE_NAME',
      kind: text,
      fallback: 'Bienvenue',
      meaning: 'What the service calls itself. A password may not be made of it.',
    }),
    secret: read({
      variable: 'SECRET',
      kind: text,
      fallback: '',
      shown: 'made at the first start and kept beside the database; required in production',
      meaning:
        'At least 32 random bytes, of which all keys are derived: `openssl rand -base64 33` makes one. Keep it out of the database and its backups.',
    }),
    secretPrevious: read({
      variable: 'SECRET_PREVIOUS',
      kind: text,
      fallback: '',
      shown: 'none',
      meaning: 'The SECRET before this one, while it is being replaced: what was made under it is still read.',
    }),
    trustProxy: read({
      variable: 'TRUST_PROXY',
      kind: networks,
      fallback: [],
      shown: 'none',
      meaning:
        'The reverse proxies whose `X-Forwarded-For` is believed. Without it all clients behind a proxy seem to share one address.',
    }),
    trustedOrigins: read({
      variable: 'TRUSTED_ORIGINS',
      kind: origins,
      fallback: [],
      shown: 'none',
      meaning: 'Origins beside that of PUBLIC_URL whose pages may send requests that change something.',
    }),
    sessionIdle: read({
      variable: 'SESSION_IDLE',
      kind: duration('1m', '365d'),
      fallback: 7 * DAY,
      shown: '`7d`',
      meaning: 'A session unused for this long has ended.',
    }),
    sessionLifetime: read({
      variable: 'SESSION_LIFETIME',
      kind: duration('1m', '400d'),
      fallback: 30 * DAY,
      shown: '`30d`',
      meaning: 'A session ends at this age, however much it is used.',
    }),
    sessionsPerUser: read({
      variable: 'SESSIONS_PER_USER',
      kind: integer(1, 10_000),
      fallback: 50,
      meaning: 'The most sessions that one user may have; a further login ends the oldest.',
    }),
    freshFor: read({
      variable: 'FRESH_FOR',
      kind: duration('1m', '1h'),
      fallback: 5 * 60_000,
      shown: '`5m`',
      meaning: 'How long after a login what is dangerous needs no password again.',
    }),
    resetTokenLifetime: read({
      variable: 'RESET_TOKEN_LIFETIME',
      kind: duration('1m', '24h'),
      fallback: 3_600_000,
      shown: '`60m`',
      meaning: 'How long a token for a new password is good.',
    }),
    passwordMinLength: read({
      variable: 'PASSWORD_MIN_LENGTH',
      kind: integer(1, 64),
      fallback: { development: 1, production: 8 },
      meaning:
        'The fewest characters of a new password. Production takes 8 or more; NIST asks for 15 where a password is the only factor.',
    }),
    bcryptCost: read({
      variable: 'BCRYPT_COST',
      kind: integer(10, 16),
      fallback: 12,
      meaning: 'The cost of a password hash; one more doubles the time. Existing hashes follow at the next login.',
    }),
    hashConcurrency: read({
      variable: 'HASH_CONCURRENCY',
      kind: integer(1, 128),
      fallback: availableParallelism(),
      shown: 'the number of cores',
      meaning: 'Password hashes computed at the same time.',
    }),
    hashQueue: read({
      variable: 'HASH_QUEUE',
      kind: integer(0, 10_000),
      fallback: 100,
      meaning: 'Logins and registrations that may wait for a hash; one more gets `503` with `Retry-After`.',
    }),
    loginFailuresPerAccount: read({
      variable: 'LOGIN_FAILURES_PER_ACCOUNT',
      kind: integer(1, 99),
      fallback: 10,
      meaning:
        'Wrong passwords for one account before strangers to it wait between tries; also for each known device in an hour.',
    }),
    failuresPerNetwork: read({
      variable: 'FAILURES_PER_NETWORK',
      kind: integer(0, 100_000),
      fallback: { development: 0, production: 10 },
      meaning:
        'Wrong passwords and reset tokens from one IPv4 address or IPv6 /64 in 10 minutes, over all accounts, before it waits 10 minutes; 0 is no limit.',
    }),
    registrationsPerNetwork: read({
      variable: 'REGISTRATIONS_PER_NETWORK',
      kind: integer(0, 100_000),
      fallback: { development: 0, production: 20 },
      meaning: 'Registrations from one network in an hour; then one in 10 minutes. 0 is no limit.',
    }),
    resetsPerAccount: read({
      variable: 'RESETS_PER_ACCOUNT',
      kind: integer(0, 1_000),
      fallback: { development: 0, production: 5 },
      meaning: 'Reset tokens asked for one address in an hour; then one in 20 minutes. 0 is no limit.',
    }),
    resetsPerNetwork: read({
      variable: 'RESETS_PER_NETWORK',
      kind: integer(0, 100_000),
      fallback: { development: 0, production: 20 },
      meaning: 'Reset tokens asked from one network in an hour; then one in 10 minutes. 0 is no limit.',
    }),
    auditRetention: read({
      variable: 'AUDIT_RETENTION',
      kind: duration('1d', '3650d'),
      fallback: 90 * DAY,
      shown: '`90d`',
      meaning: 'How long the rows of the audit log are kept.',
    }),
    logLevel: read({
      variable: 'LOG_LEVEL',
      kind: choice('info', 'warn', 'error', 'silent'),
      fallback: 'info',
      meaning: 'The least severe lines that the log shows. Events are `info`.',
    }),
    logRequests: read({
      variable: 'LOG_REQUESTS',
      kind: flag,
      fallback: { development: true, production: false },
      meaning: 'Writes a line for every request, beside those for events, warnings and errors.',
    }),
  }
}

type Declared = ReturnType<typeof declare>

/** What every part of the service is told; times in milliseconds. */
export interface Settings extends Readonly<Declared> {
  readonly production: boolean
  readonly cookie: {
    readonly name: string
    /** Never shared with a domain. */
    readonly deviceName: string
    readonly secure: boolean
    readonly domain: string | undefined
  }
}

/** One row of docs/settings.md. */
export interface SettingRow {
  variable: string
  looks: string
  fallback: string
  meaning: string
}

/**
 * Reads the settings from `env`, and from the text of a `.env` file for what `env` does not say.
 * @throws StartError that names the variable and the mend
 */
export function readSettings(env: Record<string, string | undefined>, dotEnv = ''): Settings {
  const file = parseEnv(dotEnv)
  const names = settingRows().map((row) => row.variable)
  for (const name of Object.keys(file)) if (!names.includes(name)) throw unknownName(name, names)

  const given = (variable: string) => env[variable] || file[variable] || undefined
  const production = given('NODE_ENV') === 'production'
  const declared = declare(({ variable, kind, fallback }) => {
    const written = given(variable)
    if (written === undefined) return forProfile(fallback, production)
    const value = kind.read(written)
    if (value === undefined) throw new StartError(`${variable} is wrong: it must be ${plain(kind.looks)}.`)
    return value
  })
  return completed(declared, production)
}

/** Reads the settings of this process, with the `.env` of the working folder if there is one. */
export function processSettings(): Settings {
  let dotEnv = ''
  try {
    dotEnv = readFileSync('.env', 'utf8')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      throw new StartError(`.env cannot be read (${error}). Make it readable for this user, or remove it.`)
    }
  }
  return readSettings(process.env, dotEnv)
}

/** The table as the docs show it. */
export function settingRows(): SettingRow[] {
  const rows: SettingRow[] = []
  declare(({ variable, kind, fallback, shown, meaning }) => {
    const development = forProfile(fallback, false)
    const production = forProfile(fallback, true)
    const both = development === production ? `\`${development}\`` : `\`${development}\`; production: \`${production}\``
    rows.push({ variable, looks: kind.looks, fallback: shown ?? both, meaning })
    return development
  })
  return rows
}

function forProfile<T extends Scalar>(fallback: Fallback<T>, production: boolean): T {
  if (typeof fallback !== 'object' || !('production' in fallback)) return fallback
  return production ? fallback.production : fallback.development
}

function completed(declared: Declared, production: boolean): Settings {
  const publicUrl = declared.publicUrl || (production ? '' : `http://localhost:${declared.port}`)
  const secure = publicUrl.startsWith('https:')
  const domain = declared.cookieDomain || undefined
  const settings = {
    ...declared,
    publicUrl,
    production,
    // Browsers take the prefix only with Secure, Path=/ and no Domain (RFC 6265bis 4.1.3).
    cookie: {
      name: production && secure && domain === undefined ? '__Host-session_id' : 'session_id',
      deviceName: production && secure ? '__Host-device' : 'device',
      secure,
      domain,
    },
  }
  if (production) checkProduction(settings)
  else checkDevelopment(settings)
  if (domain !== undefined) checkCookieDomain(domain, publicUrl)
  return settings
}

/** What the samples of all manuals are made of. */
const SAMPLE = /secret|change|example|sample|password|12345/i

function checkProduction({ publicUrl, insecureHttp, passwordMinLength, secret }: Settings): void {
  if (publicUrl === '') {
    throw new StartError(
      'PUBLIC_URL is missing: set it to the address under which browsers reach the service, like https://auth.example.org.',
    )
  }
  if (!publicUrl.startsWith('https:') && !insecureHttp) {
    throw new StartError(
      'PUBLIC_URL must be https: in production. On a private network without TLS, set INSECURE_HTTP=true as well.',
    )
  }
  if (passwordMinLength < 8) {
    throw new StartError('PASSWORD_MIN_LENGTH must be at least 8 in production.')
  }
  if (Buffer.byteLength(secret) < 32 || new Set(secret).size < 10 || SAMPLE.test(secret)) {
    throw new StartError(
      'SECRET is missing or easily guessed: set it to at least 32 random bytes, for example with openssl rand -base64 33.',
    )
  }
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1'])

function checkDevelopment({ host }: Settings): void {
  if (!LOOPBACK.has(host)) {
    throw new StartError(
      `HOST=${host} would open the development profile to the network. Use localhost, or run with NODE_ENV=production and PUBLIC_URL.`,
    )
  }
}

function checkCookieDomain(domain: string, publicUrl: string): void {
  const host = new URL(publicUrl).hostname
  const covers = host === domain || host.endsWith(`.${domain}`)
  if (!covers || !domain.includes('.') || isIP(host) !== 0) {
    throw new StartError(
      `COOKIE_DOMAIN=${domain} would be refused by browsers: it must be ${host} or a parent domain of it with a dot, or empty.`,
    )
  }
}

function unknownName(name: string, names: string[]): StartError {
  const nearest = names.toSorted((a, b) => leven(name.toUpperCase(), a) - leven(name.toUpperCase(), b))[0]
  return new StartError(
    `.env sets ${name}, which is no setting. The nearest one is ${nearest}; docs/settings.md lists all.`,
  )
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '')
}
