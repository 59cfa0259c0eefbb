/** Rows, where mail is sent: nobody learns who has an account, with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'

export const hiddenAccounts: readonly Mutation[] = [
  {
    rows: ['A-13'],
    takesOut: 'that a taken address is answered like a free one',
    file: 'src/auth.ts',
    find: 'if (user === null && !this.#parts.settings.hideAccounts)',
    replace: 'if (user === null)',
  },
  {
    rows: ['A-13'],
    takesOut: 'the default of production with mail',
    file: 'src/settings.ts',
    find: "production && mail === 'smtp'",
    replace: "production && mail === 'folder'",
    tests: 'test/settings_production.test.ts',
  },
  {
    rows: ['A-13'],
    takesOut: 'that hidden accounts must be confirmed before a login, unless it is said otherwise',
    file: 'src/settings.ts',
    find: "requireConfirmed === 'auto' ? hidden",
    replace: "requireConfirmed === 'auto' ? false",
    tests: 'test/settings_production.test.ts',
  },
  {
    rows: ['A-13'],
    takesOut: 'the same time: no hash for a taken address',
    file: 'src/auth/registration.ts',
    find: 'const hashedPassword = await events.attempt(attempt, () => hasher.hash(password))\n    const owner = await ownerOf(db, emailKey)\n    if (owner !== null) return this.#refuse(owner, client)\n',
    replace:
      'const owner = await ownerOf(db, emailKey)\n    if (owner !== null) return this.#refuse(owner, client)\n    const hashedPassword = await events.attempt(attempt, () => hasher.hash(password))\n',
  },
  {
    rows: ['A-13'],
    takesOut: 'that the owner of a taken address is told',
    file: 'src/auth/registration.ts',
    find: '[...told, ...useUpNumber',
    replace: '[...useUpNumber',
  },
  {
    rows: ['A-13'],
    takesOut: 'that a login before the confirmation is answered like a wrong password',
    file: 'src/auth/logins.ts',
    find: "settings.hideAccounts ? 'credentials_invalid' : 'email_unconfirmed'",
    replace: "'email_unconfirmed'",
  },
  {
    rows: ['A-12'],
    takesOut: 'the same: the right password of an address that is not confirmed',
    file: 'src/auth/logins.ts',
    find: "settings.hideAccounts ? 'credentials_invalid' : 'email_unconfirmed'",
    replace: "'email_unconfirmed'",
    tests: 'test/app/unconfirmed.test.ts',
  },
  {
    rows: ['R-02'],
    takesOut: 'that an unknown address is mailed nothing',
    file: 'src/auth/password_reset.ts',
    find: 'user === null ? [] : statements',
    replace: 'user === null ? statements.slice(4) : statements',
    tests: 'test/mail/equal.test.ts',
  },
  {
    rows: ['R-02'],
    takesOut: 'the same work for unknown addresses that want another confirmation',
    file: 'src/auth/email_address.ts',
    find: 'const statements = this.confirmation(user, client)\n',
    replace: 'if (user === null) return\n      const statements = this.confirmation(user, client)\n',
    tests: 'test/mail/equal.test.ts',
  },
  {
    rows: ['R-02'],
    takesOut: 'that a new password is compared with the normal form of the address, however it was registered or typed',
    file: 'src/security/password_policy.ts',
    find: 'const normal = normalEmail(email)',
    replace: 'const normal = email',
    also: [
      {
        file: 'src/auth/password_reset.ts',
        find: 'checkPassword(newPassword, email,',
        replace: 'checkPassword(newPassword, user?.email ?? email,',
      },
    ],
    tests: 'test/mail/fifth_trial.test.ts',
  },
]
