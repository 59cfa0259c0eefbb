/** Three processes on one PostgreSQL, and a client that asks each in turn: together they are one service. */

import { expect, onTestFinished, test, vi } from 'vitest'
import { PRODUCTION } from '../house.ts'
import { asAdministrator, emptyDatabase } from '../postgres/databases.ts'
import { type Env, type Server, startServer, temporaryFolder } from '../started.ts'

const PATIENCE = { timeout: 20_000, interval: 20 }
const EMAIL = 'bob@example.org'
const PASSWORD = 'a long way to go'

/** Where a process keeps what is its own: each has its own folder, as on machines of their own. */
async function startThree(url: string, env: Env): Promise<Server[]> {
  return Promise.all([1, 2, 3].map(() => startServer({ DATABASE_URL: url, ...env }, temporaryFolder())))
}

class RoundRobin {
  cookie = ''
  readonly #servers: readonly Server[]
  #next = 0

  constructor(servers: readonly Server[]) {
    this.#servers = servers
  }

  async send(method: string, path: string, fields?: Record<string, string>): Promise<Response> {
    const { url = '' } = this.#servers[this.#next % this.#servers.length] ?? {}
    this.#next += 1
    const body = fields === undefined ? null : new URLSearchParams(fields)
    const answer = await fetch(`${url}${path}`, { method, body, headers: { cookie: this.cookie }, redirect: 'manual' })
    const set = answer.headers.getSetCookie().find((line) => /^(?:__Host-)?session_id=/.test(line))
    if (set !== undefined) this.cookie = set.split(';', 1).join()
    return answer
  }
}

test('three processes are one service: sessions, throttling and mail are shared', async () => {
  const url = await emptyDatabase()
  const mails = await mailServer()
  const servers = await startThree(url, {
    ...PRODUCTION,
    ...{ PUBLIC_URL: 'http://localhost', INSECURE_HTTP: 'true', PORT: '0', MAIL_FROM: 'no-reply@example.org' },
    ...{ SMTP_URL: mails.url, HIDE_ACCOUNTS: 'false', REQUIRE_CONFIRMED_EMAIL: 'false' },
    // All but the one of failed logins, which waits for minutes.
    NOTICES: 'password_changed,email_changed,new_device,account_deleted',
  })
  const client = new RoundRobin(servers)
  const statuses: [string, number][] = []
  const step = async (method: string, path: string, fields?: Record<string, string>) => {
    const { status } = await client.send(method, path, fields)
    statuses.push([`${method} ${path}`, status])
  }
  await step('POST', '/users', { email: EMAIL, password: PASSWORD })
  await step('POST', '/sessions', { email: EMAIL, password: PASSWORD })
  for (let round = 0; round < 3; round += 1) await step('GET', '/profile')
  await step('GET', '/sessions')
  const { cookie } = client
  await step('DELETE', '/sessions')
  client.cookie = cookie
  for (let round = 0; round < 3; round += 1) await step('GET', '/profile')
  expect(statuses).toEqual([
    ...[
      ['POST /users', 200],
      ['POST /sessions', 200],
    ],
    ...[
      ['GET /profile', 200],
      ['GET /profile', 200],
      ['GET /profile', 200],
      ['GET /sessions', 200],
    ],
    ...[
      ['DELETE /sessions', 302],
      ['GET /profile', 403],
      ['GET /profile', 403],
      ['GET /profile', 403],
    ],
  ])

  // Each process alone would allow ten.
  client.cookie = ''
  const guesses: number[] = []
  for (let n = 0; n < 15; n += 1) {
    guesses.push((await client.send('POST', '/sessions', { email: EMAIL, password: `wrong ${n}` })).status)
  }
  expect(guesses).toEqual([...Array(10).fill(401), ...Array(5).fill(429)])

  // Every process is told of what waits, and one of them sends it.
  await vi.waitFor(async () => {
    const [row] = await asAdministrator('SELECT COUNT(*) AS count FROM outbox WHERE due_at IS NOT NULL', url)
    expect(row).toEqual({ count: '0' })
  }, PATIENCE)
  const [{ count } = { count: 0 }] = await asAdministrator('SELECT COUNT(*) AS count FROM outbox', url)
  expect(mails.received.length).toBe(Number(count))
  expect(mails.received.length).toBeGreaterThan(0)
}, 60_000)

/** A mail server that counts what it is handed. */
async function mailServer(): Promise<{ url: string; received: string[] }> {
  const { SMTPServer } = await import('smtp-server')
  const received: string[] = []
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData(stream, _session, done) {
      let text = ''
      stream.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      stream.on('end', () => {
        received.push(text)
        done()
      })
    },
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const address = server.server.address()
  if (address === null || typeof address === 'string') throw new Error('the mail server has no port')
  return { url: `smtp://127.0.0.1:${address.port}`, received }
}
