/** PostgreSQL databases for tests. */

import pg from 'pg'
import { inject, onTestFinished } from 'vitest'
import { migrations } from '../../src/app.ts'

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

const taken = new Set<number>()

/**
 * Takes a database for a house: one that an earlier house has left, emptied, or a new one. Making one takes longer than
 * most tests.
 */
export async function takeDatabase(): Promise<{ url: string; free(): void }> {
  let place = 1
  while (taken.has(place)) place += 1
  taken.add(place)
  const name = `${inject('postgresPrefix')}_house_${process.env.VITEST_POOL_ID}_${place}`
  const url = urlOf(name)
  await emptied(url).catch(async () => {
    await asAdministrator(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await asAdministrator(`CREATE DATABASE ${name} TEMPLATE template0`)
  })
  return { url, free: () => void taken.delete(place) }
}

/** Removes all rows. @throws where a table is missing, or more than rows is left over from a test */
async function emptied(url: string): Promise<void> {
  const tables = migrations.flatMap(({ sql }) => sql.flatMap((one) => /^CREATE TABLE (\w+)/.exec(one)?.[1] ?? []))
  await asAdministrator('DROP FUNCTION IF EXISTS broken CASCADE', url)
  await asAdministrator(`TRUNCATE ${tables.join(', ')} RESTART IDENTITY`, url)
}

async function make(): Promise<{ name: string; url: string }> {
  count += 1
  const name = `${inject('postgresPrefix')}_${process.pid}_${count}`
  await asAdministrator(`CREATE DATABASE ${name} TEMPLATE template0`)
  return { name, url: urlOf(name) }
}

function urlOf(name: string): string {
  const url = new URL(inject('postgresUrl'))
  url.pathname = `/${name}`
  return url.href
}
