/** Rows K: cookies with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'

const COOKIES = 'src/app/cookies.ts'
const SESSION = "const attributes = { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge } as const"
const DEVICE =
  "export function setDeviceCookie(reply: FastifyReply, value: string, { cookie }: Settings): void {\n  const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure: cookie.secure } as const"

export const cookies: readonly Mutation[] = [
  {
    rows: ['K-01'],
    takesOut: 'Secure on the session',
    file: COOKIES,
    find: SESSION,
    replace: SESSION.replace('secure, ', 'secure: secure && maxAge < 0, '),
  },
  {
    rows: ['K-01', 'K-08'],
    takesOut: 'Secure on the device cookie',
    file: COOKIES,
    find: DEVICE,
    replace: DEVICE.replace('cookie.secure', 'false'),
  },
  {
    rows: ['K-01', 'K-02'],
    takesOut: 'the prefix of the session',
    file: 'src/settings.ts',
    find: "name: domain === undefined ? `${prefix}session_id` : 'session_id'",
    replace: "name: 'session_id'",
  },
  {
    rows: ['K-01', 'K-02', 'K-08'],
    takesOut: 'the prefix of the device cookie',
    file: 'src/settings.ts',
    find: 'deviceName: `${prefix}device`',
    replace: "deviceName: 'device'",
  },
  {
    rows: ['K-02'],
    takesOut: 'Path=/ on the session',
    file: COOKIES,
    find: SESSION,
    replace: SESSION.replace("'/'", "'/sessions'"),
  },
  {
    rows: ['K-02', 'K-08'],
    takesOut: 'Path=/ on the device cookie',
    file: COOKIES,
    find: DEVICE,
    replace: DEVICE.replace("'/'", "'/sessions'"),
  },
  {
    rows: ['K-02'],
    takesOut: 'that the session has no Domain',
    file: COOKIES,
    find: 'domain === undefined ? attributes : { ...attributes, domain }',
    replace: "{ ...attributes, domain: domain ?? 'auth.example.org' }",
  },
  {
    rows: ['K-02', 'K-08'],
    takesOut: 'that the device cookie has no Domain',
    file: COOKIES,
    find: 'maxAge: DEVICE_SECONDS }',
    replace: "maxAge: DEVICE_SECONDS, domain: 'auth.example.org' }",
  },
  {
    rows: ['K-03'],
    takesOut: 'SameSite on the session',
    file: COOKIES,
    find: SESSION,
    replace: SESSION.replace("'lax'", "'none'"),
  },
  {
    rows: ['K-03', 'K-08'],
    takesOut: 'SameSite on the device cookie',
    file: COOKIES,
    find: DEVICE,
    replace: DEVICE.replace(" sameSite: 'strict',", ''),
  },
  {
    rows: ['K-04'],
    takesOut: 'HttpOnly on the session',
    file: COOKIES,
    find: SESSION,
    replace: SESSION.replace(' httpOnly: true,', ''),
  },
  {
    rows: ['K-04', 'K-08'],
    takesOut: 'HttpOnly on the device cookie',
    file: COOKIES,
    find: DEVICE,
    replace: DEVICE.replace(' httpOnly: true,', ''),
  },
  {
    rows: ['W-16'],
    takesOut: 'HttpOnly on the session',
    file: COOKIES,
    find: SESSION,
    replace: SESSION.replace(' httpOnly: true,', ''),
    tests: 'test/browser/boundaries.test.ts',
  },
  {
    rows: ['K-04'],
    takesOut: 'that no body shows the credential of the session',
    file: 'src/app.ts',
    find: "{ email: user.email, message: 'logged in' }",
    replace: '{ email: user.email, message: `logged in ${credential}` }',
  },
  {
    rows: ['K-04'],
    takesOut: 'that no body shows the device cookie',
    file: 'src/app.ts',
    find: "{ email: user.email, message: 'logged in' }",
    replace: '{ email: user.email, message: `logged in ${deviceCookie}` }',
    tests: 'test/security/no_secrets_in_log.test.ts',
  },
  {
    rows: ['K-04'],
    takesOut: 'that no header but Set-Cookie shows the credential',
    file: 'src/app.ts',
    find: 'setSessionCookie(reply, credential, settings)\n    // Clients',
    replace:
      "setSessionCookie(reply, credential, settings)\n    reply.header('x-session-id', credential)\n    // Clients",
  },
  {
    rows: ['K-05'],
    takesOut: 'the shortness of the session',
    file: COOKIES,
    find: 'reply.setCookie(settings.cookie.name, credential,',
    replace: "reply.setCookie(settings.cookie.name, credential.padEnd(4_100, '.'),",
    tests: 'test/app/cookie.test.ts',
  },
  {
    rows: ['K-05'],
    takesOut: 'the shortness of the device cookie',
    file: 'src/security/device.ts',
    find: 'NONCE_BYTES = 16',
    replace: 'NONCE_BYTES = 3_000',
  },
  {
    rows: ['K-06'],
    takesOut: "that Max-Age is the session's limit",
    file: COOKIES,
    find: 'settings.sessionLifetime / 1000',
    replace: '400 * 24 * 3_600',
  },
  {
    rows: ['K-07'],
    takesOut: 'that there is no weaker name',
    file: COOKIES,
    find: 'return request.cookies[cookie.name]\n',
    replace: 'return request.cookies[cookie.name] ?? request.cookies.session_id\n',
  },
  {
    rows: ['K-07'],
    takesOut: 'that the case of the name counts',
    file: COOKIES,
    find: 'return request.cookies[cookie.name]\n',
    replace:
      'return Object.entries(request.cookies).find(([name]) => name.toLowerCase() === cookie.name.toLowerCase())?.[1]\n',
  },
  {
    rows: ['K-08'],
    takesOut: 'the end of the life of the device cookie',
    file: COOKIES,
    find: '365 * 24 * 3600',
    replace: '500 * 24 * 3600',
  },
]
