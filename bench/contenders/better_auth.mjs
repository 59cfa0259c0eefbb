/** better-auth on better-sqlite3, with the session read by its API as its docs say; with `cached` also its cookie cache. */

import { createHmac, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { fromNodeHeaders } from 'better-auth/node'
import { COUNT, command, emailOf, openDatabase, SECRET, tellPort, writeCookies } from './rivals.mjs'

const cached = process.argv.includes('cached')
const database = openDatabase('better_auth.db')
const HOUR = 3_600
const options = {
  ...{ database, secret: SECRET, baseURL: 'http://127.0.0.1', telemetry: { enabled: false } },
  emailAndPassword: { enabled: true },
  session: { cookieCache: { enabled: cached, maxAge: HOUR } },
}
const auth = betterAuth(options)

async function prepare() {
  const { runMigrations } = await getMigrations(options)
  await runMigrations()
  const now = new Date().toISOString()
  const expires = new Date(Date.now() + 24 * HOUR * 7_000).toISOString()
  const addUser = database.prepare(
    'INSERT INTO user (id, name, email, emailVerified, createdAt, updatedAt) VALUES (?, ?, ?, 0, ?, ?)',
  )
  const addSession = database.prepare(
    'INSERT INTO session (id, expiresAt, token, createdAt, updatedAt, userId) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const cookies = []
  database.transaction(() => {
    for (let index = 1; index <= COUNT; index += 1) {
      const [id, session, token] = [16, 16, 24].map((bytes) => randomBytes(bytes).toString('base64url'))
      addUser.run(id, 'Ada', emailOf(index), now, now)
      addSession.run(session, expires, token, now, now, id)
      const signature = createHmac('sha256', SECRET).update(token).digest('base64')
      cookies.push(`better-auth.session_token=${encodeURIComponent(`${token}.${signature}`)}`)
    }
  })()
  writeCookies('better_auth', cookies)
  writeCookies('better_auth_cached', await withCache(cookies.slice(0, 10_000)))
}

/** The second cookie, which holds the session for as long as it is believed without being looked up. */
async function withCache(cookies) {
  const caching = betterAuth({ ...options, session: { cookieCache: { enabled: true, maxAge: HOUR } } })
  const all = []
  for (const cookie of cookies) {
    const { headers } = await caching.api.getSession({ headers: new Headers({ cookie }), returnHeaders: true })
    const data = headers.getSetCookie().find((one) => one.startsWith('better-auth.session_data='))
    all.push(`${cookie}; ${data.split(';')[0]}`)
  }
  return all
}

if (command === 'prepare') {
  await prepare()
  process.exit()
}

const server = createServer(async (request, response) => {
  const found = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) })
  response.writeHead(found === null ? 403 : 200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ email: found?.user.email }))
})
server.listen(0, '127.0.0.1', () => tellPort(server.address()))
