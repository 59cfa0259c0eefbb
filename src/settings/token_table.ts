/** The settings of tokens for programs; part of the table in table.ts. */

import { choice, duration, origins, text } from './kinds.ts'
import type { Reader } from './table.ts'

export function declareTokens(read: Reader) {
  return {
    accessTokenLifetime: read({
      variable: 'ACCESS_TOKEN_LIFETIME',
      kind: duration('1m', '1h'),
      fallback: 600_000,
      shown: '`10m`',
      meaning: 'How long an access token is good, and how long one in a cookie outlives its last use.',
    }),
    refreshGrace: read({
      variable: 'REFRESH_GRACE',
      kind: duration('0s', '10s'),
      fallback: 0,
      shown: '`0s`',
      meaning:
        'How long the last refresh token still gets the same answer as the first time, for clients that refresh twice at once. Anything older ends the session.',
    }),
    tokenAlgorithm: read({
      variable: 'TOKEN_ALGORITHM',
      kind: choice('ES256', 'EdDSA'),
      fallback: 'ES256',
      meaning: 'What access tokens are signed with. RS256 is refused: its signatures are outdated.',
    }),
    tokenAudience: read({
      variable: 'TOKEN_AUDIENCE',
      kind: text,
      fallback: '',
      shown: 'PUBLIC_URL',
      meaning: 'For whom access tokens are (`aud`): the services that accept them compare it.',
    }),
    signingKeyRotation: read({
      variable: 'SIGNING_KEY_ROTATION',
      kind: duration('1d', '365d'),
      fallback: 30 * 86_400_000,
      shown: '`30d`',
      meaning: 'The age at which the key that signs access tokens gets a successor.',
    }),
    operatorKey: read({
      variable: 'OPERATOR_KEY',
      kind: text,
      fallback: '',
      shown: 'none: nobody may ask',
      meaning:
        'At least 32 random bytes, with which other services of the operator ask about tokens and revoke them: `openssl rand -base64 33` makes one.',
    }),
    corsOrigins: read({
      variable: 'CORS_ORIGINS',
      kind: origins,
      fallback: [],
      shown: 'none',
      meaning: 'Origins whose pages may call this service from their scripts and read its answers, with cookies too.',
    }),
  }
}
