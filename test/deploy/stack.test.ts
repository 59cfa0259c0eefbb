/** The shipped deployment, running: PostgreSQL, two instances and nginx, of which parts stop under load. */

import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { get } from 'node:https'
import pg from 'pg'
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

test('over plain HTTP whoever only looks is led to TLS, and nothing else is taken', async () => {
  const body = new URLSearchParams({ email: 'bob@example.org', password: 'x' })
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    const looks = method === 'GET' || method === 'HEAD'
    const asked = { method, redirect: 'manual', body: looks ? null : body } as const
    const { status, headers } = await fetch(`${stack.plainUrl}/sessions`, asked)
    const expected = looks ? [301, 'https://auth.example.org/sessions'] : [403, null]
    expect([status, headers.get('location')], method).toEqual(expected)
    if (!looks) expect(headers.get('content-type')).toBe('text/plain')
  }
})

test('nginx leads nobody to the host that they named', async () => {
  const { url, name, authority } = stack.target
  const asked = { path: '/health', headers: { host: 'evil.test' }, servername: name, ca: authority }
  const [answer]: IncomingMessage[] = await once(get(url, asked), 'response')
  answer?.resume()
  expect([answer?.statusCode, answer?.headers.location]).toEqual([301, '/health/'])
})

test('PostgreSQL writes no line for an error of the service, which strangers could cause without end', async () => {
  const client = new pg.Client(stack.databaseUrl)
  await client.connect()
  await expect(client.query('SELECT 1 / 0')).rejects.toThrow('division by zero')
  await client.end()
  expect(stack.postgres.log).toContain('ready to accept connections')
  expect(stack.postgres.log).not.toContain('division by zero')
})

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
