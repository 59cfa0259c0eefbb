/** Mail from end to end: started servers in production, a real mail server, and people who read what arrives. */

import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { migrations } from '../../src/app.ts'
import { DB } from '../../src/db.ts'
import { MAIL, PRODUCTION } from '../house.ts'
import { arrivals, linksIn, mailTo, type Received, read, selfSigned, startSmtp, type TestSmtp } from '../mail/smtp.ts'
import { type Server, startServer, temporaryFolder } from '../started.ts'

const ADA = 'ada@lovelace.example'
const PASSWORD = 'the long way round'
const FIRST = 'a shorter way home'
const SECOND = 'over the hills and far'

const UNLIMITED = {
  ...{ RESETS_PER_ACCOUNT: '0', RESETS_PER_NETWORK: '0', REGISTRATIONS_PER_NETWORK: '0', FAILURES_PER_NETWORK: '0' },
  MAILS_PER_ADDRESS: '0',
}
/** As an operator sets it, with accounts hidden. */
const SENDING = { ...PRODUCTION, MAIL_FROM: MAIL.MAIL_FROM }

/** Somebody with a browser's memory for cookies, who keeps every answer. */
class Person {
  readonly answers: string[] = []
  readonly #cookies = new Map<string, string>()
  readonly #server: Server

  constructor(server: Server) {
    this.#server = server
  }

  async send(method: string, path: string, fields: Record<string, string>): Promise<number> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { 'content-type': 'application/json', ...(cookie === '' ? {} : { cookie }) }
    const answer = await fetch(`${this.#server.url}${path}`, { method, headers, body: JSON.stringify(fields) })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(line) ?? []
      if (value === '') this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    this.answers.push(`${JSON.stringify([...answer.headers])} ${await answer.text()}`)
    return answer.status
  }

  logIn(password: string): Promise<number> {
    return this.send('POST', '/sessions', { email: ADA, password })
  }

  askForReset(email = ADA): Promise<number> {
    return this.send('POST', '/reset_password', { email })
  }

  reset(token: string, password: string): Promise<number> {
    return this.send('PUT', '/reset_password', { email: ADA, reset_token: token, new_password: password })
  }
}

/** @returns what stands behind `#t=` in the link of a mail */
async function tokenIn(mail: Received): Promise<string> {
  const [link = ''] = await linksIn(mail)
  return new URLSearchParams(new URL(link).hash.slice(1)).get('t') ?? ''
}

/** Users made past the service, without their mails. */
async function madeUsers(url: string, count: number): Promise<string[]> {
  const db = await DB.open(url, { migrations })
  const emails = Array.from({ length: count }, (_, n) => `reader${n}@example.net`)
  for (const email of emails) await db.addUser(email, '!')
  await db.close()
  return emails
}

function environment(smtp: Pick<TestSmtp, 'url'>, env: Record<string, string> = {}) {
  return { ...SENDING, SMTP_URL: smtp.url, ...env }
}

test('a person registers, confirms, logs in, and resets a forgotten password by link and by code', async () => {
  const smtp = await startSmtp()
  const server = await startServer(environment(smtp))
  const ada = new Person(server)
  expect(await ada.send('POST', '/users', { email: ADA, password: PASSWORD })).toBe(200)
  const welcome = await mailTo(smtp, ADA, 'Confirm your address')
  // Unconfirmed, and accounts are hidden.
  expect(await ada.logIn(PASSWORD)).toBe(401)
  expect(await ada.send('POST', '/email_verification', { email: ADA })).toBe(200)
  const again = await mailTo(smtp, ADA, 'Confirm your address', 2)
  const [former, latest] = [await tokenIn(welcome), await tokenIn(again)]
  expect(await ada.send('PUT', '/email_verification', { verification_token: former })).toBe(403)
  expect(await ada.send('PUT', '/email_verification', { verification_token: latest })).toBe(200)
  expect(await ada.logIn(PASSWORD)).toBe(200)

  expect(await ada.askForReset()).toBe(200)
  const token = await tokenIn(await mailTo(smtp, ADA, 'Choose a new password'))
  // On another device, as whoever reads mail on a phone.
  expect(await new Person(server).reset(token, FIRST)).toBe(200)
  expect(await ada.logIn(FIRST)).toBe(200)
  await mailTo(smtp, ADA, 'was changed')

  expect(await ada.askForReset()).toBe(200)
  const byCode = await mailTo(smtp, ADA, 'Choose a new password', 2)
  const { text = '' } = await read(byCode)
  const [, code = ''] = /^(\d{4} \d{4})$/m.exec(text) ?? []
  const thief = new Person(server)
  expect(await thief.reset(code, SECOND)).toBe(403)
  expect(await ada.reset(code, SECOND)).toBe(200)
  expect(await ada.logIn(SECOND)).toBe(200)

  for (const secret of [former, latest, token, await tokenIn(byCode), code, code.replace(' ', '')]) {
    expect(secret.length).toBeGreaterThan(7)
    for (const answer of [...ada.answers, ...thief.answers]) expect(answer).not.toContain(secret)
    expect(server.child.stdout).not.toContain(secret)
  }
  expect(server.child.stdout).not.toContain(ADA)
  expect(server.child.stdout).toContain('"mail sent"')
}, 60_000)

test('a mail server whose authority NODE_EXTRA_CA_CERTS names is trusted', async () => {
  const tls = selfSigned()
  const smtp = await startSmtp({ tls, secure: true })
  const env = { ...SENDING, SMTP_URL: `smtps://localhost:${smtp.port}`, NODE_EXTRA_CA_CERTS: tls.file }
  const ada = new Person(await startServer(env))
  expect(await ada.send('POST', '/users', { email: ADA, password: PASSWORD })).toBe(200)
  expect((await arrivals(smtp, 1)).map(({ secure }) => secure)).toEqual([true])
})

test('two processes on one database send each of 200 letters exactly once', async () => {
  const smtp = await startSmtp()
  const url = `sqlite:${join(temporaryFolder(), 'bienvenue.db')}`
  const emails = await madeUsers(url, 200)
  const env = environment(smtp, { ...UNLIMITED, DATABASE_URL: url })
  const servers = await Promise.all([startServer(env), startServer(env)])
  const asking = emails.map((email, n) => {
    const server = servers[n % servers.length]
    if (server === undefined) throw new Error('there is no server')
    return new Person(server).askForReset(email)
  })
  expect(new Set(await Promise.all(asking))).toEqual(new Set([200]))
  await arrivals(smtp, 200)
  for (const { child } of servers) {
    child.signal('SIGTERM')
    expect(await child.ended).toBe(0)
  }
  const to = smtp.received.flatMap((mail) => mail.to)
  expect([to.length, new Set(to).size]).toEqual([200, 200])
  expect([...to].sort()).toEqual([...emails].sort())
  // Both had their part in it.
  for (const { child } of servers) expect(child.stdout).toContain('"mail sent"')
}, 90_000)

test('no request waits for the mail server: with a silent one it is answered as fast as with a good one', async () => {
  const [good, silent] = [await startSmtp(), await startSmtp()]
  silent.greets = false
  const times: number[][] = [[], []]
  const servers: Server[] = []
  for (const smtp of [good, silent]) {
    const url = `sqlite:${join(temporaryFolder(), 'bienvenue.db')}`
    await madeUsers(url, 40)
    servers.push(await startServer(environment(smtp, { ...UNLIMITED, DATABASE_URL: url })))
  }
  for (let n = 0; n < 40; n += 1) {
    for (const [which, server] of servers.entries()) {
      const begun = performance.now()
      expect(await new Person(server).askForReset(`reader${n}@example.net`)).toBe(200)
      times[which]?.push(performance.now() - begun)
    }
  }
  const [usual = 0, waiting = 0] = times.map((taken) => taken.toSorted((a, b) => a - b)[20])
  // One that waited would take the ten seconds of a greeting that never comes.
  expect(waiting).toBeLessThan(usual * 3 + 100)
  await arrivals(good, 40)
  // Each looks for letters at moments of its own.
  await vi.waitFor(() => expect(silent.connections).toBe(5), { timeout: 10_000 })
}, 60_000)
