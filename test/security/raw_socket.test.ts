/** What no HTTP client sends: bytes on a socket of a server that really listens. */

import { once } from 'node:events'
import { Agent, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { answerHeaders } from '../../src/app/headers.ts'
import { form, type House, openHouse } from '../house.ts'
import { processorTime } from '../processor.ts'
import { temporaryFolder } from '../started.ts'
import { statuses, Wire } from '../wire.ts'

const EMAIL = 'ann@example.org'
const PASSWORD = 'nine lives of a grey cat'
const FIELDS = `email=${encodeURIComponent(EMAIL)}&password=${encodeURIComponent(PASSWORD)}`

let house: House
let port: number

beforeAll(async () => {
  house = await openHouse()
  await house.auth.registerUser(EMAIL, PASSWORD)
  port = await listening(house)
})

afterAll(() => house.close())

async function listening({ app }: House): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

/** What is sent at once, and answered before the connection ends. */
function exchanged(bytes: string): Promise<string> {
  return new Wire(port).write(bytes).untilClosed()
}

async function stillAnswers(): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/sessions`, { method: 'POST', ...posted() })
  expect([answer.status, await answer.json()]).toEqual([200, { email: EMAIL, message: 'logged in' }])
}

function posted() {
  const { headers, payload } = form({ email: EMAIL, password: PASSWORD })
  return { headers, body: payload }
}

/** What a smuggler hides behind an ambiguous request. */
const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n'
const LENGTH = FIELDS.length
const TYPED = 'Host: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n'

function post(headers: string, body: string = FIELDS): string {
  return `POST /sessions HTTP/1.1\r\n${TYPED}${headers}\r\n${body}`
}

const chunk = `${LENGTH.toString(16)}\r\n${FIELDS}\r\n0\r\n\r\n`
const CHUNKED = 'Transfer-Encoding: chunked\r\n'

test.concurrent.each([
  ['a length and chunks', post(`Content-Length: ${LENGTH}\r\n${CHUNKED}`, chunk)],
  ['chunks and a length', post(`${CHUNKED}Content-Length: ${LENGTH}\r\n`, chunk)],
  ['a length of nothing and chunks', post(`Content-Length: 0\r\n${CHUNKED}`, chunk)],
  ['two lengths that differ', post(`Content-Length: ${LENGTH}\r\nContent-Length: 0\r\n`)],
  ['two lengths that agree', post(`Content-Length: ${LENGTH}\r\nContent-Length: ${LENGTH}\r\n`)],
  ['a list of lengths', post(`Content-Length: ${LENGTH}, ${LENGTH}\r\n`)],
  ['a length with a sign', post(`Content-Length: +${LENGTH}\r\n`)],
  ['a negative length', post('Content-Length: -1\r\n')],
  ['a length in hexadecimal', post('Content-Length: 0x10\r\n')],
  ['an endless length', post(`Content-Length: ${'9'.repeat(40)}\r\n`)],
  ['a length with a blank in it', post('Content-Length: 1 0\r\n')],
  ['an encoding that hides chunks', post('Transfer-Encoding: xchunked\r\n', chunk)],
  ['chunks that are not last', post('Transfer-Encoding: chunked, identity\r\n', chunk)],
  ['two encodings', post(`${CHUNKED}Transfer-Encoding: identity\r\n`, chunk)],
  ['an encoding behind a control character', post('Transfer-Encoding: \x0bchunked\r\n', chunk)],
  ['a blank before the colon', post(`Content-Length : ${LENGTH}\r\n`)],
  ['a blank before the name', post(` Content-Length: ${LENGTH}\r\n`)],
  ['a folded header', post(`X-Folded: a\r\n Content-Length: ${LENGTH}\r\n`)],
  ['a header without a colon', post('Content-Length\r\n')],
  ['a header that ends with a bare LF', post(`X-Bare: a\nContent-Length: ${LENGTH}\r\n`)],
  ['a header that ends with a bare CR', post(`X-Bare: a\rContent-Length: ${LENGTH}\r\n`)],
  ['a NUL in a header', post(`X-Nul: a\0b\r\nContent-Length: ${LENGTH}\r\n`)],
  ['a name that is no token', post(`X(Content-Length): ${LENGTH}\r\n`)],
  ['only bare LFs', `POST /sessions HTTP/1.1\n${TYPED.replaceAll('\r', '')}Content-Length: ${LENGTH}\n\n${FIELDS}`],
  ['a chunk size that overflows', post(CHUNKED, `FFFFFFFFFFFFFFFFF\r\n${FIELDS}\r\n0\r\n\r\n`)],
  ['a chunk size with a prefix', post(CHUNKED, `0x${chunk}`)],
  ['a negative chunk size', post(CHUNKED, `-${chunk}`)],
  ['a chunk that ends with a bare LF', post(CHUNKED, `${LENGTH.toString(16)}\n${FIELDS}\n0\n\n`)],
  ['a chunk longer than its size', post(CHUNKED, `1\r\n${FIELDS}\r\n0\r\n\r\n`)],
  ['a bare LF in a chunk extension', post(CHUNKED, `${LENGTH.toString(16)};a\nb\r\n${FIELDS}\r\n0\r\n\r\n`)],
  ['an endless chunk extension', post(CHUNKED, `1;${'a'.repeat(64 * 1024)}\r\nx\r\n0\r\n\r\n`)],
  ['an unknown version', 'GET /profile HTTP/9.9\r\nHost: localhost\r\n\r\n'],
  ['a blank in the path', 'GET /pro file HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['an unknown method', 'FROB / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
])('H-12: ambiguous framing is refused, once, and the connection ends: %s', async (_, request) => {
  const answer = await exchanged(request + HIDDEN)
  expect(statuses(answer), answer).toEqual([400])
  expect(answer).toMatch(/\r\nconnection: close\r\n/i)
  expect(answer).toMatch(/\r\ncontent-type: application\/json; charset=utf-8\r\n/i)
  expect(answer).not.toMatch(/logged in|set-cookie/i)
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual({
    message: expect.any(String),
    code: 'request_invalid',
  })
})

test('H-12: a request without a host is refused, and the connection ends', async () => {
  const answer = await exchanged(`GET / HTTP/1.1\r\n\r\n${HIDDEN}`)
  expect(statuses(answer)).toEqual([400])
  expect(answer).toMatch(/\r\nconnection: close\r\n/i)
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  expect(JSON.parse(body)).toEqual({ message: 'the Host header is missing', code: 'request_invalid' })
  for (const [name, value] of Object.entries(answerHeaders(house.settings))) {
    expect(head.toLowerCase()).toContain(`\r\n${name}: ${value}\r\n`.toLowerCase())
  }
})

test('H-12: what is framed well is read, in one piece and byte by byte', async () => {
  for (const request of [post(`Content-Length: ${LENGTH}\r\n`), post(CHUNKED, chunk)]) {
    const whole = new Wire(port).write(request)
    expect(await whole.until('logged in')).toMatch(/^HTTP\/1\.1 200 /)
    whole.close()
    const slow = new Wire(port)
    for (const byte of request) slow.write(byte)
    expect(await slow.until('logged in')).toMatch(/^HTTP\/1\.1 200 /)
    slow.close()
  }
})

test('H-11: a body of 20 kB is a 413, with a length and in chunks, and headers of 64 kB are a 431', async () => {
  const size = 20_000
  const large = 'a'.repeat(size)
  const bodies = [
    post(`Content-Length: ${size}\r\n`, large),
    post(CHUNKED, `${size.toString(16)}\r\n${large}\r\n0\r\n\r\n`),
  ]
  for (const request of bodies) {
    const wire = new Wire(port).write(request)
    expect(statuses(await wire.until('body_too_large'))).toEqual([413])
    wire.close()
  }
  for (const header of [`X-Large: ${'a'.repeat(64 * 1024)}`, 'X: a\r\n'.repeat(11_000).trimEnd()]) {
    const answer = await exchanged(`GET / HTTP/1.1\r\nHost: localhost\r\n${header}\r\n\r\n`)
    expect(statuses(answer)).toEqual([431])
  }
  const path = await exchanged(`GET /${'a'.repeat(64 * 1024)} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  expect(statuses(path)).toEqual([431])
  await stillAnswers()
})

test('H-11: a body that is only announced is refused before it comes', async () => {
  const wire = new Wire(port).write(post('Content-Length: 1000000000\r\n', ''))
  expect(statuses(await wire.until('body_too_large'))).toEqual([413])
  wire.close()
})

test('H-13: TRACE and CONNECT are refused and echo nothing', async () => {
  const secrets = 'X-Echo: echoed-value\r\nCookie: session_id=secret\r\n'
  const answer = await exchanged(`TRACE / HTTP/1.1\r\nHost: localhost\r\n${secrets}Connection: close\r\n\r\n`)
  expect(statuses(answer)).toEqual([405])
  expect(answer).not.toMatch(/echoed-value|session_id|TRACE/)
  const tunnel = await exchanged(
    'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\nX-Echo: echoed-value\r\n\r\n',
  )
  expect(tunnel).not.toMatch(/ 200 |echoed-value/)
})

test('a connection that sends nothing, half a header or half a body is cut off', async () => {
  const hasty = await openHouse()
  const { server } = hasty.app
  expect([server.headersTimeout, server.requestTimeout]).toEqual([10_000, 20_000])
  // The same limits, only sooner; the server looks every two seconds.
  Object.assign(server, { headersTimeout: 1_000, requestTimeout: 2_000 })
  const to = await listening(hasty)
  const wires = {
    header: new Wire(to).write('GET / HTTP/1.1\r\nHost: local'),
    body: new Wire(to).write(post('Content-Length: 100\r\n', 'email=')),
    chunks: new Wire(to).write(post(CHUNKED, '5\r\nemail\r\n')),
    // A byte now and then does not prolong its time.
    drip: new Wire(to).write(post('Content-Length: 100\r\n', '')),
    nothing: new Wire(to),
  }
  const drip = setInterval(() => wires.drip.write('a'), 200)
  const answers = await Promise.all(Object.values(wires).map((wire) => wire.untilClosed()))
  clearInterval(drip)
  expect(answers.map(statuses).map(([status]) => status)).toEqual([408, 408, 408, 408, 408])
  await hasty.close()
})

test.each(['GET', 'DELETE', 'POST'])('%s with the type of a body that does not come is answered', async (method) => {
  const request = `${method} /sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n`
  expect(statuses(await new Wire(port).write(request).untilClosed())).toHaveLength(1)
})

test('pipelined requests are answered one by one, in their order', async () => {
  const wire = new Wire(port)
  const paths = Array.from({ length: 15 }, (_, index) => `/none/${index}`)
  wire.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(''))
  wire.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  expect(statuses(await wire.untilClosed())).toEqual([...paths.map(() => 404), 200])
})

test('H-19: a connection that sends many requests on without reading an answer is ended, and works on none of them any more', async () => {
  const begun = performance.now()
  const wire = new Wire(port).write(
    'GET /login HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n'.repeat(10_000),
  )
  expect(statuses(await wire.untilClosed()).length).toBeLessThan(17)
  expect(performance.now() - begun).toBeLessThan(5_000)
  await stillAnswers()
})

test.each([
  ['plain ones', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['ones with a path that no router can read', 'GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['ones with a parameter that is too long', `GET /assets/${'x'.repeat(101)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  ['ones with a body', 'POST /users HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}'],
  ['ones without a host', 'GET / HTTP/1.1\r\n\r\n'],
  ['ones with an expectation', 'GET / HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\n\r\n'],
])('H-19: of the requests that a connection sends on, no more are read than are worked on: %s', async (_, sent) => {
  let read = 0
  const count = () => {
    read += 1
  }
  const { server } = house.app
  for (const event of ['request', 'checkExpectation']) server.on(event, count)
  const wires = Array.from({ length: 20 }, () => new Wire(port).write(sent.repeat(2_000)))
  await Promise.all(wires.map((wire) => wire.untilClosed()))
  for (const event of ['request', 'checkExpectation']) server.off(event, count)
  expect(read).toBe(20 * 17)
  await stillAnswers()
})

test('H-19: the same beyond the thousand requests that a connection carries', async () => {
  const most = 1_000
  const sent = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
  let read = 0
  const count = () => {
    read += 1
  }
  const { server } = house.app
  for (const event of ['request', 'dropRequest']) server.on(event, count)
  const wire = new Wire(port)
  for (let answered = 10; answered < most; answered += 10) {
    wire.write(sent.repeat(10))
    while (statuses(wire.text).length < answered) await wire.more()
  }
  read = 0
  wire.write(sent.repeat(2_000))
  await wire.untilClosed()
  for (const event of ['request', 'dropRequest']) server.off(event, count)
  expect(read).toBe(17)
  await stillAnswers()
})

/** A body in chunks of one byte. */
const tiny = (bytes: number) => '1\r\nx\r\n'.repeat(bytes)
const JSON_TYPED = 'Host: localhost\r\nContent-Type: application/json\r\n'

test.each([
  ['that nobody reads', `GET /login HTTP/1.1\r\nHost: localhost\r\n${CHUNKED}\r\n`],
  ['of a foreign origin', `POST /sessions HTTP/1.1\r\n${TYPED}Origin: https://evil.example\r\n${CHUNKED}\r\n`],
  ['of no route', `POST /nothing HTTP/1.1\r\nHost: localhost\r\n${CHUNKED}\r\n`],
  ['that is read', `POST /sessions HTTP/1.1\r\n${JSON_TYPED}${CHUNKED}\r\n`],
])('H-19: a body in thousands of tiny chunks ends the connection, before they are taken in: %s', async (_, head) => {
  const wires = Array.from({ length: 60 }, () => new Wire(port).write(head + tiny(40_000)))
  const work = await processorTime(() => Promise.all(wires.map((wire) => wire.untilClosed())))
  expect(work).toBeLessThan(3_000)
  await stillAnswers()
})

test('H-19: a body that nobody reads and that has no end ends the connection, and one of some length does not', async () => {
  const get = `GET /login HTTP/1.1\r\nHost: localhost\r\n`
  const endless = new Wire(port)
  const sending = setInterval(() => endless.write(`2000\r\n${'x'.repeat(8_192)}\r\n`), 5)
  endless.write(`${get}${CHUNKED}\r\n`)
  const begun = performance.now()
  await endless.untilClosed()
  clearInterval(sending)
  expect(performance.now() - begun).toBeLessThan(5_000)
  const size = 60_000
  const wire = new Wire(port).write(`${get}Content-Length: ${size}\r\n\r\n${'x'.repeat(size)}`)
  wire.write(`${get}Connection: close\r\n\r\n`)
  expect(statuses(await wire.untilClosed())).toEqual([200, 200])
})

test('H-19: after a connection that was ended amid a body, bodies are read as ever', async () => {
  for (let round = 0; round < 5; round += 1) {
    await new Wire(port).write(`GET / HTTP/1.1\r\nHost: localhost\r\n${CHUNKED}\r\n${tiny(1_000)}`).untilClosed()
    await stillAnswers()
  }
})

test('H-19: requests that come a few at a time, and wait for their answers, are no more than sixteen', async () => {
  const file = join(temporaryFolder(), 'held.db')
  const held = await openHouse({ DATABASE_URL: `sqlite:${file}` })
  const to = await listening(held)
  const other = new Database(file)
  // As long as another process writes, no login is answered.
  other.exec('BEGIN IMMEDIATE')
  const wire = new Wire(to)
  for (let round = 0; round < 5; round += 1) {
    wire.write(post(`Content-Length: ${LENGTH}\r\n`).repeat(8))
    expect((await fetch(`http://127.0.0.1:${to}/`)).status).toBe(200)
  }
  expect(statuses(await wire.untilClosed())).toEqual([])
  other.exec('COMMIT')
  other.close()
  await held.close()
})

test('H-19: a connection carries a thousand requests, and then another one must be made', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const used = new Set<unknown>()
  const connected = (socket: Socket) => used.add(socket)
  house.app.server.on('connection', connected)
  const lasts: string[] = []
  for (let sent = 1; sent <= 1_001; sent += 1) {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ agent, port, host: '127.0.0.1' }, resolve).on('error', reject)
    })
    await once(answer.resume(), 'end')
    if (answer.headers.connection === 'close') lasts.push(`request ${sent}`)
  }
  house.app.server.off('connection', connected)
  agent.destroy()
  expect(lasts).toEqual(['request 1000'])
  expect(used.size).toBe(2)
})

test('after a refused request on a connection the next one is read where it begins', async () => {
  const wire = new Wire(port).write(post(`Content-Length: ${LENGTH}\r\nSec-Fetch-Site: cross-site\r\n`) + HIDDEN)
  wire.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  expect(statuses(await wire.untilClosed())).toEqual([403, 404, 200])
})

test('a client that closes its half, after a request or amid one, is let go', async () => {
  const whole = await new Wire(port)
    .write(post(`Content-Length: ${LENGTH}\r\n`))
    .halfClose()
    .untilClosed()
  const part = await new Wire(port).write(post('Content-Length: 5000\r\n')).halfClose().untilClosed()
  const nothing = await new Wire(port).halfClose().untilClosed()
  expect([...statuses(whole), ...statuses(part), ...statuses(nothing)].filter((status) => status >= 500)).toEqual([])
  await stillAnswers()
})

test('H-19: a client that reads nothing is let go, however little it asks for at a time', async () => {
  const { server } = house.app
  expect(server.timeout).toBe(60_000)
  server.timeout = 300
  let answered = 0
  const counting = (_: IncomingMessage, response: ServerResponse) => void response.once('finish', () => (answered += 1))
  server.on('request', counting)
  onTestFinished(() => {
    server.timeout = 60_000
    server.off('request', counting)
  })
  const page = await fetch(`http://127.0.0.1:${port}/login`, { headers: { accept: 'text/html' } })
  const [style] = /\/assets\/style[^"]+/.exec(await page.text()) ?? []
  const connected = once(server, 'connection')
  const wire = new Wire(port).pause()
  const [socket]: Socket[] = await connected
  if (socket === undefined) throw new Error('there is no connection')
  let asked = 0
  // Until the system takes no more of the answers.
  while (socket.writableLength === 0 && asked < 990) {
    wire.write(`GET ${style} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(10))
    asked += 10
    await expect.poll(() => socket.writableLength > 0 || answered >= asked).toBe(true)
  }
  expect(socket.writableLength).toBeGreaterThan(0)
  await expect.poll(() => socket.destroyed, { timeout: 5_000 }).toBe(true)
})

test('a request that waits longer than that for us has its answer, and the connection goes on', async () => {
  const file = join(temporaryFolder(), 'waiting.db')
  const waiting = await openHouse({ DATABASE_URL: `sqlite:${file}` })
  const to = await listening(waiting)
  const { server } = waiting.app
  await waiting.auth.registerUser(EMAIL, PASSWORD)
  server.timeout = 100
  const other = new Database(file)
  other.exec('BEGIN IMMEDIATE')
  const late = once(server, 'timeout')
  const wire = new Wire(to).write(post(`Content-Length: ${LENGTH}\r\n`))
  await late
  other.exec('COMMIT')
  other.close()
  expect(statuses(await wire.until('logged in'))).toEqual([200])
  wire.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  expect(statuses(await wire.until('Bienvenue'))).toEqual([200, 200])
  wire.close()
  await waiting.close()
})

test('clients that never read and clients that vanish do not stop the others', async () => {
  const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
  const deaf = Array.from({ length: 20 }, () => new Wire(port).pause().write(request.repeat(2_000)))
  const vanished = Array.from({ length: 100 }, () => new Wire(port).write(post(`Content-Length: ${LENGTH}\r\n`)))
  for (const wire of vanished) wire.close()
  await stillAnswers()
  for (const wire of deaf) wire.close()
  await stillAnswers()
})

test('a client that goes away amid its body is no fault of the server: the log has no error', async () => {
  const before = house.log.length
  const wire = new Wire(port).write(post('Content-Length: 5000\r\n'))
  // The answer to the next connection's request shows that the first one's has begun.
  await stillAnswers()
  wire.close()
  await expect.poll(openConnections, { timeout: 10_000 }).toBe(0)
  await stillAnswers()
  expect(house.log.slice(before).filter((line) => /"level":[56]0/.test(line))).toEqual([])
})

/** Of those that are amid a request. */
function openConnections(): Promise<number> {
  house.app.server.closeIdleConnections()
  return new Promise((resolve, reject) => {
    house.app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}
