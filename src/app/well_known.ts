/**
 * What other services need to verify our access tokens without asking: the keys (RFC 7517) and where things are
 * (RFC 8414). Both are public and may be kept for a while.
 */

import type { FastifyInstance, FastifyReply } from 'fastify'
import { KEYS_KEPT_FOR } from '../auth/signing_keys.ts'
import type { Auth } from '../auth.ts'
import type { Settings } from '../settings.ts'

export function installWellKnown(app: FastifyInstance, auth: Auth, { publicUrl, operatorKey }: Settings): void {
  const config = { access: 'public' } as const
  const keep = (reply: FastifyReply) => reply.header('cache-control', `public, max-age=${KEYS_KEPT_FOR / 1_000}`)

  app.get('/.well-known/jwks.json', { config }, async (_, reply) => {
    // Before the answer may be kept: it can still fail.
    const keys = await auth.tokens.keys.published()
    keep(reply)
    return { keys }
  })

  const endpoint = (path: string) => `${publicUrl}${path}`
  const forServices = {
    revocation_endpoint: endpoint('/tokens/revoke'),
    introspection_endpoint: endpoint('/tokens/introspect'),
    introspection_endpoint_auth_methods_supported: ['Bearer'],
  }
  const metadata = {
    issuer: publicUrl,
    jwks_uri: endpoint('/.well-known/jwks.json'),
    token_endpoint: endpoint('/tokens'),
    // None of OAuth's: people log in here with their password, see docs/tokens.md.
    response_types_supported: [],
    grant_types_supported: [],
    ...(operatorKey === '' ? {} : forServices),
  }
  app.get('/.well-known/oauth-authorization-server', { config }, async (_, reply) => {
    keep(reply)
    return metadata
  })
}
