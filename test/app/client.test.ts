/** Who is calling, where the caller has gone already. */

import { once } from 'node:events'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { production } from '../production.ts'
import { Wire } from '../wire.ts'

const FREE = 10

test.each([
  ['wrong passwords', 'POST /sessions', { FAILURES_PER_NETWORK: String(FREE) }, 'login_failed'],
  ['registrations', 'POST /users', { REGISTRATIONS_PER_NETWORK: String(FREE) }, 'user_registered'],
])(
  'A-05, A-09: a client that resets its connection behind each request is counted for its network all the same: %s',
  async (_, route, env, event) => {
    const house = await production(env)
    const { port } = new URL(await house.app.listen({ host: '127.0.0.1', port: 0 }))
    const told = () => house.log.map((line): { event?: string; address?: string } => JSON.parse(line))
    for (let n = 1; n <= FREE + 5; n += 1) {
      const connected = once(house.app.server, 'connection')
      const wire = new Wire(Number(port))
      await connected
      const body = JSON.stringify({ email: `reader${n}@byron.example`, password: 'no way through here' })
      const head = `${route} HTTP/1.1\r\nHost: auth.example.org\r\nContent-Type: application/json\r\n`
      await wire.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`).reset()
      const seen = n <= FREE ? n : FREE + 1
      const of = (line: { event?: string }) => line.event === event || line.event === 'throttled'
      await expect.poll(() => told().filter(of).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(seen)
    }
    const checked = told().filter((line) => line.event === event)
    expect(checked.map(({ address }) => address)).toEqual(Array(FREE).fill('127.0.0.1'))
  },
)

test('A-05: a connection whose peer the system does not know any more is let go before anything is read', async () => {
  const house = await production()
  const gone = new Socket()
  house.app.server.emit('connection', gone)
  expect(gone.destroyed).toBe(true)
})
