/** What PostgreSQL and the way to it complain about, told by code, in the words of the engines. */

import pg from 'pg'
import { StartError } from '../errors.ts'
import { StoreUnavailable, UniqueViolation } from './engine.ts'

const UNIQUE_VIOLATION = '23505'
/** What a statement that had to change a row and did not is made to fail with. */
const DIVISION_BY_ZERO = '22012'
const FORBIDDEN = '42501'
/** What who may not even see a schema is told where a table would be made. */
const NO_SCHEMA = '3F000'
/** A serialisation failure and a deadlock: the same again may well succeed. */
const LOST_RACE = /^(?:40001|40P01)$/
/**
 * A statement that this connection prepared is no longer good: a newer version of the service has changed the table, or a
 * pooler has given the connection's place to another one.
 */
const STALE = /^(?:26000|0A000)$/
/**
 * Connection failures, rights that were taken away, serialisation, a full disk or memory, no connection left, read-only,
 * cancelled by a time-out, shutting down, faults of the disk. Not 08P01, which is a statement with a value too few.
 */
const UNAVAILABLE = /^(?:08(?!P01)|28|40|53|57|58|25006|25P0[34]|55P03)/

const NO_PASSWORD = /password must be a (?:non-empty )?string/

/** @returns whether the statement failed because what had to change a row did not */
export function isUnchanged(error: unknown): boolean {
  return codeOf(error) === DIVISION_BY_ZERO
}

/** @returns whether the user may not do this */
export function isForbidden(error: unknown): boolean {
  return [FORBIDDEN, NO_SCHEMA].includes(codeOf(error))
}

/** @returns whether the same again may succeed */
export function isWorthAnotherTry(error: unknown): boolean {
  return LOST_RACE.test(codeOf(error)) || isStale(error)
}

/** @returns whether the connection must not be used again */
export function isBroken(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || error.severity === 'FATAL' || isStale(error)
}

/** @returns the error as the rest of the service knows it */
export function translated(error: unknown): unknown {
  if (error instanceof RangeError) return error
  if (!(error instanceof pg.DatabaseError)) return new StoreUnavailable(error)
  const code = codeOf(error)
  if (code === UNIQUE_VIOLATION) return new UniqueViolation(error)
  return UNAVAILABLE.test(code) ? new StoreUnavailable(error) : error
}

/**
 * @param place the server and database as they may be shown
 * @returns what the operator is told when the first connection fails
 */
export function explained(error: unknown, place: string): StartError {
  const cause = error instanceof Error ? error.message : String(error)
  return new StartError(`${place} ${mendOf(codeOf(error), cause)}`)
}

function mendOf(code: string, cause: string): string {
  if (NO_PASSWORD.test(cause)) return 'asks for a password, and DATABASE_URL has none. Put it in after the user.'
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return 'does not answer: nothing listens there. Start PostgreSQL, or set DATABASE_URL to where it is.'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'is not found: no such host. Check the name in DATABASE_URL.'
    case '28P01':
      return 'refuses the password. Check user and password in DATABASE_URL; signs with a meaning in addresses are percent-encoded.'
    case '28000':
      return `refuses this user (${cause}). Check the user in DATABASE_URL, and pg_hba.conf on the server.`
    case '3D000':
      return 'does not exist: the server knows no such database. Make it with createdb, or check the name in DATABASE_URL.'
    case FORBIDDEN:
    case NO_SCHEMA:
      return `may not be written by this user (${cause}). Make the user its owner: ALTER DATABASE ... OWNER TO ...`
    case '53300':
      return 'has no connection left. Raise max_connections on the server, or lower DATABASE_POOL.'
    default:
      return /certificate|SSL|TLS|altname/i.test(`${code} ${cause}`)
        ? `cannot be reached safely (${cause}). Name the certificate of its authority with sslrootcert= in DATABASE_URL; sslmode=disable is for private networks alone.`
        : `cannot be used (${cause}). Check DATABASE_URL and the server.`
  }
}

function isStale(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError) || !STALE.test(codeOf(error))) return false
  return error.code === '26000' || error.routine === 'RevalidateCachedQuery'
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
