/**
 * The two faces of every route: a person's browser gets a page or is sent on to one, everything else gets JSON. What decides
 * is the Accept header alone.
 */

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Html } from '../pages/html.ts'
import { type Site, type View, viewOf } from '../pages/site.ts'
import type { Notice } from '../texts.ts'

declare module 'fastify' {
  interface FastifyInstance {
    site: Site
  }
}

/** What decides what a page looks like; caches must know. */
const VARY = 'Accept, Accept-Language, Cookie'

/** @returns whether text/html is asked for by name, and liked no less than JSON; `*` + `/*` is not by name */
export function wantsPage({ headers }: FastifyRequest): boolean {
  const { accept = '' } = headers
  const html = qualityOf('text/html', accept)
  return html > 0 && html >= qualityOf('application/json', accept)
}

/** @returns the body for a program; a person is sent on to a page, so that reload and Back repeat nothing */
export function answer<T>(request: FastifyRequest, reply: FastifyReply, body: T, page: string): T | FastifyReply {
  return wantsPage(request) ? seeOther(reply, page) : body
}

/** @param address our own, or one that was checked */
export function seeOther(reply: FastifyReply, address: string): FastifyReply {
  return reply.header('vary', VARY).redirect(address, 303)
}

export function sendPage(reply: FastifyReply, page: Html, status = 200): FastifyReply {
  const { returnHosts } = reply.server.site.settings
  const sources = ["'self'", ...returnHosts].join(' ')
  return reply
    .code(status)
    .headers({
      'content-security-policy': `default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action ${sources}; base-uri 'none'; object-src 'none'; frame-ancestors 'none'`,
      'cross-origin-opener-policy': 'same-origin',
      vary: VARY,
    })
    .type('text/html; charset=utf-8')
    .send(page.toString())
}

/** The view in which whoever sent this request sees a page. */
export function viewFor(request: FastifyRequest, signedIn: boolean, notice?: Notice): View {
  return viewOf(request.server.site, { acceptLanguage: request.headers['accept-language'], signedIn, notice })
}

/** Tells the browser to forget what it kept; not the cookies, of which the device's must stay. Cleared are those that end. */
export function forgetPages(request: FastifyRequest, reply: FastifyReply): void {
  if (wantsPage(request)) reply.header('clear-site-data', '"cache", "storage"')
}

function qualityOf(type: string, accept: string): number {
  const ranges = accept.split(',').map((range) => range.split(';').map((piece) => piece.trim().toLowerCase()))
  const [, ...parameters] = ranges.find(([name]) => name === type) ?? [type, 'q=0']
  return Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1') || 0
}
