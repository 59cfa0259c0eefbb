/** A flood of logins against a real server: those who are signed in do not wait for it, and it ends in an honest refusal. */

import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Server, startServer, temporaryFolder } from '../started.ts'
import { memoryOf, PROBE } from './probe.ts'

// On a busy machine a flood takes long; nothing here goes by the clock.
vi.setConfig({ testTimeout: 120_000 })

const EMAIL = 'ann@example.org'
const PASSWORD = 'nine lives of a grey cat'
const QUEUE = 60

interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** Calls on connections that are kept: a flood needs no new one for each request. */
class Caller {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1_000 })
  readonly #port: number

  constructor({ port }: Server) {
    this.#port = port
    onTestFinished(() => this.#agent.destroy())
  }

  send(method: string, path: string, body = '', headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const type = body === '' ? {} : { 'content-type': 'application/json' }
      const options = {
        host: '127.0.0.1',
        port: this.#port,
        agent: this.#agent,
        method,
        path,
        headers: { ...type, ...headers },
      }
      const sent = request(options, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part) => {
          text += String(part)
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }))
      })
      sent.on('error', reject).end(body)
    })
  }

  logIn(password: string, email = EMAIL): Promise<Answer> {
    return this.send('POST', '/sessions', JSON.stringify({ email, password }))
  }
}

async function flooded(env: Record<string, string> = {}) {
  const folder = temporaryFolder()
  const limits = { HASH_CONCURRENCY: '2', HASH_QUEUE: String(QUEUE), LOGIN_FAILURES_PER_ACCOUNT: '99' }
  const server = await startServer(
    { ...limits, LOG_LEVEL: 'warn', DATABASE_URL: `sqlite:${join(folder, 'a.db')}`, ...env },
    folder,
  )
  const caller = new Caller(server)
  expect((await caller.send('POST', '/users', JSON.stringify({ email: EMAIL, password: PASSWORD }))).status).toBe(200)
  const login = await caller.logIn(PASSWORD)
  expect(login.status).toBe(200)
  const [cookie = ''] = String(login.headers['set-cookie']).split(';')
  return { server, caller, profile: () => caller.send('GET', '/profile', '', { cookie }) }
}

/** Addresses that differ, so that no throttle stands before the queue. */
function flood(caller: Caller, count: number, round = 0): Promise<Answer>[] {
  return Array.from({ length: count }, (_, index) => caller.logIn('wrong', `stranger${round}-${index}@example.org`))
}

test('P-19: 200 session checks, one after the other, are answered while 50 logins at once are still being checked', async () => {
  const { caller, profile } = await flooded()
  let answered = 0
  const logins = flood(caller, 50).map(async (login) => {
    const { status } = await login
    answered += 1
    return status
  })
  // From here on the logins are under way: two are being hashed, the others wait in the queue.
  await Promise.race(logins)
  const before = answered
  for (let check = 0; check < 200; check += 1) expect((await profile()).status).toBe(200)
  expect(before).toBeLessThan(10)
  expect(answered).toBeLessThan(50)
  expect(await Promise.all(logins)).toEqual(Array(50).fill(401))
})

test('P-19: beyond the queue a login is refused at once with the time to wait, and after the flood all is well', async () => {
  const { caller, profile } = await flooded()
  const order: number[] = []
  const answers = await Promise.all(
    flood(caller, 200).map(async (login) => {
      const answer = await login
      order.push(answer.status)
      return answer
    }),
  )
  const refused = answers.filter(({ status }) => status === 503)
  expect(answers.filter(({ status }) => status === 401).length).toBeGreaterThanOrEqual(QUEUE + 2)
  expect(refused.length + answers.filter(({ status }) => status === 401).length).toBe(200)
  expect(refused.length).toBeGreaterThan(50)
  for (const { headers, body } of refused) {
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    expect(JSON.parse(body)).toMatchObject({ code: 'busy' })
    expect(headers['set-cookie']).toBeUndefined()
  }
  // The refusals did not wait for the hashes: they came before the last of the accepted ones.
  expect(order.lastIndexOf(503)).toBeLessThan(order.lastIndexOf(401))

  expect((await profile()).status).toBe(200)
  expect((await caller.logIn(PASSWORD)).status).toBe(200)
  expect((await caller.logIn('wrong')).status).toBe(401)
  const registration = JSON.stringify({ email: 'bob@example.org', password: PASSWORD })
  expect((await caller.send('POST', '/users', registration)).status).toBe(200)
})

test('P-19: 500 refused logins leave no memory behind', async () => {
  // In memory: on a file a thread would begin amid the flood, which is as large as what is allowed here.
  const env = { ...PROBE, HASH_QUEUE: '5', DATABASE_URL: 'sqlite::memory:' }
  const { server, caller, profile } = await flooded(env)
  // The first flood makes connections and compiled code, which stay.
  await Promise.all(flood(caller, 100))
  const before = await memoryOf(server)
  let refused = 0
  for (let round = 1; refused < 500; round += 1) {
    refused += (await Promise.all(flood(caller, 250, round))).filter(({ status }) => status === 503).length
  }
  // What a waiting login holds is small, and a refused one holds nothing: 32 MiB is room for the collector to be lazy.
  expect((await memoryOf(server)) - before).toBeLessThan(32 * 1024 * 1024)
  expect((await profile()).status).toBe(200)
})
