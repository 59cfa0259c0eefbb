/** What an answer of the fast path is on the wire, and what becomes of its connection: the same as of every other answer. */

import { expect, test, vi } from 'vitest'
import { OWNER, PASSWORD, production } from '../production.ts'
import { statuses, Wire } from '../wire.ts'

/** Fast as it stands; a length makes it an ordinary request. */
const SLOW = 'Content-Length: 0\r\n'

async function listening(owner: string = OWNER) {
  const house = await production()
  const routed = vi.fn(async () => {})
  house.app.addHook('onSend', routed)
  const url = await house.app.listen({ port: 0, host: '127.0.0.1' })
  await house.auth.registerUser(owner, PASSWORD)
  const cookie = `Cookie: __Host-session_id=${await house.auth.createSession(owner)}\r\n`
  const check = (more = '', version = '1.1') =>
    `GET /profile HTTP/${version}\r\nHost: localhost\r\n${cookie}${more}\r\n`
  const wire = () => new Wire(Number(new URL(url).port))
  return { house, routed, check, wire, body: JSON.stringify({ email: owner }) }
}

/** The lines of an answer's head in a fixed order, with names in small letters. */
function headOf(text: string): string[] {
  const lines = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n')
  return lines.map((line) => line.replace(/^[\w-]+:/, (name) => name.toLowerCase())).toSorted()
}

const withoutDate = (lines: string[]) => lines.filter((line) => !line.startsWith('date:'))

test.each([
  ['one that keeps its connection', ''],
  ['one that ends its connection', 'Connection: close\r\n'],
])('the head is that of every other answer: %s', async (_, more) => {
  const { routed, check, wire, body } = await listening()
  const fast = await wire().write(check(more)).until(body)
  expect(routed).not.toHaveBeenCalled()
  const slow = await wire()
    .write(check(more + SLOW))
    .until(body)
  expect(routed).toHaveBeenCalledOnce()
  expect(withoutDate(headOf(fast))).toEqual(withoutDate(headOf(slow)))
})

test('the date is that of the second in which it is written', async () => {
  const { check, wire, body } = await listening()
  const dateOf = (text: string) => Date.parse(/\r\ndate: (.*)\r\n/i.exec(text)?.[1] ?? '')
  const open = wire()
  const first = dateOf(await open.write(check()).until(body))
  expect(Math.abs(Date.now() - first)).toBeLessThan(5_000)
  vi.useFakeTimers({ now: first + 3_600_000, toFake: ['Date'] })
  open.text = ''
  expect(dateOf(await open.write(check()).until(body))).toBe(first + 3_600_000)
  vi.useRealTimers()
})

test('a client of HTTP/1.0 hears the end of its connection, or that it stays', async () => {
  const { check, wire, body } = await listening()
  const heard = await wire().write(check('', '1.0')).untilClosed()
  expect([headOf(heard).includes('connection: close'), heard.endsWith(body)]).toEqual([true, true])
  const kept = await wire().write(check('Connection: keep-alive\r\n', '1.0')).until(body)
  expect(headOf(kept)).toContain('connection: keep-alive')
})

test('a client that ends its connection is answered, and then it ends', async () => {
  const { check, wire, body } = await listening()
  const heard = await wire().write(check('Connection: close\r\n')).untilClosed()
  expect([statuses(heard), heard.endsWith(body)]).toEqual([[200], true])
})

test('checks that are sent on without waiting are answered in turn, among other requests', async () => {
  const { check, wire } = await listening()
  const none = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`
  const sent = [check(), check(), none('/none'), check(SLOW), check(), none('/none'), check('Connection: close\r\n')]
  const heard = await wire().write(sent.join('')).untilClosed()
  expect(statuses(heard)).toEqual([200, 200, 404, 200, 200, 404, 200])
})

test('the thousandth answer of a connection is its last', async () => {
  const { check, wire, body } = await listening()
  const open = wire()
  for (let sent = 1; sent < 1_000; sent += 1) {
    open.text = ''
    expect(headOf(await open.write(check()).until(body))).toContain('connection: keep-alive')
  }
  open.text = ''
  expect(headOf(await open.write(check()).until(body))).toContain('connection: close')
})

test('an address in other letters is told whole', async () => {
  const owner = 'ädä@lovelace.example'
  const { routed, check, wire, body } = await listening(owner)
  const heard = await wire().write(check('Connection: close\r\n')).untilClosed()
  const bytes = Buffer.from(body)
  expect(headOf(heard)).toContain(`content-length: ${bytes.length}`)
  expect(heard.slice(heard.indexOf('\r\n\r\n') + 4)).toBe(bytes.toString('latin1'))
  expect(routed).not.toHaveBeenCalled()
})

test('clients that are gone before their answer are no error, and keep nothing open', async () => {
  const { house, check, wire, body } = await listening()
  const before = house.log.length
  const failures: unknown[] = []
  house.app.server.on('clientError', (error) => failures.push(Reflect.get(error, 'code')))
  for (let time = 0; time < 20; time += 1) {
    wire().write(check()).halfClose()
    const gone = wire().write(check())
    await wire().write(check()).until(body)
    gone.close()
  }
  house.app.server.closeIdleConnections()
  const open = () => new Promise((resolve) => house.app.server.getConnections((_, count) => resolve(count)))
  await expect.poll(open, { timeout: 10_000 }).toBe(0)
  expect(house.log.slice(before)).toEqual([])
  // That the client has reset the connection is no fault of what was written.
  expect(failures.filter((code) => code !== 'ECONNRESET' && code !== 'EPIPE')).toEqual([])
})
