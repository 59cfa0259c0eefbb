/** PostgreSQL databases for tests. */

import pg from 'pg'
import { inject, onTestFinished } from 'vitest'

/** What an engine in a test may take of its server. */
export const TEST_LIMITS = { pool: 10, timeout: 5_000 }

let count = 0

/** @returns the URL of an empty database that is for this test alone, and dropped with it */
export async function emptyDatabase(): Promise<string> {
  const { name, url } = await make()
  onTestFinished(async () => {
    await asAdministrator(`DROP DATABASE ${name} WITH (FORCE)`)
  })
  return url
}

/** Runs one statement as the user of the tests' server. @param database whose, if not the server's own */
export async function asAdministrator(sql: string, database = inject('postgresUrl')): Promise<pg.QueryResultRow[]> {
  const client = new pg.Client(database)
  await client.connect()
  try {
    return (await client.query<pg.QueryResultRow>(sql)).rows
  } finally {
    await client.end()
  }
}

async function make(): Promise<{ name: string; url: string }> {
  count += 1
  const name = `${inject('postgresPrefix')}_${process.pid}_${count}`
  await asAdministrator(`CREATE DATABASE ${name} TEMPLATE template0`)
  const url = new URL(inject('postgresUrl'))
  url.pathname = `/${name}`
  return { name, url: url.href }
}
