/** Rows S: sessions with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'
import { sessionLife } from './session_life.ts'

const AUTH = 'src/auth.ts'
const KEEPER = 'src/auth/sessions.ts'
const CREDENTIAL = 'src/security/credential.ts'
const DRAW = "const secret = randomBytes(SECRET_BYTES).toString('base64url')"
const PRESENTED = 'return request.cookies[cookie.name]\n'

export const sessions: readonly Mutation[] = [
  ...sessionLife,
  {
    rows: ['S-09'],
    takesOut: 'the longest life that NIST allows',
    file: 'src/settings/table.ts',
    find: 'fallback: 30 * DAY,',
    replace: 'fallback: 60 * DAY,',
  },
  {
    rows: ['S-09', 'H-19'],
    takesOut: 'a limit in the manual',
    file: 'docs/settings.md',
    find: 'from 1m to 400d | `30d` |',
    replace: 'from 1m to 400d | `20d` |',
  },
  {
    rows: ['S-10', 'H-19'],
    takesOut: 'the most sessions of one user',
    file: KEEPER,
    find: 'openSession(session, user.hashedPassword), endOldest(user.id, id, this.#life.limit)]',
    replace: 'openSession(session, user.hashedPassword)]',
  },
  {
    rows: ['S-10'],
    takesOut: 'that the oldest ends',
    file: 'src/db/sessions.ts',
    find: 'ORDER BY created_at DESC, id LIMIT',
    replace: 'ORDER BY last_seen_at DESC, id LIMIT',
  },
  {
    rows: ['S-11'],
    takesOut: 'the end of the row at a logout',
    file: 'src/app.ts',
    find: '    await auth.endSession(checked.session.id, checked, request.client)\n',
    replace: '',
  },
  {
    rows: ['S-12'],
    takesOut: 'the clearing of the cookie at a logout',
    file: 'src/app.ts',
    find: '    await leaveBrowser(request, reply, checked, auth, settings)\n',
    replace: '',
  },
  {
    rows: ['S-12'],
    takesOut: 'the same flags when it is cleared',
    file: 'src/app/cookies.ts',
    find: "'', sessionAttributes(settings, 0))",
    replace: "'', { path: '/', maxAge: 0 })",
  },
  {
    rows: ['S-12'],
    takesOut: 'the same domain when it is cleared',
    file: 'src/app/cookies.ts',
    find: "'', sessionAttributes(settings, 0))",
    replace: "'', sessionAttributes({ ...settings, cookie: { ...settings.cookie, domain: undefined } }, 0))",
  },
  {
    rows: ['S-12'],
    takesOut: 'the same path when it is cleared',
    file: 'src/app/cookies.ts',
    find: "'', sessionAttributes(settings, 0))",
    replace: "'', { ...sessionAttributes(settings, 0), path: '/sessions' })",
  },
  {
    rows: ['S-12'],
    takesOut: 'the same name when it is cleared',
    file: 'src/app/cookies.ts',
    find: "reply.setCookie(settings.cookie.name, ''",
    replace: "reply.setCookie('session_id_', ''",
  },
  {
    rows: ['S-12'],
    takesOut: 'the end of its life when it is cleared',
    file: 'src/app/cookies.ts',
    find: "'', sessionAttributes(settings, 0))",
    replace: "'', sessionAttributes(settings, 3600))",
  },
  {
    rows: ['S-13'],
    takesOut: 'that sessions and tokens go with their account',
    file: 'src/engines/sqlite.ts',
    find: "'foreign_keys = ON'",
    replace: "'foreign_keys = OFF'",
  },
  {
    rows: ['S-13', 'P-13'],
    takesOut: 'the end of the sessions of a disabled account',
    file: AUTH,
    find: '      remove(sessions, { userId }),\n',
    replace: '',
  },
  {
    rows: ['S-13', 'P-13'],
    takesOut: 'the end of the tokens of a disabled account',
    file: 'src/auth.ts',
    find: '      endTokens(userId),\n',
    replace: '',
  },
  {
    rows: ['S-14'],
    takesOut: 'the end of the other sessions with a new password',
    file: 'src/auth/account.ts',
    find: '[endOthers(user.id, opened.session.id)]',
    replace: '[]',
  },
  {
    rows: ['S-14', 'R-15'],
    takesOut: 'the end of all sessions by a reset',
    file: 'src/auth/password_reset.ts',
    find: '      remove(sessions, { userId: user.id }),\n',
    replace: '',
  },
  {
    rows: ['S-14', 'S-15'],
    takesOut: 'the owner of the other sessions that end',
    file: 'src/db/sessions.ts',
    find: "{ sql: 'DELETE FROM sessions WHERE user_id = ? AND id <> ?', params: [userId, kept] }",
    replace: "{ sql: 'DELETE FROM sessions WHERE user_id > ? AND id <> ?', params: [userId * 0, kept] }",
  },
  {
    rows: ['S-15'],
    takesOut: 'that the list shows no hash',
    file: 'src/app/sessions.ts',
    find: '    id: session.id,\n',
    replace: '    id: session.id,\n    secret_hash: session.secretHash,\n',
    also: [
      {
        file: 'src/app/sessions.ts',
        find: '{ id: text, device: text,',
        replace: '{ id: text, secret_hash: text, device: text,',
      },
    ],
  },
  {
    rows: ['S-15'],
    takesOut: 'that the session named is the one that ends',
    file: 'src/app/sessions.ts',
    find: 'auth.endSession(id, checked, request.client)',
    replace: 'auth.endSession(checked.session.id, checked, request.client)',
  },
  {
    rows: ['S-15'],
    takesOut: 'the fresh password before one session ends',
    file: 'src/app/sessions.ts',
    find: "access: 'fresh'",
    replace: "access: 'session'",
  },
  {
    rows: ['S-17'],
    takesOut: 'that a query is not read for a session',
    file: 'src/app/cookies.ts',
    find: PRESENTED,
    replace: 'return request.cookies[cookie.name] ?? Object(request.query)[cookie.name]\n',
  },
  {
    rows: ['S-17'],
    takesOut: 'that a header is not read for a session',
    file: 'src/app/cookies.ts',
    find: PRESENTED,
    replace: "return request.cookies[cookie.name] ?? request.headers['x-session-id']?.toString()\n",
  },
  {
    rows: ['S-17'],
    takesOut: 'that a bearer token is not read for a session',
    file: 'src/app/cookies.ts',
    find: 'return request.cookies[cookie.name]\n',
    replace: "return request.cookies[cookie.name] ?? request.headers.authorization?.replace('Bearer ', '')\n",
    also: [
      {
        file: 'src/app/carriers.ts',
        find: '  if (bearer !== undefined) return bearerSession(bearer, auth)\n',
        replace: '',
      },
    ],
  },
  {
    rows: ['S-17'],
    takesOut: 'that a body is not read for a session',
    file: 'src/app/guards.ts',
    find: "app.addHook('onRequest', async (request, reply) => {",
    replace: "app.addHook('preValidation', async (request, reply) => {",
    also: [
      {
        file: 'src/app/cookies.ts',
        find: 'return request.cookies[cookie.name]\n',
        replace: 'return request.cookies[cookie.name] ?? Object(request.body)[cookie.name]\n',
      },
    ],
  },
  {
    rows: ['S-18'],
    takesOut: 'that the log has the pattern of a route, not the path',
    file: 'src/log.ts',
    find: "const { url: path = 'none' } = request.routeOptions",
    replace: 'const { url: path } = request',
  },
  {
    rows: ['S-18', 'O-12'],
    takesOut: "that the framework's own lines are off",
    file: 'src/log.ts',
    find: 'super({ disableRequestLogging: true })',
    replace: 'super({ disableRequestLogging: false })',
    also: [{ file: 'src/log.ts', find: 'override requestCompleted(', replace: 'requestDone(' }],
  },
  {
    rows: ['S-18'],
    takesOut: 'that a redirect holds no credential',
    file: 'src/app.ts',
    find: "reply.redirect('/', 302)",
    replace: 'reply.redirect(`/?left=${presentedCredential(request, settings)}`, 302)',
  },
  {
    rows: ['S-19', 'R-04'],
    takesOut: 'the hash: the secret itself is stored',
    file: CREDENTIAL,
    find: "return hash('sha256', secret, 'base64url')",
    replace: 'return secret',
  },
  {
    rows: ['S-20'],
    takesOut: 'that nothing is encoded in a secret: it begins with the time',
    file: CREDENTIAL,
    find: DRAW,
    replace:
      "const secret = Buffer.concat([Buffer.from(String(Date.now())), randomBytes(SECRET_BYTES)]).subarray(0, SECRET_BYTES).toString('base64url')",
  },
  {
    rows: ['S-20'],
    takesOut: 'that nothing is encoded in an id: it begins with the time',
    file: CREDENTIAL,
    find: 'import { v4 as uuid, validate }',
    replace: 'import { v7 as uuid, validate }',
  },
  {
    rows: ['S-21'],
    takesOut: 'that expired tokens are deleted',
    file: 'src/db.ts',
    find: ', sweepTokens(now)]',
    replace: ']',
  },
  {
    rows: ['S-22'],
    takesOut: 'the logout on every page',
    file: 'src/pages/layout.ts',
    find: '${view.signedIn && navigation(view)}',
    replace: '',
  },
  {
    rows: ['S-23'],
    takesOut: 'that no other cookie signs in: one of any name is taken, after the absolute end too',
    file: 'src/app/cookies.ts',
    find: PRESENTED,
    replace: 'return request.cookies[cookie.name] ?? request.cookies.remember_me\n',
    also: [{ file: 'src/session.ts', find: 'now < session.expiresAt && ', replace: '' }],
  },
]
