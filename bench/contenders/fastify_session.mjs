/**
 * @fastify/session with its sessions in SQLite, by a store of the three functions that its README asks for. By default it writes
 * a session at each request, so that one in use lives on; with `fixed` it does not, and a session ends however much it is used.
 */

import { randomBytes } from 'node:crypto'
import cookie, { Signer } from '@fastify/cookie'
import fastifySession from '@fastify/session'
import Fastify from 'fastify'
import { command, fill, openDatabase, SECRET, tellPort, writeCookies } from './rivals.mjs'

const database = openDatabase('fastify_session.db')
database.exec('CREATE TABLE IF NOT EXISTS sessions (sid TEXT PRIMARY KEY, sess TEXT NOT NULL)')
const read = database.prepare('SELECT sess FROM sessions WHERE sid = ?').pluck()
const write = database.prepare('INSERT OR REPLACE INTO sessions (sid, sess) VALUES (?, ?)')
const remove = database.prepare('DELETE FROM sessions WHERE sid = ?')
const store = {
  get(sid, done) {
    const found = read.get(sid)
    done(null, found === undefined ? null : JSON.parse(found))
  },
  set(sid, session, done) {
    write.run(sid, JSON.stringify(session))
    done()
  },
  destroy(sid, done) {
    remove.run(sid)
    done()
  },
}

const app = Fastify()
await app.register(cookie)
const DAY = 86_400_000
await app.register(fastifySession, {
  ...{ secret: SECRET, store, saveUninitialized: false, rolling: !process.argv.includes('fixed') },
  cookie: { secure: false, maxAge: 30 * DAY },
})

if (command === 'prepare') {
  const cookies = []
  const expires = new Date(Date.now() + 30 * DAY).toISOString()
  const attributes = { expires, originalMaxAge: 30 * DAY, secure: false, path: '/', httpOnly: true }
  const signer = new Signer(SECRET)
  fill(database, (index) => {
    const sid = randomBytes(24).toString('base64url')
    write.run(sid, JSON.stringify({ cookie: attributes, userId: index }))
    cookies.push(`sessionId=${encodeURIComponent(signer.sign(sid))}`)
  })
  writeCookies('fastify_session', cookies)
  process.exit()
}

const find = database.prepare('SELECT email FROM users WHERE id = ?').pluck()
const answer = { type: 'object', properties: { email: { type: 'string' } }, required: ['email'] }
app.get('/profile', { schema: { response: { 200: answer } } }, async (request, reply) => {
  const { userId } = request.session
  return userId === undefined ? reply.code(403).send() : { email: find.get(userId) }
})
await app.listen({ port: 0, host: '127.0.0.1' })
tellPort(app.server.address())
