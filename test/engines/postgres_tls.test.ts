/** The way to a PostgreSQL elsewhere: encrypted, and to nobody but the server of that name that the authority vouches for. */

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { PostgresEngine } from '../../src/engines/postgres.ts'
import { TEST_LIMITS } from '../postgres/databases.ts'
import { type PostgresServer, startPostgres } from '../postgres/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'bienvenue-tls-'))
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
let server: PostgresServer

function pathOf(name: string): string {
  return join(folder, name)
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
}

function makeAuthority(name: string): void {
  openssl('req', '-x509', ...KEY, '-days', '2', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`)
}

/** A certificate of `authority` for the name `localhost`, and not for the address behind it. */
function makeCertificate(authority: string): void {
  openssl('req', ...KEY, '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr')
  writeFileSync(pathOf('names'), 'subjectAltName=DNS:localhost')
  const signed = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-extfile', 'names']
  openssl('x509', '-req', '-days', '2', '-in', 'server.csr', '-out', 'server.pem', ...signed)
  // PostgreSQL takes no key that others may read, and does not run as root; the user is there since the server of all tests is.
  chmodSync(pathOf('server.key'), 0o600)
  if (process.getuid?.() === 0) execFileSync('chown', ['postgres', pathOf('server.key')])
}

beforeAll(async () => {
  chmodSync(folder, 0o755)
  for (const name of ['ours', 'theirs']) makeAuthority(name)
  makeCertificate('ours')
  server = await startPostgres([
    'ssl=on',
    `ssl_cert_file=${pathOf('server.pem')}`,
    `ssl_key_file=${pathOf('server.key')}`,
  ])
}, 60_000)

afterAll(async () => {
  await server.remove()
  rmSync(folder, { recursive: true, force: true })
})

async function open(host: string, query: string): Promise<PostgresEngine> {
  const url = new URL(server.url)
  url.hostname = host
  const engine = await PostgresEngine.open(`${url.href}?${query}`, TEST_LIMITS)
  onTestFinished(() => engine.close())
  return engine
}

const ENCRYPTED = 'SELECT CASE WHEN ssl THEN 1 ELSE 0 END AS yes FROM pg_stat_ssl WHERE pid = pg_backend_pid()'

test('a server that the named authority vouches for is reached, and everything is encrypted', async () => {
  const engine = await open('localhost', `sslmode=verify-full&sslrootcert=${pathOf('ours.pem')}`)
  const answers = await Promise.all(Array.from({ length: 5 }, () => engine.get(ENCRYPTED)))
  expect(answers).toEqual(Array(5).fill({ yes: 1 }))
  await engine.alter([{ sql: 'CREATE TABLE notes (id BIGINT PRIMARY KEY)', params: [] }])
  expect(await engine.batch([{ sql: 'INSERT INTO notes VALUES (?)', params: [1], mustChange: true }])).toBe(true)
})

test.each([
  ['an authority that nobody knows', 'localhost', 'sslmode=verify-full', () => ''],
  [
    'another authority than the named one',
    'localhost',
    'sslmode=verify-full',
    () => `&sslrootcert=${pathOf('theirs.pem')}`,
  ],
  ['another name', '127.0.0.1', 'sslmode=verify-full', () => `&sslrootcert=${pathOf('ours.pem')}`],
  [
    'another name, where only encryption is asked for',
    '127.0.0.1',
    'sslmode=require',
    () => `&sslrootcert=${pathOf('ours.pem')}`,
  ],
  ['an unknown authority, where only encryption is asked for', 'localhost', 'sslmode=require', () => ''],
])('a server is refused that has a certificate of %s', async (_, host, mode, rest) => {
  await expect(open(host, mode + rest())).rejects.toThrow(/cannot be reached safely .* sslrootcert=/)
})

test('without TLS the same server is reached on this machine alone', async () => {
  expect(await (await open('127.0.0.1', '')).get(ENCRYPTED)).toEqual({ yes: 0 })
})
