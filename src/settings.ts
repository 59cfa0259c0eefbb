/**
 * The settings: read once at the start from the environment and `.env`, checked, and explained where they are wrong. Which
 * ones there are stands in settings/table.ts.
 */

import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseEnv } from 'node:util'
import leven from 'leven'
import { StartError } from './errors.ts'
import {
  checkCookieDomain,
  checkDevelopment,
  checkMail,
  checkOperatorKey,
  checkProduction,
  checkWorkers,
} from './settings/checks.ts'
import { readSender, readSmtpUrl, type Sender, type SmtpServer } from './settings/smtp.ts'
import { declare, type Fallback, type Scalar } from './settings/table.ts'

type Declared = ReturnType<typeof declare>

/** What is more than it is written as. */
type Resolved = 'smtpUrl' | 'mailFrom' | 'requireConfirmed' | 'hideAccounts'

/** What every part of the service is told; times in milliseconds. */
export interface Settings extends Readonly<Omit<Declared, Resolved>> {
  readonly production: boolean
  /** Where mails go; in development without a server into a folder, in production then nowhere. */
  readonly mail: 'smtp' | 'folder' | 'none'
  readonly smtp: SmtpServer | undefined
  readonly mailFrom: Sender
  readonly requireConfirmed: boolean
  readonly hideAccounts: boolean
  readonly cookie: {
    readonly name: string
    /** Never shared with a domain. */
    readonly deviceName: string
    /** Kept by a browser that asked for a reset, so that the mailed code is good in no other. */
    readonly resetName: string
    /** The same for the tokens of a session of the kind `token_cookie`. */
    readonly accessName: string
    readonly refreshName: string
    /** Names the session whose refresh token this browser holds. */
    readonly refreshSessionName: string
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
  const { smtpUrl, ...rest } = declared
  const settings: Settings = {
    ...rest,
    ...mailOf(declared, production),
    publicUrl,
    tokenAudience: declared.tokenAudience || publicUrl,
    hashConcurrency: declared.hashConcurrency || Math.max(1, Math.floor(availableParallelism() / declared.workers)),
    production,
    cookie: cookiesOf(production, secure, domain),
  }
  if (production) checkProduction(settings)
  else checkDevelopment(settings)
  checkOperatorKey(settings)
  if (domain !== undefined) checkCookieDomain(domain, publicUrl)
  checkMail(declared, settings)
  checkWorkers(settings)
  return settings
}

/** Browsers take the prefix only with Secure, Path=/ and no Domain (RFC 6265bis 4.1.3). */
function cookiesOf(production: boolean, secure: boolean, domain: string | undefined): Settings['cookie'] {
  const prefix = production && secure ? '__Host-' : ''
  return {
    name: domain === undefined ? `${prefix}session_id` : 'session_id',
    deviceName: `${prefix}device`,
    resetName: `${prefix}reset`,
    accessName: `${prefix}access_token`,
    // Of a path of its own, which the other prefix forbids.
    refreshName: prefix === '' ? 'refresh_token' : '__Secure-refresh_token',
    refreshSessionName: `${prefix}refresh_session`,
    ...{ secure, domain },
  }
}

function mailOf({ smtpUrl, mailFrom, hideAccounts, requireConfirmed }: Declared, production: boolean) {
  const smtp = readSmtpUrl(smtpUrl)
  const mail: Settings['mail'] = smtp !== undefined ? 'smtp' : production ? 'none' : 'folder'
  const hidden = hideAccounts === 'auto' ? production && mail === 'smtp' : hideAccounts === 'true'
  return {
    ...{ mail, smtp, mailFrom: readSender(mailFrom) ?? { name: '', address: mailFrom } },
    hideAccounts: hidden,
    requireConfirmed: requireConfirmed === 'auto' ? hidden : requireConfirmed === 'true',
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
