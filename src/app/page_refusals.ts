/**
 * How a refusal looks to a person: the form that was sent comes back with what was typed and what is wrong, whoever must
 * log in first is sent to the login, and everything else is a page that says what to do next.
 */

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AuthError, ErrorCode } from '../errors.ts'
import { confirmPage } from '../pages/confirm.ts'
import { forgotPage } from '../pages/forgot.ts'
import type { Filled, Problem } from '../pages/form.ts'
import { loginPage } from '../pages/login.ts'
import { onward } from '../pages/onward.ts'
import { refusalPage } from '../pages/refusal.ts'
import { registerPage } from '../pages/register.ts'
import { resetPage } from '../pages/reset.ts'
import { undoPage } from '../pages/undo.ts'
import { presentedCredential } from './cookies.ts'
import { seeOther, sendPage, viewFor } from './faces.ts'
import { nextOf, type PageParts, sendSecretPage, showDashboard } from './pages.ts'
import { looseText } from './schema.ts'

/** The form whose fields a route reads; it comes back when the route refuses them. */
type FormName =
  | 'login'
  | 'register'
  | 'forgot'
  | 'reset'
  | 'confirm'
  | 'undo'
  | 'changes'
  | 'delete'
  | 'end'
  | 'end-others'

declare module 'fastify' {
  interface FastifyContextConfig {
    form?: FormName
  }
}

/** Not about what was typed: no form is of help. */
const NO_FORM: ReadonlySet<ErrorCode> = new Set([
  'cross_origin',
  'host_refused',
  'token_invalid',
  'body_invalid',
  'body_too_large',
  'content_type_unsupported',
  'request_invalid',
  'not_found',
  'method_not_allowed',
  'store_unavailable',
  'internal',
])

/** The field of a refusal that names none, because no program needs to be told. */
const FIELDS: ReadonlyMap<ErrorCode, string> = new Map([
  ['email_taken', 'email'],
  ['reset_refused', 'reset_token'],
  ['fresh_password_required', 'current_password'],
])

/** Where to start again when the address of a form's target is opened, after Back or from the history. */
const PAGES: ReadonlyMap<string, string> = new Map([
  ['/users', '/register'],
  ['/reset_password', '/forgot'],
  ['/email_verification', '/confirm'],
  ['/undo_email_change', '/undo'],
  ['/sessions/:id', '/dashboard'],
])

export async function refusePage(
  refusal: AuthError,
  status: number,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: PageParts,
): Promise<FastifyReply> {
  const { code } = refusal
  if (code === 'session_required') return seeOther(reply, loginAddress(request, parts))
  const start = PAGES.get(request.routeOptions.url ?? '')
  if (code === 'method_not_allowed' && request.method === 'GET' && start !== undefined)
    return seeOther(reply, onward(start, nextOf(request)))
  const { form } = request.routeOptions.config
  if (form !== undefined && !NO_FORM.has(code)) return formAgain(form, refusal, status, request, reply, parts)
  return plainRefusal(refusal, status, request, reply)
}

/** The page that needs nothing but the refusal; not even a session that has been looked for. */
export function plainRefusal(refusal: AuthError, status: number, request: FastifyRequest, reply: FastifyReply) {
  const signedIn = request.checked?.user !== undefined
  return sendPage(reply, refusalPage(viewFor(request, signedIn), status, problemOf(refusal)), status)
}

async function formAgain(
  form: FormName,
  refusal: AuthError,
  status: number,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: PageParts,
): Promise<FastifyReply> {
  const view = viewFor(request, false)
  const filled = { typed: typedIn(request, refusal.code), problem: problemOf(refusal) }
  switch (form) {
    case 'login':
      return sendPage(reply, loginPage(view, nextOf(request), filled), status)
    case 'register':
      return sendPage(reply, registerPage(view, nextOf(request), filled), status)
    case 'forgot':
      return sendPage(reply, forgotPage(view, filled), status)
    case 'reset':
      return sendSecretPage(reply, resetPage(view, filled), status)
    case 'confirm':
      return sendSecretPage(reply, confirmPage(view, filled), status)
    case 'undo':
      return sendSecretPage(reply, undoPage(view, filled), status)
    default:
      return showDashboard(request, reply, parts, status, { form: dashboardForm(form, request), filled })
  }
}

/** @returns the id of the form on the dashboard */
function dashboardForm(form: FormName, { body, params }: FastifyRequest): string {
  if (form === 'end') return `end-${looseText(params, 'id')}`
  if (form !== 'changes') return form
  const changed = ['password', 'email'].find((field) => looseText(body, field) !== undefined)
  return `change-${changed ?? 'name'}`
}

/** What may be shown again: no password, and no token that is known not to work. */
function typedIn({ body }: FastifyRequest, code: ErrorCode): Filled['typed'] {
  const names = ['email', 'name', ...(code === 'reset_refused' ? [] : ['reset_token'])]
  const typed = names.map((name) => [name, looseText(body, name)] as const)
  return new Map(typed.filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''))
}

function problemOf({ code, field, retryAfter }: AuthError): Problem {
  return { code, field: field ?? FIELDS.get(code), retryAfter }
}

/** The login, and from there back: to where the form was to lead, to the page that was asked for, or to the one with the form. */
function loginAddress(request: FastifyRequest, { settings }: PageParts): string {
  const came = presentedCredential(request, settings)
  const next = request.method === 'GET' ? (nextOf(request) ?? request.url) : '/dashboard'
  return onward('/login', next, came ? 'session_ended' : 'login_required')
}
