/**
 * HTML forms know GET and POST only: `?_method=PUT`, `PATCH` or `DELETE` on a POST reaches the other verbs. It happens before
 * routing, so the router, the guards and the log all see the method that is really meant.
 */

import type { IncomingMessage } from 'node:http'

const REACHED = new Set(['PUT', 'PATCH', 'DELETE'])

/** For Fastify's `rewriteUrl`. @returns the address as it is; the query stays */
export function takeFormMethod(request: Pick<IncomingMessage, 'method' | 'url'>): string {
  const { method, url = '/' } = request
  const at = url.indexOf('?')
  if (method !== 'POST' || at < 0) return url
  const [wanted = '', ...more] = new URLSearchParams(url.slice(at)).getAll('_method')
  if (more.length === 0 && REACHED.has(wanted)) request.method = wanted
  return url
}
