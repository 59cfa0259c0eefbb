/** A person with a browser, by injection: cookies, the Accept header of a browser, and forms sent as the page has them. */

import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { onTestFinished } from 'vitest'
import type { Settings } from '../../src/settings.ts'
import { form, type House, openHouse } from '../house.ts'

type Answer = LightMyRequestResponse
type Headers = Record<string, string>
type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export const ACCEPT = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'
export const BOB = 'bob@example.org'
export const PASSWORD = 'k3ks0'

/** Opens a house that closes with the test. */
export async function house(env: Record<string, string> = {}, overrides: Partial<Settings> = {}): Promise<House> {
  const opened = await openHouse(env, overrides)
  onTestFinished(opened.close)
  return opened
}

export class Person {
  readonly cookies = new Map<string, string>()
  readonly #app: FastifyInstance
  readonly #headers: Headers

  constructor(app: FastifyInstance, headers: Headers = {}) {
    this.#app = app
    this.#headers = { accept: ACCEPT, ...headers }
  }

  async send(method: Method, url: string, fields?: Record<string, string>, extra: Headers = {}): Promise<Answer> {
    const body = fields === undefined ? { headers: {} } : form(fields)
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...body.headers, ...this.#headers, ...(cookie && { cookie }), ...extra }
    const answer = await this.#app.inject({ ...body, method, url, headers })
    for (const { name, value } of answer.cookies) {
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answer
  }

  open(url: string): Promise<Answer> {
    return this.send('GET', url)
  }

  /** Fills in a form of a page and sends it as a browser does: every field of it, the unseen ones too. */
  submit(page: Answer, id: string, fields: Record<string, string> = {}): Promise<Answer> {
    const { action, values } = formOf(page, id)
    return this.send('POST', action, { ...values, ...fields })
  }

  /** Opens what the answer sends the browser to. */
  follow(answer: Answer): Promise<Answer> {
    return this.open(String(answer.headers.location))
  }

  async register(email = BOB, password = PASSWORD, name = ''): Promise<Answer> {
    return this.submit(await this.open('/register'), 'register', { email, password, name })
  }

  async logIn(email = BOB, password = PASSWORD): Promise<Answer> {
    return this.submit(await this.open('/login'), 'login', { email, password })
  }
}

/** @returns somebody who has registered and logged in */
export async function signedIn(app: FastifyInstance, headers: Headers = {}, name = ''): Promise<Person> {
  const person = new Person(app, headers)
  await person.register(BOB, PASSWORD, name)
  await person.logIn()
  if (person.cookies.size === 0) throw new Error('nobody is signed in')
  return person
}

/** @returns a form of a page as the browser sees it; every input with its attributes, by name */
export function formOf(page: Answer, id: string) {
  const [, action = '', content = ''] =
    new RegExp(`<form method="post" action="([^"]*)" id="${id}">(.*?)</form>`, 's').exec(page.body) ?? []
  if (action === '') throw new Error(`no form ${id} in ${page.statusCode} ${page.body}`)
  const inputs = [...content.matchAll(/<input([^>]*)>/g)].map(([, attributes = '']) => attributesIn(attributes))
  const named = inputs.filter(({ name }) => name !== undefined)
  return {
    action: unescaped(action),
    content,
    inputs: new Map(named.map((input) => [input.name ?? '', input])),
    values: Object.fromEntries(named.map(({ name = '', value = '' }) => [name, value])),
  }
}

/** @returns every input of a page, with its attributes */
export function inputsOf({ body }: Answer): Record<string, string>[] {
  return [...body.matchAll(/<input([^>]*)>/g)].map(([, attributes = '']) => attributesIn(attributes))
}

/** @returns the message at the top of a page, if any */
export function alertOf({ body }: Answer): string | undefined {
  const [, text] = /<div class="alert" role="alert"[^>]*>(.*?)<\/div>/s.exec(body) ?? []
  return text === undefined ? undefined : unescaped(text)
}

export function noticeOf({ body }: Answer): string | undefined {
  const [, text] = /<p class="notice" role="status">(.*?)<\/p>/s.exec(body) ?? []
  return text === undefined ? undefined : unescaped(text)
}

function attributesIn(text: string): Record<string, string> {
  const found = [...text.matchAll(/([\w-]+)(?:="([^"]*)")?/g)]
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, unescaped(value)]))
}

export function unescaped(text: string): string {
  const signs = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' }
  return Object.entries(signs).reduce((left, [name, sign]) => left.replaceAll(`&${name};`, sign), text)
}

/** A page in every state that pages have, with the person who sees it. */
export async function everyPage(opened: House, headers: Headers = {}): Promise<[string, Answer][]> {
  const { app, db, clock } = opened
  const stranger = new Person(app, headers)
  const bob = await signedIn(app, headers, 'Bob')
  await new Person(app, headers).logIn()
  const known: [string, Answer][] = [
    ['home', await stranger.open('/')],
    ['home signed in', await bob.open('/')],
    ['login', await stranger.open('/login?next=/dashboard&notice=login_required')],
    ['login refused', await stranger.logIn(BOB, 'wrong')],
    ['register', await stranger.open('/register')],
    ['register refused', await stranger.register('bob')],
    ['forgot', await stranger.open('/forgot')],
    ['forgot refused', await stranger.send('POST', '/reset_password', { email: 'nobody@example.org' })],
    ['reset', await stranger.open('/reset')],
    ['reset with a token', await stranger.send('POST', '/reset_password', { email: BOB })],
    [
      'reset refused',
      await stranger.send('PUT', '/reset_password', { email: BOB, reset_token: 'x', new_password: 'y' }),
    ],
    ['dashboard', await bob.open('/dashboard')],
    ['dashboard refused', await bob.send('PATCH', '/users/me', { email: 'bob', current_password: 'x' })],
    ['403', await stranger.send('POST', '/users', { email: BOB }, { origin: 'https://evil.test' })],
    ['404', await stranger.open('/nowhere')],
    ['405', await stranger.send('PATCH', '/users')],
    ['400', await stranger.open('/%zz')],
  ]
  clock.advance(10 * 60_000)
  known.push(['dashboard not fresh', await bob.open('/dashboard')])
  await db.close()
  return [...known, ['503 or 500', await bob.open('/dashboard')]]
}
