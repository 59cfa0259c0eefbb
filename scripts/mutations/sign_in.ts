/** Rows A: signing in and accounts with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'
import { throttling } from './throttling.ts'

const AUTH = 'src/auth.ts'

export const signIn: readonly Mutation[] = [
  ...throttling,
  {
    rows: ['A-10'],
    takesOut: 'that a new database has no account',
    file: 'src/db/migrations.ts',
    find: 'updated_at BIGINT NOT NULL\n      )`,\n',
    replace:
      "updated_at BIGINT NOT NULL\n      )`,\n      `INSERT INTO users (email, email_key, hashed_password, created_at, updated_at)\n        VALUES ('admin@example.org', 'admin@example.org', '!', 0, 0)`,\n",
  },
  {
    rows: ['A-11'],
    takesOut: 'that only a login signs in: a registration does as well',
    file: 'src/app.ts',
    find: "const registered = await auth.register({ email, password, name: name ?? '', client: request.client })",
    replace:
      "const registered = await auth.register({ email, password, name: name ?? '', client: request.client })\n    setSessionCookie(reply, await auth.createSession(email, request.client), settings)",
  },
  {
    rows: ['A-12'],
    takesOut: 'the hash for an unknown address and an unreadable row',
    file: 'src/security/password.ts',
    find: 'const matches = await this.#gate.run(() => check(normal, row ?? nobodys, this.#equalCost))',
    replace: 'const matches = row !== null && (await this.#gate.run(() => check(normal, row, this.#equalCost)))',
  },
  {
    rows: ['A-12'],
    takesOut: 'the topping up of cheaper rows',
    file: 'src/security/bcrypt_worker.ts',
    find: '    topUp(job)\n',
    replace: '',
  },
  {
    rows: ['A-12'],
    takesOut: 'that it is done in one errand, of which no part is to be seen',
    file: 'src/security/password.ts',
    find: "bcryptHash(candidate, `$2b$${String(cost).padStart(2, '0')}$${salt}`, equalCost)",
    replace:
      "bcryptHash(candidate, `$2b$${String(cost).padStart(2, '0')}$${salt}`)\n  for (let extra = cost; extra < equalCost; extra += 1) await bcryptHash(candidate, bcrypt.genSaltSync(extra))",
    tests: 'test/security/password.test.ts',
  },
  {
    rows: ['A-12'],
    takesOut: 'the highest stored cost as the measure',
    file: 'src/security/password.ts',
    find: 'Math.max(cost, highestStoredCost)',
    replace: 'Math.max(cost, highestStoredCost * 0)',
  },
  {
    rows: ['A-12'],
    takesOut: 'the configured cost as the measure',
    file: 'src/security/password.ts',
    find: 'Math.max(cost, highestStoredCost)',
    replace: 'highestStoredCost',
  },
  {
    rows: ['A-12'],
    takesOut: 'a higher cost that was met since as the measure',
    file: 'src/security/password.ts',
    find: '    this.#equalCost = Math.max(this.#equalCost, row?.cost ?? 0)\n',
    replace: '',
  },
  {
    rows: ['A-12'],
    takesOut: 'that a password which a row cannot hold is checked all the same',
    file: 'src/security/password.ts',
    find: 'const matches = await this.#gate.run(() => check(normal, row ?? nobodys, this.#equalCost))',
    replace:
      'if (row?.hashedFirst === false && !fits(normal)) return { matches: false, outdated: false }\n    const matches = await this.#gate.run(() => check(normal, row ?? nobodys, this.#equalCost))',
  },
  {
    rows: ['A-12'],
    takesOut: 'the one answer for all',
    file: 'src/auth/logins.ts',
    find: "throw new AuthError('credentials_invalid')",
    replace: "throw new AuthError(known === null ? 'email_unknown' : 'credentials_invalid')",
  },
  {
    rows: ['A-19'],
    takesOut: 'that case does not matter',
    file: 'src/user.ts',
    find: "email.trim().toLowerCase().normalize('NFC')",
    replace: "email.trim().normalize('NFC')",
  },
  {
    rows: ['A-19'],
    takesOut: 'that a tag stays',
    file: 'src/user.ts',
    find: "email.trim().toLowerCase().normalize('NFC')",
    replace: "email.trim().toLowerCase().normalize('NFC').replace(/\\+[^@]*/, '')",
  },
  {
    rows: ['A-19', 'A-25'],
    takesOut: 'that an address is unique: in the table, and in the look before',
    file: 'src/db/migrations.ts',
    find: 'email_key TEXT NOT NULL UNIQUE',
    replace: 'email_key TEXT NOT NULL',
    also: [
      {
        file: 'src/auth/registration.ts',
        find: '    if (owner !== null) return this.#refuse(owner, client)\n',
        replace: '',
      },
    ],
  },
  {
    rows: ['A-20'],
    takesOut: 'the comparison of credentials in constant time',
    file: 'src/security/credential.ts',
    find: 'left.length === right.length && timingSafeEqual(left, right)',
    replace: 'left.equals(right)',
  },
  {
    rows: ['A-20'],
    takesOut: 'the comparison of signatures in constant time',
    file: 'src/security/device.ts',
    find: 'timingSafeEqual(presented, expected)',
    replace: 'presented.equals(expected)',
  },
  {
    rows: ['A-20'],
    takesOut: 'the comparison of password hashes in constant time',
    file: 'src/security/password.ts',
    find: 'timingSafeEqual(Buffer.from(computed.slice(-DIGEST_LENGTH)), Buffer.from(digest))',
    replace: 'computed.slice(-DIGEST_LENGTH) === digest',
  },
  {
    rows: ['A-20'],
    takesOut: 'the comparison of the whole hash',
    file: 'src/security/credential.ts',
    find: 'timingSafeEqual(left, right)',
    replace: 'timingSafeEqual(left.subarray(0, 2), right.subarray(0, 2))',
  },
  {
    rows: ['A-21'],
    takesOut: 'that a route with something of an account is not public',
    file: 'src/app/sessions.ts',
    find: "app.get('/sessions', { config: { access: 'session' }",
    replace: "app.get('/sessions', { config: { access: 'public' }",
  },
  {
    rows: ['A-21'],
    takesOut: 'the session that a route asks for, in the hook and where it is read: whoever has none is the first user',
    file: 'src/app/guards.ts',
    find: "request.checked = await provenSession(request, reply, auth, settings)\n    if (request.checked === null) throw new AuthError('session_required')",
    replace:
      "request.checked = await provenSession(request, reply, auth, settings)\n    const [session] = await auth.listSessions(1)\n    if (request.checked === null && session !== undefined) {\n      request.checked = await auth.sessionOfAnyone(session)\n    }\n    if (request.checked === null) throw new AuthError('session_required')",
    also: [
      {
        file: 'src/auth.ts',
        find: '  /** @returns the sessions of a user that have not ended, the last used first */',
        replace:
          '  async sessionOfAnyone(session: Session): Promise<CheckedSession> {\n    return { session, user: await this.#parts.db.findUserBy({ id: session.userId }) }\n  }\n\n  /** @returns the sessions of a user that have not ended, the last used first */',
      },
    ],
  },
  {
    rows: ['A-22'],
    takesOut: 'the owner of a session that ends',
    file: AUTH,
    find: 'must(remove(sessions, { id, userId: user.id }))',
    replace: 'must(remove(sessions, { id }))',
  },
  {
    rows: ['A-22', 'H-05'],
    takesOut: 'that a change writes the listed fields alone',
    file: 'src/auth/account.ts',
    find: 'const { name, email, password, currentPassword } = changes',
    replace: 'const { name, email, password, currentPassword, ...more } = changes',
    also: [
      { file: 'src/auth/account.ts', find: '{ ...called, ...secret }', replace: '{ ...more, ...called, ...secret }' },
    ],
  },
  {
    rows: ['A-22'],
    takesOut: "that a change is of the caller's account: an id in the body names another one",
    file: 'src/app/account.ts',
    find: 'const changed = await auth.changeAccount(sessionOf(request),',
    replace:
      'const checked = sessionOf(request)\n    const user = { ...checked.user, id: Number(Object(request.body).id ?? checked.user.id) }\n    const changed = await auth.changeAccount({ ...checked, user },',
  },
  {
    rows: ['A-22'],
    takesOut: "that a deletion is of the caller's account: an id in the body names another one",
    file: 'src/app/account.ts',
    find: 'await auth.deleteAccount(checked, request.body.current_password, request.client)',
    replace:
      'const user = { ...checked.user, id: Number(Object(request.body).id ?? checked.user.id) }\n    await auth.deleteAccount({ ...checked, user }, request.body.current_password, request.client)',
    also: [
      {
        file: 'src/auth/account.ts',
        find: 'must(remove(users, provenIn(user)))',
        replace: 'must(remove(users, { id: asking.user.id }))',
      },
    ],
  },
  {
    rows: ['A-22'],
    takesOut: 'the owner of the sessions that are listed',
    file: 'src/db.ts',
    find: 'const { sql, params } = select(sessions, { userId })',
    replace: "const { sql, params } = { sql: 'SELECT * FROM sessions WHERE user_id >= ?', params: [userId * 0] }",
  },
  {
    rows: ['A-24'],
    takesOut: 'the password before an account is deleted',
    file: 'src/auth/account.ts',
    find: 'const { user, session } = await this.confirm(asking, currentPassword, client)\n    const formerEmail',
    replace:
      "const { user, session } = currentPassword === '' ? await this.confirm(asking, '', client) : asking\n    const formerEmail",
  },
  {
    rows: ['A-24', 'S-15'],
    takesOut: 'the fresh password before other sessions end',
    file: 'src/app.ts',
    find: '      await requireFresh(request, auth)\n',
    replace: '',
  },
  {
    rows: ['A-24', 'S-15'],
    takesOut: 'the end of freshness',
    file: 'src/session.ts',
    find: 'Math.abs(now - session.authenticatedAt) <= freshFor',
    replace: 'Math.abs(now - session.authenticatedAt) >= 0 * freshFor',
  },
  {
    rows: ['A-24'],
    takesOut: 'the setting of freshness',
    file: 'src/session.ts',
    find: '<= freshFor',
    replace: '<= Math.min(freshFor, 300_000)',
  },
  {
    rows: ['A-25'],
    takesOut: 'that statements happen all or not at all',
    file: 'src/engines/sqlite.ts',
    find: 'await this.#write(() => this.#transaction.immediate(statements))',
    replace:
      'for (const { sql, params, mustChange } of statements) {\n        const { changes } = this.#prepare(sql).run(...params)\n        if (mustChange === true && changes === 0) throw new Rollback()\n        await setTimeout(50)\n      }',
  },
]
