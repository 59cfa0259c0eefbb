/**
 * The end-to-end script: drives a running server over HTTP through the whole life of an account, as any client would.
 *
 *     npm run e2e [-- http://localhost:5000]
 *
 * One line a step, every answer compared whole; the first difference is shown and ends the run with exit code 1. Each run
 * registers an address of its own, so it can run again and again. A server that sends its tokens by mail only, as production
 * does, is tested as far as that goes, and the script says what it leaves out.
 */

import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'

/** What a client sees of an answer. */
interface Answer {
  status: number
  body: unknown
  /** Where a redirect leads. */
  location: string | null
  /** What the answer did to the session cookie. */
  cookie: 'set' | 'cleared' | 'untouched'
}

type Expected = Pick<Answer, 'status' | 'body'> & Partial<Answer>

const server = process.argv[2] ?? 'http://localhost:5000'
const email = `e2e-${randomUUID()}@example.org`
const password = `first ${randomUUID()}`
const newPassword = `second ${randomUUID()}`

const WELCOME: Expected = { status: 200, body: { message: 'Bienvenue' } }
const REGISTERED: Expected = { status: 200, body: { email, message: 'user created' } }
const TAKEN: Expected = { status: 400, body: { message: 'email already registered' } }
const LOGGED_IN: Expected = { status: 200, body: { email, message: 'logged in' }, cookie: 'set' }
const PROFILE: Expected = { status: 200, body: { email } }
const LOGGED_OUT: Expected = { status: 302, body: '', location: '/', cookie: 'cleared' }
const UPDATED: Expected = { status: 200, body: { email, message: 'Password updated' } }
const WRONG_LOGIN = refusal(401, 'credentials_invalid', 'wrong email or password')
const NO_SESSION = refusal(403, 'session_required', 'no valid session: log in first')
const NOT_CONFIRMED = refusal(
  403,
  'email_unconfirmed',
  'this address is not confirmed yet: open the link in the mail that was sent to it',
)
const NEW_TOKENS: Expected = {
  status: 200,
  body: { access_token: 'new', token_type: 'Bearer', expires_in: 'some', refresh_token: 'new' },
}
const REVOKED: Expected = { status: 200, body: { message: 'tokens revoked' } }
const TOKEN_REFUSED = refusal(401, 'token_invalid', 'this access token is not valid')
const RESET_REFUSED = refusal(403, 'reset_refused', 'this reset token is not valid for this email')

type Fields = Readonly<Record<string, string>>

/** A client with a cookie jar of its own. */
class Device {
  #cookie = ''

  /** @returns a device that keeps today's cookie, whatever becomes of this one's */
  copy(): Device {
    const copy = new Device()
    copy.#cookie = this.#cookie
    return copy
  }

  async send(method: string, path: string, fields?: Fields): Promise<Answer> {
    const response = await request(method, path, { cookie: this.#cookie }, fields)
    const body = asJson(await response.text().catch(noAnswer))
    return { status: response.status, body, location: response.headers.get('location'), cookie: this.#keep(response) }
  }

  /** Takes the cookie under whatever name this server gives it: production has another one than development. */
  #keep(response: Response): Answer['cookie'] {
    for (const line of response.headers.getSetCookie()) {
      const [pair, value] = /^(?:__Host-)?session_id=([^;]*)/.exec(line) ?? []
      if (pair === undefined) continue
      this.#cookie = value === '' ? '' : pair
      return value === '' ? 'cleared' : 'set'
    }
    return 'untouched'
  }
}

/** A client that keeps tokens in the place of a cookie. */
class Program {
  accessToken = ''
  refreshToken = ''

  /** @returns the answer with `new` in the place of every token that is unlike the one before, to be compared whole */
  async send(method: string, path: string, fields?: Fields): Promise<Answer> {
    const authorization: Record<string, string> =
      fields === undefined ? { authorization: `Bearer ${this.accessToken}` } : {}
    const response = await request(method, path, authorization, fields)
    const body = asJson(await response.text().catch(noAnswer), (name, value) => this.#keep(name, value))
    return { status: response.status, body, location: response.headers.get('location'), cookie: 'untouched' }
  }

  #keep(name: string, value: unknown): unknown {
    if (name === 'expires_in') return Number(value) > 0 ? 'some' : value
    if (name === 'access_token') {
      const before = this.accessToken
      this.accessToken = String(value)
      return this.accessToken === before ? value : 'new'
    }
    if (name !== 'refresh_token') return value
    const before = this.refreshToken
    this.refreshToken = String(value)
    return this.refreshToken === before ? value : 'new'
  }
}

const [laptop, phone, program] = [new Device(), new Device(), new Program()]

const register = () => laptop.send('POST', '/users', { email, password })
const logIn = (device: Device, secret: string) => device.send('POST', '/sessions', { email, password: secret })
const profile = (client: Device | Program) => client.send('GET', '/profile')
const refresh = (token: string) => program.send('POST', '/tokens/refresh', { refresh_token: token })
const updatePassword = (token: string) =>
  new Device().send('PUT', '/reset_password', { email, reset_token: token, new_password: newPassword })

async function journey(): Promise<string> {
  await step('welcome', laptop.send('GET', '/'), WELCOME)
  await step('register', register(), REGISTERED)
  const again = await register()
  const hidden = again.status === 200
  if (hidden) await step('the same address again is answered like the first time', again, REGISTERED)
  else await step('the same address again is refused', again, TAKEN)
  await step('a wrong password is refused', logIn(laptop, newPassword), WRONG_LOGIN)
  await step('no profile without a session', profile(laptop), NO_SESSION)
  const first = await logIn(laptop, password)
  // Where accounts are hidden it is answered like a wrong password.
  const unconfirmed = hidden ? WRONG_LOGIN : NOT_CONFIRMED
  if (first.status === unconfirmed.status) return withoutConfirmation(first, unconfirmed)
  await step('log in', first, LOGGED_IN)
  await step('profile', profile(laptop), PROFILE)
  await step('a second device logs in', logIn(phone, password), LOGGED_IN)
  const beforeLogout = laptop.copy()
  await step('log out', laptop.send('DELETE', '/sessions'), LOGGED_OUT)
  await step('the cookie of before is worth nothing', profile(beforeLogout), NO_SESSION)
  await step('the other device stays in', profile(phone), PROFILE)
  await withTokens()

  const asked = await new Device().send('POST', '/reset_password', { email })
  const token = resetToken(asked.body)
  return token === undefined ? withoutMailbox(asked) : withResetToken(token, asked)
}

async function withTokens(): Promise<void> {
  await step('a program logs in for tokens', program.send('POST', '/tokens', { email, password }), NEW_TOKENS)
  await step('profile with the access token', profile(program), PROFILE)
  const spent = program.refreshToken
  await step('refresh the tokens', refresh(spent), NEW_TOKENS)
  await step('profile with the new access token', profile(program), PROFILE)
  await step('give the tokens back', program.send('DELETE', '/tokens'), REVOKED)
  await step('the access token of before is worth nothing', profile(program), TOKEN_REFUSED)
}

async function withResetToken(token: string, asked: Answer): Promise<string> {
  await step('reset token', asked, { status: 200, body: { email, reset_token: token } })
  await step('the old password is good until the token is used', logIn(laptop, password), LOGGED_IN)
  await step('update the password', updatePassword(token), UPDATED)
  await step('the session of the laptop is dead', profile(laptop), NO_SESSION)
  await step('the session of the phone is dead', profile(phone), NO_SESSION)
  await step('the token cannot be used again', updatePassword(token), RESET_REFUSED)
  await step('log in with the new password', logIn(laptop, newPassword), LOGGED_IN)
  await step('the old password is refused', logIn(phone, password), WRONG_LOGIN)
  return 'All is well.'
}

/** What can be said where nobody gets in before a mailed link was followed. */
async function withoutConfirmation(first: Answer, refused: Expected): Promise<string> {
  await step('nobody gets in before the address is confirmed', first, refused)
  return `All is well, as far as it can be seen from here: this server wants an address confirmed by mail first, and the script
has no mailbox. Not tested: everything from the first login on.`
}

/** What can be said of the reset where its token goes out by mail. */
async function withoutMailbox(asked: Answer): Promise<string> {
  const unknown = new Device().send('POST', '/reset_password', { email: `nobody-${email}` })
  await step('asking for a reset tells nobody who has an account', unknown, { status: 200, body: asked.body })
  await step('a made-up token is refused', updatePassword(`${randomUUID()}.${'x'.repeat(43)}`), RESET_REFUSED)
  await step('the password is still good', logIn(laptop, password), LOGGED_IN)
  await step('the other device is still in', profile(phone), PROFILE)
  return `All is well, as far as it can be seen from here: this server sends the reset token by mail, and the script has no
mailbox. Not tested: update the password, the end of the old sessions, the token used again, log in with the new password.`
}

class Failure extends Error {}

async function step(title: string, pending: Answer | Promise<Answer>, expected: Expected): Promise<void> {
  const got = await pending
  const whole: Answer = { location: null, cookie: 'untouched', ...expected }
  if (!isDeepStrictEqual(got, whole)) {
    throw new Failure(`  ✗ ${title}\n\n      expected  ${shown(whole)}\n      got       ${shown(got)}\n`)
  }
  console.log(`  ✓ ${title}`)
}

function shown({ status, body, location, cookie }: Answer): string {
  const redirect = location === null ? '' : `, Location: ${location}`
  return `${status} ${JSON.stringify(body).slice(0, 500)}${redirect}, session cookie ${cookie}`
}

function refusal(status: number, code: string, message: string): Expected {
  return { status, body: { message, code } }
}

/** @param revive as `JSON.parse` takes it @returns the text itself where it is no JSON */
function asJson(text: string, revive?: (name: string, value: unknown) => unknown): unknown {
  try {
    return JSON.parse(text, revive)
  } catch {
    return text
  }
}

function request(method: string, path: string, headers: Fields, fields?: Fields): Promise<Response> {
  return fetch(new URL(path, server), {
    method,
    headers,
    body: fields === undefined ? null : new URLSearchParams(fields),
    redirect: 'manual',
    signal: AbortSignal.timeout(30_000),
  }).catch(noAnswer)
}

function resetToken(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('reset_token' in body)) return undefined
  return typeof body.reset_token === 'string' ? body.reset_token : undefined
}

function noAnswer(error: Error): never {
  const { message } = error.cause instanceof Error && error.cause.message !== '' ? error.cause : error
  throw new Failure(`No server answers at ${server} (${message.split('\n', 1)}).
Start one with \`npm start\`, or name another address: npm run e2e -- http://localhost:5000`)
}

try {
  if (!URL.canParse(server)) throw new Failure(`${server} is no address. One looks like http://localhost:5000`)
  console.log(`Bienvenue at ${server}\n`)
  console.log(`\n${await journey()}`)
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(error.message)
  process.exitCode = 1
}
