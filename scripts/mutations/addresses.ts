/** What the fourth and the fifth trial by hand found in mails, addresses and numbers, with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'

const USER = 'src/user.ts'
const ADDRESS = 'src/auth/email_address.ts'
const tests = 'test/mail/fourth_trial.test.ts'
const fifth = 'test/mail/fifth_trial.test.ts'

export const addresses: readonly Mutation[] = [
  {
    rows: ['A-13'],
    takesOut: 'that a registration of a taken address uses up a number as well',
    file: 'src/auth/registration.ts',
    find: '    const id = await db.takeUserNumber()\n    const owner = await ownerOf(db, emailKey)\n    if (owner !== null) return this.#refuse(owner, client)\n',
    replace:
      '    const owner = await ownerOf(db, emailKey)\n    if (owner !== null) return this.#refuse(owner, client)\n    const id = await db.takeUserNumber()\n',
    tests,
  },
  {
    rows: ['A-13'],
    takesOut: 'that a letter too many is left out at a change of address, and nobody is told',
    file: 'src/auth/account.ts',
    find: ' ||\n        (letters.length > 0 && (await commit(endTokens(user.id, email), [])))',
    replace: '',
    tests,
  },
  {
    rows: ['A-19'],
    takesOut: 'that a domain has one spelling',
    file: USER,
    find: "domain === '' ? normal : normal.slice(0, at + 1) + domain",
    replace: "domain === '' ? normal : normal",
    tests,
  },
  {
    rows: ['R-10'],
    takesOut: 'the refusal of domains that are encoded',
    file: USER,
    find: "!domain.includes('%') && ",
    replace: '',
    tests,
  },
  { rows: ['R-10'], takesOut: 'the refusal of numbers', file: USER, find: 'isIP(ascii) === 0 && ', replace: '', tests },
  {
    rows: ['R-10'],
    takesOut: 'the refusal of domains of which a label is none',
    file: USER,
    find: " && ascii.split('.').every((label) => LABEL.test(label))",
    replace: '',
    tests,
  },
  {
    rows: ['A-14'],
    takesOut: 'that the notice of a changed address has no limit',
    file: 'src/mail/outbox.ts',
    find: 'if (!owed) conditions',
    replace: 'conditions',
    tests,
  },
  {
    rows: ['A-14'],
    takesOut: 'that it has one where the address was never proven',
    file: ADDRESS,
    find: 'return emailConfirmedAt !== null',
    replace: 'return emailConfirmedAt !== undefined',
    tests: 'test/mail/more_notices.test.ts',
  },
  {
    rows: ['A-14'],
    takesOut: 'that a return to the former address begins anew',
    file: ADDRESS,
    find: 'returns ? this.#returned',
    replace: 'returns && token.tries < 0 ? this.#returned',
    tests,
  },
  {
    rows: ['A-14'],
    takesOut: 'that a way back which has ended leaves room',
    file: 'src/db/tokens.ts',
    find: '    { sql: ended, params: [token.userId, token.purpose, token.createdAt] },\n',
    replace: '',
    also: [
      {
        file: 'src/db/tokens.ts',
        find: "  const ended = 'DELETE FROM one_time_tokens WHERE user_id = ? AND purpose = ? AND expires_at <= ?'\n",
        replace: '',
      },
    ],
    tests,
  },
  {
    rows: ['A-14'],
    takesOut: 'that only a proven address is reserved',
    file: ADDRESS,
    find: 'owed ? user.emailKey : null',
    replace: 'user.emailKey',
    tests,
  },
  {
    rows: ['A-14'],
    takesOut: 'that a reservation which is over hides none that holds',
    file: 'src/db/tokens.ts',
    find: "'SELECT * FROM one_time_tokens WHERE reserves = ? AND expires_at > ?', params: [emailKey, now]",
    replace: "'SELECT * FROM one_time_tokens WHERE reserves = ?', params: [emailKey]",
    tests: 'test/auth/parts.test.ts',
  },
  {
    rows: ['A-14'],
    takesOut: 'that another spelling of an address needs a proof',
    file: 'src/auth/account.ts',
    find: 'if (email === user.email) return this.#apply(checked, wanted, client)',
    replace:
      'if (emailKey === user.emailKey)\n      return this.#apply(checked, { ...wanted, email, emailConfirmedAt: user.emailConfirmedAt }, client)',
    tests: fifth,
  },
  {
    rows: ['A-14'],
    takesOut: 'that another spelling takes the way back from nobody',
    file: ADDRESS,
    find: "isSameMailbox(undo?.email ?? '', email)",
    replace: "normalEmail(undo?.email ?? '') === normalEmail(email)",
    tests: fifth,
  },
  {
    rows: ['A-19'],
    takesOut: 'the small form of letters that fold to ones of ASCII',
    file: USER,
    find: "inAsciiCase(local).normalize('NFC') === folded && ",
    replace: '',
    tests: fifth,
  },
  {
    rows: ['A-19'],
    takesOut: 'the small form of capitals beyond ASCII',
    file: USER,
    find: " && inAsciiCase(local.normalize('NFC')) === folded",
    replace: '',
    tests: 'test/user.test.ts',
  },
  {
    rows: ['A-19'],
    takesOut: 'that an address is kept in NFC',
    file: USER,
    find: "const typed = email.normalize('NFC')",
    replace: 'const typed = email',
    tests: 'test/user.test.ts',
  },
  {
    rows: ['R-02'],
    takesOut: 'that a letter is claimed after the answer',
    file: 'src/mail/delivery.ts',
    find: '    if (this.#stopped || this.#stirred !== undefined) return\n',
    replace: '    if (this.#stopped || this.#stirred !== undefined) return\n    this.wake()\n',
    tests,
  },
]
