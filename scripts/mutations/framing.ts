/**
 * Row H-12: ambiguous framing that is let pass. Node's parser tells each kind of it by a code of its own; what takes one out
 * answers that code as if nothing were wrong, or lets the parser be lenient.
 */

import type { Mutation } from '../mutation_table.ts'

const BROKEN = 'src/app/broken_requests.ts'
const FIRST = "  ['HPE_HEADER_OVERFLOW', 431],\n"
const HTTP = 'http: { headersTimeout: 10_000,'

const KINDS: readonly [code: string, framing: string][] = [
  ['HPE_INVALID_TRANSFER_ENCODING', 'a length with chunks, and of encodings that are not chunked alone'],
  ['HPE_INVALID_CONTENT_LENGTH', 'lengths that are no number, and of chunks with a length'],
  ['HPE_UNEXPECTED_CONTENT_LENGTH', 'two lengths'],
  ['HPE_INVALID_HEADER_TOKEN', 'names and values of headers that are none'],
  ['HPE_CR_EXPECTED', 'lines that end with a bare LF'],
  ['HPE_LF_EXPECTED', 'lines that end with a bare CR'],
  ['HPE_INVALID_VERSION', 'unknown versions and requests of bare LFs'],
  ['HPE_INVALID_CHUNK_SIZE', 'sizes of chunks that are none'],
  ['HPE_STRICT', 'chunks longer than their size'],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 'endless extensions of chunks'],
  ['HPE_INVALID_CONSTANT', 'a blank in the path'],
  ['HPE_INVALID_METHOD', 'unknown methods and of what is no HTTP'],
]

const perKind = KINDS.map(
  ([code, kind]): Mutation => ({
    rows: ['H-12'],
    takesOut: `the refusal of ${kind}`,
    file: BROKEN,
    find: FIRST,
    replace: `${FIRST}  ['${code}', 200],\n`,
    tests: 'test/security/raw_socket.test.ts',
  }),
)

export const framing: readonly Mutation[] = [
  ...perKind,
  {
    rows: ['H-12'],
    takesOut: 'the strictness of the parser',
    file: 'src/app.ts',
    find: HTTP,
    replace: `${HTTP} insecureHTTPParser: true,`,
  },
  {
    rows: ['H-12'],
    takesOut: 'the refusal of a request without a host',
    file: 'src/app/guards.ts',
    find: '    refuseHostless(request, reply)\n',
    replace: '',
    tests: 'test/security/raw_socket.test.ts',
  },
  {
    rows: ['H-12'],
    takesOut: 'the refusal of a request with two hosts',
    file: 'src/app/guards.ts',
    find: 'hosts === 1 ||',
    replace: 'hosts >= 1 ||',
    tests: 'test/app/broken_requests.test.ts',
  },
  {
    rows: ['H-12'],
    takesOut: 'that the fast path leaves a request without a host to the guard',
    file: 'src/app/fast_check.ts',
    find: 'hostsOf(request) === 1',
    replace: 'hostsOf(request) <= 1',
    tests: 'test/app/fast_check.test.ts',
  },
  {
    rows: ['H-12'],
    takesOut: 'that the fast path leaves one with two hosts to it as well',
    file: 'src/app/fast_check.ts',
    find: 'hostsOf(request) === 1',
    replace: 'hostsOf(request) >= 1',
    tests: 'test/app/fast_check.test.ts',
  },
  {
    rows: ['H-12'],
    takesOut: 'that the connection ends',
    file: BROKEN,
    find: 'socket.end(',
    replace: 'socket.write(',
    tests: 'test/security/raw_socket.test.ts',
  },
  {
    rows: ['H-12'],
    takesOut: 'that the client is told of the end',
    file: BROKEN,
    find: "      connection: 'close',\n",
    replace: '',
  },
  {
    rows: ['H-12'],
    takesOut: 'the status 400',
    file: BROKEN,
    find: "STATUS_BY_CODE.get(error.code ?? '') ?? 400",
    replace: "STATUS_BY_CODE.get(error.code ?? '') ?? 500",
  },
]
