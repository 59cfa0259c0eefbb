/** Rows: the links of mails, with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'

export const mailedLinks: readonly Mutation[] = [
  {
    rows: ['A-17'],
    takesOut: 'the randomness of a confirmation token',
    file: 'src/security/credential.ts',
    find: "const secret = randomBytes(SECRET_BYTES).toString('base64url')",
    replace: "const secret = Buffer.alloc(SECRET_BYTES).toString('base64url')",
  },
  {
    rows: ['A-17'],
    takesOut: 'that a confirmation token is deleted when it is used',
    file: 'src/auth/email_address.ts',
    find: '      must(remove(tokens, { id: token.id })),\n      // Only the address',
    replace: '      // Only the address',
  },
  {
    rows: ['A-17'],
    takesOut: 'that it must still be there when it is used',
    file: 'src/auth/email_address.ts',
    find: 'must(remove(tokens, { id: token.id })),\n      // Only the address',
    replace: 'remove(tokens, { id: token.id }),\n      // Only the address',
    tests: 'test/auth/email_address.test.ts',
  },
  {
    rows: ['A-17'],
    takesOut: 'the end of a confirmation token',
    file: 'src/auth/parts.ts',
    find: 'return db.now() < token.expiresAt ? token : null',
    replace: 'return token',
  },
  {
    rows: ['A-17'],
    takesOut: 'the day that it is good',
    file: 'src/settings/mail.ts',
    find: 'fallback: DAY,',
    replace: 'fallback: 2 * DAY,',
  },
  {
    rows: ['A-17'],
    takesOut: 'that another one takes its place, and that there can be but one',
    file: 'src/db/tokens.ts',
    find: '[remove(tokens, { userId: token.userId, purpose: token.purpose }), insert(tokens, token)]',
    replace: '[insert(tokens, token)]',
    also: [{ file: 'src/db/migrations.ts', find: ',\n        UNIQUE (user_id, purpose)', replace: '' }],
  },
  {
    rows: ['A-17'],
    takesOut: 'the purpose of a token',
    file: 'src/auth/parts.ts',
    find: '!purposes.includes(token.purpose) || ',
    replace: '',
  },
  {
    rows: ['A-17'],
    takesOut: 'that a confirmation signs nobody in',
    file: 'src/app/email.ts',
    find: 'const { user, deviceCookie } = await auth.address.confirm(request.body.verification_token, request.client)',
    replace:
      'const { user, deviceCookie } = await auth.address.confirm(request.body.verification_token, request.client)\n    setSessionCookie(reply, await auth.createSession(user.email, request.client), settings)',
    also: [
      {
        file: 'src/app/email.ts',
        find: 'import { setDeviceCookie }',
        replace: 'import { setDeviceCookie, setSessionCookie }',
      },
    ],
  },
  {
    rows: ['A-18'],
    takesOut: 'that a new address counts only when it is confirmed',
    file: 'src/auth/account.ts',
    find: "if (settings.mail === 'none') return",
    replace: "if (email !== '') return",
  },
  {
    rows: ['A-18'],
    takesOut: 'that a new address ends the pending reset',
    file: 'src/auth/email_address.ts',
    find: '      endTokens(user.id),\n      ...(returns',
    replace: '      ...(returns',
  },
  {
    rows: ['A-18'],
    takesOut: 'that a reset ends the pending change of address',
    file: 'src/auth/password_reset.ts',
    find: '      endTokens(user.id),\n',
    replace: '',
  },
  {
    rows: ['R-19'],
    takesOut: 'that opening the page of a confirmation spends nothing',
    file: 'src/app/email.ts',
    find: '    return sendSecretPage(reply, confirmPage',
    replace:
      '    const { t: token = Object(request.query).verification_token } = Object(request.query)\n    if (token !== undefined) await auth.address.confirm(token, request.client)\n    return sendSecretPage(reply, confirmPage',
    tests: 'test/mail/rows.test.ts',
  },
  {
    rows: ['R-19'],
    takesOut: 'that opening the page that takes a change back spends nothing',
    file: 'src/app/email.ts',
    find: '    return sendSecretPage(reply, undoPage',
    replace:
      '    const { t: token = Object(request.query).undo_token } = Object(request.query)\n    if (token !== undefined) await auth.address.undo(token, request.client)\n    return sendSecretPage(reply, undoPage',
    tests: 'test/mail/rows.test.ts',
  },
  {
    rows: ['R-17'],
    takesOut: 'that a link leads to PUBLIC_URL',
    file: 'src/mail/compose.ts',
    find: 'url: `${publicUrl}${shape.link.path(letter)}`',
    replace: 'url: `https://${letter.to.split("@")[1]}${shape.link.path(letter)}`',
  },
  {
    rows: ['R-17'],
    takesOut: 'that the Host header does not make a link',
    file: 'src/mail/compose.ts',
    find: 'url: `${publicUrl}${shape.link.path(letter)}`',
    replace: 'url: `${values.host ?? publicUrl}${shape.link.path(letter)}`',
    also: [
      {
        file: 'src/app/client.ts',
        find: 'shared, language }',
        replace: 'shared, language, host: `https://${this.headers.host}` }',
      },
      {
        file: 'src/auth/password_reset.ts',
        find: 'values: { token: link.credential, code }',
        replace: 'values: { token: link.credential, code, host: client.host }',
      },
    ],
  },
  {
    rows: ['R-17'],
    takesOut: 'that X-Forwarded-Host does not make a link',
    file: 'src/mail/compose.ts',
    find: 'url: `${publicUrl}${shape.link.path(letter)}`',
    replace: 'url: `${values.host ?? publicUrl}${shape.link.path(letter)}`',
    also: [
      {
        file: 'src/app/client.ts',
        find: 'shared, language }',
        replace: "shared, language, host: `https://${this.headers['x-forwarded-host']}` }",
      },
      {
        file: 'src/auth/password_reset.ts',
        find: 'values: { token: link.credential, code }',
        replace: 'values: { token: link.credential, code, host: client.host }',
      },
    ],
  },
  {
    rows: ['R-17'],
    takesOut: 'that a mail fetches nothing',
    file: 'src/mail/message.ts',
    find: '</body>',
    replace: '<img src="https://auth.example.org/read" alt=""></body>',
  },
]
