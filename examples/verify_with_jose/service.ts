/**
 * Another service that believes Bienvenue's access tokens, without asking it: `GET /` says who calls.
 *
 *     ISSUER=https://auth.example.org PORT=8080 node examples/verify_with_jose/service.ts
 *
 * It reads the keys once and then when a new one comes. A token stays good here until it expires, ten minutes at most, also
 * when the user has logged out meanwhile; where that is too long, ask with `POST /tokens/introspect`.
 */

import { createServer } from 'node:http'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

const { ISSUER = '', AUDIENCE = ISSUER, JWKS_URL = `${ISSUER}/.well-known/jwks.json`, PORT = '8080' } = process.env

const keys = createRemoteJWKSet(new URL(JWKS_URL))

/** @returns the id of the user and of the session @throws JOSEError for every token that is not good */
async function caller(authorization: string | undefined): Promise<{ user: string | undefined; session: unknown }> {
  const [, token = ''] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? []
  const { payload } = await jwtVerify(token, keys, {
    issuer: ISSUER,
    audience: AUDIENCE,
    // What keeps these tokens apart from all others that the same keys may sign.
    typ: 'at+jwt',
    algorithms: ['ES256', 'EdDSA'],
    requiredClaims: ['sub', 'sid', 'exp'],
  })
  return { user: payload.sub, session: payload.sid }
}

const server = createServer(async (request, response) => {
  try {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(await caller(request.headers.authorization)))
  } catch (error) {
    response.statusCode = error instanceof errors.JOSEError ? 401 : 500
    response.setHeader('www-authenticate', 'Bearer error="invalid_token"')
    response.end(JSON.stringify({ message: 'no valid access token' }))
  }
})

server.listen(Number(PORT), '127.0.0.1', () => {
  const address = server.address()
  console.log(`listening on port ${typeof address === 'object' ? address?.port : address}`)
})
