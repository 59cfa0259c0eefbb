/**
 * The limits below Fastify: Node's own HTTP server with a constant answer, written as cheaply as the service writes its own
 * (src/app/whole_answer.ts); with `tcp` no HTTP at all, but the same bytes for all that comes in.
 */

import { createServer } from 'node:http'
import { createServer as listen } from 'node:net'

const BODY = JSON.stringify({ email: 'ada@lovelace.example' })
const BYTES = `HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`

const server =
  process.argv[2] === 'tcp'
    ? listen({ noDelay: true }, (socket) => {
        socket.on('error', () => socket.destroy()).on('data', () => void socket.write(BYTES, 'latin1'))
      })
    : createServer((_, response) => {
        response.socket.write(BYTES, 'latin1', () => response.emit('finish'))
      })
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
