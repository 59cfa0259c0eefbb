/** Sends a test message and explains what is wrong in words, with the setting to change. */

import { openSite } from '../pages/site.ts'
import { makeId } from '../security/credential.ts'
import type { SmtpServer } from '../settings/smtp.ts'
import type { Settings } from '../settings.ts'
import { checkEmail } from '../user.ts'
import { compose } from './compose.ts'
import { NotSent, type Transport } from './transport.ts'

/** What was found, as lines to read. */
export interface Finding {
  well: boolean
  lines: readonly string[]
}

/**
 * @param to one address that the reader can look at
 * @param transportTo makes a transport to the server that the settings name
 * @throws AuthError `email_invalid`
 */
export async function examineMail(
  settings: Settings,
  to: string,
  transportTo: (smtp: SmtpServer) => Transport,
): Promise<Finding> {
  const address = checkEmail(to)
  const { smtp, mailFrom, publicUrl } = settings
  if (smtp === undefined) {
    return {
      well: false,
      lines: ['SMTP_URL is not set, so no mail leaves. Set it, and MAIL_FROM, as docs/mail.md shows.'],
    }
  }
  const letter = { kind: 'test', to: address, language: undefined, lasts: 0, values: {} } as const
  const message = compose(openSite(settings), publicUrl, { id: makeId(), createdAt: Date.now() }, letter)
  const how = smtp.secure ? 'TLS' : smtp.plain ? 'no TLS' : 'STARTTLS'
  const tried = `Sent to ${address} as ${mailFrom.address}, through ${smtp.host}:${smtp.port} with ${how}${smtp.user === '' ? '' : ` as ${smtp.user}`}`
  try {
    await transportTo(smtp).send(message)
    const next =
      'If it does not arrive, look among the unwanted mail, and at the SPF, DKIM and DMARC records of the domain.'
    return { well: true, lines: [`${tried}: the server took it.`, next] }
  } catch (error) {
    if (!(error instanceof NotSent)) throw error
    return {
      well: false,
      lines: [`${tried}: it was not taken.`, ...said(error), explained(error, smtp, mailFrom.address)].map(harmless),
    }
  }
}

function said({ reply }: NotSent): string[] {
  return reply === '' ? [] : [`The server said: ${reply.trim()}`]
}

/** What a mail server says goes to a terminal, which obeys control characters. */
function harmless(line: string): string {
  return line.replace(/\p{Cc}+/gu, ' ')
}

interface Failure {
  /** Codes of nodemailer and of the system, the words of the failure and the reply, as one text. */
  words: string
  error: NotSent
  smtp: SmtpServer
  from: string
}

/** What each failure means and what to do; the first that fits is said. */
const EXPLANATIONS: readonly [(failure: Failure) => boolean, (failure: Failure) => string][] = [
  [
    ({ words }) => /ENOTFOUND|EAI_AGAIN|EDNS/.test(words),
    ({ smtp }) =>
      `There is no host ${smtp.host}, or its name cannot be looked up here. Check the host in SMTP_URL, and the DNS of this machine.`,
  ],
  [
    ({ words }) => words.includes('ECONNREFUSED'),
    ({ smtp }) =>
      `Nothing listens at ${smtp.host}:${smtp.port}. Check the port in SMTP_URL: mostly 587 with smtp:, 465 with smtps:.`,
  ],
  [
    ({ error }) => error.code === 'EAUTH' || error.code === 'ENOAUTH',
    () =>
      'The login was refused. Check name and password in SMTP_URL; @, : and / in them are written %40, %3A and %2F. Many providers want a password made for programs.',
  ],
  [
    ({ error, words, smtp }) =>
      error.code === 'ETLS' && !smtp.secure && !/version|certificate|self.signed|altname/i.test(words),
    ({ smtp }) =>
      `${smtp.host}:${smtp.port} offers no STARTTLS. Use smtps: with its TLS port or, on a private network only, add ?tls=none.`,
  ],
  // What the server says itself is not searched for signs of another fault.
  [({ error }) => error.permanent, () => 'The server refuses this recipient or this message. Its reply says why.'],
  [
    ({ error }) => error.reply !== '',
    ({ from }) => `The server did not take it. Often the sender is not allowed: MAIL_FROM is ${from}.`,
  ],
  [
    ({ words }) => /certificate|CERT|self.signed|altname/i.test(words),
    ({ smtp }) =>
      `The certificate of ${smtp.host} is not trusted. Name the host that is in the certificate, or give Node the authority that signed it with NODE_EXTRA_CA_CERTS.`,
  ],
  [
    ({ error, words }) => error.code === 'ETLS' || /wrong version|ssl/i.test(words),
    ({ smtp }) =>
      `TLS failed with ${smtp.host}:${smtp.port}. A server on port 587 or 25 mostly wants smtp:, one on 465 smtps:.`,
  ],
  [
    ({ words }) => /ETIMEDOUT|EABORT|TimeoutError/.test(words),
    ({ smtp }) =>
      `${smtp.host}:${smtp.port} did not answer in time. A firewall may be in between (many networks block port 25), or smtps: is meant for another port.`,
  ],
]

/** @returns what it means, and what to do */
function explained(error: NotSent, smtp: SmtpServer, from: string): string {
  const { cause } = error
  const system = cause instanceof Error && 'originalCode' in cause ? String(cause.originalCode) : ''
  const words = `${error.code} ${system} ${cause instanceof Error ? cause.message : ''}`
  const failure = { words, error, smtp, from }
  const [, text] = EXPLANATIONS.find(([fits]) => fits(failure)) ?? []
  return (
    text?.(failure) ??
    `The connection failed: ${words.trim()}. Try again; if it stays, look at the log of ${smtp.host}.`
  )
}
