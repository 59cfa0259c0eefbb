/** Rows O-17, A-18 and A-09: what somebody else does between two steps of a request, with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'

const OVERTAKEN = 'test/app/overtaken.test.ts'
const TWELFTH = 'test/mail/twelfth_trial.test.ts'

export const meanwhile: readonly Mutation[] = [
  {
    rows: ['O-17'],
    takesOut: 'that an account may be deleted when a change of it is written',
    file: 'src/auth/account.ts',
    find: 'await found(db.findUserBy({ id: user.id }))',
    replace: 'await db.findUserBy({ id: user.id })',
    tests: OVERTAKEN,
  },
  {
    rows: ['O-17'],
    takesOut: 'that an account may be deleted when its address is confirmed',
    file: 'src/auth/email_address.ts',
    find: 'await found(this.#parts.db.findUserBy({ id: user.id }))',
    replace: 'await this.#parts.db.findUserBy({ id: user.id })',
    tests: OVERTAKEN,
  },
  {
    rows: ['O-17'],
    takesOut: 'that an account may be deleted when it is registered',
    file: 'src/auth/registration.ts',
    find: 'return found(db.findUserBy({ id }))',
    replace: 'return db.findUserBy({ id })',
    tests: OVERTAKEN,
  },
  {
    rows: ['O-17'],
    takesOut: 'that an address that was taken may be free again',
    file: 'src/auth/registration.ts',
    find: 'const winner = await ownerOf(db, emailKey)',
    replace: 'const winner = await db.findUserBy({ emailKey })',
    tests: OVERTAKEN,
  },
  {
    rows: ['O-17'],
    takesOut: 'that an account may be deleted when it gets a token',
    file: 'src/db/tokens.ts',
    find: 'must(insertIf(tokens, token, [there]))',
    replace: 'insert(tokens, token)',
    tests: OVERTAKEN,
  },
  {
    rows: ['A-18'],
    takesOut: 'that a confirmation for nobody leaves the letter to whoever registers alone',
    file: 'src/auth/email_address.ts',
    find: 'post.outdateDecoys(letter.kind, email)',
    replace: 'post.outdate(letter.kind, email)',
    tests: TWELFTH,
  },
  {
    rows: ['A-18'],
    takesOut: 'that a reset for nobody leaves the letter to whoever registers alone',
    file: 'src/auth/password_reset.ts',
    find: 'user === null ? post.outdateDecoys(letter.kind, emailKey) : post.outdate(letter.kind, user.email)',
    replace: 'post.outdate(letter.kind, letter.to)',
    tests: TWELFTH,
  },
  {
    rows: ['A-09'],
    takesOut: 'that an address asked about counts, though the session has ended',
    file: 'src/auth/events.ts',
    find: "kind === 'confirm' && code === 'session_required'",
    replace: "code === 'session_required'",
    tests: TWELFTH,
  },
  {
    rows: ['O-17'],
    takesOut: 'that a name is changed only in a session that is alive',
    file: 'src/auth/account.ts',
    find: '[stillOpen(session), must(changeUser({ name',
    replace: '[must(changeUser({ name',
    tests: OVERTAKEN,
  },
]
