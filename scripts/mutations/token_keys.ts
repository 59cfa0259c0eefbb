/** Rows T-03, T-05, T-24 and T-25: the keys of tokens, and the kinds of sessions, with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'

export const tokenKeys: readonly Mutation[] = [
  {
    rows: ['T-03'],
    takesOut: 'the list of algorithms',
    file: 'src/settings/token_table.ts',
    find: "choice('ES256', 'EdDSA')",
    replace: "choice('ES256', 'EdDSA', 'RS256')",
  },
  {
    rows: ['T-03'],
    takesOut: 'that EdDSA is one of them',
    file: 'src/settings/token_table.ts',
    find: "choice('ES256', 'EdDSA')",
    replace: "choice('ES256', 'ES256')",
  },
  {
    rows: ['T-05'],
    takesOut: 'that each key is made at random',
    file: 'src/security/signing_key.ts',
    find: 'await generateKeyPair(algorithm, { extractable: true })',
    replace: 'await (made ??= generateKeyPair(algorithm, { extractable: true }))',
    also: [
      {
        file: 'src/security/signing_key.ts',
        find: 'const ALGORITHMS =',
        replace: 'let made: ReturnType<typeof generateKeyPair> | undefined\nconst ALGORITHMS =',
      },
    ],
  },
  {
    rows: ['T-05'],
    takesOut: 'that the private half of a key is not published',
    file: 'src/security/signing_key.ts',
    find: 'publicJwk: { ...open,',
    replace: 'publicJwk: { ...stored,',
  },
  {
    rows: ['T-05'],
    takesOut: 'the refusal of an operator key that is guessed',
    file: 'src/settings/checks.ts',
    find: 'if (isGuessable(operatorKey)) {',
    replace: "if (operatorKey === ' ') {",
  },
  {
    rows: ['T-05'],
    takesOut: 'the refusal of SECRET as the operator key',
    file: 'src/settings/checks.ts',
    find: 'if ([secret, secretPrevious].includes(operatorKey)) {',
    replace: "if (operatorKey === secret + secretPrevious + ' ') {",
  },
  {
    rows: ['T-24'],
    takesOut: 'that a new key is published before it signs',
    file: 'src/auth/signing_keys.ts',
    find: 'compromised ? now : now + PUBLISHED_AHEAD',
    replace: 'now',
  },
  {
    rows: ['T-24'],
    takesOut: 'that a key verifies while there are tokens of it',
    file: 'src/auth/signing_keys.ts',
    find: 'return next !== undefined && this.#db.now() >= next.signsFrom + PUBLISHED_AHEAD + this.#life.tokenLifetime',
    replace: 'return next !== undefined && this.#db.now() >= next.signsFrom',
  },
  {
    rows: ['T-24'],
    takesOut: 'that a key which no token needs is gone',
    file: 'src/auth/signing_keys.ts',
    find: 'return next !== undefined && this.#db.now()',
    replace: 'return next === null && this.#db.now()',
  },
  {
    rows: ['T-24'],
    takesOut: 'the end of all other keys where one was compromised',
    file: 'src/auth/signing_keys.ts',
    find: 'this.#held.map(({ serial }) => remove(signingKeys, { serial }))',
    replace: '[]',
  },
  {
    rows: ['T-24'],
    takesOut: 'that a removed key takes along the tokens that were found good',
    file: 'src/auth/tokens.ts',
    find: 'return this.keys.find(known.kid) === null ? null : known',
    replace: 'return known',
  },
  {
    rows: ['T-24'],
    takesOut: 'that a key gets a successor at the age that is set',
    file: 'src/auth/signing_keys.ts',
    find: '>= this.#life.rotation)',
    replace: '>= 2 * this.#life.rotation)',
  },
  {
    rows: ['T-24'],
    takesOut: 'that another algorithm comes with a key of its own',
    file: 'src/auth/signing_keys.ts',
    find: 'if (newest?.key.algorithm !== this.#life.algorithm) await',
    replace: 'if (newest === undefined) await',
  },
  {
    rows: ['T-25'],
    takesOut: 'that the session cookie is for its own kind of session',
    file: 'src/auth/sessions.ts',
    find: "found?.session.kind !== 'cookie' ||",
    replace: 'found === null ||',
  },
  {
    rows: ['T-25'],
    takesOut: 'that an access token is for its own kind of session',
    file: 'src/auth/sessions.ts',
    find: 'if (found?.session.kind !== kind) return null',
    replace: 'if (found === null || kind === undefined) return null',
  },
  {
    rows: ['T-25'],
    takesOut: 'that a refresh token is for its own kind of session',
    file: 'src/auth/tokens.ts',
    find: 'checked?.session.kind !== kind)',
    replace: 'session === null)',
  },
  {
    rows: ['T-25'],
    takesOut: 'that a session cookie is no refresh token: by its kind, and by the family that it has not',
    file: 'src/auth/tokens.ts',
    find: 'checked?.session.kind !== kind)',
    replace: 'session === null)',
    also: [
      {
        file: 'src/auth/tokens.ts',
        find: 'ours !== null && sameHash(familyHash, ours) ? checked : null',
        replace: 'ours === null || sameHash(familyHash, ours) ? checked : null',
      },
    ],
  },
  {
    rows: ['T-25'],
    takesOut: 'that a bearer token decides alone',
    file: 'src/app/carriers.ts',
    find: 'if (bearer !== undefined) return bearerSession(bearer, auth)',
    replace:
      "const named = bearer === undefined ? null : await auth.tokens.check(bearer, 'token')\n  if (named !== null) return named",
  },
]
