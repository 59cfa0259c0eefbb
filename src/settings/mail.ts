/** The settings of mail: the server, the sender, and what is written to whom. */

import { choice, choices, duration, integer, text } from './kinds.ts'
import { readSender, readSmtpUrl } from './smtp.ts'
import type { Reader } from './table.ts'

/** Mails that tell an owner what happened to the account. */
export const noticeKinds = [
  'password_changed',
  'email_changed',
  'new_device',
  'failed_logins',
  'login_after_failures',
  'token_reused',
  'account_deleted',
] as const

const DAY = 86_400_000

export function declareMail(read: Reader) {
  return {
    smtpUrl: read({
      variable: 'SMTP_URL',
      kind: {
        looks: 'an address like `smtp://name:password@mail.example.org:587` or `smtps://mail.example.org`',
        read: (value) => (readSmtpUrl(value) === undefined ? undefined : value),
      },
      fallback: '',
      shown: 'none: development writes mails into a folder, production sends none',
      meaning:
        'The mail server. TLS is demanded and its certificate checked, but on this machine or with `?tls=none` at the end. Signs with a meaning in addresses are percent-encoded in name and password.',
    }),
    mailFrom: read({
      variable: 'MAIL_FROM',
      kind: {
        looks: 'an address like `no-reply@example.org` or `A name <no-reply@example.org>`',
        read: (value) => (readSender(value) === undefined ? undefined : value),
      },
      fallback: 'no-reply@localhost',
      shown: '`no-reply@localhost`; required with `SMTP_URL`',
      meaning: 'The sender of all mails. Without a name it is that of the service.',
    }),
    mailFolder: read({
      variable: 'MAIL_FOLDER',
      kind: text,
      fallback: '',
      shown: '`outbox` beside the database',
      meaning: 'Where development without `SMTP_URL` writes mails, as `.eml` files. The page `/outbox` shows them.',
    }),
    requireConfirmed: read({
      variable: 'REQUIRE_CONFIRMED_EMAIL',
      kind: choice('true', 'false', 'auto'),
      fallback: 'auto',
      shown: 'as `HIDE_ACCOUNTS`',
      meaning:
        'Whether an address must be confirmed before one may log in. Where it need not be, a login after the registration tells what `HIDE_ACCOUNTS` hides.',
    }),
    hideAccounts: read({
      variable: 'HIDE_ACCOUNTS',
      kind: choice('true', 'false', 'auto'),
      fallback: 'auto',
      shown: '`false`; production with `SMTP_URL`: `true`',
      meaning:
        'Answers the registration of a taken address like that of a free one; its owner gets a mail that says what happened.',
    }),
    confirmationLifetime: read({
      variable: 'CONFIRMATION_LIFETIME',
      kind: duration('10m', '24h'),
      fallback: DAY,
      shown: '`24h`',
      meaning: 'How long the link that confirms an address is good.',
    }),
    emailUndoLifetime: read({
      variable: 'EMAIL_UNDO_LIFETIME',
      kind: duration('1d', '30d'),
      fallback: 7 * DAY,
      shown: '`7d`',
      meaning: 'How long a change of address can be taken back from the former address.',
    }),
    mailsPerAddress: read({
      variable: 'MAILS_PER_ADDRESS',
      kind: integer(0, 1_000),
      fallback: { development: 0, production: 5 },
      meaning:
        'Mails of one kind to one address in an hour. More are sent only when the last one has half of the life of its link behind it, and nobody is told; the notices of a changed address always are. 0 is no limit.',
    }),
    notices: read({
      variable: 'NOTICES',
      kind: choices(...noticeKinds),
      fallback: noticeKinds,
      shown: 'all',
      meaning: `Which notices of what happened to an account are mailed to its owner, or \`none\`: ${noticeKinds.map((kind) => `\`${kind}\``).join(', ')}.`,
    }),
  }
}
