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

export class Bienvenue {
  readonly #url: string
  readonly #fetch: typeof fetch
  readonly #cookies: boolean
  readonly #store: TokenStore
  #refreshing: Promise<Tokens | null> | null = null

  /** @param url where the service is reached, like `https://auth.example.org` */
  constructor(url: string, { store = memory(), transport = 'body', fetch: own }: Options = {}) {
    this.#url = url.replace(/\/+$/, '')
    // Browsers refuse a fetch that is called as a method of something else.
    this.#fetch = own ?? ((input, init) => fetch(input, init))
    this.#cookies = transport === 'cookie'
    this.#store = store
  }

  /** Makes an account; nobody is signed in by it. */
  async register(account: { email: string; password: string; name?: string }): Promise<void> {
    await this.#send('POST', '/users', account)
  }

  async logIn(email: string, password: string): Promise<void> {
    const transport = this.#cookies ? 'cookie' : 'body'
    await this.#keep(await this.#send('POST', '/tokens', { email, password, transport }))
  }

  /** Ends the session here and there. What is kept is forgotten even where the service cannot be reached. */
  async logOut(): Promise<void> {
    const tokens = await this.#store.read()
    await this.#store.write(null)
    if (tokens !== null) await this.#send('DELETE', '/tokens', { refresh_token: tokens.refreshToken })
    if (!this.#cookies) return
    try {
      await this.call('DELETE', '/tokens', {})
    } catch (error) {
      // It has ended before, which is what was wanted.
      if (!(error instanceof BienvenueError && (error.status === 401 || error.code === 'field_missing'))) throw error
    }
  }

  async account(): Promise<Account> {
    return accountOf(await this.call('GET', '/users/me'))
  }

  /** @returns the changed account; the login goes on, with a new address or password too */
  async changeAccount(changes: AccountChanges): Promise<Account> {
    const answer = await this.call('PATCH', '/users/me', { ...changes })
    const { tokens } = Object(answer)
    if (tokens !== undefined) await this.#keep(tokens)
    return accountOf(answer)
  }

  async deleteAccount(currentPassword: string): Promise<void> {
    await this.call('DELETE', '/users/me', { current_password: currentPassword })
    await this.#store.write(null)
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
    const used = this.#cookies ? null : await this.#usable()
    try {
      return await this.#send(method, path, fields, used)
    } catch (error) {
      if (!isExpired(error, this.#cookies)) throw error
      return this.#send(method, path, fields, await this.#refreshed(used))
    }
  }

  async #usable(): Promise<Tokens> {
    const tokens = await this.#store.read()
    if (tokens === null) throw signedOut()
    if (tokens.expiresAt - Date.now() > TOO_SHORT) return tokens
    return (await this.#refreshed(tokens)) ?? tokens
  }

  /** Many calls that need a refresh at once share one, since a refresh token works a single time. */
  #refreshed(used: Tokens | null): Promise<Tokens | null> {
    this.#refreshing ??= alone(this.#url, () => this.#refresh(used)).finally(() => {
      this.#refreshing = null
    })
    return this.#refreshing
  }

  async #refresh(used: Tokens | null): Promise<Tokens | null> {
    const kept = await this.#store.read()
    // Another tab or call has been here.
    if (kept !== null && used !== null && kept.refreshToken !== used.refreshToken) return kept
    if (kept === null && !this.#cookies) throw signedOut()
    try {
      const fields: Fields = kept === null ? {} : { refresh_token: kept.refreshToken }
      const answer = await this.#send('POST', '/tokens/refresh', fields)
      const now = await this.#store.read()
      if (isSame(now, kept)) return await this.#keep(answer)
      // A logout has emptied it meanwhile, or somebody else has logged in: theirs stay.
      if (now === null) throw signedOut()
      return now
    } catch (error) {
      const ended = error instanceof BienvenueError && ENDED.has(error.code)
      if (ended && isSame(await this.#store.read(), kept)) await this.#store.write(null)
      throw error
    }
  }

  async #keep(answer: unknown): Promise<Tokens | null> {
    if (this.#cookies) return null
    const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds } = Object(answer)
    if (typeof accessToken !== 'string' || typeof refreshToken !== 'string' || typeof seconds !== 'number') {
      throw unreadable('tokens')
    }
    const tokens = { accessToken, refreshToken, expiresAt: Date.now() + seconds * 1_000 }
    await this.#store.write(tokens)
    return tokens
  }

  async #send(method: string, path: string, fields?: object, tokens: Tokens | null = null): Promise<unknown> {
    const headers: Fields = { accept: 'application/json' }
    if (fields !== undefined) headers['content-type'] = 'application/json'
    if (tokens !== null) headers.authorization = `Bearer ${tokens.accessToken}`
    const body = fields === undefined ? null : JSON.stringify(fields)
    const credentials = this.#cookies ? 'include' : 'omit'
    const sent = this.#fetch(this.#url + path, { method, headers, body, credentials })
    const answer = await sent.catch((cause: unknown) => {
      throw Object.assign(new BienvenueError(0, 'unreachable', 'the service cannot be reached'), { cause })
    })
    const text = await answer.text().catch(() => '')
    const read = parsed(text)
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

/** One after the other, over all tabs of a browser where it can be done. */
async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  const { locks }: Partial<typeof navigator> = globalThis.navigator ?? {}
  return locks === undefined ? work() : locks.request(`bienvenue ${name}`, work)
}

function isExpired(error: unknown, cookies: boolean): boolean {
  if (!(error instanceof BienvenueError)) return false
  return error.code === (cookies ? 'session_required' : 'token_invalid')
}

function isSame(one: Tokens | null, other: Tokens | null): boolean {
  return one?.refreshToken === other?.refreshToken
}

function signedOut(): BienvenueError {
  return new BienvenueError(0, 'signed_out', 'nobody is signed in: log in first')
}

function unreadable(what: string): BienvenueError {
  return new BienvenueError(200, 'unreadable', `the answer holds no ${what}`)
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
