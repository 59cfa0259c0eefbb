/** Rows O-10 to O-15: the events of the log and of the audit log, with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'

const AUDIT = 'src/features/audit_log.ts'
const REFUSALS = 'src/app/refusals.ts'
const EVENTS = 'src/auth/events.ts'
const LINE = 'log.info({ event: type, user: userId, session: sessionId, ...where(client), reason, times }, type)'
const REQUEST_LINE = 'const line = { method: request.method,'
const LOGGED = "request.log.error({ err: error, code: refusal.code }, 'request failed')"
const UNREPORTED = "new Set([\n  'credentials_invalid',"
/** Refusals that are not reported any more, by code. */
const silent: readonly string[] = [
  ...['session_required', 'cross_origin', 'field_missing', 'field_invalid', 'email_invalid', 'email_taken'],
  ...['password_common', 'body_invalid', 'body_too_large', 'content_type_unsupported', 'fresh_password_required'],
]

export const events: readonly Mutation[] = [
  {
    rows: ['O-10'],
    takesOut: 'the row of an event',
    file: AUDIT,
    find: '[row({ event, at: db.now(), times: 1 })]',
    replace: 'event.type.length > 0 ? [] : [row({ event, at: db.now(), times: 1 })]',
  },
  {
    rows: ['O-10', 'O-11', 'O-13'],
    takesOut: 'the line of an event',
    file: AUDIT,
    find: `    ${LINE}\n`,
    replace: '',
  },
  {
    rows: ['O-10'],
    takesOut: 'that what was tried is told apart from what was done',
    file: AUDIT,
    find: 'TRIES.has(type) ? 1 : 0',
    replace: '0',
  },
  {
    rows: ['O-10'],
    takesOut: 'the event of a login that failed',
    file: 'src/auth/logins.ts',
    find: "        await events.happen({ type: 'login_failed', userId: known?.id ?? null, ...owner, emailKey, client, device })\n",
    replace: '',
  },
  {
    rows: ['O-10'],
    takesOut: 'the event of a login',
    file: 'src/auth/logins.ts',
    find: "type: 'login_succeeded', sessionId: opened.session.id, device }",
    replace: "type: 'login_failed', sessionId: opened.session.id, device }",
  },
  {
    rows: ['O-10'],
    takesOut: 'the event of a reset that was refused',
    file: 'src/auth/password_reset.ts',
    find: "        await events.happen({ type: 'password_reset_refused', userId: user?.id ?? null, emailKey, client })\n",
    replace: '',
  },
  {
    rows: ['O-10'],
    takesOut: 'that what was typed is not said',
    file: AUDIT,
    find: 'log.info({ event: type,',
    replace: 'log.info({ typed: event.emailKey, event: type,',
  },
  {
    rows: ['O-11'],
    takesOut: 'the time in UTC',
    file: 'src/log.ts',
    find: 'pino.stdTimeFunctions.isoTime',
    replace: 'pino.stdTimeFunctions.epochTime',
  },
  {
    rows: ['O-11', 'O-10'],
    takesOut: 'where',
    file: AUDIT,
    find: LINE,
    replace: LINE.replace(' ...where(client),', ''),
  },
  { rows: ['O-11', 'O-10'], takesOut: 'who', file: AUDIT, find: LINE, replace: LINE.replace(' user: userId,', '') },
  { rows: ['O-11', 'O-10'], takesOut: 'what', file: AUDIT, find: LINE, replace: LINE.replace('event: type, ', '') },
  {
    rows: ['O-11'],
    takesOut: 'the one form: a line has what no other has',
    file: AUDIT,
    find: LINE,
    replace: LINE.replace('reason,', 'reason, emailKey: event.emailKey,'),
  },
  {
    rows: ['O-12'],
    takesOut: 'that no line holds a body',
    file: 'src/log.ts',
    find: REQUEST_LINE,
    replace: `${REQUEST_LINE} body: request.body,`,
  },
  {
    rows: ['O-12'],
    takesOut: 'that no line holds a cookie',
    file: 'src/log.ts',
    find: REQUEST_LINE,
    replace: `${REQUEST_LINE} cookie: request.headers.cookie,`,
  },
  {
    rows: ['O-12'],
    takesOut: 'that no line holds a query',
    file: 'src/log.ts',
    find: REQUEST_LINE,
    replace: `${REQUEST_LINE} query: request.query,`,
  },
  {
    rows: ['O-13'],
    takesOut: 'the event of a refusal',
    file: REFUSALS,
    find: "if ((statusOf(code) < 500 || code === 'busy') && !NOT_REPORTED.has(code)) {",
    replace: 'if (statusOf(code) < 400 && !NOT_REPORTED.has(code)) {',
  },
  ...silent.map(
    (code): Mutation => ({
      rows: ['O-13'],
      takesOut: `the event of the refusal ${code}`,
      file: REFUSALS,
      find: UNREPORTED,
      replace: `${UNREPORTED}\n  '${code}',`,
    }),
  ),
  {
    rows: ['O-13'],
    takesOut: 'the row of a refusal',
    file: AUDIT,
    find: '[...collected.values()].map(row)',
    replace: '[]',
  },
  {
    rows: ['O-13'],
    takesOut: 'the reason of a refusal',
    file: REFUSALS,
    find: 'client, reason: code }',
    replace: 'client }',
  },
  {
    rows: ['O-13', 'O-10'],
    takesOut: 'the event of a throttled try',
    file: EVENTS,
    find: "      if (error instanceof AuthError) this.tell({ type: 'throttled', userId: null, emailKey, client, reason: kind })\n",
    replace: '',
  },
  {
    rows: ['O-14', 'O-17', 'O-20'],
    takesOut: 'the error line of a fault',
    file: REFUSALS,
    find: LOGGED,
    replace: `if (status >= 600) ${LOGGED}`,
  },
  {
    rows: ['O-14', 'O-17'],
    takesOut: 'the cause in it',
    file: REFUSALS,
    find: LOGGED,
    replace: LOGGED.replace('err: error, ', ''),
  },
  {
    rows: ['O-15'],
    takesOut: 'the escaping of control characters',
    file: 'src/log.ts',
    find: 'return pino(options, stream)',
    replace:
      "return pino(options, { write: (line) => stream.write(line.replaceAll('\\\\n', '\\n').replaceAll('\\\\u001b', '\\x1b')) })",
  },
  {
    rows: ['O-15'],
    takesOut: 'the removal of 8-bit control characters',
    file: 'src/app/client.ts',
    find: ".replace(/\\p{Cc}/gu, '')",
    replace: '',
  },
  {
    rows: ['O-15'],
    takesOut: 'the length of a user agent in a line and a row',
    file: AUDIT,
    find: 'userAgent: userAgent.slice(0, 256)',
    replace: 'userAgent',
  },
  {
    rows: ['H-19'],
    takesOut: 'that a refusal of a kind is a line the first time alone',
    file: AUDIT,
    find: '      if (refused.times > 1) return\n',
    replace: '',
    tests: 'test/features/audit_log.test.ts',
  },
  {
    rows: ['H-19'],
    takesOut: 'the line with the number of the other refusals of a kind',
    file: AUDIT,
    find: '      for (const refused of collected.values()) tellRest(refused)\n',
    replace: '',
    tests: 'test/features/audit_log.test.ts',
  },
  {
    rows: ['H-19'],
    takesOut: 'the most kinds of refusals that are told apart',
    file: AUDIT,
    find: 'pending.has(key) || pending.size < MOST_PENDING ? key : rest',
    replace: 'pending.has(key) || pending.size !== MOST_PENDING + 500 ? key : rest',
    tests: 'test/features/audit_log.test.ts',
  },
  {
    rows: ['H-19'],
    takesOut: 'that what a full queue refuses is counted with the refusals and no line of its own',
    file: REFUSALS,
    find: "if (status >= 500 && (refusal.code !== 'busy' || refusal !== error))",
    replace: 'if (status >= 500)',
    tests: 'test/features/audit_log.test.ts',
  },
  {
    rows: ['O-10'],
    takesOut: 'that what is no refusal is a line each time',
    file: AUDIT,
    find: "new Set(['throttled', 'request_refused'])",
    replace: "new Set(['throttled', 'request_refused', 'login_failed'])",
    tests: 'test/features/audit_log.test.ts',
  },
]
