/** Rows T-01 to T-11 without the keys, T-21, T-22 and T-26: access tokens with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'

export const accessTokens: readonly Mutation[] = [
  {
    rows: ['T-01'],
    takesOut: 'the signature',
    file: 'src/security/access_token.ts',
    find: 'const { payload } = await jwtVerify(token, key.publicKey, {',
    replace: 'const payload = decodeJwt(token)\n    await Promise.resolve({',
    also: [
      {
        file: 'src/security/access_token.ts',
        find: 'import { errors, type JWTPayload, jwtVerify, SignJWT }',
        replace: 'import { decodeJwt, errors, type JWTPayload, SignJWT }',
      },
    ],
  },
  {
    rows: ['T-01'],
    takesOut: 'that what was found good is remembered by the whole token',
    file: 'src/security/verified_tokens.ts',
    find: "return hash('sha256', token, 'base64url')",
    replace: "return hash('sha256', token.slice(0, token.lastIndexOf('.')), 'base64url')",
  },
  {
    rows: ['T-02'],
    takesOut: 'that the key decides about the algorithm: the public key is a secret as well',
    file: 'src/security/access_token.ts',
    find: 'const { payload } = await jwtVerify(token, key.publicKey, {',
    replace:
      "const { payload } = await jwtVerify(token, (header) => (header.alg?.startsWith('HS') ? createPublicKey({ key: { ...key.publicJwk }, format: 'jwk' }).export({ type: 'spki', format: 'der' }) : key.publicKey), {",
    also: [
      { file: 'src/security/access_token.ts', find: '      algorithms: [key.algorithm],\n', replace: '' },
      {
        file: 'src/security/access_token.ts',
        find: 'import { randomBytes }',
        replace: 'import { createPublicKey, randomBytes }',
      },
    ],
  },
  {
    rows: ['T-02'],
    takesOut: 'the refusal of `none`',
    file: 'src/security/access_token.ts',
    find: 'const { payload } = await jwtVerify(token, key.publicKey, {',
    replace:
      'const none = /none/i.test(String(decodeProtectedHeader(token).alg))\n    const { payload } = none ? { payload: decodeJwt(token) } : await jwtVerify(token, key.publicKey, {',
    also: [
      {
        file: 'src/security/access_token.ts',
        find: 'import { errors, type JWTPayload, jwtVerify, SignJWT }',
        replace: 'import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT }',
      },
    ],
  },
  {
    rows: ['T-04'],
    takesOut: 'that a key in the header is not read',
    file: 'src/security/access_token.ts',
    find: 'const { payload } = await jwtVerify(token, key.publicKey, {',
    replace:
      'const { payload } = await jwtVerify(token, decodeProtectedHeader(token).jwk === undefined ? key.publicKey : EmbeddedJWK, {',
    also: [
      {
        file: 'src/security/access_token.ts',
        find: 'import { errors, type JWTPayload, jwtVerify, SignJWT }',
        replace: 'import { decodeProtectedHeader, EmbeddedJWK, errors, type JWTPayload, jwtVerify, SignJWT }',
      },
    ],
  },
  {
    rows: ['T-04'],
    takesOut: 'that an unknown key is none',
    file: 'src/auth/signing_keys.ts',
    find: 'return this.#alive().find((held) => held.kid === kid)?.key ?? null',
    replace: 'return this.#alive().find((held) => held.kid === kid)?.key ?? this.#signer()',
  },
  {
    rows: ['T-04'],
    takesOut: 'that a token names its key',
    file: 'src/security/access_token.ts',
    find: '    : null\n}\n\n/**\n * @param token of which',
    replace: "    : ''\n}\n\n/**\n * @param token of which",
    also: [
      {
        file: 'src/auth/signing_keys.ts',
        find: 'find((held) => held.kid === kid)',
        replace: "find((held) => held.kid === kid || kid === '')",
      },
    ],
  },
  {
    rows: ['T-04'],
    takesOut: 'that no address in a header is asked',
    file: 'src/security/access_token.ts',
    find: "  return typeof header === 'object' && header !== null && 'kid'",
    replace:
      "  const { jku, x5u } = Object(header)\n  for (const one of [jku, x5u]) if (one !== undefined) fetch(String(one)).catch(() => null)\n  return typeof header === 'object' && header !== null && 'kid'",
  },
  {
    rows: ['T-06'],
    takesOut: 'the end of a token',
    file: 'src/security/access_token.ts',
    find: 'currentDate: new Date(now),',
    replace: 'currentDate: new Date(0),',
  },
  {
    rows: ['T-06'],
    takesOut: 'the end of a token that was found good before',
    file: 'src/security/verified_tokens.ts',
    find: 'if (now < claims.exp * 1_000) return claims',
    replace: 'if (now > 0) return claims',
  },
  {
    rows: ['T-06'],
    takesOut: 'that there is no leeway',
    file: 'src/security/access_token.ts',
    find: 'currentDate: new Date(now),',
    replace: "currentDate: new Date(now),\n      clockTolerance: '60 s',",
  },
  {
    rows: ['T-06'],
    takesOut: 'that nbf is kept',
    file: 'src/security/access_token.ts',
    find: 'currentDate: new Date(now),',
    replace: 'currentDate: new Date(now + 120_000),',
    tests: 'test/security/jwt_attacks.test.ts',
  },
  {
    rows: ['T-06'],
    takesOut: 'that exp must be there, in the list and in the form',
    file: 'src/security/access_token.ts',
    find: "requiredClaims: ['exp', 'iat',",
    replace: "requiredClaims: ['iat',",
    also: [{ file: 'src/security/access_token.ts', find: " && typeof exp === 'number' ?", replace: ' ?' }],
  },
  {
    rows: ['T-06'],
    takesOut: 'that iat must be there, in the list and in the form',
    file: 'src/security/access_token.ts',
    find: "requiredClaims: ['exp', 'iat',",
    replace: "requiredClaims: ['exp',",
    also: [{ file: 'src/security/access_token.ts', find: "typeof iat === 'number' && ", replace: '' }],
  },
  {
    rows: ['T-06'],
    takesOut: 'that no token outlives its session',
    file: 'src/auth/tokens.ts',
    find: 'Math.min(iat + this.#parts.settings.accessTokenLifetime / 1_000, Math.floor(expiresAt / 1_000))',
    replace: 'Math.max(iat + this.#parts.settings.accessTokenLifetime / 1_000, Math.floor(expiresAt / 1_000) * 0)',
  },
  {
    rows: ['T-07'],
    takesOut: 'the type of a token',
    file: 'src/security/access_token.ts',
    find: '      typ: TYPE,\n',
    replace: '',
  },
  {
    rows: ['T-08'],
    takesOut: 'the check of aud',
    file: 'src/security/access_token.ts',
    find: '      audience,\n      currentDate',
    replace: '      currentDate',
  },
  {
    rows: ['T-08'],
    takesOut: 'that the audience which is set is written',
    file: 'src/security/access_token.ts',
    find: '    .setAudience(audience)\n',
    replace: '    .setAudience(issuer)\n',
    tests: 'test/security/rows_tokens.test.ts',
  },
  {
    rows: ['T-09'],
    takesOut: 'the check of iss',
    file: 'src/security/access_token.ts',
    find: '      issuer,\n      audience,',
    replace: '      audience,',
  },
  {
    rows: ['T-09'],
    takesOut: 'that the user of a token is the user of its session',
    file: 'src/auth/tokens.ts',
    find: 'if (checked === null || String(checked.user.id) !== claims.sub) return null\n    return { session',
    replace: 'if (checked === null) return null\n    return { session',
  },
  {
    rows: ['T-10', 'T-11', 'T-22'],
    takesOut: 'that the session is looked up at every call',
    file: 'src/auth/tokens.ts',
    find: 'const checked = await this.#parts.sessions.use(claims.sid, kind)\n',
    replace:
      'const checked = (await this.#parts.sessions.use(claims.sid, kind)) ?? this.#seen.get(claims.sid) ?? null\n    if (checked !== null) this.#seen.set(claims.sid, checked)\n',
    also: [
      {
        file: 'src/auth/tokens.ts',
        find: '  readonly #verified = new VerifiedTokens()\n',
        replace: '  readonly #verified = new VerifiedTokens()\n  readonly #seen = new Map<string, CheckedSession>()\n',
      },
    ],
  },
  {
    rows: ['T-11'],
    takesOut: 'that a token has an id, in the list and in the form',
    file: 'src/security/access_token.ts',
    find: "'sid', 'jti']",
    replace: "'sid']",
    also: [{ file: 'src/security/access_token.ts', find: " && typeof jti === 'string'", replace: '' }],
  },
  {
    rows: ['T-21'],
    takesOut: 'that a token tells nothing else about anybody',
    file: 'src/security/access_token.ts',
    find: 'new SignJWT({ sid })',
    replace: 'new SignJWT({ sid, ip: issuer })',
  },
  {
    rows: ['T-26'],
    takesOut: 'the longest token',
    file: 'src/security/access_token.ts',
    find: 'token.length > LONGEST || ',
    replace: '',
  },
  {
    rows: ['T-26'],
    takesOut: 'the form of a token',
    file: 'src/security/access_token.ts',
    find: ' || !FORM.test(token)',
    replace: '',
    tests: 'test/security/access_token.test.ts',
  },
  {
    rows: ['T-26'],
    takesOut: 'that a token is as we write it',
    file: 'src/security/access_token.ts',
    find: 'return isAsWritten(token, payload) ? claimsOf(payload, key.kid) : null',
    replace: 'return claimsOf(payload, key.kid)',
  },
  {
    rows: ['T-26'],
    takesOut: 'that a header is UTF-8',
    file: 'src/security/access_token.ts',
    find: 'fatal: true',
    replace: 'fatal: false',
    tests: 'test/security/access_token.test.ts',
  },
  {
    rows: ['T-26'],
    takesOut: 'that a header which is no JSON is refused calmly',
    file: 'src/security/access_token.ts',
    find: "    return JSON.parse(utf8.decode(Buffer.from(part, 'base64url')))\n  } catch {\n    return null\n",
    replace:
      "    return JSON.parse(utf8.decode(Buffer.from(part, 'base64url')))\n  } catch {\n    throw new TypeError(part)\n",
  },
]
