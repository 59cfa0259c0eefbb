/** Rows H: HTTP with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'
import { answers } from './answers.ts'
import { framing } from './framing.ts'
import { input } from './input.ts'

const HEADERS = 'src/app/headers.ts'
const BODIES = 'src/app/bodies.ts'
const BROKEN = 'src/app/broken_requests.ts'
const CLIENT = 'src/app/client.ts'
const FORMBODY = 'await app.register(formbody, { parser: parseForm })\n'

export const http: readonly Mutation[] = [
  {
    rows: ['H-01'],
    takesOut: 'the charset',
    file: HEADERS,
    find: "app.addHook('onRequest', async (_request, reply) => {",
    replace:
      "app.addHook('onSend', async (_request, reply) => {\n    if (reply.hasHeader('content-type')) reply.header('content-type', 'application/json')\n  })\n  app.addHook('onRequest', async (_request, reply) => {",
  },
  {
    rows: ['H-01'],
    takesOut: 'the type of a refusal',
    file: 'src/app/refusals.ts',
    find: 'reply.code(status).send(refusalBody(refusal))',
    replace: "reply.code(status).type('text/html').send(JSON.stringify(refusalBody(refusal)))",
  },
  {
    rows: ['H-01', 'H-12'],
    takesOut: 'the type of the answer to a broken request',
    file: BROKEN,
    find: "      'content-type': 'application/json; charset=utf-8',\n",
    replace: '',
  },
  {
    rows: ['H-08'],
    takesOut: 'that no hash is shown: neither what leaves nor the schema of the answer leaves it out',
    file: 'src/user.ts',
    find: 'return { id, email, name, confirmed: emailConfirmedAt !== null, created_at: new Date(createdAt).toISOString() }',
    replace:
      'return Object.assign({ id, email, name, confirmed: emailConfirmedAt !== null, created_at: new Date(createdAt).toISOString() }, { hashed_password: hashedPassword })',
    also: [
      {
        file: 'src/user.ts',
        find: 'publicUser({ id, email, name, createdAt, emailConfirmedAt }: User)',
        replace: 'publicUser({ id, email, name, createdAt, emailConfirmedAt, hashedPassword }: User)',
      },
      {
        file: 'src/app/account.ts',
        find: '  created_at: text,\n',
        replace: '  created_at: text,\n  hashed_password: text,\n',
      },
    ],
  },
  {
    rows: ['H-08'],
    takesOut: 'the schema of an answer and the list of what may leave: a field that nobody needs',
    file: 'src/app/sessions.ts',
    find: '    id: session.id,\n',
    replace: '    id: session.id,\n    user_id: String(session.userId),\n',
    also: [
      {
        file: 'src/app/sessions.ts',
        find: '{ id: text, device: text,',
        replace: '{ id: text, user_id: text, device: text,',
      },
    ],
  },
  {
    rows: ['H-10'],
    takesOut: 'the refusal of plain text',
    file: BODIES,
    find: FORMBODY,
    replace: `${FORMBODY}  app.addContentTypeParser('text/plain', { parseAs: 'string' }, parseJson)\n`,
  },
  {
    rows: ['H-10'],
    takesOut: 'the refusal of files in forms',
    file: BODIES,
    find: FORMBODY,
    replace: `${FORMBODY}  app.addContentTypeParser('multipart/form-data', (_request, _payload, done) => done(null, {}))\n`,
  },
  {
    rows: ['H-10'],
    takesOut: 'the refusal of a body without a type',
    file: BODIES,
    find: FORMBODY,
    replace: `${FORMBODY}  app.addHook('onRequest', async ({ headers }) => {\n    headers['content-type'] ??= 'application/json'\n  })\n`,
  },
  {
    rows: ['H-10'],
    takesOut: 'the refusal of compressed bodies',
    file: 'src/app/bodies.ts',
    find: "if (encoding !== 'identity' || transfer",
    replace: "if (encoding === '' || transfer",
  },
  { rows: ['H-11'], takesOut: 'the limit of bodies', file: BODIES, find: '16 * 1024', replace: '1024 * 1024' },
  {
    rows: ['H-11'],
    takesOut: 'the end of a connection whose client keeps its side open',
    file: 'src/app/broken_requests.ts',
    find: 'setTimeout(() => socket.destroy(), LAST_WAIT).unref()',
    replace: '',
  },
  {
    rows: ['H-11'],
    takesOut: 'that strangers make the service count no letters',
    file: 'src/app/health.ts',
    find: 'outbox.reach()',
    replace: 'outbox.waiting()',
  },
  {
    rows: ['H-11'],
    takesOut: 'the limit of headers',
    file: 'src/app.ts',
    find: 'http: { headersTimeout: 10_000,',
    replace: 'http: { maxHeaderSize: 1024 * 1024, headersTimeout: 10_000,',
  },
  {
    rows: ['H-11'],
    takesOut: 'the status of headers that are too large',
    file: BROKEN,
    find: "  ['HPE_HEADER_OVERFLOW', 431],\n",
    replace: '',
  },
  {
    rows: ['H-11'],
    takesOut: 'the status of bodies that are too large',
    file: 'src/app/refusals.ts',
    find: "  ['FST_ERR_CTP_BODY_TOO_LARGE', 'body_too_large'],\n",
    replace: '',
  },
  ...framing,
  {
    rows: ['H-13'],
    takesOut: 'the refusal of other methods',
    file: 'src/app/methods.ts',
    find: '    app.route({ method: others, url,',
    replace: '    if (others.length === 0) app.route({ method: others, url,',
  },
  {
    rows: ['H-13'],
    takesOut: 'Allow',
    file: 'src/app/methods.ts',
    find: "      reply.header('allow', allow)\n",
    replace: '',
  },
  {
    rows: ['H-13'],
    takesOut: 'that TRACE echoes nothing',
    file: 'src/app/methods.ts',
    find: '    const refuse = async (_: FastifyRequest, reply: FastifyReply) => {\n',
    replace:
      "    const refuse = async (request: FastifyRequest, reply: FastifyReply) => {\n      if (request.method === 'TRACE') return reply.send(request.headers)\n",
  },
  {
    rows: ['H-13'],
    takesOut: 'that the body is not read before',
    file: 'src/app/methods.ts',
    find: 'onRequest: refuse, ',
    replace: '',
  },
  {
    rows: ['H-14'],
    takesOut: 'that only proxies that are named are believed',
    file: 'src/app.ts',
    find: 'settings.trustProxy.length > 0 && [...settings.trustProxy]',
    replace: 'true',
  },
  {
    rows: ['H-14'],
    takesOut: 'that a proxy that is named is believed',
    file: 'src/app.ts',
    find: 'settings.trustProxy.length > 0 && [...settings.trustProxy]',
    replace: 'false',
  },
  {
    rows: ['H-14'],
    takesOut: "that the proxy's own word counts, not what stands before it",
    file: CLIENT,
    find: "function addressOf({ ip, socket }: FastifyRequest): string {\n  const named = ip ?? ''",
    replace:
      "function addressOf({ ip, socket, headers }: FastifyRequest): string {\n  const [named = ''] = ip === socket.remoteAddress ? [ip] : String(headers['x-forwarded-for'] ?? ip ?? '').split(',')",
  },
  {
    rows: ['H-14'],
    takesOut: 'that no other header is believed',
    file: CLIENT,
    find: "function addressOf({ ip, socket }: FastifyRequest): string {\n  const named = ip ?? ''",
    replace:
      "function addressOf({ ip, socket, headers }: FastifyRequest): string {\n  const named = String(headers['x-real-ip'] ?? ip ?? '')",
  },
  {
    rows: ['H-14'],
    takesOut: 'that a port is no part of an address',
    file: CLIENT,
    find: 'const address = bracketed ?? plain ?? named',
    replace: 'const address = named',
    also: [
      {
        file: CLIENT,
        find: 'return isIP(address) === 0 ? (socket.remoteAddress ?? NOWHERE) : address',
        replace:
          'return bracketed ?? plain ? named : isIP(address) === 0 ? (socket.remoteAddress ?? NOWHERE) : address',
      },
    ],
  },
  {
    rows: ['H-14'],
    takesOut: 'that what is no address is the proxy',
    file: CLIENT,
    find: 'return isIP(address) === 0 ? (socket.remoteAddress ?? NOWHERE) : address',
    replace: "return isIP(address) === 0 && address === '' ? (socket.remoteAddress ?? NOWHERE) : address",
  },
  {
    rows: ['H-14'],
    takesOut: 'that all addresses are no network of proxies',
    file: 'src/settings/kinds.ts',
    find: ' && Number(prefix) >= shortest',
    replace: '',
  },
  {
    rows: ['H-14'],
    takesOut: 'that a network within IPv4 as IPv6 writes it is one of IPv4',
    file: 'src/settings/kinds.ts',
    find: "ipv4.check(address, 'ipv6') || ",
    replace: '',
  },
  {
    rows: ['H-14'],
    takesOut: 'that no network of IPv6 holds all of IPv4',
    file: 'src/settings/kinds.ts',
    find: " || [MAPPED, TRANSLATED].some((all) => network.check(all, 'ipv6'))",
    replace: '',
  },
  {
    rows: ['H-14'],
    takesOut: 'the same for the networks of translators',
    file: 'src/settings/kinds.ts',
    find: 'for (const network of [MAPPED, TRANSLATED])',
    replace: 'for (const network of [MAPPED])',
    tests: 'test/settings_production.test.ts',
  },
  {
    rows: ['H-14'],
    takesOut: 'that a wrong network ends the start',
    file: 'src/settings/kinds.ts',
    find: 'if (version === 0 || rest.length > 0 ||',
    replace: 'if (version === 0) return true\n  if (rest.length > 0 ||',
  },
  {
    rows: ['H-14'],
    takesOut: 'that all of IPv4 is refused in the spelling that leaves ffff out',
    file: 'src/settings/kinds.ts',
    find: ' || (version === 6 && /^(?!::ffff:).*\\./i.test(address))',
    replace: '',
    tests: 'test/settings_production.test.ts',
  },
  ...answers,
  ...input,
]
