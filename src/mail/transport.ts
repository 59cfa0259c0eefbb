/** How a mail leaves: over SMTP to the operator's mail server, or as a file into a folder. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { SmtpServer } from '../settings/smtp.ts'
import type { Message } from './message.ts'

/** Milliseconds; what they bound together ends long before the lease of a claim. */
const CONNECT_LIMIT = 10_000
const SILENCE_LIMIT = 60_000
export const SEND_LIMIT = 90_000

/** Why a mail was not taken. */
export interface Refusal {
  readonly message: string
  /** Whether the same mail would be refused again, so that another try is of no use. */
  readonly permanent: boolean
  /** What went wrong, as a code of nodemailer or Node, and the reply of the server if it gave one. */
  readonly code: string
  readonly reply: string
}

export class NotSent extends Error implements Refusal {
  readonly permanent: boolean
  readonly code: string
  readonly reply: string

  constructor({ message, permanent, code, reply }: Refusal, options?: ErrorOptions) {
    super(message, options)
    this.name = 'NotSent'
    this.permanent = permanent
    this.code = code
    this.reply = reply
  }
}

/** @returns a failure of nodemailer or Node as what it says of the mail */
export function notSent(cause: unknown): NotSent {
  if (cause instanceof NotSent) return cause
  const { code, reply, permanent } = reasonsOf(cause)
  const message = `the mail was not taken: ${reply || (cause instanceof Error ? cause.message : String(cause))}`
  return new NotSent({ message, code, reply, permanent }, { cause })
}

export interface Transport {
  /**
   * @param signal gives the try up
   * @throws NotSent
   */
  send(message: Message, signal?: AbortSignal): Promise<void>
  /**
   * Does what `send` does, up to the mail server, and hands it nothing; whether that can be reached is not told.
   * @param reaches whether the mail server may be reached
   */
  pretend(message: Message, reaches: boolean, signal?: AbortSignal): Promise<void>
}

/** @returns a mail as it would go over the wire */
async function written(message: Message): Promise<Buffer | Readable> {
  const nodemailer = await mailer()
  const stream = nodemailer.createTransport({ streamTransport: true, buffer: true })
  return (await stream.sendMail(mailOf(message))).message
}

/**
 * A connection for each mail: what a broken one took along is never sent again by somebody else's doing.
 * TLS is demanded and its certificate checked (RFC 8314), but for a server on this machine or where the operator said `tls=none`.
 */
export function smtpTransport({ host, port, secure, plain, user, password }: SmtpServer): Transport {
  const options = {
    ...{ host, port, secure, requireTLS: !secure && !plain, ignoreTLS: plain },
    ...(user === '' ? {} : { auth: { user, pass: password }, forceAuth: true }),
    ...{ connectionTimeout: CONNECT_LIMIT, dnsTimeout: CONNECT_LIMIT, greetingTimeout: CONNECT_LIMIT },
    ...{ socketTimeout: SILENCE_LIMIT, disableFileAccess: true, disableUrlAccess: true },
  }
  const hand = async (mail: Mail, signal?: AbortSignal) => {
    const limit = AbortSignal.timeout(SEND_LIMIT)
    try {
      const nodemailer = await mailer()
      const ending = signal === undefined ? limit : AbortSignal.any([limit, signal])
      await nodemailer.createTransport(options).sendMail({ ...mail, signal: ending })
    } catch (error) {
      throw notSent(error)
    }
  }
  return {
    send: (message, signal) => hand(mailOf(message), signal),
    async pretend(message, reaches, signal) {
      await written(message)
      if (!reaches) return
      // That there is no recipient is noticed when the server has answered.
      await hand({ ...mailOf(message), envelope: { from: message.from.address, to: [] } }, signal).catch(() => {})
    },
  }
}

/** For development: what a mail program can open, and nobody else on this machine. */
export function folderTransport(folder: string): Transport {
  return {
    async send(message) {
      try {
        const raw = await written(message)
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await writeFile(join(folder, fileOf(message)), raw, { mode: 0o600 })
      } catch (error) {
        throw notSent(error)
      }
    },
    async pretend(message) {
      await written(message)
    },
  }
}

/** Loaded with the first mail, not with the service: it would make every start a fifth slower. */
async function mailer() {
  return (await import('nodemailer')).default
}

/** In the order in which they were written. */
function fileOf({ id, date }: Message): string {
  return `${new Date(date).toISOString().replace(/[:.]/g, '-')}-${id.slice(0, 8)}.eml`
}

type Mail = ReturnType<typeof mailOf> & { envelope?: { from: string; to: string[] } }

function mailOf({ id, from, to, date, subject, text, html }: Message) {
  const [, domain = 'localhost'] = from.address.split('@')
  return {
    ...{ from, to: { name: '', address: to }, subject, text, html, date: new Date(date) },
    // The same at every try, so that a mail that arrives twice after all is seen to be one.
    messageId: `<${id}@${domain}>`,
    // Answered by no machine (RFC 3834), and no mailing list that one could leave (RFC 2369).
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

function reasonsOf(cause: unknown): { code: string; reply: string; permanent: boolean } {
  if (!(cause instanceof Error)) return { code: 'unknown', reply: '', permanent: false }
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name
  const reply = 'response' in cause && typeof cause.response === 'string' ? cause.response : ''
  const command = 'command' in cause && typeof cause.command === 'string' ? cause.command : ''
  const final = 'permanent' in cause && cause.permanent === true
  // What is wrong with us, a login, a sender or a relay that is not allowed (RFC 3463 5.7, 5.1.7, 5.1.8), is no fault of the
  // letter and may be mended; many servers only say so at the recipient or after the message.
  const ours = code === 'EAUTH' || /^53[05]|\b5\.(?:7\.\d+|1\.[78])\b/.test(reply)
  const aboutTheLetter = /^(?:RCPT|DATA)/.test(command) && !ours
  return { code, reply, permanent: final && aboutTheLetter }
}
