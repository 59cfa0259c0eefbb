/** The process killed, or the mail server gone, between a letter's commit and its sending: the letter arrives all the same. */

import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test, vi } from 'vitest'
import { freePort } from '../../faults/ports.ts'
import { MAIL, PRODUCTION } from '../house.ts'
import { arrivals, linksIn, startSmtp } from '../mail/smtp.ts'
import { type Server, startServer, temporaryFolder } from '../started.ts'

const ADA = 'ada@lovelace.example'
const PATIENCE = 30_000

interface WaitingRow {
  claim: string
  due_at: number | null
  tries: number
}

async function register({ url }: Server): Promise<number> {
  const body = new URLSearchParams({ email: ADA, password: 'the long way round' })
  return (await fetch(`${url}/users`, { method: 'POST', body })).status
}

async function kill({ child }: Server): Promise<void> {
  child.signal('SIGKILL')
  expect(await child.ended).toBeNull()
}

function inDatabase<T>(folder: string, act: (database: Database.Database) => T): T {
  const database = new Database(join(folder, 'data', 'bienvenue.db'))
  try {
    return act(database)
  } finally {
    database.close()
  }
}

function waiting(folder: string): WaitingRow[] {
  return inDatabase(folder, (database) => database.prepare<[], WaitingRow>('SELECT * FROM outbox').all())
}

function waitFor(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: PATIENCE, interval: 20 })
}

test('a process killed while the mail server is down: the mail arrives when both are back', async () => {
  const folder = temporaryFolder()
  const port = await freePort()
  const env = { ...PRODUCTION, ...MAIL, SMTP_URL: `smtp://127.0.0.1:${port}` }
  const server = await startServer(env, folder)
  expect(await register(server)).toBe(200)
  await waitFor(() => expect(waiting(folder)).toEqual([expect.objectContaining({ tries: 1, claim: '' })]))
  await kill(server)
  const smtp = await startSmtp({ port })
  await startServer(env, folder)
  // It is due ten seconds of real time after the first try.
  const [mail] = await vi.waitFor(() => arrivals(smtp, 1), { timeout: PATIENCE })
  expect(mail?.to).toEqual([ADA])
  await waitFor(() => expect(waiting(folder)).toEqual([expect.objectContaining({ due_at: null, claim: '' })]))
  expect(smtp.received).toHaveLength(1)
}, 90_000)

test('a process killed in the midst of sending: another one sends the mail when the lease is over', async () => {
  const folder = temporaryFolder()
  const smtp = await startSmtp()
  // The mail server has it all, and never gets to say that it took it.
  smtp.reply = (_to, before) => (before === 0 ? { after: new Promise(() => {}) } : 'take')
  const env = { ...PRODUCTION, ...MAIL, SMTP_URL: smtp.url }
  const server = await startServer(env, folder)
  expect(await register(server)).toBe(200)
  await waitFor(() => expect(smtp.tries).toEqual([ADA]))
  await kill(server)
  expect(waiting(folder)).toEqual([
    expect.objectContaining({ tries: 0, claim: expect.stringMatching(/^[\da-f-]{36}$/) }),
  ])
  inDatabase(folder, (database) => database.exec('UPDATE outbox SET claimed_until = 1'))
  const again = await startServer(env, folder)
  const [mail] = await arrivals(smtp, 1)
  const [link = ''] = mail === undefined ? [] : await linksIn(mail)
  const token = new URLSearchParams(new URL(link).hash.slice(1)).get('t') ?? ''
  const body = new URLSearchParams({ verification_token: token })
  expect((await fetch(`${again.url}/email_verification`, { method: 'PUT', body })).status).toBe(200)
  expect(smtp.tries).toEqual([ADA, ADA])
}, 60_000)

test('a process stopped in an orderly way lets go what it is sending first', async () => {
  const folder = temporaryFolder()
  const smtp = await startSmtp()
  const { promise, resolve } = Promise.withResolvers<void>()
  smtp.reply = () => ({ after: promise })
  const server = await startServer({ ...PRODUCTION, ...MAIL, SMTP_URL: smtp.url }, folder)
  await register(server)
  await waitFor(() => expect(smtp.tries).toEqual([ADA]))
  server.child.signal('SIGTERM')
  await waitFor(() => expect(server.child.stdout).toContain('"stopping"'))
  resolve()
  expect(await server.child.ended).toBe(0)
  expect(smtp.received).toHaveLength(1)
  expect(waiting(folder)).toEqual([expect.objectContaining({ due_at: null, claim: '' })])
}, 60_000)
