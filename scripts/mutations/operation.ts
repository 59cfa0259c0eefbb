/** Rows O: settings, keys, logs, errors and operation with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'
import { events } from './events.ts'

const CHECKS = 'src/settings/checks.ts'
const REFUSALS = 'src/app/refusals.ts'
const EVENTS = 'src/auth/events.ts'
const OTHERS = "const others = object({ others: { type: 'string', enum: ['true'] } }, [])"

export const operation: readonly Mutation[] = [
  {
    rows: ['O-01'],
    takesOut: 'the length of a secret',
    file: CHECKS,
    find: 'Buffer.byteLength(secret) < 32 || ',
    replace: '',
  },
  {
    rows: ['O-01'],
    takesOut: 'the refusal of repeated characters',
    file: CHECKS,
    find: 'new Set(secret).size < 10 || ',
    replace: '',
  },
  { rows: ['O-01'], takesOut: 'the refusal of samples', file: CHECKS, find: ' || SAMPLE.test(secret)', replace: '' },
  {
    rows: ['O-02'],
    takesOut: 'the secret before this one',
    file: 'src/security/secrets.ts',
    find: "previous === '' ? [current] : [current, previous]",
    replace: "previous === '' ? [current] : [current]",
  },
  {
    rows: ['O-02'],
    takesOut: 'that a secret makes the keys',
    file: 'src/security/secrets.ts',
    find: "hkdfSync('sha256', secret, ''",
    replace: "hkdfSync('sha256', secret.slice(0, 0), ''",
  },
  {
    rows: ['O-03'],
    takesOut: 'a file from the list of keys and algorithms',
    file: 'src/banner.ts',
    find: "import { resolve } from 'node:path'",
    replace:
      "import 'node:crypto'\nimport { hash } from 'node:crypto'\nimport { resolve } from 'node:path'\n\nexport const mark = hash('sha256', 'banner')",
  },
  {
    rows: ['O-03'],
    takesOut: 'a purpose of a key from the list',
    file: 'src/security/secrets.ts',
    find: "purpose: 'device_cookie'",
    replace: "purpose: 'device_cookie' | 'another'",
  },
  {
    rows: ['O-04'],
    takesOut: 'the mode of the database',
    file: 'src/engines/sqlite.ts',
    find: "'a', 0o600",
    replace: "'a', 0o644",
  },
  {
    rows: ['O-04'],
    takesOut: 'the mode of its folder',
    file: 'src/engines/sqlite.ts',
    find: 'mode: 0o700',
    replace: 'mode: 0o755',
  },
  {
    rows: ['O-07', 'O-17', 'O-20'],
    takesOut: 'the generic words for a fault',
    file: REFUSALS,
    find: "if (!isFrameworkError(error)) return new AuthError('internal')",
    replace: "if (!isFrameworkError(error)) return new AuthError('internal', { message: String(error) })",
  },
  {
    rows: ['O-07'],
    takesOut: 'that no answer names the server',
    file: 'src/app/headers.ts',
    find: "    'cache-control': 'no-store',\n",
    replace: "    'cache-control': 'no-store',\n    server: 'bienvenue',\n",
  },
  {
    rows: ['O-08'],
    takesOut: 'that there are no metrics',
    file: 'src/app.ts',
    find: OTHERS,
    replace: `app.get('/metrics', { config: open }, async () => process.memoryUsage())\n  ${OTHERS}`,
  },
  {
    rows: ['O-09'],
    takesOut: 'the list of files',
    file: 'src/app/assets.ts',
    find: "if (asset === undefined) throw new AuthError('not_found')",
    replace:
      'if (asset === undefined) return reply.send(readFileSync(new URL(`../pages/assets/${request.params.name}`, import.meta.url)))',
    also: [
      {
        file: 'src/app/assets.ts',
        find: "import type { FastifyInstance } from 'fastify'",
        replace: "import { readFileSync } from 'node:fs'\nimport type { FastifyInstance } from 'fastify'",
      },
    ],
  },
  ...events,
  {
    rows: ['O-18'],
    takesOut: 'the status of a database that cannot be used',
    file: REFUSALS,
    find: "if (error instanceof StoreUnavailable) return new AuthError('store_unavailable', { retryAfter: 5 })",
    replace: '',
  },
  {
    rows: ['O-18'],
    takesOut: 'the time to wait',
    file: REFUSALS,
    find: "'store_unavailable', { retryAfter: 5 }",
    replace: "'store_unavailable'",
  },
  {
    rows: ['O-18'],
    takesOut: 'that a full disk is told from a fault',
    file: 'src/engines/sqlite.ts',
    find: '(FULL|BUSY|LOCKED|READONLY|IOERR|CANTOPEN|NOMEM)',
    replace: '(BUSY|LOCKED)',
  },
  {
    rows: ['O-18'],
    takesOut: 'that a locked database is told from a fault',
    file: 'src/engines/sqlite.ts',
    find: '(FULL|BUSY|LOCKED|',
    replace: '(FULL|',
  },
  {
    rows: ['O-19'],
    takesOut: 'the refusal where the throttle fails, in the question before and in the transaction',
    file: EVENTS,
    find: '      throw error\n    }\n  }\n}',
    replace: '      if (error instanceof AuthError) throw error\n      return async () => undefined\n    }\n  }\n}',
    also: [
      {
        file: 'src/features/throttle.ts',
        find: 'record: (event) => takenBack(event, rules.network.limit)',
        replace: 'record: (event) => takenBack(event, rules.network.limit).slice(0, 0)',
      },
    ],
  },
  {
    rows: ['O-19'],
    takesOut: 'the refusal where the audit log fails',
    file: EVENTS,
    find: 'const happened = await this.#db.commit([...statements, ...this.record(event)])',
    replace:
      'const happened = await this.#db\n      .commit([...statements, ...this.record(event)])\n      .catch(() => this.#db.commit(statements))',
  },
  {
    rows: ['O-19'],
    takesOut: 'the refusal where the table of sessions fails',
    file: 'src/auth.ts',
    find: 'return (await this.#parts.events.happen(event, statements)) ? opened : null',
    replace: 'return (await this.#parts.events.happen(event, statements).catch(() => true)) ? opened : null',
  },
  {
    rows: ['O-19'],
    takesOut: 'that a password stored in clear logs nobody in',
    file: 'src/security/password.ts',
    find: 'matches: matches && row !== null && settable,',
    replace: 'matches: (matches && row !== null && settable) || password === stored,',
  },
  {
    rows: ['O-19'],
    takesOut: 'that a hash which is cut short logs nobody in',
    file: 'src/security/password.ts',
    find: 'matches: matches && row !== null && settable,',
    replace:
      'matches: (matches && row !== null && settable) || (row === null && stored !== null && stored.length < 53),',
  },
  {
    rows: ['O-19'],
    takesOut: 'that a random source which fails ends a registration',
    file: 'src/security/password.ts',
    find: 'const salt = bcrypt.genSaltSync(this.#cost)',
    replace: "const salt = `$2b$${String(this.#cost).padStart(2, '0')}$${'a'.repeat(SALT_LENGTH)}`",
  },
  {
    rows: ['O-20'],
    takesOut: 'the handler of what is thrown in a request',
    file: REFUSALS,
    find: 'app.setErrorHandler((error, request, reply) => {',
    replace: "app.addHook('onError', async (request, reply, error) => {",
    tests: 'test/security/fail_closed.test.ts',
  },
  {
    rows: ['O-20'],
    takesOut: 'that what is thrown is a fault, whatever status it names',
    file: REFUSALS,
    find: "if (!isFrameworkError(error)) return new AuthError('internal')",
    replace:
      "if (Object(error).statusCode === 200) return new AuthError('request_invalid')\n  if (!isFrameworkError(error)) return new AuthError('internal')",
    tests: 'test/security/fail_closed.test.ts',
  },
  {
    rows: ['O-20'],
    takesOut: 'the handler outside of requests',
    file: 'src/service.ts',
    find: "  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))\n",
    replace: '',
  },
  {
    rows: ['O-21'],
    takesOut: 'SHA-256 as the hash',
    file: 'src/features/throttle.ts',
    find: "hash('sha256', emailKey",
    replace: "hash('sha1', emailKey",
  },
  {
    rows: ['O-21'],
    takesOut: 'that no code is made from text',
    file: 'src/device_name.ts',
    find: "return browser ?? system ?? 'unknown device'",
    replace: "return browser ?? system ?? String(new Function('return 0')() || 'unknown device')",
  },
  {
    rows: ['O-21'],
    takesOut: 'that no commands are run',
    file: 'src/banner.ts',
    find: "import { resolve } from 'node:path'",
    replace: "import 'node:child_process'\nimport { resolve } from 'node:path'",
  },
  {
    rows: ['O-21'],
    takesOut: 'that the primitives are those of the list',
    file: 'src/security/device.ts',
    find: 'import { createHmac, randomBytes,',
    replace: 'import { createCipheriv, createHmac, randomBytes,',
  },
  {
    rows: ['O-22'],
    takesOut: "the system's random source for a secret",
    file: 'src/security/credential.ts',
    find: "const secret = randomBytes(SECRET_BYTES).toString('base64url')",
    replace: 'const secret = hashSecret(uuid())',
  },
  {
    rows: ['O-22'],
    takesOut: "the system's random source for a device",
    file: 'src/security/device.ts',
    find: "randomBytes(NONCE_BYTES).toString('base64url')",
    replace: 'String(Math.random() * NONCE_BYTES || randomBytes(1))',
  },
  {
    rows: ['O-26'],
    takesOut: 'a route on the page of access',
    file: 'docs/access.md',
    find: '| `DELETE /users/me` | session |',
    replace: '| `DELETE /users/me` | public |',
  },
  {
    rows: ['O-26'],
    takesOut: 'a route in the README',
    file: 'README.md',
    find: '| `DELETE /users/me` | `current_password` | session |',
    replace: '| `DELETE /users/me` | | anyone |',
  },
  {
    rows: ['O-26'],
    takesOut: 'that a new route is written down',
    file: 'src/app.ts',
    find: OTHERS,
    replace: `app.get('/metrics', { config: open }, async () => process.memoryUsage())\n  ${OTHERS}`,
  },
  {
    rows: ['O-27'],
    takesOut: 'that nobody else is asked about a password',
    file: 'src/security/common_passwords.ts',
    find: '  list ??= read()\n',
    replace: "  await fetch('http://127.0.0.1:9/range/21BD1').catch(() => null)\n  list ??= read()\n",
  },
]
