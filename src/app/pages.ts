/** The pages themselves: what a person opens. What their forms send goes to the routes that programs use. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Auth } from '../auth.ts'
import type { ShownActivity } from '../pages/dashboard/activity.ts'
import { type Dashboard, dashboardPage } from '../pages/dashboard.ts'
import { forgotPage } from '../pages/forgot.ts'
import { homePage } from '../pages/home.ts'
import type { Html } from '../pages/html.ts'
import { loginPage } from '../pages/login.ts'
import { registerPage } from '../pages/register.ts'
import { resetPage } from '../pages/reset.ts'
import { returnAddress } from '../security/return_address.ts'
import type { Settings } from '../settings.ts'
import { isNotice, type Notice } from '../texts.ts'
import { publicUser } from '../user.ts'
import { account } from './account.ts'
import { visitor } from './carriers.ts'
import { seeOther, sendPage, viewFor, wantsPage } from './faces.ts'
import { sessionOf } from './guards.ts'
import { looseText } from './schema.ts'

export interface PageParts {
  auth: Auth
  settings: Settings
  /** What happened to an account lately, the newest first. */
  activity: (userId: number) => Promise<readonly ShownActivity[]>
}

const DASHBOARD = '/dashboard'

export function installPages(app: FastifyInstance, parts: PageParts): void {
  const config = { access: 'public' } as const

  app.get('/login', { config }, async (request, reply) => {
    if ((await visitor(request, parts)) !== null) return seeOther(reply, nextOf(request) ?? DASHBOARD)
    return sendPage(reply, loginPage(viewFor(request, false, noticeOf(request)), nextOf(request)))
  })

  app.get('/register', { config }, async (request, reply) => {
    if ((await visitor(request, parts)) !== null) return seeOther(reply, nextOf(request) ?? DASHBOARD)
    return sendPage(reply, registerPage(viewFor(request, false), nextOf(request)))
  })

  app.get('/forgot', { config }, async (request, reply) => {
    const signedIn = (await visitor(request, parts)) !== null
    return sendPage(reply, forgotPage(viewFor(request, signedIn, noticeOf(request))))
  })

  app.get('/reset', { config }, async (request, reply) => {
    const signedIn = (await visitor(request, parts)) !== null
    return sendSecretPage(reply, resetPage(viewFor(request, signedIn, noticeOf(request))))
  })

  const dashboard = { config: { access: 'session' }, schema: { response: { 200: account } } } as const
  app.get(DASHBOARD, dashboard, async (request, reply) =>
    wantsPage(request) ? showDashboard(request, reply, parts) : publicUser(sessionOf(request).user),
  )

  // Where password managers look for the form (W3C, A Well-Known URL for Changing Passwords).
  app.get('/.well-known/change-password', { config }, async (_, reply) => seeOther(reply, DASHBOARD))
}

export async function showHome(request: FastifyRequest, reply: FastifyReply, parts: PageParts) {
  const email = (await visitor(request, parts))?.user.email
  return sendPage(reply, homePage(viewFor(request, email !== undefined, noticeOf(request)), email))
}

export async function showDashboard(
  request: FastifyRequest,
  reply: FastifyReply,
  { auth, activity }: PageParts,
  status = 200,
  refused?: Dashboard['refused'],
): Promise<FastifyReply> {
  const { user, session: current } = sessionOf(request)
  const page = dashboardPage(viewFor(request, true, noticeOf(request)), {
    user,
    current,
    fresh: auth.isFresh(current),
    sessions: await auth.listSessions(user.id),
    activity: await activity(user.id),
    now: auth.now(),
    ...(refused && { refused }),
  })
  return sendPage(reply, page, status)
}

/** A page that may hold a token, or behind whose address one came: the address is told to nobody but as an origin. */
export function sendSecretPage(reply: FastifyReply, page: Html, status = 200): FastifyReply {
  return sendPage(reply.header('referrer-policy', 'strict-origin'), page, status)
}

/** @returns where the person wants to go afterwards, if anybody may be sent there */
export function nextOf(request: FastifyRequest): string | undefined {
  const wanted = looseText(request.body, 'next') ?? looseText(request.query, 'next')
  return returnAddress(wanted, request.server.site.settings)
}

/** @returns what just happened, as one of the words that we know */
export function noticeOf(request: FastifyRequest): Notice | undefined {
  const notice = looseText(request.query, 'notice')
  return notice !== undefined && isNotice(notice) ? notice : undefined
}
