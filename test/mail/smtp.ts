/**
 * A real mail server for a test, which takes mails over SMTP and keeps them as they came. A test says what it does with
 * each: take it, refuse it at one of the steps, hold it back until the test lets it go, or drop the line.
 */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server'
import { expect, onTestFinished, vi } from 'vitest'
import { temporaryFolder } from '../started.ts'

/** Longer than a mail takes on a slow machine, in milliseconds. */
export const PATIENCE = 20_000

/** A mail that was taken. */
export interface Received {
  readonly from: string
  readonly to: readonly string[]
  /** As it came, byte by byte. */
  readonly raw: Buffer
  /** Whether it came over TLS. */
  readonly secure: boolean
  /** Who had logged in; '' for nobody. */
  readonly user: string
}

export type Reply =
  | 'take'
  /** Says nothing any more after the whole mail has come, and ends the connection. */
  | 'drop'
  /** Refuses with these words, that begin with the code, at one of the steps. */
  | { readonly at: 'sender' | 'recipient' | 'data'; readonly words: string }
  /** Answers to the whole mail when this resolves, where there are words by refusing it with them. */
  | { readonly after: Promise<unknown>; readonly words?: string }

export interface TestSmtp {
  readonly port: number
  /** For SMTP_URL. */
  readonly url: string
  readonly received: Received[]
  /** The recipient of every try, whatever came of it. */
  readonly tries: string[]
  /** How many connections were opened. */
  connections: number
  /** What is done with a mail to somebody; the number says how often one to them was tried before. */
  reply: (to: string, before: number) => Reply
  /** What is told to whoever connects; nothing at all where this is false. */
  greets: boolean
  close(): Promise<void>
}

interface Kind {
  /** A fixed port, for a server that comes back. */
  port?: number
  tls?: { key: string; cert: string }
  /** TLS from the first byte. */
  secure?: boolean
  /** The only login that is taken; without one nobody has to log in. */
  login?: { user: string; password: string }
}

/** Starts a mail server on 127.0.0.1. It ends with the test. */
export async function startSmtp({ port = 0, tls, secure = false, login }: Kind = {}): Promise<TestSmtp> {
  const sockets = new Map<number, Socket>()
  const options: SMTPServerOptions = {
    ...{ secure, logger: false, disableReverseLookup: true, authOptional: login === undefined },
    ...{ allowInsecureAuth: true, closeTimeout: 1, socketTimeout: 120_000 },
    disabledCommands: [...(tls === undefined ? ['STARTTLS'] : []), ...(login === undefined ? ['AUTH'] : [])],
    ...(tls ?? {}),
    onConnect: (_session, done) => {
      smtp.connections += 1
      if (smtp.greets) done()
    },
    onAuth: ({ username = '', password = '' }, _session, done) => {
      if (username === login?.user && password === login.password) done(null, { user: username })
      else done(refusal(`535 5.7.8 ${username} is not known with this password`))
    },
    onMailFrom: (_address, _session, done) => done(refusedAt('sender', smtp.reply('', 0))),
    onRcptTo: ({ address }, _session, done) => {
      const before = smtp.tries.filter((to) => to === address).length
      smtp.tries.push(address)
      done(refusedAt('recipient', smtp.reply(address, before)))
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
      stream.once('end', () => void take(session, Buffer.concat(chunks)).then(done))
    },
  }
  const server = new SMTPServer(options)
  // A client that does not like the certificate says so and leaves.
  server.on('error', () => {})
  const smtp: TestSmtp = {
    ...{ port, url: '', received: [], tries: [], connections: 0, reply: () => 'take', greets: true },
    close: () => closeAll(server, sockets),
  }

  /** @returns why the whole mail is refused, or undefined where it is taken */
  async function take(session: SMTPServerSession, raw: Buffer): Promise<Error | undefined> {
    const { mailFrom, rcptTo } = session.envelope
    const to = rcptTo.map(({ address }) => address)
    const [first = ''] = to
    const reply = smtp.reply(first, smtp.tries.filter((one) => one === first).length - 1)
    const refused = refusedAt('data', reply)
    if (refused !== undefined) return refused
    if (reply === 'drop') {
      sockets.get(session.remotePort)?.destroy()
      return undefined
    }
    if (typeof reply === 'object' && 'after' in reply) {
      await reply.after
      if (reply.words !== undefined) return refusal(reply.words)
    }
    const from = mailFrom === false ? '' : mailFrom.address
    smtp.received.push({ from, to, raw, secure: session.secure, user: String(session.user ?? '') })
    return undefined
  }

  const listening = server.listen(port, '127.0.0.1')
  // What lies under TLS is not ours to destroy: Node itself would crash.
  if (tls === undefined) listening.on('connection', (socket) => sockets.set(socket.remotePort ?? 0, socket))
  await new Promise((resolve) => listening.once('listening', resolve))
  onTestFinished(() => smtp.close())
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new Error('the mail server has no port')
  const url = `${secure ? 'smtps' : 'smtp'}://127.0.0.1:${address.port}`
  return Object.assign(smtp, { port: address.port, url })
}

async function closeAll(server: SMTPServer, sockets: Map<number, Socket>): Promise<void> {
  for (const socket of sockets.values()) socket.destroy()
  sockets.clear()
  if (server.server.listening) await new Promise<void>((resolve) => server.close(() => resolve()))
}

function refusedAt(step: 'sender' | 'recipient' | 'data', reply: Reply): Error | undefined {
  return typeof reply === 'object' && 'at' in reply && reply.at === step ? refusal(reply.words) : undefined
}

function refusal(words: string): Error {
  return Object.assign(new Error(words.slice(4)), { responseCode: Number(words.slice(0, 3)) })
}

/** Something that a test lets go when it likes. */
export function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

/** @returns a certificate for `localhost` that nobody has signed but itself, and the file in which it is */
export function selfSigned(): { key: string; cert: string; file: string } {
  const folder = temporaryFolder()
  const [keyFile, file] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const named = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', keyFile, '-out', file]
  execFileSync('openssl', ['req', ...made, ...named], { stdio: 'ignore' })
  return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(file, 'utf8'), file }
}

/** Waits until so many mails have arrived. @returns them, in the order in which they did */
export async function arrivals({ received }: TestSmtp, count: number): Promise<readonly Received[]> {
  await vi.waitFor(() => expect(received.length).toBeGreaterThanOrEqual(count), { timeout: PATIENCE, interval: 10 })
  return received
}

/** @returns a mail as a mail program reads it */
export function read({ raw }: Pick<Received, 'raw'>): Promise<Email> {
  return PostalMime.parse(raw)
}

/** @returns the addresses in the plain text of a mail, in order */
export async function linksIn(mail: Pick<Received, 'raw'>): Promise<string[]> {
  const { text = '' } = await read(mail)
  return text.match(/https?:\/\/\S+/g) ?? []
}

/** @returns the `nth` mail to somebody with these words in its subject, once it has arrived */
export async function mailTo(smtp: TestSmtp, to: string, subject: string, nth = 1): Promise<Received> {
  return vi.waitFor(
    async () => {
      const found: Received[] = []
      for (const mail of smtp.received) {
        if (mail.to.includes(to) && (await read(mail)).subject?.includes(subject)) found.push(mail)
      }
      const mail = found[nth - 1]
      if (mail === undefined) throw new Error(`${found.length} mails to ${to} with ${subject}`)
      return mail
    },
    { timeout: PATIENCE, interval: 20 },
  )
}

/** Waits until so many messages were begun. */
export async function tried({ tries }: TestSmtp, count: number): Promise<void> {
  await vi.waitFor(() => expect(tries.length).toBe(count), { timeout: PATIENCE, interval: 10 })
}
