/** The mail server and the sender, as SMTP_URL and MAIL_FROM name them. */

/** How a mail server is reached. */
export interface SmtpServer {
  readonly host: string
  readonly port: number
  /** TLS from the first byte; otherwise STARTTLS is demanded, unless `plain`. */
  readonly secure: boolean
  readonly plain: boolean
  /** '' where no login is needed. */
  readonly user: string
  readonly password: string
}

export interface Sender {
  /** '' for the name of the service. */
  readonly name: string
  readonly address: string
}

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** @returns undefined where the text is no address of a mail server */
export function readSmtpUrl(text: string): SmtpServer | undefined {
  const url = URL.parse(text)
  if (url === null || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '') return undefined
  if (!['', '/'].includes(url.pathname) || url.hash !== '' || !['', '?tls=none'].includes(url.search)) return undefined
  const secure = url.protocol === 'smtps:'
  const unprotected = url.search !== '' || LOOPBACK.test(url.hostname)
  try {
    return {
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
      ...{ secure, plain: !secure && unprotected },
      ...{ user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) },
    }
  } catch {
    return undefined
  }
}

/** @param text `name@example.org` or `A name <name@example.org>` @returns undefined where it is neither */
export function readSender(text: string): Sender | undefined {
  const [, named, inBrackets, bare] = /^(?:([^<>"]*)<([^<>]*)>|([^<>]*))$/.exec(text.trim()) ?? []
  const address = (inBrackets ?? bare ?? '').trim()
  if (!/^[^\s@,;:()"\\[\]]+@[^\s@,;:()"\\[\]]+$/.test(address) || /\p{Cc}/u.test(text)) return undefined
  return { name: (named ?? '').trim(), address }
}
