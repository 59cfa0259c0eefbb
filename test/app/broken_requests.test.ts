/** What the parser of HTTP refuses, over a real socket. */

import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { BOB, house } from './client.ts'

/** @returns a function that sends bytes as they are, and resolves with all that came back until the server hung up */
async function listening(app: FastifyInstance): Promise<(bytes: string) => Promise<string>> {
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  return (bytes) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: Number(port) })
      let received = ''
      socket.setEncoding('utf8').on('data', (text: string) => {
        received += text
      })
      // A server that hangs up on bytes still under way resets the connection; what it said before counts.
      socket.once('error', (error) => (received === '' ? reject(error) : resolve(received)))
      socket.once('close', () => resolve(received))
      socket.write(bytes)
    })
}

/** Longer than headers may take. */
const LONG = { timeout: 15_000 }
const FORM = 'Host: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n'
const BODY = 'email=bob@example.org&password=x'

test.each([
  ['H-12: a length and chunks', `${FORM}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ['H-12: two lengths', `${FORM}Content-Length: 32\r\nContent-Length: 5\r\n\r\n${BODY}`, 400],
  ['H-12: a doubled length', `${FORM}Content-Length: 32, 32\r\n\r\n${BODY}`, 400],
  ['H-12: a length that is no number', `${FORM}Content-Length: 3x\r\n\r\n${BODY}`, 400],
  ['H-12: chunks that are none', `${FORM}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, 400],
  ['H-12: two hosts', `${FORM}host: localhost\r\nContent-Length: 32\r\n\r\n${BODY}`, 400],
  ['a header name with a space', `${FORM}Content-Length : 32\r\n\r\n${BODY}`, 400],
  ['a header of 64 kB', `${FORM}X-Large: ${'x'.repeat(65_536)}\r\n\r\n`, 431],
])('%s: refused, and the connection ends', async (_, rest, status) => {
  const { app, db } = await house()
  const exchange = await listening(app)
  const received = await exchange(`POST /users HTTP/1.1\r\n${rest}`)
  const [head = '', body = ''] = received.split('\r\n\r\n')
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  const lines = head.toLowerCase().split('\r\n')
  expect(lines).toEqual(
    expect.arrayContaining([
      'cache-control: no-store',
      'x-content-type-options: nosniff',
      'content-type: application/json; charset=utf-8',
      'connection: close',
      `content-length: ${body.length}`,
    ]),
  )
  expect(JSON.parse(body)).toStrictEqual({ message: expect.any(String), code: 'request_invalid' })
  await expect(db.findUserBy({ email: BOB })).rejects.toThrow('no row')
})

test('H-01, H-16, H-20: the answer to a broken request has its type, and the headers of every answer', async () => {
  const { app } = await house()
  const exchange = await listening(app)
  const [head = ''] = (await exchange('no request at all\r\n\r\n')).toLowerCase().split('\r\n\r\n')
  const { headers } = await app.inject({ url: '/nowhere', headers: { host: 'localhost' } })
  const { date: _date, connection: _connection, 'content-length': _length, ...every } = headers
  expect(every).toMatchObject({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  const lines = Object.entries(every).map(([name, value]) => `${name}: ${value}`.toLowerCase())
  expect(head.split('\r\n')).toEqual(expect.arrayContaining(lines))
})

test('H-16, H-20: what is expected in vain is refused with the headers of every answer', async () => {
  const { app } = await house()
  const exchange = await listening(app)
  const received = await exchange('GET / HTTP/1.1\r\nHost: localhost\r\nExpect: more\r\nConnection: close\r\n\r\n')
  const [status, ...lines] = received.toLowerCase().split('\r\n')
  expect(status).toBe('http/1.1 417 expectation failed')
  expect(lines).toEqual(expect.arrayContaining(['cache-control: no-store', 'x-content-type-options: nosniff']))
})

test.each([
  ['no Host', 'GET /profile HTTP/1.0\r\n\r\n'],
  ['an empty Host', 'GET /profile HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'],
  [
    'a whole address for another host',
    'GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n',
  ],
])('%s: development does not answer', async (_, bytes) => {
  const { app } = await house()
  const exchange = await listening(app)
  expect(await exchange(bytes)).toMatch(/^HTTP\/1.1 421 .*"host_refused"/s)
})

test('a path is not shortened on its way to a route', async () => {
  const { app } = await house()
  const exchange = await listening(app)
  const received = await exchange('GET /x/../profile HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  expect(received).toMatch(/^HTTP\/1.1 404 /)
})

test('H-11: bodies and headers have a limit', async () => {
  const { app } = await house()
  const exchange = await listening(app)
  const body = `email=bob@example.org&password=${'x'.repeat(20_000)}`
  const large = `${FORM}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`
  expect(await exchange(`POST /users HTTP/1.1\r\n${large}`)).toMatch(/^HTTP\/1.1 413 .*"body_too_large"/s)
  const announced = `${FORM}Content-Length: 1000000000\r\nConnection: close\r\n\r\n`
  expect(await exchange(`POST /users HTTP/1.1\r\n${announced}`)).toMatch(/^HTTP\/1.1 413 /)
  const header = `Host: localhost\r\nCookie: session_id=${'x'.repeat(65_536)}\r\n\r\n`
  expect(await exchange(`GET /profile HTTP/1.1\r\n${header}`)).toMatch(/^HTTP\/1.1 431 /)
})

test('TRACE over a socket echoes nothing', async () => {
  const { app } = await house()
  const exchange = await listening(app)
  const received = await exchange('TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Echo: an echo\r\n\r\n')
  expect(received).toMatch(/^HTTP\/1.1 405 /)
  expect(received).not.toContain('an echo')
})

test('H-11: a client that keeps its side open after its time is over does not keep the connection', async () => {
  const { app } = await house()
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const socket = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  let received = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    received += text
  })
  // It is reset in the end.
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: loc')
  await expect.poll(() => received, LONG).toMatch(/^HTTP\/1.1 408 .*"request_invalid"/s)
  const open = () => new Promise((resolve) => app.server.getConnections((_error, count) => resolve(count)))
  await expect.poll(open, LONG).toBe(0)
}, 40_000)
