/** Rows K: what is asked of cookies. */

import type { SecurityRow } from '../security_rows.ts'

export const cookies: readonly SecurityRow[] = [
  {
    id: 'K-01',
    part: 'core',
    standard: 'ASVS 3.3.1; NIST',
    demand: 'Set `Secure` and a name with a prefix.',
    does: 'Production names the cookie `__Host-session_id` and sets `Secure`; `COOKIE_DOMAIN` or plain http in a private network forbid the prefix.',
  },
  {
    id: 'K-02',
    part: 'core',
    standard: 'ASVS 3.3.3; NIST; 6265bis 4.1.3',
    demand: 'Use `__Host-`: `Path=/` and no `Domain`.',
    does: 'So it is in production, unless the operator sets `COOKIE_DOMAIN`.',
  },
  {
    id: 'K-03',
    part: 'core',
    standard: 'ASVS 3.3.2; NIST; CS-SESS',
    demand: 'Set `SameSite` explicitly.',
    does: '`Lax` for the session, `Strict` for the device cookie.',
  },
  {
    id: 'K-04',
    part: 'core',
    standard: 'ASVS 3.3.4; NIST',
    demand: 'Set `HttpOnly` and send the id in `Set-Cookie` alone.',
    does: 'Both cookies are `HttpOnly`; no body shows a credential.',
  },
  {
    id: 'K-05',
    part: 'core',
    standard: 'ASVS 3.3.5; 6265bis 5.6',
    demand: 'Keep name and value under 4,096 bytes.',
    does: 'The session takes fewer than 120 bytes, the device cookie fewer than 140.',
  },
  {
    id: 'K-06',
    part: 'core',
    standard: '6265bis 5.5; NIST 5.1.1(4)',
    demand: "Cap `Max-Age` at the session's limit and never rely on it.",
    does: '`Max-Age` is `SESSION_LIFETIME`; the server decides by its own row.',
  },
  {
    id: 'K-07',
    part: 'core',
    standard: '6265bis 5.4',
    demand: "Match the cookie's name exactly.",
    does: 'One name is read, byte for byte; there is no fall-back to a weaker one.',
  },
  {
    id: 'K-08',
    part: 'pages',
    standard: 'ASVS 3.3.1, 3.3.2, 3.3.3, 3.3.4',
    demand: 'Hold every other cookie to the same rules.',
    does: '`__Host-device`, `__Host-access_token` and `__Secure-refresh_token` of production have `Secure`, `HttpOnly`, no `Domain` and a short path where one will do; the access token has `SameSite=Lax`, the others `Strict`.',
  },
]
