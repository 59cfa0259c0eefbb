/** @fastify/secure-session: the session is in the cookie, sealed, and cannot be ended; only the user is read. */

import secureSession from '@fastify/secure-session'
import Fastify from 'fastify'
import { command, fill, openDatabase, SECRET, tellPort, writeCookies } from './rivals.mjs'

const database = openDatabase('secure_session.db')
const app = Fastify()
await app.register(secureSession, { key: Buffer.from(SECRET), cookie: { path: '/' }, expiry: 30 * 86_400 })

if (command === 'prepare') {
  const cookies = []
  await app.ready()
  fill(database, (userId) => {
    const session = app.createSecureSession({ userId })
    cookies.push(`session=${encodeURIComponent(app.encodeSecureSession(session))}`)
  })
  writeCookies('secure_session', cookies)
  process.exit()
}

const find = database.prepare('SELECT email FROM users WHERE id = ?').pluck()
const answer = { type: 'object', properties: { email: { type: 'string' } }, required: ['email'] }
app.get('/profile', { schema: { response: { 200: answer } } }, async (request, reply) => {
  const userId = request.session.get('userId')
  return userId === undefined ? reply.code(403).send() : { email: find.get(userId) }
})
await app.listen({ port: 0, host: '127.0.0.1' })
tellPort(app.server.address())
