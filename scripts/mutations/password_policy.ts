/** Rows P-01 to P-06: which passwords may be set, with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'

const POLICY = 'src/security/password_policy.ts'

export const passwordPolicy: readonly Mutation[] = [
  {
    rows: ['P-01'],
    takesOut: 'the least length',
    file: POLICY,
    find: '].length < minLength)',
    replace: '].length < 1)',
  },
  {
    rows: ['P-01'],
    takesOut: 'counting in code points',
    file: POLICY,
    find: '[...normal].length <',
    replace: 'normal.length <',
  },
  {
    rows: ['P-01'],
    takesOut: 'NFC before the count',
    file: POLICY,
    find: "const normal = password.normalize('NFC')",
    replace: 'const normal = password',
  },
  {
    rows: ['P-02', 'A-23'],
    takesOut: 'that a new password or address asks for the current password',
    file: 'src/auth/account.ts',
    find: 'if (currentPassword === undefined) throw missingCurrentPassword()\n    const { checked, secret } = await this.#proven(asking, currentPassword, client, hashed)',
    replace:
      'const { checked, secret } = await (currentPassword === undefined\n      ? hashed(asking)\n      : this.#proven(asking, currentPassword, client, hashed))',
  },
  {
    rows: ['P-02', 'A-23', 'A-24', 'S-15'],
    takesOut: 'the refusal of a wrong current password',
    file: 'src/auth/account.ts',
    find: "if (!matches) throw new AuthError('current_password_wrong', { field: 'current_password' })",
    replace: '',
  },
  {
    rows: ['P-03', 'P-04', 'P-15', 'R-12'],
    takesOut: 'the look-up in the list of common passwords',
    file: POLICY,
    find: "if (await isCommonPassword(normal)) throw new AuthError('password_common', { field })",
    replace: '',
  },
  {
    rows: ['P-03'],
    takesOut: 'that case does not matter in the list',
    file: 'src/security/common_passwords.ts',
    find: 'has(password.toLowerCase())',
    replace: 'has(password)',
  },
  {
    rows: ['P-04'],
    takesOut: 'that the whole password is compared with the list',
    file: 'src/security/common_passwords.ts',
    find: '(await list).has(password.toLowerCase())',
    replace: '(await list).has(password.toLowerCase()) || (await list).has(password.toLowerCase().slice(2, -2))',
  },
  {
    rows: ['P-03', 'P-05', 'P-15'],
    takesOut: 'the policy at a registration',
    file: 'src/auth/registration.ts',
    find: 'await checkPassword(password, address, policy)',
    replace: "if (password === '') await checkPassword(password, address, policy)",
  },
  {
    rows: ['P-03', 'P-05', 'R-12'],
    takesOut: 'the policy at a change and a reset',
    file: 'src/auth/parts.ts',
    find: 'await checkPassword(password, email, policy, field)',
    replace: "if (password === '') await checkPassword(password, email, policy, field)",
  },
  {
    rows: ['P-05', 'P-15', 'R-12'],
    takesOut: 'the refusal of passwords made of known words',
    file: POLICY,
    find: "if (isMadeOf(normal, [...contextWords, ...wordsOf(email)])) throw new AuthError('password_context', { field })",
    replace: '',
  },
  {
    rows: ['P-05'],
    takesOut: 'the words of the service',
    file: POLICY,
    find: '[...contextWords, ...wordsOf(email)]',
    replace: 'wordsOf(email)',
  },
  {
    rows: ['P-05'],
    takesOut: 'the words of the address',
    file: POLICY,
    find: '[...contextWords, ...wordsOf(email)]',
    replace: 'contextWords',
  },
  {
    rows: ['P-05'],
    takesOut: 'the parts of the address',
    file: POLICY,
    find: ' ...local.split(/[.+_-]/),',
    replace: '',
  },
  {
    rows: ['P-05'],
    takesOut: 'the domain of the address',
    file: POLICY,
    find: ' domain, domainToUnicode(domain)]',
    replace: ']',
  },
  {
    rows: ['P-05'],
    takesOut: 'the labels of the host',
    file: POLICY,
    find: ", ...host.split('.').slice(0, -1)]",
    replace: ']',
  },
  {
    rows: ['P-05'],
    takesOut: 'NFC of the known words',
    file: POLICY,
    find: "word.normalize('NFC').toLowerCase()",
    replace: 'word.toLowerCase()',
    also: [{ file: POLICY, find: 'const normal = normalEmail(email)', replace: 'const normal = email' }],
  },
  {
    rows: ['P-05'],
    takesOut: 'that case does not matter',
    file: POLICY,
    find: 'const lower = password.toLowerCase()',
    replace: 'const lower = password',
  },
  {
    rows: ['P-05'],
    takesOut: 'the new address that comes with a new password',
    file: 'src/auth/account.ts',
    find: 'const owner = address ?? checked.user.email',
    replace: 'const owner = checked.user.email',
  },
  {
    rows: ['P-06'],
    takesOut: 'the freedom of composition: a digit is demanded',
    file: POLICY,
    find: 'if (!refuseGuessable) return',
    replace:
      "if (!/\\d/.test(normal)) throw new AuthError('password_invalid', { field })\n  if (!refuseGuessable) return",
  },
  {
    rows: ['P-06'],
    takesOut: 'the freedom to use spaces and control characters',
    file: POLICY,
    find: 'if (!refuseGuessable) return',
    replace:
      "if (/^\\s|\\p{Cc}/u.test(normal)) throw new AuthError('password_invalid', { field })\n  if (!refuseGuessable) return",
  },
]
