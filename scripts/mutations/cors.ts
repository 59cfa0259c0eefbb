/** Row H-15: which origins may read an answer, with one defence taken out. */

import type { Mutation } from '../mutation_table.ts'

export const cors: readonly Mutation[] = [
  {
    rows: ['H-15'],
    takesOut: 'that a listed origin is exact',
    file: 'src/app/cors.ts',
    find: '!corsOrigins.includes(origin)',
    replace: '!corsOrigins.some((one) => origin.startsWith(one))',
    tests: 'test/app/cors.test.ts',
  },
  {
    rows: ['H-15'],
    takesOut: 'the list of origins',
    file: 'src/app/cors.ts',
    find: 'if (origin === undefined || !corsOrigins.includes(origin)) return',
    replace: 'if (origin === undefined) return',
    tests: 'test/app/cors.test.ts',
  },
  {
    rows: ['H-15'],
    takesOut: 'that no grant is made where no origin is listed',
    file: 'src/app/cors.ts',
    find: 'if (corsOrigins.length === 0) return',
    replace:
      "if (corsOrigins.length === 0) return void app.addHook('onRequest', async (_, reply) => void reply.header('access-control-allow-origin', '*'))",
    tests: 'test/app/cors.test.ts',
  },
  {
    rows: ['H-15'],
    takesOut: 'that no cache gives one origin the answer to another',
    file: 'src/app/cors.ts',
    find: "reply.header('vary', [reply.getHeader('vary') ?? [], 'Origin'].flat().join(', '))",
    replace: "reply.header('vary', [reply.getHeader('vary') ?? []].flat().join(', '))",
    tests: 'test/app/cors.test.ts',
  },
]
