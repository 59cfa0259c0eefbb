/** Rows S-01 to S-08: how a session begins and what keeps it, with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'

const KEEPER = 'src/auth/sessions.ts'
const CREDENTIAL = 'src/security/credential.ts'
const DRAW = "const secret = randomBytes(SECRET_BYTES).toString('base64url')"

export const sessionLife: readonly Mutation[] = [
  {
    rows: ['S-01', 'S-02', 'S-20', 'R-03'],
    takesOut: 'the randomness of a secret',
    file: CREDENTIAL,
    find: DRAW,
    replace: "const secret = Buffer.alloc(SECRET_BYTES).toString('base64url')",
  },
  {
    rows: ['S-01'],
    takesOut: 'half of the random bits',
    file: CREDENTIAL,
    find: DRAW,
    replace:
      "const secret = Buffer.concat([randomBytes(SECRET_BYTES / 2), Buffer.alloc(SECRET_BYTES / 2)]).toString('base64url')",
  },
  {
    rows: ['S-01', 'O-19'],
    takesOut: 'that nothing is issued without randomness: no secret is drawn, and no letter sealed',
    file: 'src/security/credential.ts',
    find: "const secret = randomBytes(SECRET_BYTES).toString('base64url')",
    replace:
      "let bytes = Buffer.alloc(SECRET_BYTES)\n  try {\n    bytes = randomBytes(SECRET_BYTES)\n  } catch {}\n  const secret = bytes.toString('base64url')",
    also: [
      {
        file: 'src/security/sealed.ts',
        find: 'const nonce = randomBytes(NONCE_BYTES)',
        replace:
          'let nonce = Buffer.alloc(NONCE_BYTES)\n    try {\n      nonce = randomBytes(NONCE_BYTES)\n    } catch {}',
      },
    ],
  },
  {
    rows: ['S-02'],
    takesOut: 'that a login leaves the other sessions alone',
    file: 'src/auth/logins.ts',
    find: 'const left = presented === undefined ? null : await sessions.check(presented)',
    replace:
      'statements.unshift(remove(sessionTable, { userId: user.id }))\n    const left = presented === undefined ? null : await sessions.check(presented)',
  },
  {
    rows: ['S-03'],
    takesOut: 'the end of the session presented at a login',
    file: 'src/auth/logins.ts',
    find: 'if (left !== null) statements.unshift(remove(sessionTable, { id: left.session.id }))',
    replace: '',
  },
  {
    rows: ['S-03'],
    takesOut: 'the end of the session presented with a new address',
    file: 'src/auth/account.ts',
    find: 'must(remove(sessions, { id: session.id })),',
    replace: '...(changes.hashedPassword === undefined ? [] : [must(remove(sessions, { id: session.id }))]),',
  },
  {
    rows: ['S-03', 'S-14'],
    takesOut: 'the end of the session presented with a new password',
    file: 'src/auth/account.ts',
    find: 'must(remove(sessions, { id: session.id })),',
    replace: '...(changes.hashedPassword === undefined ? [must(remove(sessions, { id: session.id }))] : []),',
    also: [
      {
        file: 'src/auth/account.ts',
        find: '[endOthers(user.id, opened.session.id)]',
        replace: '[endOthers(user.id, session.id)]',
      },
    ],
  },
  {
    rows: ['S-04', 'S-03'],
    takesOut: 'that an id is made by the server: the one presented is kept',
    file: 'src/app.ts',
    find: 'setSessionCookie(reply, credential, settings)\n    // Clients',
    replace: 'setSessionCookie(reply, presented ?? credential, settings)\n    // Clients',
  },
  {
    rows: ['S-05'],
    takesOut: 'the calm refusal of what is no credential',
    file: CREDENTIAL,
    find: '!FORM.test(presented)) return null',
    replace: "!FORM.test(presented)) throw new TypeError('no credential')",
  },
  {
    rows: ['S-05'],
    takesOut: 'the exact form of a credential: what follows it is let pass',
    file: CREDENTIAL,
    find: 'presented.length !== CREDENTIAL_LENGTH ||',
    replace: 'presented.length < CREDENTIAL_LENGTH ||',
    also: [
      { file: CREDENTIAL, find: '[\\w-]{43}$/', replace: '[\\w-]{43}/' },
      {
        file: CREDENTIAL,
        find: 'presented.slice(ID_LENGTH + 1)',
        replace: 'presented.slice(ID_LENGTH + 1, CREDENTIAL_LENGTH)',
      },
    ],
  },
  {
    rows: ['S-05'],
    takesOut: 'the comparison of the secret',
    file: 'src/auth/sessions.ts',
    find: "found?.session.kind !== 'cookie' || !sameHash(parsed.secretHash, found.session.secretHash)",
    replace: "found?.session.kind !== 'cookie'",
  },
  {
    rows: ['S-06', 'H-19'],
    takesOut: 'the end of an unused session',
    file: 'src/session.ts',
    find: ' && now - session.lastSeenAt < life.idle',
    replace: '',
  },
  {
    rows: ['S-06', 'S-21'],
    takesOut: 'that the row of an unused session is deleted',
    file: 'src/db/sessions.ts',
    find: '(expires_at <= ? OR last_seen_at <= ?)',
    replace: '(expires_at <= ? AND last_seen_at <= ?)',
  },
  {
    rows: ['S-07', 'S-08', 'S-23', 'K-06', 'H-19'],
    takesOut: 'the end of a session at a fixed age',
    file: 'src/session.ts',
    find: 'now < session.expiresAt && ',
    replace: '',
  },
  {
    rows: ['S-07', 'S-08', 'S-23'],
    takesOut: 'that the age is fixed: use moves the absolute end',
    file: 'src/session.ts',
    find: 'now < session.expiresAt && ',
    replace: 'now < session.expiresAt + session.lastSeenAt - session.createdAt && ',
  },
  {
    rows: ['S-06'],
    takesOut: 'that SESSION_IDLE is longer than a last use takes to be written for the other processes',
    file: 'src/settings/table.ts',
    find: "duration('5m', '365d')",
    replace: "duration('1m', '365d')",
    tests: 'test/app/sessions.test.ts',
  },
  {
    rows: ['S-08'],
    takesOut: 'that use moves the idle end',
    file: KEEPER,
    find: '    this.#uses.add(session, now)\n',
    replace: '',
  },
  {
    rows: ['S-08'],
    takesOut: 'that a login moves the absolute end',
    file: KEEPER,
    find: 'expiresAt: now + this.#life.absolute',
    replace: 'expiresAt: user.createdAt + this.#life.absolute',
  },
  {
    rows: ['S-08'],
    takesOut: 'that a login moves the idle end',
    file: KEEPER,
    find: 'lastSeenAt: now, expiresAt',
    replace: 'lastSeenAt: user.createdAt, expiresAt',
  },
]
