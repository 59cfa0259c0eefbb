/**
 * Where a PostgreSQL server is, as DATABASE_URL says it. TLS with a checked certificate is what a server elsewhere gets;
 * plain connections are for this machine, and for who asks for them by name.
 */

import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { StartError } from '../errors.ts'

const SCHEMES = /^postgres(?:ql)?:\/\//
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/
const DEFAULT_PORT = 5432

export interface PostgresAddress {
  /** A name, an IP address, or the folder of a Unix socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string | undefined
  readonly database: string
  readonly ssl: false | { readonly rejectUnauthorized: true; readonly ca?: string }
}

/** @returns whether a DATABASE_URL means PostgreSQL */
export function isPostgres(databaseUrl: string): boolean {
  return SCHEMES.test(databaseUrl)
}

/**
 * Reads `postgres://user:password@host:port/database?sslmode=...&sslrootcert=...`. The folder of a
 * Unix socket stands in the place of the host with its slashes as `%2F`.
 * @throws StartError with a line that names the mend, and never the password
 */
export function readPostgresUrl(databaseUrl: string): PostgresAddress {
  const url = URL.parse(databaseUrl)
  if (url === null) throw wrong('it is no address')
  const { searchParams } = url
  for (const name of searchParams.keys()) {
    if (!['sslmode', 'sslrootcert'].includes(name)) throw wrong(`${name} is not known here`)
  }
  const host = decoded(url.hostname).replace(/^\[(.*)\]$/, '$1')
  if (host === '') throw wrong('it names no host')
  const database = decoded(url.pathname.slice(1))
  if (database === '' || database.includes('/')) throw wrong('it must end with the name of one database')
  return {
    host,
    port: Number(url.port || DEFAULT_PORT),
    user: decoded(url.username) || userInfo().username,
    password: decoded(url.password) || undefined,
    database,
    ssl: readTls(host, searchParams),
  }
}

/** @returns the URL as it may be shown: without the password */
export function postgresLocation(databaseUrl: string): string {
  const { host, port, user, database } = readPostgresUrl(databaseUrl)
  const place = host.includes(':') ? `[${host}]` : host
  return host.startsWith('/')
    ? `PostgreSQL ${database} at ${host} as ${user}`
    : `postgres://${user}@${place}:${port}/${database}`
}

function readTls(host: string, params: URLSearchParams): PostgresAddress['ssl'] {
  const local = host.startsWith('/') || LOOPBACK.test(host)
  const mode = params.get('sslmode') ?? (local ? 'disable' : 'verify-full')
  switch (mode) {
    case 'disable':
      return false
    // To encrypt for somebody whom one does not know protects from nobody who matters: all of these check.
    case 'require':
    case 'verify-ca':
    case 'verify-full': {
      const file = params.get('sslrootcert')
      return file === null ? { rejectUnauthorized: true } : { rejectUnauthorized: true, ca: certificate(file) }
    }
    default:
      throw wrong(`sslmode=${mode} would not check who answers; it must be verify-full, or disable`)
  }
}

function certificate(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw wrong(`sslrootcert cannot be read (${error instanceof Error ? error.message : error})`)
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw wrong('a % in it is no percent-encoding; in a password it is written %25')
  }
}

function wrong(why: string): StartError {
  return new StartError(
    `DATABASE_URL is wrong: ${why}. It looks like postgres://user:password@db.example.org:5432/bienvenue.`,
  )
}
