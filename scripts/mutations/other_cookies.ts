/** Row K-08: the cookies of resets and tokens with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'

export const otherCookies: readonly Mutation[] = [
  {
    rows: ['K-08'],
    takesOut: 'Secure on the cookie of a reset',
    file: 'src/app/cookies.ts',
    find: "export function setResetCookie(reply: FastifyReply, value: string, { cookie }: Settings): void {\n  const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure: cookie.secure } as const",
    replace:
      "export function setResetCookie(reply: FastifyReply, value: string, { cookie }: Settings): void {\n  const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure: false } as const",
    tests: 'test/security/rows_cookies.test.ts',
  },
  {
    rows: ['K-08'],
    takesOut: 'HttpOnly on the cookie of a reset',
    file: 'src/app/cookies.ts',
    find: "export function setResetCookie(reply: FastifyReply, value: string, { cookie }: Settings): void {\n  const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure: cookie.secure } as const",
    replace:
      "export function setResetCookie(reply: FastifyReply, value: string, { cookie }: Settings): void {\n  const attributes = { path: '/', sameSite: 'strict', secure: cookie.secure } as const",
    tests: 'test/security/rows_cookies.test.ts',
  },
  {
    rows: ['K-08'],
    takesOut: 'SameSite on the cookie of a reset',
    file: 'src/app/cookies.ts',
    find: "export function setResetCookie(reply: FastifyReply, value: string, { cookie }: Settings): void {\n  const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure: cookie.secure } as const",
    replace:
      "export function setResetCookie(reply: FastifyReply, value: string, { cookie }: Settings): void {\n  const attributes = { path: '/', httpOnly: true, secure: cookie.secure } as const",
    tests: 'test/security/rows_cookies.test.ts',
  },
  {
    rows: ['K-08'],
    takesOut: 'Secure on the access token in a cookie',
    file: 'src/app/token_cookies.ts',
    find: "return { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge } as const",
    replace: "return { path: '/', httpOnly: true, sameSite: 'lax', secure: secure && maxAge < 0, maxAge } as const",
    tests: 'test/security/rows_cookies.test.ts',
  },
  {
    rows: ['K-08'],
    takesOut: 'HttpOnly on the access token in a cookie',
    file: 'src/app/token_cookies.ts',
    find: "return { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge } as const",
    replace: "return { path: '/', sameSite: 'lax', secure, maxAge } as const",
    tests: 'test/security/rows_cookies.test.ts',
  },
  {
    rows: ['K-08'],
    takesOut: 'SameSite on the access token in a cookie',
    file: 'src/app/token_cookies.ts',
    find: "return { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge } as const",
    replace: "return { path: '/', httpOnly: true, sameSite: 'none', secure, maxAge } as const",
    tests: 'test/security/rows_cookies.test.ts',
  },
  {
    rows: ['K-08'],
    takesOut: 'Secure on the refresh token in a cookie',
    file: 'src/app/token_cookies.ts',
    find: "return { path: REFRESH_PATH, httpOnly: true, sameSite: 'strict', secure, maxAge } as const",
    replace:
      "return { path: REFRESH_PATH, httpOnly: true, sameSite: 'strict', secure: secure && maxAge < 0, maxAge } as const",
    tests: 'test/security/rows_cookies.test.ts',
  },
  {
    rows: ['K-08'],
    takesOut: 'HttpOnly on the refresh token in a cookie',
    file: 'src/app/token_cookies.ts',
    find: "return { path: REFRESH_PATH, httpOnly: true, sameSite: 'strict', secure, maxAge } as const",
    replace: "return { path: REFRESH_PATH, sameSite: 'strict', secure, maxAge } as const",
    tests: 'test/security/rows_cookies.test.ts',
  },
  {
    rows: ['K-08'],
    takesOut: 'SameSite on the refresh token in a cookie',
    file: 'src/app/token_cookies.ts',
    find: "return { path: REFRESH_PATH, httpOnly: true, sameSite: 'strict', secure, maxAge } as const",
    replace: 'return { path: REFRESH_PATH, httpOnly: true, secure, maxAge } as const',
    tests: 'test/security/rows_cookies.test.ts',
  },
  {
    rows: ['K-08'],
    takesOut: 'the path of the refresh token in a cookie',
    file: 'src/app/token_cookies.ts',
    find: "return { path: REFRESH_PATH, httpOnly: true, sameSite: 'strict', secure, maxAge } as const",
    replace: "return { path: REFRESH_PATH && '/', httpOnly: true, sameSite: 'strict', secure, maxAge } as const",
    tests: 'test/security/rows_cookies.test.ts',
  },
  {
    rows: ['K-08'],
    takesOut: 'the prefix of the cookie of a reset',
    file: 'src/settings.ts',
    find: 'resetName: `${prefix}reset`',
    replace: "resetName: 'reset'",
    tests: 'test/security/rows_cookies.test.ts',
  },
  {
    rows: ['K-08'],
    takesOut: 'the prefix of the access token in a cookie',
    file: 'src/settings.ts',
    find: 'accessName: `${prefix}access_token`',
    replace: "accessName: 'access_token'",
    tests: 'test/security/rows_cookies.test.ts',
  },
  {
    rows: ['K-08'],
    takesOut: 'the prefix of the refresh token in a cookie',
    file: 'src/settings.ts',
    find: "refreshName: prefix === '' ? 'refresh_token' : '__Secure-refresh_token'",
    replace: "refreshName: 'refresh_token'",
    tests: 'test/security/rows_cookies.test.ts',
  },
]
