/** The limit: Fastify with a constant answer and a response schema; with `cookie` also @fastify/cookie. */

import Fastify from 'fastify'

const app = Fastify()
if (process.argv[2] === 'cookie') await app.register(import('@fastify/cookie'))
const answer = { type: 'object', properties: { email: { type: 'string' } }, required: ['email'] }
app.get('/profile', { schema: { response: { 200: answer } } }, async () => ({ email: 'ada@lovelace.example' }))
await app.listen({ port: 0, host: '127.0.0.1' })
console.log(JSON.stringify({ port: app.server.address().port }))
