/** Sends a test message and explains what is wrong in words, with the setting to change. */

import { v4 as uuid } from 'uuid'
import { openSite } from '../pages/site.ts'
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
 * @param connect makes a transport to the server that the settings name
 * @throws AuthError `email_invalid`
 */
export async function examineMail(
  settings: Settings,
  to: string,
  connect: (smtp: SmtpServer) => Transport,
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
  const message = compose(openSite(settings), publicUrl, { id: uuid(), createdAt: Date.now() }, letter)
  const how = smtp.secure ? 'TLS' : smtp.plain ? 'no TLS' : 'STARTTLS'
  const tried = `Sent to ${address} as ${mailFrom.address}, through ${smtp.host}:${smtp.port} with ${how}${smtp.user === '' ? '' : ` as ${smtp.user}`}`
  try {
    await connect(smtp).send(message)
    const next =
      'If it does not arrive, look among the unwanted mail, and at the SPF, DKIM and DMARC records of the domain.'
    return { well: true, lines: [`${tried}: the server took it.`, next] }
  } catch (error) {
    if (!(error instanceof NotSent)) throw error
    return {
      well: false,
      lines: [`${tried}: it was not taken.`, ...said(error), explained(error, smtp, mailFrom.address)],
    }
  }
}

function said({ reply }: NotSent): string[] {
  return reply === '' ? [] : [`The server said: ${reply.trim()}`]
}

/** @returns what it means, and what to do */
function explained(error: NotSent, { host, port, secure, plain }: SmtpServer, from: string): string {
  const { cause } = error
  const system = cause instanceof Error && 'originalCode' in cause ? String(cause.originalCode) : error.code
  const text = cause instanceof Error ? cause.message : ''
  if (/ENOTFOUND|EAI_AGAIN|EDNS/.test(`${system} ${error.code}`)) {
    return `There is no host ${host}, or its name cannot be looked up here. Check the host in SMTP_URL, and the DNS of this machine.`
  }
  if (system === 'ECONNREFUSED') {
    return `Nothing listens at ${host}:${port}. Check the port in SMTP_URL: mostly 587 with smtp:, 465 with smtps:.`
  }
  if (error.code === 'EAUTH' || error.code === 'ENOAUTH') {
    return 'The login was refused. Check name and password in SMTP_URL; @, : and / in them are written %40, %3A and %2F. Many providers want a password made for programs.'
  }
  if (/certificate|CERT|self.signed|altname/i.test(`${text} ${system}`)) {
    return `The certificate of ${host} is not trusted: ${text}. Name the host that is in the certificate, or give Node the authority with NODE_EXTRA_CA_CERTS.`
  }
  if (error.code === 'ETLS' || /wrong version|ssl|tls/i.test(text)) {
    return plain || secure
      ? `TLS failed with ${host}:${port}. A server on port 587 or 25 mostly wants smtp:, one on 465 smtps:.`
      : `${host}:${port} offers no STARTTLS. Use smtps: with its TLS port or, on a private network only, add ?tls=none.`
  }
  if (error.code === 'ETIMEDOUT' || error.code === 'EABORT' || system === 'ETIMEDOUT') {
    return `${host}:${port} did not answer in time. A firewall may be in between (many networks block port 25), or smtps: is meant for another port.`
  }
  if (error.permanent) return 'The server refuses this recipient or this message. Its reply says why.'
  if (error.reply !== '')
    return `The server did not take it now. Often the sender is not allowed: MAIL_FROM is ${from}.`
  return `The connection failed: ${text || error.code}. Try again; if it stays, look at the log of ${host}.`
}
