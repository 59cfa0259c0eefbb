/** How a fault of ours reaches the client: not at all. */

import { expect, test } from 'vitest'
import { BOB, Client, house, seen, signedIn } from './client.ts'
import { GOOD_PASSWORD, SAFE, UNSAFE } from './routes.ts'

const UNEXPECTED = {
  status: 500,
  body: { message: 'something went wrong here; it has been logged', code: 'internal' },
}
const SECRETS = 'SELECT hashed_password FROM users; /srv/app/src/db.ts:12 token=0123456789'

test.each([...SAFE.map(([method, url]) => [method, url, {}] as const), ...UNSAFE])(
  'O-17: %s %s answers a generic body, and the log has the cause',
  async (method, url, fields) => {
    const { app, log } = await house()
    let broken = false
    app.addHook('preHandler', async () => {
      if (broken) throw new Error(SECRETS)
    })
    const client = await signedIn(app, BOB, GOOD_PASSWORD)
    broken = true
    expect(seen(await client.send(method, url, method === 'GET' ? undefined : { ...fields }))).toStrictEqual(UNEXPECTED)
    expect(log.filter((line) => line.includes('"level":50') && line.includes(SECRETS))).toHaveLength(1)
    broken = false
    expect(seen(await new Client(app).send('GET', '/'))).toStrictEqual({
      status: 200,
      body: { message: 'Bienvenue' },
    })
  },
)

test.each([
  ['something that is no error', 'a text'],
  ['nothing', undefined],
  ['an error that names a status', Object.assign(new Error(SECRETS), { statusCode: 418 })],
])('thrown: %s', async (_, thrown) => {
  const { app } = await house()
  app.addHook('preHandler', () => Promise.reject(thrown))
  expect(seen(await new Client(app).send('GET', '/'))).toStrictEqual(UNEXPECTED)
})

test.each([
  ['files', new Error('EMFILE: too many open files, open')],
  // As Node says it where the system gives it no thread.
  ['threads', Object.assign(new Error('EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' })],
])('O-18: where the system gives no more %s the answer is 503 with a time to wait', async (_, thrown) => {
  const { app } = await house()
  app.addHook('preHandler', () => Promise.reject(thrown))
  const refused = await new Client(app).send('GET', '/')
  expect([refused.statusCode, refused.json().code, refused.headers['retry-after']]).toEqual([503, 'busy', '5'])
})
