/** The limit on PostgreSQL: a bare Fastify route that does one prepared look-up with pg, by a key in the cookie. */

import Fastify from 'fastify'
import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const app = Fastify()
const answer = { type: 'object', properties: { email: { type: 'string' } }, required: ['email'] }
const text = 'SELECT u.email FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1'
app.get('/profile', { schema: { response: { 200: answer } } }, async (request, reply) => {
  const cookie = request.headers.cookie ?? ''
  const id = cookie.slice(cookie.indexOf('=') + 1, cookie.indexOf('.'))
  const { rows } = await pool.query({ name: 'find', text, values: [id] })
  return rows[0] ?? reply.code(403).send()
})
await app.listen({ port: 0, host: '127.0.0.1' })
console.log(JSON.stringify({ port: app.server.address().port }))
