/** What the parser of HTTP refuses before there is a request: answered in the same words, then the connection ends. */

import type { Socket } from 'node:net'

// An import would also load the client of `fetch`, which costs a start 40 ms and keeps 10 MB.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

const STATUS_BY_CODE = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
])

/** So long a client is given to read that and to end its side, in milliseconds. */
const LAST_WAIT = 2_000

interface ClientError extends Error {
  code?: string
}

export function answerBrokenRequest(headers: Record<string, string>) {
  return (error: ClientError, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy()
    const status = STATUS_BY_CODE.get(error.code ?? '') ?? 400
    const reason = STATUS_CODES[status] ?? ''
    const body = JSON.stringify({ message: reason.toLowerCase(), code: 'request_invalid' })
    const lines = Object.entries({
      ...headers,
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(body.length),
      connection: 'close',
    }).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}\r\n${body}`)
    // A client that keeps its side open would keep the connection.
    setTimeout(() => socket.destroy(), LAST_WAIT).unref()
  }
}
