/** What may not be started: settings that are good one by one and unsafe together. */

import { isIP } from 'node:net'
import { StartError } from '../errors.ts'
import type { Settings } from '../settings.ts'

/** What the samples of all manuals are made of. */
const SAMPLE = /secret|change|example|sample|password|12345/i

export function checkProduction({
  publicUrl,
  insecureHttp,
  trustedOrigins,
  corsOrigins,
  passwordMinLength,
  secret,
  secretPrevious,
}: Settings): void {
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
  if (!insecureHttp) {
    checkOrigins('TRUSTED_ORIGINS', trustedOrigins)
    checkOrigins('CORS_ORIGINS', corsOrigins)
  }
  if (passwordMinLength < 8) {
    throw new StartError('PASSWORD_MIN_LENGTH must be at least 8 in production.')
  }
  if (isGuessable(secret)) {
    throw new StartError(
      'SECRET is missing or easily guessed: set it to at least 32 random bytes, for example with openssl rand -base64 33.',
    )
  }
  if (secretPrevious !== '' && isGuessable(secretPrevious)) {
    throw new StartError(
      'SECRET_PREVIOUS is easily guessed, and what is made under it is believed: unset it, or set it to the SECRET before this one.',
    )
  }
}

function checkOrigins(variable: string, origins: readonly string[]): void {
  const open = origins.find((origin) => !origin.startsWith('https:'))
  if (open === undefined) return
  throw new StartError(
    `${variable} has ${open}, whose pages anybody on the way can rewrite: list it with https:, or set INSECURE_HTTP=true as well.`,
  )
}

/** Wherever it is set it opens every session: in development too it must be a good one, and its own. */
export function checkOperatorKey({ operatorKey, secret, secretPrevious }: Settings): void {
  if (operatorKey === '') return
  if (isGuessable(operatorKey)) {
    throw new StartError(
      'OPERATOR_KEY is easily guessed: set it to at least 32 random bytes, for example with openssl rand -base64 33.',
    )
  }
  if ([secret, secretPrevious].includes(operatorKey)) {
    throw new StartError('OPERATOR_KEY is the same as SECRET: other services know it, so make a key of its own.')
  }
}

function isGuessable(key: string): boolean {
  return Buffer.byteLength(key) < 32 || new Set(key).size < 10 || SAMPLE.test(key) || isRepeated(key)
}

/** @returns whether the text is a shorter one written several times, the last of which may be cut short */
function isRepeated(text: string): boolean {
  const half = Math.floor(text.length / 2)
  return Array.from({ length: half }, (_, index) => text.slice(index + 1)).some((rest) => text.startsWith(rest))
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1'])

export function checkDevelopment({ host }: Settings): void {
  if (!LOOPBACK.has(host)) {
    throw new StartError(
      `HOST=${host} would open the development profile to the network. Use localhost, or run with NODE_ENV=production and PUBLIC_URL.`,
    )
  }
}

export function checkCookieDomain(domain: string, publicUrl: string): void {
  const host = new URL(publicUrl).hostname
  const covers = host === domain || host.endsWith(`.${domain}`)
  if (!covers || !domain.includes('.') || isIP(host) !== 0) {
    throw new StartError(
      `COOKIE_DOMAIN=${domain} would be refused by browsers: it must be ${host} or a parent domain of it with a dot, or empty.`,
    )
  }
}

export function checkWorkers({ workers, databaseUrl }: Settings): void {
  if (workers > 1 && databaseUrl === 'sqlite::memory:') {
    throw new StartError(
      'WORKERS needs a database that all of them can open, and sqlite::memory: is known to one process alone. Name a file, or set WORKERS to 1.',
    )
  }
}

/** @param written what stands in the environment @param mail where mails go */
export function checkMail(
  written: { smtpUrl: string; mailFrom: string },
  { mail, requireConfirmed, hideAccounts, mailsPerAddress, resetsPerAccount }: Settings,
): void {
  if (written.smtpUrl !== '' && written.mailFrom.endsWith('@localhost')) {
    throw new StartError('MAIL_FROM is missing: set it to the address that sends, like no-reply@example.org.')
  }
  if (mailsPerAddress > 0 && resetsPerAccount > mailsPerAddress) {
    throw new StartError(
      'RESETS_PER_ACCOUNT is higher than MAILS_PER_ADDRESS: a reset without its mail would void the one before. Lower it, or raise the other.',
    )
  }
  if (mail !== 'none') return
  if (requireConfirmed) throw withoutMail('REQUIRE_CONFIRMED_EMAIL')
  if (hideAccounts) throw withoutMail('HIDE_ACCOUNTS')
}

function withoutMail(variable: string): StartError {
  return new StartError(`${variable}=true needs mail: set SMTP_URL and MAIL_FROM as well, or unset it.`)
}
