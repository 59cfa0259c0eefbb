/** A house in production, and those who call it: each from an address, with a browser's memory for cookies. */

import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { onTestFinished } from 'vitest'
import { isPostgres } from '../src/engines/postgres_url.ts'
import type { Settings } from '../src/settings.ts'
import { type House, openHouse, PRODUCTION } from './house.ts'
import { temporaryFolder } from './started.ts'

export type Answer = LightMyRequestResponse
type Fields = Record<string, unknown>
type Env = Record<string, string>
type Method = NonNullable<InjectOptions['method']>

export const OWNER = 'ada@lovelace.example'
export const CHARLES = 'charles@babbage.example'
/** Without an account. */
export const NOBODY = 'nobody@lovelace.example'
export const PASSWORD = 'the long way round'
export const NEW_PASSWORD = 'a shorter way home'
export const WRONG = 'no way through here'
/** The owner's own address; strangers come from `addressOf`. */
export const HOME = '192.0.2.1'

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** A reset token of the right form that nobody issued. */
export const MADE_UP = `0d9f4c5e-6b1a-4e7d-9c3b-2a1f0e8d7c6b.${'B'.repeat(43)}`

/** Opens a house in production that closes with the test. */
export async function production(env: Env = {}, overrides: Partial<Settings> = {}): Promise<House> {
  const house = await openHouse({ ...PRODUCTION, ...env }, overrides)
  onTestFinished(house.close)
  return house
}

export interface HouseOnFile extends House {
  file: string
  /** What another process that reads the database sees. */
  rows(sql: string): Record<string, unknown>[]
}

/** The same on a file, of which every row can be read past the service. */
export async function productionOnFile(
  env: Env = {},
  file: string = join(temporaryFolder(), 'bienvenue.db'),
): Promise<HouseOnFile> {
  const house = await production({ DATABASE_URL: `sqlite:${file}`, ...env })
  const database = new Database(file, { readonly: true })
  onTestFinished(() => void database.close())
  return { ...house, file, rows: (sql) => database.prepare<[], Record<string, unknown>>(sql).all() }
}

/** Makes every statement of this kind on a table fail, as a fault of the disk would. */
export async function breakTable(house: House, kind: 'INSERT' | 'UPDATE' | 'DELETE', table: string): Promise<void> {
  const trigger = `CREATE TRIGGER broken BEFORE ${kind} ON ${table}`
  const sql = isPostgres(house.settings.databaseUrl)
    ? [
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$",
        `${trigger} FOR EACH ROW EXECUTE FUNCTION broken()`,
      ]
    : [`${trigger} BEGIN SELECT RAISE(ABORT, 'broken'); END`]
  await house.db.commit(sql.map((one) => ({ sql: one, params: [] })))
}

export class Visitor {
  readonly cookies = new Map<string, string>()
  readonly address: string
  readonly #app: FastifyInstance

  constructor({ app }: Pick<House, 'app'>, address: string = HOME) {
    this.#app = app
    this.address = address
  }

  async send(method: Method, url: string, fields?: Fields, headers: Record<string, string> = {}): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await this.#app.inject({
      ...{ method, url, remoteAddress: this.address },
      headers: { ...(cookie === '' ? {} : { cookie }), ...headers },
      ...(fields === undefined ? {} : { payload: fields }),
    })
    for (const { name, value } of answer.cookies) {
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answer
  }

  register(email: string = OWNER, password: string = PASSWORD): Promise<Answer> {
    return this.send('POST', '/users', { email, password })
  }

  logIn(email: string = OWNER, password: string = PASSWORD, headers?: Record<string, string>): Promise<Answer> {
    return this.send('POST', '/sessions', { email, password }, headers)
  }

  profile(): Promise<Answer> {
    return this.send('GET', '/profile')
  }

  askForReset(email: string = OWNER): Promise<Answer> {
    return this.send('POST', '/reset_password', { email })
  }

  reset(token: string, password: string = NEW_PASSWORD, email: string = OWNER): Promise<Answer> {
    return this.send('PUT', '/reset_password', { email, reset_token: token, new_password: password })
  }

  /** @returns the same browser with the same cookies, at another place or a later start of the service */
  at(house: Pick<House, 'app'>, address: string = this.address): Visitor {
    const moved = new Visitor(house, address)
    for (const [name, value] of this.cookies) moved.cookies.set(name, value)
    return moved
  }

  /** Keeps nothing but the device cookie, as a browser does whose session has ended. */
  keepDeviceOnly(): void {
    for (const name of this.cookies.keys()) if (!name.endsWith('device')) this.cookies.delete(name)
  }
}

/** @returns the `n`th of many addresses of strangers, each in a network of its own */
export function addressOf(n: number): string {
  return [20, n >> 16, n >> 8, n].map((part) => part & 255).join('.')
}

export function stranger(house: Pick<House, 'app'>, n = 0): Visitor {
  return new Visitor(house, addressOf(n))
}

/** @returns somebody who has registered and logged in */
export async function signedIn(
  house: Pick<House, 'app'>,
  email: string = OWNER,
  address: string = HOME,
): Promise<Visitor> {
  const visitor = new Visitor(house, address)
  const statuses = [await visitor.register(email), await visitor.logIn(email)].map(({ statusCode }) => statusCode)
  if (statuses.join() !== '200,200') throw new Error(`${email} could not sign in: ${statuses}`)
  return visitor
}

/** @returns another device of somebody who has registered, signed in */
export async function anotherDevice(house: Pick<House, 'app'>, address: string = HOME): Promise<Visitor> {
  const visitor = new Visitor(house, address)
  await visitor.logIn()
  return visitor
}

/** @returns status and body, to be compared whole */
export function seen({ statusCode, body }: Answer): { status: number; body: unknown } {
  return { status: statusCode, body: JSON.parse(body) }
}

export function statusOf({ statusCode }: Answer): number {
  return statusCode
}

/** @returns how many answers have each status */
export function tally(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { statusCode } of answers) counts[statusCode] = (counts[statusCode] ?? 0) + 1
  return counts
}

/** @returns the seconds that the answer tells to wait, or 0 where it tells nothing */
export function waitOf({ headers }: Answer): number {
  return Number(headers['retry-after'] ?? 0)
}

/** Calls one after the other. */
export async function inTurn<T>(times: number, call: (n: number) => Promise<T>): Promise<T[]> {
  const answers: T[] = []
  for (let n = 0; n < times; n += 1) answers.push(await call(n))
  return answers
}

/** A wrong password for an account, each time from a stranger of another address. @returns the answers */
export function guess(
  house: Pick<House, 'app'>,
  times: number,
  { email = OWNER, from = 0 }: { email?: string; from?: number } = {},
): Promise<Answer[]> {
  return inTurn(times, (n) => stranger(house, from + n).logIn(email, WRONG))
}

/** @returns the events in the log so far, as they were written */
export function linesOf({ log }: Pick<House, 'log'>, event?: string): Record<string, unknown>[] {
  const lines = log.map((line): Record<string, unknown> => JSON.parse(line))
  return lines.filter((line) => (event === undefined ? 'event' in line : line.event === event))
}
