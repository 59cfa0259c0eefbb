/** A client of an app by injection: one cookie jar, forms or JSON. */

import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { onTestFinished } from 'vitest'
import type { Settings } from '../../src/settings.ts'
import { form, type House, openHouse } from '../house.ts'
import { temporaryFolder } from '../started.ts'

export type Answer = LightMyRequestResponse
type Headers = Record<string, string>
type Encoding = (fields: Record<string, string>) => { headers: Headers; payload: string }

export const BOB = 'bob@example.org'
export const ALICE = 'alice@example.org'
export const PASSWORD = 'k3ks0'
export const NEW_PASSWORD = 'sch0k0lade'

/** A credential of the right form that nobody issued. */
export const MADE_UP = `3f0c1d52-9b1e-4c5a-8d0e-6a7b8c9d0e1f.${'A'.repeat(43)}`

/** The ways in which a client may send fields. */
export const ENCODINGS: [string, Encoding][] = [
  ['a form', form],
  ['JSON', json],
]

export function json(fields: unknown) {
  return { headers: { 'content-type': 'application/json' }, payload: JSON.stringify(fields) }
}

/** Opens a house that closes with the test. */
export async function house(env?: Record<string, string>, overrides?: Partial<Settings>): Promise<House> {
  const opened = await openHouse(env, overrides)
  onTestFinished(opened.close)
  return opened
}

/** Opens a house on a file, of which every row can be read past the service. */
export async function houseOnFile(env: Record<string, string> = {}): Promise<House & { dump(): string }> {
  const path = join(temporaryFolder(), 'bienvenue.db')
  const opened = await house({ DATABASE_URL: `sqlite:${path}`, ...env })
  return { ...opened, dump: () => dumpOf(path) }
}

/** @returns every row of every table, as text */
function dumpOf(path: string): string {
  const database = new Database(path, { readonly: true })
  const tables = database.prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").all()
  const rows = tables.map(({ name }) => [name, database.prepare(`SELECT * FROM ${name}`).all()])
  database.close()
  return JSON.stringify(rows)
}

export class Client {
  /** What the next request sends of the session, as `name=value`; follows what the server sets. */
  cookie = ''
  /** The same of the device, which production knows again. */
  device = ''
  readonly #app: FastifyInstance
  readonly #encode: Encoding

  constructor(app: FastifyInstance, encode: Encoding = form) {
    this.#app = app
    this.#encode = encode
  }

  async send(method: string, url: string, fields?: Record<string, string>, extra: Headers = {}): Promise<Answer> {
    const body = fields === undefined ? { headers: {} } : this.#encode(fields)
    const pairs = [this.cookie, this.device].filter((pair) => pair !== '')
    const cookie: Headers = pairs.length === 0 ? {} : { cookie: pairs.join('; ') }
    const answer = await this.#app.inject({ method, url, ...body, headers: { ...body.headers, ...cookie, ...extra } })
    for (const line of setCookies(answer)) {
      const pair = cookieValue(line) === '' ? '' : pairOf(line)
      if (isOfDevice(line)) this.device = pair
      else this.cookie = pair
    }
    return answer
  }

  register(email = BOB, password = PASSWORD): Promise<Answer> {
    return this.send('POST', '/users', { email, password })
  }

  logIn(email = BOB, password = PASSWORD): Promise<Answer> {
    return this.send('POST', '/sessions', { email, password })
  }

  profile(): Promise<Answer> {
    return this.send('GET', '/profile')
  }

  logOut(): Promise<Answer> {
    return this.send('DELETE', '/sessions')
  }

  askForReset(email = BOB): Promise<Answer> {
    return this.send('POST', '/reset_password', { email })
  }

  async resetToken(email = BOB): Promise<string> {
    return textOf(await this.askForReset(email), 'reset_token')
  }

  /** The id of its session, which may be shown. */
  get sessionId(): string {
    return cookieValue(this.cookie).slice(0, 36)
  }

  reset(token: string, password = NEW_PASSWORD, email = BOB): Promise<Answer> {
    return this.send('PUT', '/reset_password', { email, reset_token: token, new_password: password })
  }
}

/** @returns a client that has registered and logged in */
export async function signedIn(app: FastifyInstance, email = BOB, password = PASSWORD): Promise<Client> {
  const client = new Client(app)
  await client.register(email, password)
  await client.logIn(email, password)
  if (client.cookie === '') throw new Error(`${email} could not log in`)
  return client
}

/** @returns a further device of someone who has registered */
export async function anotherDevice(app: FastifyInstance, email = BOB, password = PASSWORD): Promise<Client> {
  const client = new Client(app)
  await client.logIn(email, password)
  return client
}

/** @returns status and body, to be compared whole */
export function seen(answer: Answer): { status: number; body: unknown } {
  return { status: answer.statusCode, body: bodyOf(answer) }
}

export function bodyOf(answer: Answer): unknown {
  return answer.body === '' ? '' : JSON.parse(answer.body)
}

/** @returns a field of an answer that must be there, as text */
export function textOf(answer: Answer, field: string): string {
  const fields = new Map<string, unknown>(Object.entries(bodyOf(answer) ?? {}))
  const value = fields.get(field)
  if (typeof value !== 'string') throw new Error(`no ${field} in ${answer.statusCode} ${answer.body}`)
  return value
}

export function setCookies(answer: Answer): string[] {
  return [answer.headers['set-cookie'] ?? []].flat()
}

/** @returns the attributes of a Set-Cookie line, in order of their names */
export function attributesOf(line: string): string[] {
  return line.split('; ').slice(1).sort()
}

export function cookieName(line: string): string {
  return line.split('=', 1)[0] ?? ''
}

/** @returns whether a Set-Cookie line is for the device, not for the session */
export function isOfDevice(line: string): boolean {
  return /^(?:__Host-)?device=/.test(line)
}

/** @returns the value of a `name=value` pair, or of the pair that a Set-Cookie line begins with */
export function cookieValue(line: string): string {
  return pairOf(line).slice(cookieName(line).length + 1)
}

function pairOf(line: string): string {
  return line.split(';', 1)[0] ?? ''
}
