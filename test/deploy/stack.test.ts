/** The shipped deployment, running: PostgreSQL, two instances and nginx, of which parts stop under load. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { Stack } from '../../deploy/stack.ts'
import { killInstances, restartPostgres, stopInstances } from '../../deploy/trials.ts'

const PATIENCE = 180_000
/** Each instance once; PostgreSQL once in good order and once as in a crash. */
const ROUNDS = 2

let stack: Stack

beforeAll(async () => {
  stack = await Stack.start()
}, PATIENCE)

afterAll(() => stack?.stop())

test.each([
  ['instances that are stopped are not noticed', stopInstances],
  ['instances that are killed fail what they were answering, and nothing else', killInstances],
  ['a restart of PostgreSQL is 503 meanwhile, and loses nothing', restartPostgres],
])(
  '%s',
  async (_, trial) => {
    const { failures, requests, acknowledged } = await trial(stack, ROUNDS)
    expect(failures).toEqual([])
    expect(acknowledged).toBeGreaterThan(0)
    expect(requests).toBeGreaterThan(acknowledged)
  },
  PATIENCE,
)
