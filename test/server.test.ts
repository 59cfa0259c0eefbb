/** The process: what a start says, where it listens, how it stops, and why it refuses to start. */

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test, vi } from 'vitest'
import { settingRows } from '../src/settings.ts'
import { PRODUCTION } from './house.ts'
import { type Env, heldPort, runServer, type Server, startServer, temporaryFolder } from './started.ts'

const PASSWORD = 'a long way to go'
const PATIENCE = { timeout: 10_000, interval: 10 }

function send(url: string, method: string, fields?: Record<string, string>, cookie = ''): Promise<Response> {
  const body = fields === undefined ? null : new URLSearchParams(fields)
  return fetch(url, { method, body, headers: { cookie }, redirect: 'manual' })
}

function register({ port }: Server, email: string, host = '127.0.0.1'): Promise<Response> {
  return send(`http://${host}:${port}/users`, 'POST', { email, password: PASSWORD })
}

describe('a start in development', () => {
  test('tells the address, the database, the profile and what that relaxes', async () => {
    const folder = temporaryFolder()
    const { child, port } = await startServer({}, folder)
    for (const told of [
      `http://localhost:${port}`,
      join(folder, 'data', 'bienvenue.db'),
      'profile   development',
      'plain HTTP, for this machine only',
      'the reset token is in the answer to programs on this machine',
      'any password that is not empty is good',
      'no ceilings per network',
      'NODE_ENV=production relaxes nothing',
    ]) {
      expect(child.stdout).toContain(told)
    }
    expect(child.stderr).toBe('')
  })

  test('the command that it tells to try works', async () => {
    const { child } = await startServer()
    const [, fields = '', url = ''] = /curl ((?:-d \S+ )+)(\S+)/.exec(child.stdout) ?? []
    const body = fields.trim().replaceAll(/ ?-d /g, '&').slice(1)
    const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(body) })
    expect(await answer.json()).toEqual({ email: 'bob@example.org', message: 'user created' })
  })

  test.each(['127.0.0.1', '[::1]', 'localhost', '0.0.0.0'])('answers at %s', async (host) => {
    const { port } = await startServer()
    const answer = await fetch(`http://${host}:${port}/`)
    expect([answer.status, await answer.json()]).toEqual([200, { message: 'Bienvenue' }])
  })

  test('the settings of .env count, and the environment counts more', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, '.env'), 'DATABASE_URL=sqlite:./elsewhere.db\nPORT=1\nPASSWORD_MIN_LENGTH=20\n')
    const server = await startServer({}, folder)
    expect(server.child.stdout).toContain(join(folder, 'elsewhere.db'))
    const refused = await register(server, 'bob@example.org')
    expect([refused.status, await refused.json()]).toMatchObject([400, { code: 'password_too_short' }])
  })

  test('what was registered is there after a restart', async () => {
    const folder = temporaryFolder()
    const first = await startServer({}, folder)
    await register(first, 'bob@example.org')
    first.child.signal('SIGTERM')
    await first.child.ended
    const { url } = await startServer({}, folder)
    const answer = await send(`${url}/sessions`, 'POST', { email: 'bob@example.org', password: PASSWORD })
    expect(answer.status).toBe(200)
  })

  test('two processes on one database see each other’s users and sessions', async () => {
    const folder = temporaryFolder()
    const [one, other] = await Promise.all([startServer({}, folder), startServer({}, folder)])
    await register(one, 'bob@example.org')
    const login = await send(`${other.url}/sessions`, 'POST', { email: 'bob@example.org', password: PASSWORD })
    const [cookie = ''] = login.headers.getSetCookie().map((line) => line.split(';', 1).join())
    expect((await send(`${one.url}/profile`, 'GET', undefined, cookie)).status).toBe(200)
    expect((await send(`${one.url}/sessions`, 'DELETE', undefined, cookie)).status).toBe(302)
    expect((await send(`${other.url}/profile`, 'GET', undefined, cookie)).status).toBe(403)
  })
})

describe('a stop', () => {
  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    '%s ends an idle server with 0, open connections or not',
    async (signal) => {
      const { child, url } = await startServer()
      await fetch(`${url}/`, { headers: { connection: 'keep-alive' } })
      child.signal(signal)
      expect(await child.ended).toBe(0)
      expect(child.stderr).toBe('')
    },
  )

  test.each([
    ['127.0.0.1', ['127.0.0.1']],
    ['::1', ['[::1]']],
    ['127.0.0.1, then one at ::1', ['127.0.0.1', '[::1]']],
    ['::1, then one at 127.0.0.1', ['[::1]', '127.0.0.1']],
  ])('SIGTERM finishes requests in flight, and then ends: one at %s', async (_, hosts) => {
    const folder = temporaryFolder()
    const server = await startServer({ BCRYPT_COST: '12', HASH_CONCURRENCY: '1' }, folder)
    const pending: Promise<Response>[] = []
    for (const [index, host] of hosts.entries()) {
      pending.push(register(server, `${index}@example.org`, host))
      // Two answers later what was sent before has been read, and is being hashed.
      for (let count = 0; count < 2; count += 1) await (await fetch(`http://${host}:${server.port}/`)).text()
    }
    server.child.signal('SIGTERM')
    const answers = await Promise.all(pending)
    const answeredAt = performance.now()
    expect(answers.map(({ status }) => status)).toEqual(hosts.map(() => 200))
    expect(await server.child.ended).toBe(0)
    // Not held up by connections that clients keep open for their next request.
    expect(performance.now() - answeredAt).toBeLessThan(5_000)

    const { stdout } = server.child
    expect(stdout.indexOf('stopping')).toBeGreaterThan(0)
    expect(stdout.indexOf('user_registered')).toBeGreaterThan(stdout.indexOf('stopping'))
    for (const host of hosts) await expect(fetch(`http://${host}:${server.port}/`)).rejects.toThrow('fetch failed')
    const again = await startServer({}, folder)
    for (const index of hosts.keys()) expect((await register(again, `${index}@example.org`)).status).toBe(400)
  })

  test('what a proxy sends on a connection that it kept open is answered, and the connection then ends', async () => {
    const { child, port, url } = await startServer()
    const proxy = connect(port, '127.0.0.1')
    let received = ''
    proxy.setEncoding('utf8').on('data', (text: string) => {
      received += text
    })
    const ended = once(proxy, 'end')
    proxy.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await vi.waitFor(() => expect(received).toContain('Bienvenue'))
    child.signal('SIGTERM')
    await vi.waitFor(() => expect(fetch(`${url}/`)).rejects.toThrow('fetch failed'), { interval: 10 })
    received = ''
    const body = 'email=bob@example.org&password=x'
    proxy.write(`POST /users HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n`)
    proxy.write(`content-length: ${body.length}\r\n\r\n${body}`)
    await ended
    expect(received).toContain('HTTP/1.1 200 OK')
    expect(received.toLowerCase()).toContain('connection: close')
    expect(await child.ended).toBe(0)
  })

  test('the last uses of sessions are written before the end', async () => {
    const folder = temporaryFolder()
    const { child, url } = await startServer({}, folder)
    await send(`${url}/users`, 'POST', { email: 'bob@example.org', password: PASSWORD })
    const login = await send(`${url}/sessions`, 'POST', { email: 'bob@example.org', password: PASSWORD })
    const [cookie = ''] = login.headers.getSetCookie().map((line) => line.split(';', 1).join())
    const file = join(folder, 'data', 'bienvenue.db')
    const anHourAgo = Date.now() - 3_600_000
    inDatabase(file, (database) => database.prepare('UPDATE sessions SET last_seen_at = ?').run(anHourAgo))
    expect((await send(`${url}/profile`, 'GET', undefined, cookie)).status).toBe(200)
    child.signal('SIGTERM')
    await child.ended
    inDatabase(file, (database) => {
      const recent = database.prepare('SELECT id FROM sessions WHERE last_seen_at > ?').all(anHourAgo + 3_000_000)
      expect(recent).toHaveLength(1)
    })
  })
})

function inDatabase(file: string, work: (database: Database.Database) => unknown): void {
  const database = new Database(file)
  work(database)
  database.close()
}

describe('a start that cannot be', () => {
  /** @returns the line that a failed start leaves */
  async function failure(env: Env, folder: string = temporaryFolder()): Promise<string> {
    const child = runServer(env, folder)
    expect(await child.ended).toBe(1)
    expect(child.stderr).toMatch(/^Bienvenue cannot start: .+\n$/)
    expect(child.stdout + child.stderr).not.toMatch(/\n\s+at /)
    expect(child.stdout).not.toContain('ready')
    return child.stderr
  }

  test.each(['127.0.0.1', '::1'])('the port is taken at %s', async (host) => {
    const port = await heldPort(host)
    expect(await failure({ PORT: String(port) })).toContain(
      `Port ${port} is taken. Stop the program that holds it, or set PORT to another one.`,
    )
  })

  test('the folder of the database cannot be made', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    const told = await failure({ DATABASE_URL: 'sqlite:./file/below/bienvenue.db' }, folder)
    expect(told).toContain(join(folder, 'file', 'below', 'bienvenue.db'))
    expect(told).toContain('Make its folder writable for this user, or set DATABASE_URL to another path.')
  })

  test('the database is a folder', async () => {
    const folder = temporaryFolder()
    expect(await failure({ DATABASE_URL: `sqlite:${folder}` }, folder)).toContain('set DATABASE_URL to another path')
  })

  test('the database file is none', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'letter.db'), 'Dear Bob, '.repeat(1_000))
    expect(await failure({ DATABASE_URL: 'sqlite:./letter.db' }, folder)).toContain(
      `${join(folder, 'letter.db')} is not an SQLite database. Set DATABASE_URL to another path, or move that file away.`,
    )
  })

  test('the database is from a newer version', async () => {
    const folder = temporaryFolder()
    const { child } = await startServer({}, folder)
    child.signal('SIGTERM')
    await child.ended
    inDatabase(join(folder, 'data', 'bienvenue.db'), (database) =>
      database.prepare("INSERT INTO schema_migrations VALUES (999999, 'later', 0, 999999)").run(),
    )
    expect(await failure({}, folder)).toContain('A newer version of Bienvenue has changed the database')
  })

  test.each<[string, Env, string]>([
    ['a number out of range', { BCRYPT_COST: '9' }, 'BCRYPT_COST is wrong: it must be a whole number from 10 to 16.'],
    ['a port that is none', { PORT: '70000' }, 'PORT is wrong: it must be a whole number from 0 to 65535.'],
    [
      'a time without a unit',
      { SESSION_IDLE: '7' },
      'SESSION_IDLE is wrong: it must be a time like 90s, 60m, 12h or 7d',
    ],
    ['an unknown profile', { NODE_ENV: 'prod' }, 'NODE_ENV is wrong: it must be development, test, production.'],
    ['another database', { DATABASE_URL: 'mysql://localhost/x' }, 'DATABASE_URL must start with sqlite:'],
    [
      'development for the network',
      { HOST: '0.0.0.0' },
      'Use localhost, or run with NODE_ENV=production and PUBLIC_URL.',
    ],
    ['production without PUBLIC_URL', { NODE_ENV: 'production' }, 'PUBLIC_URL is missing: set it to the address'],
    [
      'production on plain http',
      { ...PRODUCTION, PUBLIC_URL: 'http://auth.example.org' },
      'PUBLIC_URL must be https: in production. On a private network without TLS, set INSECURE_HTTP=true as well.',
    ],
    ['an address with a path', { ...PRODUCTION, PUBLIC_URL: 'https://example.org/auth' }, 'PUBLIC_URL is wrong'],
    [
      'short passwords in production',
      { ...PRODUCTION, PASSWORD_MIN_LENGTH: '5' },
      'PASSWORD_MIN_LENGTH must be at least 8',
    ],
    ['a cookie for another domain', { ...PRODUCTION, COOKIE_DOMAIN: 'example.com' }, 'COOKIE_DOMAIN=example.com'],
    [
      'a host of another machine',
      { ...PRODUCTION, HOST: '192.0.2.1' },
      'HOST=192.0.2.1 is no address of this machine.',
    ],
    ['a host that does not exist', { ...PRODUCTION, HOST: 'nowhere.invalid' }, 'HOST=nowhere.invalid is no address'],
  ])('%s', async (_, env, told) => {
    expect(await failure(env)).toContain(told)
  })

  test('a name in .env that is no setting', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, '.env'), 'PROT=5000\n')
    expect(await failure({}, folder)).toContain('.env sets PROT, which is no setting. The nearest one is PORT;')
  })
})

describe('the log in production', () => {
  test('is lines of JSON with the time in UTC, and no password, token or cookie in them', async () => {
    const { child, url } = await startServer({ ...PRODUCTION, LOG_REQUESTS: 'true' })
    const email = 'bob@example.org'
    const madeUp = `3f0c1d52-9b1e-4c5a-8d0e-6a7b8c9d0e1f.${'T'.repeat(43)}`
    await send(`${url}/users`, 'POST', { email, password: PASSWORD })
    const login = await send(`${url}/sessions`, 'POST', { email, password: PASSWORD })
    const [cookie = ''] = login.headers.getSetCookie().map((line) => line.split(';', 1).join())
    const secret = cookie.split('.')[1] ?? ''
    await send(`${url}/sessions`, 'POST', { email, password: `${PASSWORD}, wrong` })
    await send(`${url}/profile?session_id=${secret}`, 'GET', undefined, cookie)
    await send(`${url}/reset_password`, 'POST', { email })
    await send(`${url}/reset_password`, 'PUT', { email, reset_token: madeUp, new_password: PASSWORD })
    await send(`${url}/sessions`, 'DELETE', undefined, cookie)
    child.signal('SIGTERM')
    expect(await child.ended).toBe(0)

    expect(secret).toHaveLength(43)
    const lines = child.stdout.trimEnd().split('\n')
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ time: expect.stringMatching(/^\d{4}-.*Z$/) })
    for (const event of [
      'user_registered',
      'login_succeeded',
      'login_failed',
      'logged_out',
      'password_reset_refused',
    ]) {
      expect(child.stdout).toContain(`"event":"${event}"`)
    }
    expect(lines.filter((line) => line.includes('"msg":"request"'))).toHaveLength(7)
    for (const hidden of [PASSWORD, 'a+long+way', secret, madeUp, 'T'.repeat(43), '$2b$']) {
      expect(child.stdout + child.stderr).not.toContain(hidden)
    }
  })
})

describe('faults while it runs', () => {
  /** A fault of the program itself, outside any request: on SIGUSR2 a promise is rejected that nobody waits for. */
  const ADRIFT = "process.on('SIGUSR2', () => void Promise.reject(new Error('adrift')))"
  const preloaded = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(ADRIFT)}` }

  test('O-20: a rejected promise is logged and the process lives, in a request and outside', async () => {
    const folder = temporaryFolder()
    const { child, url } = await startServer({ ...PRODUCTION, ...preloaded }, folder)
    inDatabase(join(folder, 'data', 'bienvenue.db'), (database) => database.exec('DROP TABLE users'))
    const failed = await send(`${url}/users`, 'POST', { email: 'bob@example.org', password: PASSWORD })
    expect([failed.status, await failed.json()]).toEqual([
      500,
      { message: 'something went wrong here; it has been logged', code: 'internal' },
    ])
    child.signal('SIGUSR2')
    await vi.waitFor(() => expect(child.stdout).toContain('"msg":"unhandled rejection"'), PATIENCE)
    expect(child.stdout).toContain('no such table: users')
    expect(child.stdout).toContain('adrift')
    const answer = await fetch(`${url}/`)
    expect([answer.status, await answer.json()]).toEqual([200, { message: 'Bienvenue' }])
  })
})

test('no setting has the name of a variable that npm or a desktop sets for its own ends', () => {
  const taken = [
    'COLOR',
    'LANGUAGE',
    'LANG',
    'EDITOR',
    'HOME',
    'PATH',
    'USER',
    'SHELL',
    'TERM',
    'PWD',
    'INIT_CWD',
    'NODE',
    'DEBUG',
  ]
  expect(
    settingRows()
      .map(({ variable }) => variable)
      .filter((name) => taken.includes(name)),
  ).toEqual([])
})
