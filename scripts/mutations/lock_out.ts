/** How the owner of an account is kept from being locked out, and from being noticed, with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'

const THROTTLE = 'src/features/throttle.ts'
const TAKEN_BACK = 'src/features/throttle/taken_back.ts'

export const lockOut: readonly Mutation[] = [
  {
    rows: ['A-06'],
    takesOut: 'that whoever registers the address of an owner has no seat of theirs',
    file: THROTTLE,
    find: "`${known ? 'known' : kind} ${digest(emailKey)}`",
    replace: "`${known ? 'known' : 'account'} ${digest(emailKey)}`",
    tests: 'test/features/throttle/seats.test.ts',
  },
  {
    rows: ['A-06'],
    takesOut: 'the seats of known devices and of sessions',
    file: THROTTLE,
    find: "  const known = kind === 'confirm' || device !== null\n",
    replace: "  const known = kind === 'confirm' && device !== null\n",
    tests: 'test/features/throttle/seats.test.ts',
  },
  {
    rows: ['A-06'],
    takesOut: 'the seats of a mailed link',
    file: THROTTLE,
    find: 'return `token ${tokenId}`',
    replace: "return `token ${tokenId === '' ? '' : digest(emailKey)}`",
    tests: 'test/features/throttle/seats.test.ts',
  },
  {
    rows: ['A-08'],
    takesOut: 'that strangers see nothing of a login from a known device',
    file: TAKEN_BACK,
    find: ': [emptied(deviceKey(device)), lessened(account, rule, now)]',
    replace: ': [emptied(deviceKey(device)), emptied(account)]',
  },
  {
    rows: ['A-08'],
    takesOut: 'that what a login from a known device takes back is as much as nobody sees',
    file: TAKEN_BACK,
    find: 'const tries = limit + waits.length - 1',
    replace: 'const tries = limit',
  },
  {
    rows: ['A-14'],
    takesOut: 'that a link takes no address which its former owner can bring back',
    file: 'src/db/tokens.ts',
    find: 'o.expires_at > ?)`',
    replace: 'o.expires_at > ? AND 1 = 0)`',
    tests: 'test/mail/seventh_trial.test.ts',
  },
  {
    rows: ['S-14'],
    takesOut: 'that a session which ended meanwhile ends no others',
    file: 'src/auth.ts',
    find: 'const withdrawn = [stillOpen(session), withdrawChange(user.id)]',
    replace: 'const withdrawn = [withdrawChange(user.id)]',
    tests: 'test/mail/seventh_trial.test.ts',
  },
  {
    rows: ['S-14'],
    takesOut: 'that a session which ended meanwhile ends no other one',
    file: 'src/auth.ts',
    find: '[stillOpen(session), ended, withdrawChange(user.id)]',
    replace: '[ended, withdrawChange(user.id)]',
    tests: 'test/mail/seventh_trial.test.ts',
  },
  {
    rows: ['S-14'],
    takesOut: 'that a password is proven in a session that is alive, when its turn has come',
    file: 'src/auth/account.ts',
    find: 'const checked = await keeper.peek(asking.session.id)',
    replace: 'const checked = keeper === null ? null : asking',
    tests: 'test/mail/seventh_trial.test.ts',
  },
  {
    rows: ['S-14'],
    takesOut: 'that a session which ended meanwhile deletes no account',
    file: 'src/auth/account.ts',
    find: '[stillOpen(session), deletion]',
    replace: '[deletion]',
    tests: 'test/mail/seventh_trial.test.ts',
  },
  {
    rows: ['R-10'],
    takesOut: 'that another link is mailed when the last one has half of its life behind it',
    file: 'src/mail/outbox.ts',
    find: 'sql: `(${few} OR ${old})`',
    replace: 'sql: `(${few} OR 1 = 0 AND ${old})`',
    tests: 'test/mail/seventh_trial.test.ts',
  },
  {
    rows: ['R-10'],
    takesOut: 'that the wait for another link is no longer than the last one is good',
    file: THROTTLE,
    find: 'return Math.min(20 * MINUTE, lifetime / 2)',
    replace: 'return 20 * MINUTE + lifetime * 0',
    tests: 'test/mail/seventh_trial.test.ts',
  },
  {
    rows: ['R-02'],
    takesOut: 'that letters to nobody have the limit of others',
    file: 'src/mail/outbox.ts',
    find: 'return [insertIf(outboxTable, row, withinLimit(mailsPerAddress, row))]',
    replace:
      'return [insertIf(outboxTable, row, withinLimit(mailsPerAddress, { ...row, expiresAt: row.createdAt + 24 * HOUR }))]',
    tests: 'test/mail/seventh_trial.test.ts',
  },
  {
    rows: ['A-18'],
    takesOut: 'that a change which mails nothing leaves the last mailed link good',
    file: 'src/auth/account.ts',
    find: 'commit(endTokens(user.id, email), [])',
    replace: 'commit(endTokens(user.id), [])',
    tests: 'test/mail/seventh_trial.test.ts',
  },
  {
    rows: ['A-18'],
    takesOut: 'that it withdraws one to another address',
    file: 'src/db/tokens.ts',
    find: "AND NOT (purpose = 'email_change' AND email = ?)",
    replace: "AND NOT (purpose = 'email_change' AND '' <> ?)",
    tests: 'test/mail/seventh_trial.test.ts',
  },
]
