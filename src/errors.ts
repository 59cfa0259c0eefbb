/**
 * The errors of this service: one table of stable codes. No HTTP here; app.ts maps each code to a status.
 * docs/errors.md is held against this table by a test.
 */

interface ErrorEntry {
  /** What the reader is told where the thrower says nothing better. */
  message: string
  /** How the reader mends it; the text of docs/errors.md. */
  mend: string
}

export const errorTable = {
  field_missing: { message: 'a field is missing', mend: 'Send the field named in `field`.' },
  field_invalid: {
    message: 'a field has the wrong type',
    mend: 'Send the field named in `field` once, as a string of at most the length that the message names.',
  },
  email_invalid: {
    message: 'email is not an address',
    mend: 'Send an address with one @, something on both sides, no spaces or control characters, at most 254 characters.',
  },
  email_taken: { message: 'email already registered', mend: 'Log in with this address, or reset its password.' },
  email_unknown: { message: 'no account has this email', mend: 'Register the address, or check its spelling.' },
  password_too_short: {
    message: 'password is too short',
    mend: 'Choose a password of at least as many characters as the message names; a few words make a good one.',
  },
  password_too_long: { message: 'password is longer than 4096 bytes', mend: 'Choose a shorter password.' },
  password_common: {
    message: 'password is one of the most common, which are tried first',
    mend: 'Choose another one; a few words that nobody would put together make a good one.',
  },
  password_context: {
    message: 'password is made of your address or the name of this service',
    mend: 'Choose one that does not follow from what everybody can see.',
  },
  password_invalid: {
    message: 'password is not valid Unicode',
    mend: 'The password holds half of a surrogate pair; send it as UTF-8 text.',
  },
  credentials_invalid: {
    message: 'wrong email or password',
    mend: 'Check both; the answer is the same whichever is wrong. A forgotten password can be reset.',
  },
  email_unconfirmed: {
    message: 'this address is not confirmed yet: open the link in the mail that was sent to it',
    mend: 'Open the link of the mail that came with the registration; `POST /email_verification` sends another one.',
  },
  verification_refused: {
    message: 'this token confirms no address',
    mend: 'Ask for a new mail with `POST /email_verification`. A token works once, for one address, until it expires or a newer one is made.',
  },
  session_required: {
    message: 'no valid session: log in first',
    mend: 'Log in with `POST /sessions` and send the cookie that it sets. Sessions end when idle, at a fixed age, at logout and at a password change.',
  },
  token_invalid: {
    message: 'this access token is not valid',
    mend: 'Get a new one with `POST /tokens/refresh`, or log in with `POST /tokens`. Send it as `Authorization: Bearer`; a refresh token or a session cookie is none.',
  },
  refresh_refused: {
    message: 'this refresh token is not valid',
    mend: 'Log in again with `POST /tokens`. A refresh token works once, in the way in which it was given, until its session ends.',
  },
  refresh_token_reused: {
    message: 'this refresh token was used before, so its session has ended: log in again',
    mend: 'Log in again. Either somebody else has the token, or two calls of yours refreshed at once: let them share one refresh, or set REFRESH_GRACE.',
  },
  operator_required: {
    message: 'this is for the operator’s programs',
    mend: 'Send OPERATOR_KEY as `Authorization: Bearer`. Where that setting is empty nobody may do this.',
  },
  current_password_wrong: {
    message: 'the current password is wrong',
    mend: 'Send the password that logs in now as `current_password`. One that is forgotten can be reset.',
  },
  fresh_password_required: {
    message: 'this needs your password again',
    mend: 'Log in again, or send `current_password` with the request.',
  },
  throttled: {
    message: 'too many tries, wait before the next one',
    mend: 'Wait as long as `Retry-After` says. A device that logged in to this account before does not wait for strangers, and a reset by mail always works.',
  },
  reset_refused: {
    message: 'this reset token is not valid for this email',
    mend: 'Ask for a new one with `POST /reset_password`. A token works once, for one address, until it expires or a newer one is made.',
  },
  cross_origin: {
    message: 'a page of another origin may not do this',
    mend: 'Send the request from a page under PUBLIC_URL, or from a program that sends no Origin header.',
  },
  host_refused: {
    message: 'this host name is not served here',
    mend: 'In development only localhost, 127.0.0.1, [::1] and 0.0.0.0 are served. For other names run with NODE_ENV=production and PUBLIC_URL.',
  },
  body_invalid: { message: 'the body cannot be read', mend: 'Send UTF-8 text: one JSON object, or form fields.' },
  body_too_large: { message: 'the body is larger than 16 KiB', mend: 'Send less; no route needs more.' },
  content_type_unsupported: {
    message: 'this content type is not read here',
    mend: 'Send `application/json` or `application/x-www-form-urlencoded`.',
  },
  request_invalid: {
    message: 'the request cannot be read',
    mend: 'Check the path, its percent-encoding, and the headers.',
  },
  not_found: { message: 'nothing is served here', mend: 'Check the path; the README lists every route.' },
  method_not_allowed: {
    message: 'this path does not serve this method',
    mend: 'The `Allow` header lists the methods that it does.',
  },
  busy: {
    message: 'too many logins at this moment, try again shortly',
    mend: 'Wait as long as `Retry-After` says. The operator may raise HASH_QUEUE or add a machine.',
  },
  store_unavailable: {
    message: 'the database cannot be used at this moment',
    mend: 'Try again shortly. The log of the service names the cause: a full disk, a locked or read-only file, a server that does not answer.',
  },
  internal: {
    message: 'something went wrong here; it has been logged',
    mend: 'The fault is the service’s own. Its log has a line with the cause.',
  },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof errorTable

interface ErrorDetail {
  /** The field that the error is about, as the client named it. */
  field?: string
  /** A message that says more than the table's; never a secret. */
  message?: string
  /** Whole seconds after which another try makes sense. */
  retryAfter?: number
}

/** A refusal that the client may know about. Anything else that is thrown is a fault of ours. */
export class AuthError extends Error {
  readonly code: ErrorCode
  readonly field: string | undefined
  readonly retryAfter: number | undefined

  constructor(code: ErrorCode, detail: ErrorDetail = {}) {
    super(detail.message ?? errorTable[code].message)
    this.name = 'AuthError'
    this.code = code
    this.field = detail.field
    this.retryAfter = detail.retryAfter
  }
}

/** The process cannot start; the message is one line that names the mend, meant for the operator's eyes. */
export class StartError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'StartError'
  }
}
