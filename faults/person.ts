/**
 * One person of the load: what they were told that is so, and what the service must therefore still know afterwards. An
 * answer that never came, or said that it could not be done, leaves open whether it was done; only that may be either way.
 */

import { randomUUID } from 'node:crypto'
import { type Answer, Browser, type Target } from './browser.ts'

/** The name of the session cookie differs between the profiles. */
const SESSION = /^(?:__Host-)?session_id=./
/** More sessions of one person than these are not kept open. */
const MOST_SESSIONS = 5

/** What a step is chosen by: of a hundred, so many are of each kind; the rest look at their profile. */
export interface Habits {
  readonly logOut: number
  readonly changePassword: number
  /** Only where the service answers the token itself, as in development. */
  readonly reset: number
  readonly logIn: number
}

export const BUSY: Habits = { logOut: 15, changePassword: 15, reset: 15, logIn: 15 }

/** What is told to whoever counts. */
export interface Witness {
  /** Of every request, with whether it was answered as the person expected. */
  saw(asked: string, answer: Answer, asExpected: boolean): void
}

export class Person {
  readonly email = `${randomUUID()}@example.org`
  /** Acknowledged of this person so far: registrations, new passwords, resets, logins and logouts. */
  acknowledged = 0
  /** Those that may be the password: two while it is open whether a change was made. */
  #passwords: string[] = [`first ${randomUUID()}`]
  #registered: 'no' | 'perhaps' | 'yes' = 'no'
  readonly #live = new Set<string>()
  readonly #ended = new Set<string>()
  readonly #witness: Witness
  readonly #browser: (target: Target) => Browser
  #at: { target: Target; browser: Browser } | undefined

  /** @param address from which this person asks */
  constructor(witness: Witness, address?: string) {
    this.#witness = witness
    this.#browser = (target) => new Browser(target, address)
  }

  /** Does one thing, by chance. */
  async act(target: Target, habits: Habits = BUSY): Promise<void> {
    if (this.#registered !== 'yes') return this.#register(target)
    const cookie = [...this.#live].at(-1)
    if (cookie === undefined || this.#passwords.length > 1) return this.#logIn(target)
    let chance = Math.random() * 100
    const falls = (share: number) => {
      chance -= share
      return chance < 0
    }
    if (falls(habits.logOut)) return this.#logOut(target, cookie)
    if (falls(habits.changePassword)) return this.#changePassword(target, cookie)
    if (falls(habits.reset)) return this.#reset(target)
    if (falls(habits.logIn) && this.#live.size < MOST_SESSIONS) return this.#logIn(target)
    return this.#look(target, cookie)
  }

  /** Looks whether all that was acknowledged is so. @returns what is not, in words */
  async verify(target: Target): Promise<string[]> {
    if (this.#registered === 'perhaps') await this.#register(target)
    if (this.#registered !== 'yes') return []
    const wrong: string[] = []
    const say = (what: string) => void wrong.push(`${this.email}: ${what}`)
    for (const cookie of this.#live) if ((await this.#profile(target, cookie)) !== 200) say('a session is lost')
    for (const cookie of this.#ended)
      if ((await this.#profile(target, cookie)) !== 403) say('a session that had ended lives')
    const good: string[] = []
    for (const password of this.#passwords) if (await this.#opens(target, password)) good.push(password)
    if (good.length !== 1) say(`${good.length} of ${this.#passwords.length} passwords log in`)
    this.#passwords = good
    return wrong
  }

  close(): void {
    this.#at?.browser.close()
  }

  async #register(target: Target): Promise<void> {
    const [password = ''] = this.#passwords
    const before = this.#registered
    const expected = before === 'no' ? [200] : [200, 400]
    const status = await this.#ask(target, 'POST /users', expected, '', { email: this.email, password })
    this.#registered = status === 200 || (status === 400 && before === 'perhaps') ? 'yes' : 'perhaps'
    if (this.#registered === 'yes') this.acknowledged += 1
  }

  async #logIn(target: Target): Promise<void> {
    const tried = this.#passwords
    for (const password of tried) {
      const answer = await this.#send(target, 'POST /sessions', tried.length > 1 ? [200, 401] : [200], '', {
        ...{ email: this.email, password },
      })
      if (answer.status === 401 && tried.length > 1) this.#passwords = this.#passwords.filter((one) => one !== password)
      if (answer.status !== 200) continue
      this.#passwords = [password]
      this.#open(answer)
      return
    }
    if (this.#passwords.length === 0) this.#passwords = tried
  }

  async #look(target: Target, cookie: string): Promise<void> {
    await this.#ask(target, 'GET /profile', [200], cookie)
  }

  async #logOut(target: Target, cookie: string): Promise<void> {
    this.#live.delete(cookie)
    if ((await this.#ask(target, 'DELETE /sessions', [302], cookie)) !== 302) return
    this.acknowledged += 1
    this.#ended.add(cookie)
  }

  async #changePassword(target: Target, cookie: string): Promise<void> {
    const [old = ''] = this.#passwords
    const password = `changed ${randomUUID()}`
    const answer = await this.#renew(password, () =>
      this.#send(target, 'PATCH /users/me', [200], cookie, { password, current_password: old }),
    )
    if (answer.status === 200) this.#open(answer)
  }

  async #reset(target: Target): Promise<void> {
    const asked = await this.#send(target, 'POST /reset_password', [200], '', { email: this.email })
    const token = asked.status === 200 ? textOf(asked.body, 'reset_token') : ''
    if (token === '') return
    const password = `reset ${randomUUID()}`
    await this.#renew(password, () =>
      this.#send(target, 'PUT /reset_password', [200], '', {
        ...{ email: this.email, reset_token: token, new_password: password },
      }),
    )
  }

  /** A new password ends every session; while it is open whether it was taken, nothing is known of either. */
  async #renew(password: string, change: () => Promise<Answer>): Promise<Answer> {
    const sessions = [...this.#live]
    this.#live.clear()
    const answer = await change()
    if (answer.status === 200) {
      this.#passwords = [password]
      this.acknowledged += 1
      for (const cookie of sessions) this.#ended.add(cookie)
    } else this.#passwords = [...this.#passwords, password]
    return answer
  }

  #open({ cookies }: Answer): void {
    const cookie = cookies.find((one) => SESSION.test(one))
    if (cookie === undefined) return
    this.acknowledged += 1
    this.#live.add(cookie)
  }

  async #profile(target: Target, cookie: string): Promise<number> {
    return this.#ask(target, 'GET /profile', [200, 403], cookie)
  }

  /** Logs in, and out again, so that a look leaves nothing behind. */
  async #opens(target: Target, password: string): Promise<boolean> {
    const answer = await this.#send(target, 'POST /sessions', [200, 401], '', { email: this.email, password })
    const cookie = answer.cookies.find((one) => SESSION.test(one))
    if (answer.status !== 200 || cookie === undefined) return false
    await this.#ask(target, 'DELETE /sessions', [302], cookie)
    return true
  }

  async #ask(target: Target, what: string, expected: number[], cookie: string, fields?: Record<string, string>) {
    return (await this.#send(target, what, expected, cookie, fields)).status
  }

  async #send(target: Target, what: string, expected: number[], cookie: string, fields?: Record<string, string>) {
    if (this.#at?.target !== target) {
      this.close()
      this.#at = { target, browser: this.#browser(target) }
    }
    const [method = '', path = ''] = what.split(' ')
    const answer = await this.#at.browser.send(method, path, {
      headers: cookie === '' ? {} : { cookie },
      ...(fields === undefined ? {} : { fields }),
    })
    this.#witness.saw(what, answer, expected.includes(answer.status))
    return answer
  }
}

function textOf(body: string, field: string): string {
  const read: unknown = JSON.parse(body)
  if (typeof read !== 'object' || read === null) return ''
  const [, value] = Object.entries(read).find(([name]) => name === field) ?? []
  return typeof value === 'string' ? value : ''
}
