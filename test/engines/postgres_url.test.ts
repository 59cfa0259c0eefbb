import { writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { databaseLocation } from '../../src/engines/open.ts'
import { isPostgres, readPostgresUrl } from '../../src/engines/postgres_url.ts'
import { StartError } from '../../src/errors.ts'
import { temporaryFolder } from '../started.ts'

const VERIFIED = { rejectUnauthorized: true }

describe('an address', () => {
  test.each([
    ['postgres://bob:secret@db.example.org:6000/users', ['db.example.org', 6000, 'bob', 'secret', 'users']],
    ['postgresql://bob:secret@db.example.org/users', ['db.example.org', 5432, 'bob', 'secret', 'users']],
    ['postgres://b%40b:s%3Ae%2Fc%40@db.example.org/a%20b', ['db.example.org', 5432, 'b@b', 's:e/c@', 'a b']],
    ['postgres://bob@[::1]:6000/users', ['::1', 6000, 'bob', undefined, 'users']],
    ['postgres://bob@%2Fvar%2Frun%2Fpostgresql/users', ['/var/run/postgresql', 5432, 'bob', undefined, 'users']],
    ['postgres://%2Fvar%2Frun/users', ['/var/run', 5432, userInfo().username, undefined, 'users']],
  ])('%s is read', (url, expected) => {
    const { host, port, user, password, database } = readPostgresUrl(url)
    expect([host, port, user, password, database]).toEqual(expected)
    expect(isPostgres(url)).toBe(true)
  })

  test.each([
    ['postgres://bob:hidden@db.example.org:port/users', 'it is no address'],
    ['postgres://bob:hidden@/users', 'it is no address'],
    ['postgres:///users', 'it names no host'],
    ['postgres://bob:hidden@db.example.org', 'it must end with the name of one database'],
    ['postgres://bob:hidden@db.example.org/a/b', 'it must end with the name of one database'],
    ['postgres://bob:hidden%@db.example.org/users', 'in a password it is written %25'],
    ['postgres://bob:hidden@db.example.org/users?options=x', 'options is not known here'],
    ['postgres://bob:hidden@db.example.org/users?sslmode=prefer', 'sslmode=prefer would not check who answers'],
    ['postgres://bob:hidden@db.example.org/users?sslmode=no-verify', 'sslmode=no-verify would not check'],
    ['postgres://bob:hidden@db.example.org/users?sslrootcert=/nowhere.pem', 'sslrootcert cannot be read'],
  ])('%s is refused, and its password not repeated', (url, why) => {
    expect(() => readPostgresUrl(url)).toThrow(StartError)
    expect(() => readPostgresUrl(url)).toThrow(why)
    expect(() => readPostgresUrl(url)).not.toThrow('hidden')
  })
})

describe('TLS', () => {
  test.each([
    ['postgres://db.example.org/users', VERIFIED],
    ['postgres://10.0.0.7/users', VERIFIED],
    ['postgres://localhost.example.org/users', VERIFIED],
    ['postgres://db.example.org/users?sslmode=require', VERIFIED],
    ['postgres://db.example.org/users?sslmode=verify-ca', VERIFIED],
    ['postgres://localhost/users?sslmode=verify-full', VERIFIED],
    ['postgres://db.example.org/users?sslmode=disable', false],
    ['postgres://localhost/users', false],
    ['postgres://127.0.0.1/users', false],
    ['postgres://[::1]/users', false],
    ['postgres://%2Fvar%2Frun%2Fpostgresql/users', false],
  ])('%s', (url, expected) => {
    expect(readPostgresUrl(url).ssl).toEqual(expected)
  })

  test('an authority is read from its file', () => {
    const file = join(temporaryFolder(), 'ca.pem')
    writeFileSync(file, 'a certificate')
    const { ssl } = readPostgresUrl(`postgres://db.example.org/users?sslrootcert=${file}`)
    expect(ssl).toEqual({ ...VERIFIED, ca: 'a certificate' })
  })
})

test.each([
  ['postgres://bob:secret@db.example.org/users?sslmode=disable', 'postgres://bob@db.example.org:5432/users'],
  ['postgres://bob:secret@[::1]:6000/users', 'postgres://bob@[::1]:6000/users'],
  ['postgres://bob:secret@%2Frun/users', 'PostgreSQL users at /run as bob'],
])('%s is shown without its password', (url, shown) => {
  expect(databaseLocation(url)).toBe(shown)
})
