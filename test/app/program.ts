/** A program that calls an app by injection: it logs in for tokens and keeps them, and has no cookies. */

import type { FastifyInstance } from 'fastify'
import { form, type House } from '../house.ts'
import { type Answer, BOB, Client, PASSWORD, textOf } from './client.ts'

type Fields = Record<string, string>

export class Program {
  accessToken = ''
  refreshToken = ''
  readonly #app: FastifyInstance

  constructor({ app }: Pick<House, 'app'>) {
    this.#app = app
  }

  /** Sends fields as JSON, with the access token if there is one. */
  send(method: string, url: string, fields?: Fields, headers: Fields = {}): Promise<Answer> {
    const authorization: Fields = this.accessToken === '' ? {} : { authorization: `Bearer ${this.accessToken}` }
    const body = fields === undefined ? {} : { payload: fields }
    return this.#app.inject({ method, url, ...body, headers: { ...authorization, ...headers } })
  }

  async logIn(email = BOB, password = PASSWORD): Promise<Answer> {
    return this.keep(await this.#app.inject({ method: 'POST', url: '/tokens', ...form({ email, password }) }))
  }

  async refresh(refresh_token = this.refreshToken): Promise<Answer> {
    return this.keep(await this.#app.inject({ method: 'POST', url: '/tokens/refresh', payload: { refresh_token } }))
  }

  profile(): Promise<Answer> {
    return this.send('GET', '/profile')
  }

  /** The id of its session, which may be shown. */
  get sessionId(): string {
    return this.refreshToken.slice(0, 36)
  }

  /** Takes the tokens out of an answer, if it has any. */
  keep(answer: Answer): Answer {
    if (answer.statusCode !== 200) return answer
    this.accessToken = textOf(answer, 'access_token')
    this.refreshToken = textOf(answer, 'refresh_token')
    return answer
  }

  /** @returns another one with the same tokens: a thief, or a second tab */
  copy(): Program {
    const copy = new Program({ app: this.#app })
    copy.accessToken = this.accessToken
    copy.refreshToken = this.refreshToken
    return copy
  }
}

/** @returns a program of somebody who has registered, logged in */
export async function programOf(house: House, email = BOB, password = PASSWORD): Promise<Program> {
  await new Client(house.app).register(email, password)
  const program = new Program(house)
  await program.logIn(email, password)
  if (program.accessToken === '') throw new Error(`${email} got no tokens`)
  return program
}
