/** Rows R: the password reset with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'

const RESET = 'src/auth/password_reset.ts'
const THROTTLE = 'src/features/throttle.ts'
const ACCOUNT_RULE = '{ key: accountKey(emailKey), rule: rules.account },'
const SPENT = 'must(remove(tokens, { id: token.id })),'

export const passwordReset: readonly Mutation[] = [
  {
    rows: ['R-01'],
    takesOut: 'that production tells the token to nobody',
    file: 'src/app.ts',
    find: 'if (settings.production) {',
    replace: 'if (settings.production && !isDirectLoopback(request)) {',
  },
  {
    rows: ['R-01', 'O-12'],
    takesOut: 'that no line of the log holds the token',
    file: 'src/auth/password_reset.ts',
    find: "type: 'password_reset_requested', userId: user?.id ?? null, emailKey, client }",
    replace: "type: 'password_reset_requested', userId: user?.id ?? null, emailKey, client, reason: link.credential }",
  },
  {
    rows: ['R-02'],
    takesOut: 'the same words for unknown addresses',
    file: 'src/app.ts',
    find: 'if (settings.production) {',
    replace: 'if (settings.production && owner !== null) {',
    tests: 'test/security/equal_time.test.ts',
  },
  {
    rows: ['R-02'],
    takesOut: 'the same work for unknown addresses',
    file: 'src/auth/password_reset.ts',
    find: 'const link = makeCredential()',
    replace:
      'if (user === null) return { owner: null, browser: makeCredential().credential }\n    const link = makeCredential()',
    tests: 'test/security/equal_time.test.ts',
  },
  {
    rows: ['R-05'],
    takesOut: 'that a used token is deleted, itself and with all of its user',
    file: 'src/auth/password_reset.ts',
    find: 'must(remove(tokens, { id: token.id })),',
    replace: '',
    also: [{ file: 'src/auth/password_reset.ts', find: '      endTokens(user.id),\n', replace: '' }],
  },
  {
    rows: ['R-06'],
    takesOut: 'that the token must still be there when it is spent',
    file: RESET,
    find: SPENT,
    replace: 'remove(tokens, { id: token.id }),',
  },
  {
    rows: ['R-08'],
    takesOut: 'that the address is still the one of the account',
    file: 'src/db/tokens.ts',
    find: 'WHERE id = ? AND email_key = ?',
    replace: 'WHERE id = ? OR email_key = ?',
    tests: 'test/mail/third_trial.test.ts',
  },
  {
    rows: ['R-07', 'H-19'],
    takesOut: 'the end of a token',
    file: 'src/auth/parts.ts',
    find: 'return db.now() < token.expiresAt ? token : null',
    replace: 'return token',
  },
  {
    rows: ['R-07'],
    takesOut: 'the hour that a token is good',
    file: 'src/auth/password_reset.ts',
    find: 'const lasts = settings.resetTokenLifetime',
    replace: 'const lasts = 24 * settings.resetTokenLifetime',
  },
  {
    rows: ['R-08'],
    takesOut: 'that a new token replaces the pending one, and that there can be but one',
    file: 'src/db/tokens.ts',
    find: '[remove(tokens, { userId, purpose }), must(insertIf(tokens, token, [there]))]',
    replace: '[must(insertIf(tokens, token, [there]))]',
    also: [{ file: 'src/db/migrations.ts', find: ',\n        UNIQUE (user_id, purpose)', replace: '' }],
  },
  {
    rows: ['R-09'],
    takesOut: 'that a request leaves the sessions alone',
    file: 'src/auth/password_reset.ts',
    find: 'const made = [',
    replace: 'const made = [\n      remove(sessions, { userId: token.userId }),',
  },
  {
    rows: ['R-09'],
    takesOut: 'that a request leaves the password alone',
    file: 'src/auth/password_reset.ts',
    find: 'const made = [',
    replace: "const made = [\n      changeUser({ hashedPassword: '!' }, { id: token.userId }, createdAt),",
  },
  {
    rows: ['R-10', 'A-01'],
    takesOut: 'the ceiling of resets for an address',
    file: THROTTLE,
    find: '{ key: resetsKey(emailKey), rule: rules.resetsOfAccount },',
    replace: '',
  },
  {
    rows: ['R-10', 'H-19'],
    takesOut: 'its default in production',
    file: 'src/settings/table.ts',
    find: 'fallback: { development: 0, production: 5 }',
    replace: 'fallback: { development: 0, production: 0 }',
  },
  {
    rows: ['R-10'],
    takesOut: 'that an unknown address is counted like a known one',
    file: RESET,
    find: "const attempt: Attempt = { kind: 'request_reset', emailKey, client, device: null }",
    replace:
      "const known = await found(this.#parts.db.findUserBy({ emailKey }))\n    const attempt: Attempt = { kind: 'request_reset', emailKey: known?.emailKey ?? String(Math.random()), client, device: null }",
  },
  {
    rows: ['R-10'],
    takesOut: 'that a refused request leaves the last token good',
    file: RESET,
    find: 'return events.attempt(attempt, () => this.#make(emailKey, client))',
    replace: 'const made = await this.#make(emailKey, client)\n    return events.attempt(attempt, async () => made)',
  },
  {
    rows: ['R-10'],
    takesOut: 'that wrong tokens are counted',
    file: THROTTLE,
    find: "case 'guess_token':\n      return failuresOf(emailKey, client, rules)",
    replace: "case 'guess_token':\n      return []",
  },
  {
    rows: ['R-10'],
    takesOut: 'that wrong tokens and wrong passwords are one count',
    file: THROTTLE,
    find: "case 'guess_token':\n      return failuresOf(emailKey, client, rules)",
    replace: "case 'guess_token':\n      return ofNetwork('guesses', rules.network, client)",
  },
  {
    rows: ['R-10'],
    takesOut: 'that guesses of tokens do not lock the account',
    file: THROTTLE,
    find: "case 'guess_token':\n      return failuresOf(emailKey, client, rules)",
    replace: `case 'guess_token':\n      return [${ACCOUNT_RULE} ...failuresOf(emailKey, client, rules)]`,
  },
  {
    rows: ['R-10'],
    takesOut: 'that requests are counted apart from logins: they lock the account',
    file: THROTTLE,
    find: '{ key: resetsKey(emailKey), rule: rules.resetsOfAccount },',
    replace: ACCOUNT_RULE,
  },
  {
    rows: ['R-10'],
    takesOut: 'that good tokens are no guesses',
    file: 'src/features/throttle/taken_back.ts',
    find: "case 'password_reset':\n      return [...refunded, emptied(account)]",
    replace: "case 'password_reset':\n      return [emptied(account)]",
  },
  {
    rows: ['R-11'],
    takesOut: 'that a token is for one user',
    file: RESET,
    find: ' || token.userId !== user.id',
    replace: '',
  },
  {
    rows: ['R-11'],
    takesOut: 'that a new address ends the pending token',
    file: 'src/auth/account.ts',
    find: '        ended,\n',
    replace: '',
  },
  {
    rows: ['R-12'],
    takesOut: 'that a refused password leaves the token unspent',
    file: RESET,
    find: "const hashedPassword = await hashNew(this.#parts, newPassword, user.email, 'new_password')",
    replace:
      "await db.commit([remove(tokens, { id: token.id })])\n    const hashedPassword = await hashNew(this.#parts, newPassword, user.email, 'new_password')",
    also: [{ file: RESET, find: SPENT, replace: '' }],
  },
  {
    rows: ['R-14'],
    takesOut: 'that a reset signs nobody in',
    file: 'src/app.ts',
    find: "const body = { email: user.email, message: 'Password updated' }",
    replace:
      "setSessionCookie(reply, await auth.createSession(email), settings)\n    const body = { email: user.email, message: 'Password updated' }",
  },
  {
    rows: ['R-15'],
    takesOut: 'that the sessions of others stay',
    file: RESET,
    find: '      remove(sessions, { userId: user.id }),\n',
    replace: "      { sql: 'DELETE FROM sessions', params: [] },\n",
  },
  {
    rows: ['R-18'],
    takesOut: 'the referrer policy of the page',
    file: 'src/app/pages.ts',
    find: "'strict-origin'",
    replace: "'unsafe-url'",
    tests: 'test/app/pages.test.ts',
  },
  {
    rows: ['R-18'],
    takesOut: 'that Back does not bring back a token which was not used',
    file: 'src/pages/assets/script.js',
    find: "  tokenField.autocomplete = 'off'\n",
    replace: '',
    tests: 'test/browser/history.test.ts',
  },
  {
    rows: ['R-18'],
    takesOut: 'that the script takes the token out of the address',
    file: 'src/pages/assets/script.js',
    find: "  history.replaceState(null, '', location.pathname + location.search)\n",
    replace: '',
    tests: 'test/browser/forms.test.ts',
  },
  {
    rows: ['R-19'],
    takesOut: 'that opening the page spends nothing',
    file: 'src/app/pages.ts',
    find: 'const signedIn = (await visitor(request, parts)) !== null\n    return sendSecretPage',
    replace:
      'const signedIn = (await visitor(request, parts)) !== null\n    const { reset_token: token, new_password: password } = Object(request.query)\n    if (token !== undefined) await parts.auth.updatePassword(token, password)\n    return sendSecretPage',
  },
  {
    rows: ['R-22'],
    takesOut: 'the purpose of a token: a session is one too, and none must be there to be spent',
    file: 'src/auth/parts.ts',
    find: 'const token = await found(db.findTokenBy({ id: parsed.id }))',
    replace:
      "const session = await found(db.findSessionBy({ id: parsed.id }))\n  const other = session === null ? null : { ...session, purpose: 'password_reset' as const }\n  const token = (await found(db.findTokenBy({ id: parsed.id }))) ?? other",
    also: [
      {
        file: 'src/auth/password_reset.ts',
        find: 'must(remove(tokens, { id: token.id })),',
        replace: 'remove(tokens, { id: token.id }),',
      },
    ],
  },
]
