/** Every setting: variable, kind, default, meaning. docs/settings.md is made from this table. */

import { declareDatabase } from './database.ts'
import {
  choice,
  color,
  duration,
  flag,
  hosts,
  integer,
  type Kind,
  networks,
  origin,
  origins,
  text,
  url,
} from './kinds.ts'
import { declareMail } from './mail.ts'
import { declareTokens } from './token_table.ts'

export type Scalar = string | number | boolean | readonly string[]

/** Where the two profiles agree there is one default, otherwise one for each. */
export type Fallback<T extends Scalar> = T | { development: T; production: T }

interface Setting<T extends Scalar> {
  variable: string
  kind: Kind<T>
  meaning: string
  fallback: Fallback<NoInfer<T>>
  /** How the docs show a default that is computed or empty. */
  shown?: string
}

/** Says what a setting is. */
export type Reader = <T extends Scalar>(setting: Setting<T>) => T

const DAY = 86_400_000

/** Declares every setting to a reader, which says what it is. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table has as many lines as it has rows
export function declare(read: Reader) {
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
      meaning: 'The port to listen on; 0 takes a free one, which tokens and their metadata name only by PUBLIC_URL.',
    }),
    workers: read({
      variable: 'WORKERS',
      kind: integer(1, 64),
      fallback: 1,
      meaning:
        'Processes that share the port, for a machine with several cores: as many as cores, or fewer. docs/workers.md tells more.',
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
    ...declareDatabase(read),
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
    logo: read({
      variable: 'LOGO',
      kind: text,
      fallback: '',
      shown: 'a mark of our own',
      meaning: 'The path of an image (svg, png, jpg, webp) that the pages show beside the name.',
    }),
    color: read({
      variable: 'ACCENT_COLOR',
      kind: color,
      fallback: '#1f5f8b',
      meaning: 'The colour of the buttons of the pages; their text is black or white, whichever reads better on it.',
    }),
    termsUrl: read({
      variable: 'TERMS_URL',
      kind: url,
      fallback: '',
      shown: 'none',
      meaning: 'A page with the terms of use, to which the pages link.',
    }),
    language: read({
      variable: 'DEFAULT_LANGUAGE',
      kind: text,
      fallback: 'en',
      meaning: 'The language of the pages where a browser asks for none that there is: `en` or `fr`.',
    }),
    texts: read({
      variable: 'TEXTS',
      kind: text,
      fallback: '',
      shown: 'none',
      meaning: 'A folder with texts of your own for the pages, `en.json` or `fr.json`; docs/pages.md tells how.',
    }),
    returnHosts: read({
      variable: 'RETURN_HOSTS',
      kind: hosts,
      fallback: [],
      shown: 'none',
      meaning: 'Hosts other than this one to which a person may be sent back after a login (`next`).',
    }),
    ...declareTokens(read),
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
      // Far more than the minute and a half that it takes until a use is written.
      kind: duration('5m', '365d'),
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
    ...declareMail(read),
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
      meaning:
        'The cost of a password hash; one more doubles the time. Existing hashes follow at the next login. To be the same for all instances: the one with the lower cost tells once that it has met a dearer hash, by its time.',
    }),
    hashConcurrency: read({
      variable: 'HASH_CONCURRENCY',
      kind: integer(1, 128),
      fallback: 0,
      shown: 'the number of cores, divided by WORKERS',
      meaning: 'Password hashes that one process computes at the same time.',
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
