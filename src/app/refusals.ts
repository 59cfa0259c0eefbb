/**
 * How a refusal reaches the client: the one map from error code to status, and the body `{ message, code, field }`. People
 * get a page, see page_refusals.ts.
 */

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { StoreUnavailable } from '../db.ts'
import { AuthError, type ErrorCode } from '../errors.ts'
import { wantsPage } from './faces.ts'
import { plainRefusal, refusePage } from './page_refusals.ts'
import type { PageParts } from './pages.ts'

const statuses: Record<ErrorCode, number> = {
  field_missing: 400,
  field_invalid: 400,
  email_invalid: 400,
  email_taken: 400,
  email_unknown: 403,
  password_too_short: 400,
  password_too_long: 400,
  password_common: 400,
  password_context: 400,
  password_invalid: 400,
  credentials_invalid: 401,
  email_unconfirmed: 403,
  verification_refused: 403,
  session_required: 403,
  token_invalid: 401,
  refresh_refused: 401,
  refresh_token_reused: 401,
  operator_required: 401,
  current_password_wrong: 403,
  fresh_password_required: 403,
  throttled: 429,
  reset_refused: 403,
  cross_origin: 403,
  host_refused: 421,
  body_invalid: 400,
  body_too_large: 413,
  content_type_unsupported: 415,
  request_invalid: 400,
  not_found: 404,
  method_not_allowed: 405,
  busy: 503,
  store_unavailable: 503,
  internal: 500,
}

/** Codes whose body the classic contract fixes: the message and no other key. */
const EXACT: ReadonlySet<ErrorCode> = new Set(['email_taken'])

const FRAMEWORK_CODES: ReadonlyMap<string, ErrorCode> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'body_too_large'],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'content_type_unsupported'],
])

interface RefusalBody {
  message: string
  code?: ErrorCode
  field?: string
}

export function statusOf(code: ErrorCode): number {
  return statuses[code]
}

export function refusalBody({ code, message, field }: AuthError): RefusalBody {
  if (EXACT.has(code)) return { message }
  return field === undefined ? { message, code } : { message, code, field }
}

/** What a program that sent no good bearer token is told (RFC 6750 3). */
const CHALLENGES: ReadonlyMap<ErrorCode, string> = new Map([
  ['token_invalid', 'Bearer error="invalid_token"'],
  ['operator_required', 'Bearer realm="operator"'],
])

/** Refusals that are events of their own already, or no more than a wrong path. */
const NOT_REPORTED: ReadonlySet<ErrorCode> = new Set([
  'credentials_invalid',
  'email_unconfirmed',
  'current_password_wrong',
  'reset_refused',
  'refresh_token_reused',
  'throttled',
  'not_found',
  'method_not_allowed',
])

export function installRefusals(app: FastifyInstance, parts: PageParts): void {
  app.setErrorHandler((error, request, reply) => {
    const { code } = asRefusal(error)
    if ((statusOf(code) < 500 || code === 'busy') && !NOT_REPORTED.has(code)) {
      const { client, checked } = request
      parts.auth.report({ type: 'request_refused', userId: checked?.user.id ?? null, client, reason: code })
    }
    return answerError(error, request, reply, parts)
  })
  app.setNotFoundHandler(() => {
    throw new AuthError('not_found')
  })
}

/** Also what answers errors that arise before routing, such as a path that cannot be decoded. */
export async function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: PageParts,
): Promise<FastifyReply> {
  const refusal = asRefusal(error)
  const status = statusOf(refusal.code)
  // A full queue is an event; that no file can be opened is a fault to look after.
  if (status >= 500 && (refusal.code !== 'busy' || refusal !== error))
    request.log.error({ err: error, code: refusal.code }, 'request failed')
  if (refusal.retryAfter !== undefined) reply.header('retry-after', refusal.retryAfter)
  const challenge = CHALLENGES.get(refusal.code)
  if (challenge !== undefined) reply.header('www-authenticate', challenge)
  if (!wantsPage(request)) return reply.code(status).send(refusalBody(refusal))
  try {
    return await refusePage(refusal, status, request, reply, parts)
  } catch (fault) {
    // The form could not be shown again, because the database is gone for instance.
    request.log.error({ err: fault }, 'no form for a refusal')
    const instead = asRefusal(fault)
    if (instead.retryAfter !== undefined) reply.header('retry-after', instead.retryAfter)
    return plainRefusal(instead, statusOf(instead.code), request, reply)
  }
}

function asRefusal(error: unknown): AuthError {
  if (error instanceof AuthError) return error
  if (error instanceof StoreUnavailable) return new AuthError('store_unavailable', { retryAfter: 5 })
  if (isGone(error)) return new AuthError('request_invalid')
  if (isShortOfResources(error)) return new AuthError('busy', { retryAfter: 5 })
  if (!isFrameworkError(error)) return new AuthError('internal')
  const [invalid] = error.validation ?? []
  if (invalid !== undefined) return invalidField(invalid)
  const known = FRAMEWORK_CODES.get(error.code)
  if (known !== undefined) return new AuthError(known)
  // The framework's own messages quote the request, and with it whatever strayed into a path.
  const { statusCode = 500 } = error
  return new AuthError(statusCode < 500 ? 'request_invalid' : 'internal')
}

interface Invalid {
  keyword: string
  instancePath: string
  params: Record<string, unknown>
}

function invalidField({ keyword, instancePath, params }: Invalid): AuthError {
  if (keyword === 'required') {
    const field = String(params.missingProperty)
    return new AuthError('field_missing', { field, message: `${field} missing` })
  }
  const field = instancePath.slice(1)
  if (keyword === 'enum') {
    return new AuthError('field_invalid', { field, message: `${field} must be ${String(params.allowedValues)}` })
  }
  if (field === '') return new AuthError('body_invalid', { message: 'the body must be one JSON object or form fields' })
  return new AuthError('field_invalid', { field, message: `${field} must be given once, as text` })
}

/**
 * The process may open no more files, of which a connection is one and a new thread needs some, or may have no more threads.
 * What fails then has no code in common; messages of the framework may quote the request.
 */
function isShortOfResources(error: unknown): boolean {
  const told = /\bE(?:[MN]FILE|AGAIN)\b|too many open files/
  return error instanceof Error && !isFrameworkError(error) && told.test(error.message)
}

/** The client closed the connection before its request was complete. */
function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET'
}

function isFrameworkError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('FST_')
}
