/** The headers that every answer carries. */

import type { FastifyInstance } from 'fastify'
import type { Settings } from '../settings.ts'

/** JSON is never a document: nothing loads, nothing frames it (OWASP ASVS 5.0 3.2.1, 3.4). */
export function answerHeaders({ publicUrl }: Settings): Record<string, string> {
  const headers = {
    'cache-control': 'no-store',
    'content-security-policy':
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  }
  if (!publicUrl.startsWith('https:')) return headers
  return { ...headers, 'strict-transport-security': 'max-age=31536000; includeSubDomains' }
}

export function installHeaders(app: FastifyInstance, headers: Record<string, string>): void {
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(headers)
  })
}
