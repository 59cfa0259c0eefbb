/**
 * A client of Bienvenue for TypeScript and JavaScript, in browsers and in Node: `import { Bienvenue } from 'bienvenue/client'`.
 * It needs nothing but `fetch`. It logs in, refreshes by itself and once for many calls, and throws errors with a code.
 * client.js and client.d.ts are made from this file by `npm run client`.
 */

/** What a program keeps of a login. Whoever has these is signed in: store them as you would a password. */
export interface Tokens {
  accessToken: string
  refreshToken: string
  /** Milliseconds since the epoch, by the clock of this machine. */
  expiresAt: number
}

export interface Account {
  id: number
  email: string
  name: string | null
  confirmed: boolean
  /** ISO 8601. */
  created_at: string
  /** After a change of address: the new one, which counts when the link in the mail to it is opened. */
  pending_email?: string
}

/** One place where somebody is signed in. */
export interface OpenSession {
  id: string
  device: string
  address: string
  /** ISO 8601, both. */
  created_at: string
  last_used_at: string
  current: boolean
}

export interface AccountChanges {
  name?: string
  email?: string
  password?: string
  /** Needed for a new address or password. */
  current_password?: string
}

/** Where tokens are kept between calls. Tabs and processes that share one share the login. */
export interface TokenStore {
  read(): Tokens | null | Promise<Tokens | null>
  write(tokens: Tokens | null): void | Promise<void>
}

export interface Options {
  /** Default: in memory, so that the login ends with the program. */
  store?: TokenStore
  /** `cookie` for front ends: the browser keeps the tokens, and no script sees them. Default: `body`. */
  transport?: 'body' | 'cookie'
  /** Default: the `fetch` of the platform. */
  fetch?: typeof fetch
  /** After which an answer is given up (`unreachable`), in milliseconds: others may be waiting for it. Default: 30,000. */
  timeout?: number
}

/**
 * A refusal. `code` is one of docs/errors.md, or `unreachable` (status 0) where there was no answer, or `unreadable` where
 * it was not from Bienvenue. `signed_out` says that there is nothing to be signed in with, `path_invalid` that a path has no
 * slash at its beginning.
 */
export class BienvenueError extends Error {
  override readonly name = 'BienvenueError'
  readonly status: number
  readonly code: string
  /** The field that it is about. */
  readonly field: string | undefined
  /** Seconds after which another try makes sense. */
  readonly retryAfter: number | undefined

  constructor(status: number, code: string, message: string, detail: { field?: string; retryAfter?: number } = {}) {
    super(message)
    this.status = status
    this.code = code
    this.field = detail.field
    this.retryAfter = detail.retryAfter
  }
}

type Fields = Record<string, string>

/** An access token with less left than this is refreshed before it is sent, in milliseconds. */
const TOO_SHORT = 5_000
/** After these the session is gone, and so are its tokens. */
const ENDED = new Set(['refresh_refused', 'refresh_token_reused'])
/** As long as a service takes that is well, in milliseconds. */
const LONGEST = 30_000
/** The longest that a timer can wait for, in milliseconds. */
const ENDLESS = 2 ** 31 - 1

export class Bienvenue {
  readonly #url: string
  readonly #fetch: typeof fetch
  readonly #cookies: boolean
  readonly #store: TokenStore
  readonly #timeout: number
  #refreshing: Promise<unknown> | null = null
  /** How often somebody was to be signed in or out. */
  #turns = 0
  /** The last of those that go one after the other, by what they are about. */
  readonly #last = new Map<string, Promise<unknown>>()

  /** @param url where the service is reached, like `https://auth.example.org` */
  constructor(url: string, { store = memory(), transport = 'body', fetch: own, timeout = LONGEST }: Options = {}) {
    this.#url = url.replace(/\/+$/, '')
    // Browsers refuse a fetch that is called as a method of something else.
    this.#fetch = own ?? ((input, init) => fetch(input, init))
    this.#cookies = transport === 'cookie'
    this.#store = store
    this.#timeout = Math.min(timeout, ENDLESS)
  }

  /** Makes an account; nobody is signed in by it. */
  async register(account: { email: string; password: string; name?: string }): Promise<void> {
    await this.#send('POST', '/users', account)
  }

  /** @throws BienvenueError, `signed_out` where `logOut` or another login was called before the answer came */
  async logIn(email: string, password: string): Promise<void> {
    this.#turns += 1
    const turn = this.#turns
    if (this.#cookies) {
      await this.#alone(namedFor(null), async () => {
        await this.#send('POST', '/tokens', { email, password, transport: 'cookie' })
        // What was called meanwhile has its turn after this one, and may fail.
        if (turn !== this.#turns) await this.#send('DELETE', '/tokens', {}).catch(() => {})
        this.#sameTurn(turn)
      })
      return
    }
    const before = await this.#store.read()
    const answer = await this.#send('POST', '/tokens', { email, password, transport: 'body' })
    // Somebody else who has logged in meanwhile in another tab stays. That there is nobody any more tells nothing: a session of
    // before may have been found to have ended.
    const free = (now: Tokens | null) => now === null || personIn(now) === personIn(before)
    const kept = await this.#keep(answer, (now) => turn === this.#turns && free(now))
    if (kept) return
    this.#sameTurn(turn)
    // The same person in another tab is who was to be signed in.
    if (personIn(await this.#store.read()) !== personIn(tokensOf(answer))) throw signedOut()
  }

  /**
   * Ends the session here and there. What is kept is forgotten even where the service cannot be reached, and whatever is
   * answered later signs nobody in.
   */
  async logOut(): Promise<void> {
    this.#turns += 1
    if (this.#cookies) return this.#endCookies()
    const tokens = await this.#alone('store', async () => {
      const forgotten = await this.#store.read()
      await this.#store.write(null)
      return forgotten
    })
    if (tokens !== null) await this.#end(tokens)
  }

  async account(): Promise<Account> {
    return accountOf(await this.call('GET', '/users/me'))
  }

  /** @returns the changed account; the login goes on, with a new address or password too */
  async changeAccount(changes: AccountChanges): Promise<Account> {
    const answer = await this.#deciding('PATCH', '/users/me', { ...changes }, async (changed, used) => {
      const { tokens } = Object(changed)
      if (tokens !== undefined) await this.#keep(tokens, (now) => isSame(now, used))
    })
    return accountOf(answer)
  }

  async deleteAccount(currentPassword: string): Promise<void> {
    await this.#deciding('DELETE', '/users/me', { current_password: currentPassword }, async (_, used) => {
      await this.#exchange(null, (now) => isSame(now, used))
    })
  }

  async sessions(): Promise<OpenSession[]> {
    const { sessions } = Object(await this.call('GET', '/sessions'))
    if (!Array.isArray(sessions)) throw unreadable('sessions')
    return sessions.map(sessionOf)
  }

  async endSession(id: string, currentPassword: string): Promise<void> {
    await this.call('DELETE', `/sessions/${encodeURIComponent(id)}`, { current_password: currentPassword })
  }

  /** @returns an access token that is good for a while, to be sent to other services as `Authorization: Bearer` */
  async accessToken(): Promise<string> {
    return (await this.#usable()).accessToken
  }

  /**
   * Calls any route of the service as whoever is signed in, refreshing first or once more where it must.
   * @param path like `/users/me`
   * @returns the body of the answer
   * @throws BienvenueError
   */
  async call(method: string, path: string, fields?: Fields): Promise<unknown> {
    // `@` or a dot would make the host a part of something else, and another host would get the token.
    if (!path.startsWith('/')) throw new BienvenueError(0, 'path_invalid', 'a path begins with a slash')
    return this.#signedIn((used) => this.#send(method, path, fields, used))
  }

  /**
   * A call that ends tokens or makes new ones: never beside another of its kind, or a refresh.
   * @param done what follows from the answer, and from the tokens with which it was asked
   */
  #deciding(
    method: string,
    path: string,
    fields: Fields,
    done: (answer: unknown, used: Tokens | null) => Promise<void> = async () => {},
  ): Promise<unknown> {
    return this.#signedIn((asking) =>
      this.#alone(namedFor(asking), async () => {
        const used = asking === null ? null : await this.#still(asking)
        const answer = await this.#send(method, path, fields, used)
        await done(answer, used)
        return answer
      }),
    )
  }

  /** Asks as one person: where another one logs in meanwhile, nothing is done in their name. */
  async #signedIn(ask: (used: Tokens | null) => Promise<unknown>): Promise<unknown> {
    const turn = this.#turns
    const used = this.#cookies ? null : await this.#usable()
    try {
      return await ask(used)
    } catch (error) {
      if (!isExpired(error, this.#cookies)) throw error
      if (used !== null) return ask(await this.#refreshed(used))
      await this.#refreshedCookies()
      return ask(this.#sameTurn(turn))
    }
  }

  /** Whose cookies there are no script sees; but whether somebody was signed in or out here since. */
  #sameTurn(turn: number): null {
    if (turn !== this.#turns) throw signedOut()
    return null
  }

  async #usable(): Promise<Tokens> {
    const tokens = await this.#store.read()
    if (tokens === null) throw signedOut()
    return tokens.expiresAt - Date.now() > TOO_SHORT ? tokens : this.#refreshed(tokens)
  }

  /** @returns what is kept of the same person by now */
  async #still(used: Tokens): Promise<Tokens> {
    const kept = await this.#store.read()
    if (kept === null || personIn(kept) !== personIn(used)) throw signedOut()
    return kept
  }

  /** A refresh token works a single time: of many calls that need another one the first gets it, and the rest find it. */
  #refreshed(used: Tokens): Promise<Tokens> {
    return this.#alone(namedFor(used), async () => {
      const kept = await this.#still(used)
      if (!isSame(kept, used)) return kept
      try {
        const answer = await this.#send('POST', '/tokens/refresh', { refresh_token: kept.refreshToken })
        await this.#keep(answer, (now) => isSame(now, kept))
      } catch (error) {
        const ended = error instanceof BienvenueError && ENDED.has(error.code)
        if (ended) await this.#exchange(null, (now) => isSame(now, kept))
        throw error
      }
      return this.#still(kept)
    })
  }

  /** No script sees them: many calls share one refresh. */
  #refreshedCookies(): Promise<unknown> {
    this.#refreshing ??= this.#alone(namedFor(null), () => this.#refresh()).finally(() => {
      this.#refreshing = null
    })
    return this.#refreshing
  }

  #refresh(): Promise<unknown> {
    return this.#send('POST', '/tokens/refresh', {})
  }

  /**
   * Keeps the tokens of an answer, unless a logout has emptied the store meanwhile or somebody else has logged in: then they
   * are nobody's, and are ended.
   * @returns whether they are kept
   */
  async #keep(answer: unknown, may: (now: Tokens | null) => boolean): Promise<boolean> {
    const tokens = tokensOf(answer)
    const kept = await this.#exchange(tokens, may)
    // Where the service cannot be reached they end by themselves.
    if (!kept) await this.#end(tokens).catch(() => {})
    return kept
  }

  /** @returns whether what is kept has been replaced */
  #exchange(next: Tokens | null, may: (now: Tokens | null) => boolean): Promise<boolean> {
    return this.#alone('store', async () => {
      const replaced = may(await this.#store.read())
      if (replaced) await this.#store.write(next)
      return replaced
    })
  }

  /** In one turn: a refresh after the login of somebody else would be theirs, and the former session would stay. */
  async #endCookies(): Promise<void> {
    const end = () => this.#send('DELETE', '/tokens', {})
    try {
      await this.#alone(namedFor(null), async () => {
        await end().catch(async (error: unknown) => {
          if (!isExpired(error, true)) throw error
          await this.#refresh()
          await end()
        })
      })
    } catch (error) {
      // It has ended before, which is what was wanted.
      const ended = error instanceof BienvenueError && (error.status === 401 || error.code === 'field_missing')
      if (!ended) throw error
    }
  }

  async #end({ refreshToken }: Tokens): Promise<void> {
    await this.#send('DELETE', '/tokens', { refresh_token: refreshToken })
  }

  /** One after the other, over all tabs of a browser where it can be done. */
  async #alone<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { locks }: Partial<typeof navigator> = globalThis.navigator ?? {}
    const before = this.#last.get(what)
    const turn = (async () => {
      await before
      return locks === undefined ? work() : locks.request(`bienvenue ${what} ${this.#url}`, work)
    })()
    this.#last.set(
      what,
      turn.catch(() => {}),
    )
    return turn
  }

  async #send(method: string, path: string, fields?: object, tokens: Tokens | null = null): Promise<unknown> {
    const headers: Fields = { accept: 'application/json' }
    if (fields !== undefined) headers['content-type'] = 'application/json'
    if (tokens !== null) headers.authorization = `Bearer ${tokens.accessToken}`
    const body = fields === undefined ? null : JSON.stringify(fields)
    const credentials = this.#cookies ? 'include' : 'omit'
    const signal = AbortSignal.timeout(this.#timeout)
    const sent = this.#fetch(this.#url + path, { method, headers, body, credentials, signal })
    const answer = await sent.catch(unreachable)
    const read = parsed(await answer.text().catch(unreachable))
    if (!answer.ok) throw refusal(answer, read)
    return read
  }
}

function memory(): TokenStore {
  let kept: Tokens | null = null
  return {
    read: () => kept,
    write(tokens) {
      kept = tokens
    },
  }
}

function isExpired(error: unknown, cookies: boolean): boolean {
  if (!(error instanceof BienvenueError)) return false
  return error.code === (cookies ? 'session_required' : 'token_invalid')
}

function isSame(one: Tokens | null, other: Tokens | null): boolean {
  return one?.refreshToken === other?.refreshToken
}

/** @returns whom an access token names, or null where there is none; it came from the service, and is not verified here */
function personIn(tokens: Tokens | null): unknown {
  const [, claims = ''] = tokens?.accessToken.split('.') ?? []
  try {
    return Object(JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/')))).sub ?? null
  } catch {
    return null
  }
}

/** What is done with the tokens of a person goes one after the other; nobody waits for those of somebody else. */
function namedFor(tokens: Tokens | null): string {
  return `tokens ${tokens === null ? '' : personIn(tokens)}`
}

function signedOut(): BienvenueError {
  return new BienvenueError(0, 'signed_out', 'nobody is signed in: log in first')
}

function unreachable(cause: unknown): never {
  throw Object.assign(new BienvenueError(0, 'unreachable', 'the service cannot be reached'), { cause })
}

function unreadable(what: string): BienvenueError {
  return new BienvenueError(200, 'unreadable', `the answer holds no ${what}`)
}

function tokensOf(answer: unknown): Tokens {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds } = Object(answer)
  if (typeof accessToken !== 'string' || typeof refreshToken !== 'string' || typeof seconds !== 'number') {
    throw unreadable('tokens')
  }
  return { accessToken, refreshToken, expiresAt: Date.now() + seconds * 1_000 }
}

function accountOf(answer: unknown): Account {
  const { id, email, name, confirmed, created_at, pending_email } = Object(answer)
  const known = typeof email === 'string' && (typeof name === 'string' || name === null)
  if (!known || typeof id !== 'number' || typeof confirmed !== 'boolean' || typeof created_at !== 'string') {
    throw unreadable('account')
  }
  const account = { id, email, name, confirmed, created_at }
  return typeof pending_email === 'string' ? { ...account, pending_email } : account
}

function sessionOf(entry: unknown): OpenSession {
  const { id, device, address, created_at, last_used_at, current } = Object(entry)
  const texts = [id, device, address, created_at, last_used_at]
  if (typeof current !== 'boolean' || !texts.every((text) => typeof text === 'string')) throw unreadable('session')
  return { id, device, address, created_at, last_used_at, current }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refusal({ status, headers }: Response, body: unknown): BienvenueError {
  const { code, message, field } = Object(body)
  const retryAfter = Number(headers.get('retry-after')) || undefined
  if (typeof message !== 'string') return new BienvenueError(status, 'unreadable', `the service answered ${status}`)
  const detail = {
    ...(typeof field === 'string' && { field }),
    ...(retryAfter !== undefined && { retryAfter }),
  }
  // The one body without a code is fixed by the contract.
  return new BienvenueError(status, typeof code === 'string' ? code : 'email_taken', message, detail)
}
