/** express-session with passport and a SQLite store, as their READMEs set them up. */

import { createHmac, randomBytes } from 'node:crypto'
import makeStore from 'better-sqlite3-session-store'
import express from 'express'
import session from 'express-session'
import passport from 'passport'
import { command, fill, openDatabase, SECRET, tellPort, writeCookies } from './rivals.mjs'

const database = openDatabase('express_session.db')
const SqliteStore = makeStore(session)
const store = new SqliteStore({ client: database, expired: { clear: false } })
const DAY = 86_400_000

if (command === 'prepare') {
  const cookies = []
  const add = database.prepare('INSERT INTO sessions (sid, sess, expire) VALUES (?, ?, ?)')
  const expires = new Date(Date.now() + 30 * DAY).toISOString()
  fill(database, (index) => {
    const sid = randomBytes(24).toString('base64url')
    const cookie = { originalMaxAge: 30 * DAY, expires, httpOnly: true, path: '/' }
    add.run(sid, JSON.stringify({ cookie, passport: { user: index } }), expires)
    const signature = createHmac('sha256', SECRET).update(sid).digest('base64').replace(/=+$/, '')
    cookies.push(`connect.sid=${encodeURIComponent(`s:${sid}.${signature}`)}`)
  })
  writeCookies('express_session', cookies)
  process.exit()
}

const find = database.prepare('SELECT id, email FROM users WHERE id = ?')
passport.deserializeUser((id, done) => done(null, find.get(id) ?? false))
const app = express()
app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: false, cookie: { maxAge: 30 * DAY } }))
app.use(passport.session())
app.get('/profile', (request, response) =>
  request.isAuthenticated() ? response.json({ email: request.user.email }) : response.sendStatus(403),
)
const server = app.listen(0, '127.0.0.1', () => tellPort(server.address()))
