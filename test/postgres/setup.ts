/**
 * One PostgreSQL for a whole test run: at TEST_POSTGRES_URL, whose user must be allowed to make databases, or else one that
 * is started here and removed at the end.
 */

import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startPostgres } from './server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where databases for tests are made. */
    postgresUrl: string
    /** What their names begin with, in this run alone. */
    postgresPrefix: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const prefix = `bienvenue_test_${randomBytes(4).toString('hex')}`
  const given = process.env.TEST_POSTGRES_URL
  const server = given
    ? { url: given, remove: () => dropAll(given, prefix) }
    : await startPostgres(['max_connections=400'])
  project.provide('postgresUrl', server.url)
  project.provide('postgresPrefix', prefix)
  return () => server.remove()
}

async function dropAll(url: string, prefix: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database WHERE datname LIKE $1', [
    `${prefix}%`,
  ])
  for (const { datname } of rows) await client.query(`DROP DATABASE ${datname} WITH (FORCE)`)
  await client.end()
}
