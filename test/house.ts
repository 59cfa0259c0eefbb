/** A whole service for a test: real database, real Auth, real app; only the clock is ours to move. */

import type { FastifyInstance } from 'fastify'
import { activityOf, buildApp, listFeatures, migrations } from '../src/app.ts'
import { Auth } from '../src/auth.ts'
import { DB } from '../src/db.ts'
import type { Letter } from '../src/letter.ts'
import { makeLog } from '../src/log.ts'
import { Outbox } from '../src/mail/outbox.ts'
import { readSettings, type Settings } from '../src/settings.ts'
import { takeDatabase } from './postgres/databases.ts'

export interface House {
  db: DB
  auth: Auth
  outbox: Outbox
  app: FastifyInstance
  settings: Settings
  clock: TestClock
  /** Every line logged so far, as JSON text. */
  log: string[]
  /** What the server does now and then. */
  upkeep(): Promise<void>
  close(): Promise<void>
}

export class TestClock {
  #now = Date.UTC(2026, 0, 1)
  readonly now = (): number => this.#now
  /** @param time milliseconds to move forward */
  advance(time: number): void {
    this.#now += time
  }
}

/** The cheapest cost that bcrypt knows; the settings themselves accept 10 and more only. */
export const TEST_COST = 4

export const PRODUCTION = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://auth.example.org',
  SECRET: 'b7Qx0mT9rVw2Zk4LpN8sYc6HdJ1fGu3A',
  OPERATOR_KEY: 'Zk4LpN8sYc6HdJ1fGu3Ab7Qx0mT9rVw2',
}

/** Mail goes to a server, though none is running: letters stay in the outbox, where `letters` reads them. */
export const MAIL = {
  SMTP_URL: 'smtp://127.0.0.1:2525',
  MAIL_FROM: 'no-reply@example.org',
  REQUIRE_CONFIRMED_EMAIL: 'false',
  HIDE_ACCOUNTS: 'false',
}

/** @returns what was handed in at the post, the newest first */
export async function letters({ outbox }: Pick<House, 'outbox'>): Promise<Letter[]> {
  return (await outbox.recent(1_000)).map((row) => outbox.open(row))
}

/** @returns the newest letter of a kind that has a token, or else the newest one */
export async function letterOf(house: Pick<House, 'outbox'>, kind: Letter['kind']): Promise<Letter> {
  const written = (await letters(house)).filter((letter) => letter.kind === kind)
  const letter = written.find(({ values }) => values.token !== undefined) ?? written[0]
  if (letter === undefined) throw new Error(`no letter ${kind} was written`)
  return letter
}

/** A house that names no database stands on SQLite in memory, or on PostgreSQL where that is what the run is about. */
export async function openHouse(
  env: Record<string, string> = {},
  overrides: Partial<Settings> = {},
  // Nobody here has the time.
  pause: (time: number) => Promise<unknown> = async () => {},
): Promise<House> {
  const store = await storeOf(env.DATABASE_URL)
  const settings = { ...readSettings({ ...env, DATABASE_URL: store.url }), bcryptCost: TEST_COST, ...overrides }
  const clock = new TestClock()
  const lines: string[] = []
  const log = await makeLog(settings, { write: (line) => void lines.push(line) })
  const db = await DB.open(settings.databaseUrl, { clock: clock.now, migrations })
  // Letters go when a test says so.
  const outbox = new Outbox(db, settings, () => 0)
  const features = listFeatures(db, settings, log, outbox)
  const auth = new Auth(db, settings, features, outbox)
  const app = await buildApp({ auth, settings, log, outbox, activity: activityOf(db), pause })
  const upkeep = async () => {
    await auth.upkeep()
    for (const feature of features) await feature.upkeep?.()
  }
  const close = async () => {
    await app.close()
    await db.close()
    store.free()
  }
  return { db, auth, outbox, app, settings, clock, log: lines, upkeep, close }
}

async function storeOf(databaseUrl: string | undefined): Promise<{ url: string; free(): void }> {
  if (databaseUrl === undefined && process.env.TEST_STORE === 'postgres') return takeDatabase()
  return { url: databaseUrl ?? 'sqlite::memory:', free: () => {} }
}

/** A form body, as browsers and `requests` send it. */
export function form(fields: Record<string, string>) {
  return {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams(fields).toString(),
  }
}
