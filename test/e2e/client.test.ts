/** The client that programs import as `bienvenue/client`, against a really started server. */

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { Bienvenue, BienvenueError, type TokenStore, type Tokens } from 'bienvenue/client'
import { expect, onTestFinished, test } from 'vitest'
import { Child, pathOf, startServer, temporaryFolder } from '../started.ts'

const PASSWORD = 'the long way round'

let people = 0

/** A client of somebody new who has logged in, and what it sends. */
async function client(url: string): Promise<{ client: Bienvenue; email: string; store: Kept; calls: string[] }> {
  people += 1
  const email = `person${people}@example.org`
  const store = new Kept()
  const calls: string[] = []
  const counted: typeof fetch = (input, init) => {
    calls.push(`${init?.method} ${new URL(String(input)).pathname}`)
    return fetch(input, init)
  }
  const made = new Bienvenue(url, { store, fetch: counted })
  await made.register({ email, password: PASSWORD, name: 'Ada' })
  await made.logIn(email, PASSWORD)
  calls.length = 0
  return { client: made, email, store, calls }
}

/** Remembers what it keeps, and can be told that it is old. */
class Kept implements TokenStore {
  tokens: Tokens | null = null

  read(): Tokens | null {
    return this.tokens
  }

  write(tokens: Tokens | null): void {
    this.tokens = tokens
  }

  expire(): void {
    if (this.tokens !== null) this.tokens = { ...this.tokens, expiresAt: Date.now() }
  }

  /** The access token is no good, and its time does not tell. */
  spoil(): void {
    if (this.tokens !== null) this.tokens = { ...this.tokens, accessToken: `${this.tokens.accessToken}x` }
  }
}

async function codeOf(call: Promise<unknown>): Promise<unknown> {
  const error: unknown = await call.then(() => 'no error').catch((thrown: unknown) => thrown)
  return error instanceof BienvenueError ? error.code : error
}

/** @returns a server for one test alone */
async function server(env: Record<string, string> = {}): Promise<string> {
  return (await startServer(env)).url
}

test('logs in, sees and changes the account, and logs out', async () => {
  const { client: ada, email, store } = await client(await server())
  expect(await ada.account()).toMatchObject({ email, name: 'Ada' })
  expect(await ada.changeAccount({ name: 'Ada Lovelace' })).toMatchObject({ name: 'Ada Lovelace' })
  const [session] = await ada.sessions()
  expect(session).toMatchObject({ current: true })
  const kept = store.tokens
  await ada.logOut()
  expect(store.tokens).toBeNull()
  expect(await codeOf(ada.account())).toBe('signed_out')
  store.tokens = kept
  expect(await codeOf(ada.account())).toBe('refresh_refused')
})

test.each([
  ['has run out', (store: Kept) => store.expire()],
  ['is refused', (store: Kept) => store.spoil()],
])('refreshes once for fifty calls at once when the token %s', async (_, spoil) => {
  const { client: ada, email, store, calls } = await client(await server())
  spoil(store)
  const accounts = await Promise.all(Array.from({ length: 50 }, () => ada.account()))
  expect(new Set(accounts.map((account) => account.email))).toEqual(new Set([email]))
  expect(calls.filter((call) => call === 'POST /tokens/refresh')).toHaveLength(1)
  expect((await ada.account()).email).toBe(email)
})

test('two that share a store do not refresh against each other', async () => {
  const url = await server()
  const { client: first, store, email } = await client(url)
  const second = new Bienvenue(url, { store })
  store.expire()
  await first.account()
  store.expire()
  expect((await second.account()).email).toBe(email)
  expect((await first.account()).email).toBe(email)
})

test('goes on after a new address and a new password, with the tokens that come', async () => {
  const { client: ada, store, email } = await client(await server())
  const before = store.tokens
  const changes = { email: 'moved@example.org', password: 'another long way', current_password: PASSWORD }
  expect(await ada.changeAccount(changes)).toMatchObject({ pending_email: 'moved@example.org' })
  expect(store.tokens?.refreshToken).not.toBe(before?.refreshToken)
  expect((await ada.account()).email).toBe(email)
  expect(await codeOf(ada.deleteAccount('wrong'))).toBe('current_password_wrong')
  await ada.deleteAccount('another long way')
  expect(store.tokens).toBeNull()
})

/** What may be answered late, with the call that asks for it. */
const LATE: [string, string, (ada: Bienvenue, store: Kept, email: string) => Promise<unknown>][] = [
  [
    'a refresh',
    'POST /tokens/refresh',
    (ada, store) => {
      store.expire()
      return ada.call('GET', '/users/me')
    },
  ],
  [
    'a new password',
    'PATCH /users/me',
    (ada) => ada.changeAccount({ password: 'another long way', current_password: PASSWORD }),
  ],
  ['the end of the account', 'DELETE /users/me', (ada) => ada.deleteAccount(PASSWORD)],
  ['a login', 'POST /tokens', (ada, _, email) => ada.logIn(email, PASSWORD)],
]

/** Has something answered late: the service has done it, and the client does not know yet when `meanwhile` happens. */
async function answeredLate(
  [, call, ask]: (typeof LATE)[number],
  meanwhile: (ada: Bienvenue, bob: string, shared: { url: string; store: Kept }) => Promise<void>,
) {
  const url = await server()
  const { email, store } = await client(url)
  const { email: bob } = await client(url)
  const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let held = false
  const bodies: string[] = []
  const slow: typeof fetch = async (input, init) => {
    const answer = await fetch(input, init)
    bodies.push(await answer.clone().text())
    if (held || `${init?.method} ${new URL(String(input)).pathname}` !== call) return answer
    held = true
    asked.resolve()
    await answered.promise
    return answer
  }
  const ada = new Bienvenue(url, { store, fetch: slow })
  const asking = ask(ada, store, email).catch((error: unknown) => error)
  await asked.promise
  await meanwhile(ada, bob, { url, store })
  answered.resolve()
  const outcome = await asking
  const given = bodies.flatMap((body) => [...body.matchAll(/"refresh_token":"([^"]+)"/g)].map(([, token]) => token))
  const refreshing = (token: string | undefined) =>
    fetch(`${url}/tokens/refresh`, { method: 'POST', body: new URLSearchParams({ refresh_token: token ?? '' }) })
  return {
    ada,
    store,
    bob,
    outcome,
    lives: async () => Promise.all(given.map(async (one) => (await refreshing(one)).ok)),
  }
}

test.each(LATE)('%s that is answered after the logout signs nobody in, and leaves no login', async (...late) => {
  const { store, lives } = await answeredLate(late, (ada) => ada.logOut())
  expect(store.tokens).toBeNull()
  expect(await lives()).not.toContain(true)
})

test.each(LATE)(
  '%s that is answered after another login leaves that alone, and no login beside it',
  async (...late) => {
    const { ada, bob, lives } = await answeredLate(late, (client, other) => client.logIn(other, PASSWORD))
    expect((await ada.account()).email).toBe(bob)
    // Of all tokens that came those of the other one alone.
    expect((await lives()).filter(Boolean)).toHaveLength(1)
  },
)

test('a login that is answered after that of somebody else in another tab leaves it alone', async () => {
  const login = LATE.find(([what]) => what === 'a login')
  if (login === undefined) throw new Error('there is none')
  const { ada, bob, outcome, lives } = await answeredLate(login, (_, other, { url, store: shared }) =>
    new Bienvenue(url, { store: shared }).logIn(other, PASSWORD),
  )
  expect(outcome).toMatchObject({ code: 'signed_out' })
  expect((await ada.account()).email).toBe(bob)
  expect(await lives()).not.toContain(true)
})

test('programs that share a store and begin with the login of one person at once are all signed in', async () => {
  const url = await server()
  const { email } = await client(url)
  const store = new Kept()
  const programs = Array.from({ length: 4 }, () => new Bienvenue(url, { store }))
  const logins = await Promise.allSettled(programs.map((program) => program.logIn(email, PASSWORD)))
  expect(logins.map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'))
  for (const program of programs) expect((await program.account()).email).toBe(email)
  // With that of before there is one: nobody holds the tokens of the others.
  expect(await programs[0]?.sessions()).toHaveLength(2)
})

test('a login counts, though a session of before is found to have ended meanwhile', async () => {
  const url = await server()
  const { client: ada, email, store } = await client(url)
  const stale = store.tokens
  await ada.logOut()
  store.tokens = stale
  const asking = codeOf(ada.account())
  const login = ada.logIn(email, PASSWORD)
  expect(await asking).toBe('refresh_refused')
  await login
  expect((await ada.account()).email).toBe(email)
})

test.each<(typeof LATE)[number]>([
  [
    'that waits for a refresh',
    'POST /tokens/refresh',
    (ada, store) => {
      store.expire()
      return ada.call('PATCH', '/users/me', { name: 'Eve' })
    },
  ],
  [
    'that is refused for its token',
    'PATCH /users/me',
    (ada, store) => {
      store.spoil()
      return ada.call('PATCH', '/users/me', { name: 'Eve' })
    },
  ],
  [
    'that waits for another change',
    'PATCH /users/me',
    (ada) => {
      const before = ada.changeAccount({ name: 'Eva' })
      return Promise.all([ada.changeAccount({ name: 'Eve' }), before])
    },
  ],
])('a call %s is never made in the name of who logs in meanwhile', async (...late) => {
  const { ada, bob, outcome } = await answeredLate(late, (client, other) => client.logIn(other, PASSWORD))
  expect(outcome).toMatchObject({ code: 'signed_out' })
  expect(await ada.account()).toMatchObject({ email: bob, name: 'Ada' })
})

test.each(['POST /tokens/refresh', 'POST /tokens'])(
  'of a refresh and a login that are answered at once the login counts, with a store that takes its time: %s first',
  async (first) => {
    const url = await server()
    const { store } = await client(url)
    const { email: bob } = await client(url)
    const answers = new Map<string, () => void>()
    const slowStore: TokenStore = {
      async read() {
        const { tokens } = store
        // The first is about to be kept.
        if (answers.size === 2) for (const release of answers.values()) release()
        for (let turn = 0; turn < 500; turn += 1) await new Promise(setImmediate)
        return tokens
      },
      async write(tokens) {
        await new Promise(setImmediate)
        store.tokens = tokens
      },
    }
    const held: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init)
      if (answers.size === 2) return answer
      await new Promise<void>((resolve) => {
        answers.set(`${init?.method} ${new URL(String(input)).pathname}`, resolve)
        if (answers.size === 2) answers.get(first)?.()
      })
      return answer
    }
    store.expire()
    const ada = new Bienvenue(url, { store: slowStore, fetch: held })
    await Promise.allSettled([ada.account(), ada.logIn(bob, PASSWORD)])
    expect((await new Bienvenue(url, { store }).account()).email).toBe(bob)
  },
)

test('nobody waits for the refresh of somebody else, where one program acts for many', async () => {
  const url = await server()
  const { store } = await client(url)
  const { client: bob, email, store: other } = await client(url)
  const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const slow: typeof fetch = async (input, init) => {
    asked.resolve()
    await answered.promise
    return fetch(input, init)
  }
  for (const kept of [store, other]) kept.expire()
  const waiting = new Bienvenue(url, { store, fetch: slow }).account()
  await asked.promise
  expect((await bob.account()).email).toBe(email)
  answered.resolve()
  await waiting
})

test('a change waits for a refresh under way, and a refresh for a change', async () => {
  const { client: ada, email, store } = await client(await server())
  for (const [n, spoil] of [store.expire, store.spoil, store.expire, store.spoil].entries()) {
    spoil.call(store)
    const [from, to] = n % 2 === 0 ? [PASSWORD, 'another long way'] : ['another long way', PASSWORD]
    const changing = ada.changeAccount({ password: to, current_password: from })
    const calls = Array.from({ length: 5 }, async () => {
      await new Promise(setImmediate)
      store.expire()
      return (await ada.account()).email
    })
    expect(await Promise.all([...calls, changing.then((account) => account.email)])).toEqual(Array(6).fill(email))
  }
})

test('ends another session of the same person', async () => {
  const url = await server()
  const { client: ada, email } = await client(url)
  const phone = new Bienvenue(url)
  await phone.logIn(email, PASSWORD)
  const other = (await ada.sessions()).find(({ current }) => !current)
  await ada.endSession(other?.id ?? '', PASSWORD)
  expect(await codeOf(phone.account())).toBe('refresh_refused')
})

test('forgets what it kept when its tokens were stolen and used', async () => {
  const url = await server()
  const { client: ada, store } = await client(url)
  const thief = new Bienvenue(url, { store: Object.assign(new Kept(), { tokens: store.tokens }) })
  store.expire()
  const stolen = store.tokens
  await ada.account()
  const spent = new Kept()
  spent.tokens = stolen
  expect(await codeOf(new Bienvenue(url, { store: spent }).account())).toBe('refresh_token_reused')
  expect(spent.tokens).toBeNull()
  expect(await codeOf(thief.account())).toBe('refresh_refused')
})

test('throws errors that say what, where and how long', async () => {
  const url = await server()
  const nobody = new Bienvenue(url)
  const { email } = await client(url)
  expect(await nobody.logIn(email, 'wrong').catch((error: unknown) => error)).toMatchObject({
    ...{ name: 'BienvenueError', status: 401, code: 'credentials_invalid', message: 'wrong email or password' },
    ...{ field: undefined, retryAfter: undefined },
  })
  expect(await nobody.register({ email: 'x', password: 'y' }).catch((error: unknown) => error)).toMatchObject({
    ...{ status: 400, code: 'email_invalid', field: 'email' },
  })
  expect(await codeOf(nobody.register({ email, password: PASSWORD }))).toBe('email_taken')
  for (let tries = 0; tries < 10; tries += 1) await codeOf(nobody.logIn(email, 'wrong'))
  expect(await nobody.logIn(email, PASSWORD).catch((error: unknown) => error)).toMatchObject({
    ...{ status: 429, code: 'throttled', retryAfter: expect.any(Number) },
  })
})

test('says so where nobody answers, and where it is somebody else, and keeps the login', async () => {
  const url = await server()
  const { store } = await client(url)
  const away = new Bienvenue(url, { store, fetch: () => Promise.reject(new TypeError('fetch failed')) })
  expect(await codeOf(away.account())).toBe('unreachable')
  store.expire()
  expect(await codeOf(away.account())).toBe('unreachable')
  const other = new Bienvenue(url, { store, fetch: async () => new Response('<h1>Sorry</h1>', { status: 502 }) })
  expect(await codeOf(other.account())).toBe('unreadable')
  const odd = new Bienvenue(url, { fetch: async () => new Response('"hello"') })
  expect(await codeOf(odd.logIn('a@b.c', 'x'))).toBe('unreadable')
  expect(store.tokens).not.toBeNull()
  expect((await new Bienvenue(url, { store }).account()).name).toBe('Ada')
})

test('hands out an access token for other services that is good', async () => {
  const url = await server()
  const { client: ada, store, email } = await client(url)
  store.expire()
  const token = await ada.accessToken()
  const answer = await fetch(`${url}/profile`, { headers: { authorization: `Bearer ${token}` } })
  expect(await answer.json()).toEqual({ email })
})

/** What a browser does with HttpOnly cookies. */
class Jar {
  readonly cookies = new Map<string, string>()

  readonly fetch: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers)
    const refreshing = new URL(String(input)).pathname === '/tokens/refresh'
    const pairs = [...this.cookies].filter(([name]) => refreshing || name !== 'refresh_token')
    headers.set('cookie', pairs.map(([name, value]) => `${name}=${value}`).join('; '))
    const answer = await fetch(input, { ...init, headers })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answer
  }
}

test('with cookies it keeps nothing and sends no bearer; a browser does the rest', async () => {
  const url = await server()
  const jar = new Jar()
  const sent: (string | null)[] = []
  const browser: typeof fetch = (input, init) => {
    sent.push(new Headers(init?.headers).get('authorization'))
    expect(init?.credentials).toBe('include')
    return jar.fetch(input, init)
  }
  const store = new Kept()
  const front = new Bienvenue(url, { transport: 'cookie', fetch: browser, store })
  await front.register({ email: 'front@example.org', password: PASSWORD })
  await front.logIn('front@example.org', PASSWORD)
  expect((await front.account()).email).toBe('front@example.org')
  jar.cookies.delete('access_token')
  const all = await Promise.all(Array.from({ length: 20 }, () => front.account()))
  expect(new Set(all.map(({ email }) => email)).size).toBe(1)
  jar.cookies.delete('access_token')
  await front.logOut()
  expect([...jar.cookies]).toEqual([])
  await front.logOut()
  expect([store.tokens, new Set(sent)]).toEqual([null, new Set([null])])
})

test.each([
  ['a change', (ada: Bienvenue) => ada.changeAccount({ name: 'Eve' })],
  ['a call', (ada: Bienvenue) => ada.call('PATCH', '/users/me', { name: 'Eve' })],
  ['the end of the account', (ada: Bienvenue) => ada.deleteAccount(PASSWORD)],
])('with cookies too %s is never made in the name of who logs in before it is tried again', async (_, ask) => {
  const url = await server()
  const [{ email: ada }, { email: bob }] = [await client(url), await client(url)]
  const jar = new Jar()
  let next: Promise<void> | undefined
  const browser: typeof fetch = async (input, init) => {
    const answer = await jar.fetch(input, init)
    if (answer.status === 403 || answer.status === 401) next ??= front.logIn(bob, PASSWORD)
    return answer
  }
  const front = new Bienvenue(url, { transport: 'cookie', fetch: browser })
  await front.logIn(ada, PASSWORD)
  jar.cookies.delete('access_token')
  expect(await codeOf(ask(front))).toBe('signed_out')
  await next
  expect(await front.account()).toMatchObject({ email: bob, name: 'Ada' })
})

test.each([
  ['with cookies', () => undefined],
  ['with an access token that has expired', (jar: Jar) => jar.cookies.delete('access_token')],
])('%s a logout that nobody waits for ends the former login, and that alone', async (_, spoil) => {
  const url = await server()
  const [{ client: former, email: ada }, { email: bob }] = [await client(url), await client(url)]
  const jar = new Jar()
  const front = new Bienvenue(url, { transport: 'cookie', fetch: jar.fetch })
  await front.logIn(ada, PASSWORD)
  expect(await former.sessions()).toHaveLength(2)
  spoil(jar)
  await Promise.all([front.logOut(), front.logIn(bob, PASSWORD)])
  expect((await front.account()).email).toBe(bob)
  expect(await former.sessions()).toHaveLength(1)
})

test.each([
  ['another login', (front: Bienvenue, bob: string) => front.logIn(bob, PASSWORD)],
  ['a logout', (front: Bienvenue) => front.logOut()],
])('with cookies too a login says so where %s was called before it was answered', async (_, next) => {
  const url = await server()
  const [{ email: ada }, { email: bob }] = [await client(url), await client(url)]
  const front = new Bienvenue(url, { transport: 'cookie', fetch: new Jar().fetch })
  const changed = front.logIn(ada, PASSWORD).then(() => front.changeAccount({ name: 'Eve' }))
  await Promise.all([next(front, bob), codeOf(changed).then((code) => expect(code).toBe('signed_out'))])
  await front.logIn(bob, PASSWORD)
  expect((await front.account()).name).toBe('Ada')
})

test('with cookies too a login that was overtaken signs nobody in, where the next one is refused as well', async () => {
  const url = await server()
  const { client: former, email } = await client(url)
  const jar = new Jar()
  const front = new Bienvenue(url, { transport: 'cookie', fetch: jar.fetch })
  const codes = [codeOf(front.logIn(email, PASSWORD)), codeOf(front.logIn(email, 'wrong'))]
  expect(await Promise.all(codes)).toEqual(['signed_out', 'credentials_invalid'])
  expect([...jar.cookies.keys()]).toEqual([])
  expect(await codeOf(front.account())).toBe('field_missing')
  expect(await former.sessions()).toHaveLength(1)
})

test('an answer whose body does not come is none', async () => {
  const started = createServer((_, answer) => {
    answer.writeHead(200, { 'content-type': 'application/json', 'content-length': '10' }).write('{"')
  })
  onTestFinished(() => started.closeAllConnections())
  const url = await new Promise<string>((resolve) => {
    started.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${Object(started.address()).port}`))
  })
  onTestFinished(() => void started.close())
  const store = new Kept()
  store.tokens = { accessToken: 'x', refreshToken: 'y', expiresAt: Number.POSITIVE_INFINITY }
  const impatient = new Bienvenue(url, { timeout: 200, store })
  const register = impatient.register({ email: 'a@example.org', password: PASSWORD })
  const calls = [register, impatient.call('GET', '/profile'), impatient.account(), impatient.endSession('x', 'y')]
  expect(await Promise.all(calls.map(codeOf))).toEqual(Array(4).fill('unreachable'))
})

test('a time without end is one', async () => {
  const url = await server()
  const { email } = await client(url)
  const patient = new Bienvenue(url, { timeout: Number.POSITIVE_INFINITY })
  await patient.logIn(email, PASSWORD)
  expect((await patient.account()).email).toBe(email)
})

test('what is never answered keeps no other tab from its login', async () => {
  const url = await server()
  const { email } = await client(url)
  const jar = new Jar()
  let stalled = 0
  const stalling: typeof fetch = (input, init) => {
    const { signal } = init ?? {}
    if (!String(input).endsWith('/tokens/refresh') || stalled > 0) return jar.fetch(input, init)
    stalled += 1
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
  }
  const tabOf = (timeout: number) => new Bienvenue(url, { transport: 'cookie', fetch: stalling, timeout })
  const [front, tab] = [tabOf(2_000), tabOf(30_000)]
  await tab.logIn(email, PASSWORD)
  jar.cookies.delete('access_token')
  const waiting = codeOf(front.account())
  await tab.logIn(email, PASSWORD)
  expect([await waiting, stalled]).toEqual(['unreachable', 1])
  expect((await tab.account()).email).toBe(email)
})

test('the files that are imported are made from the source', async () => {
  const folder = temporaryFolder()
  const tsc = pathOf('node_modules/.bin/tsc')
  const made = new Child(tsc, ['-p', pathOf('clients/tsconfig.json'), '--outDir', folder], {}, folder)
  expect(await made.ended, made.stdout).toBe(0)
  for (const name of ['client.js', 'client.d.ts']) {
    expect(readFileSync(pathOf(`clients/${name}`), 'utf8'), 'run `npm run client`').toBe(
      readFileSync(join(folder, name), 'utf8'),
    )
  }
})

test('the client needs nothing else', () => {
  const source = readFileSync(pathOf('clients/client.js'), 'utf8')
  expect(source).not.toMatch(/^import|\brequire\(|\bimport\(|node:|process\./m)
})

test('no path takes the token to another host', async () => {
  const { client: ada, calls } = await client(await server())
  for (const path of ['@evil.test/x', '.evil.test/x', ':1@evil.test/x', '0/x', '', 'users/me']) {
    expect(await codeOf(ada.call('GET', path)), path).toBe('path_invalid')
  }
  expect(calls).toEqual([])
  expect(await codeOf(ada.call('GET', '//evil.test/x'))).toBe('not_found')
  expect(calls).toEqual(['GET //evil.test/x'])
})
