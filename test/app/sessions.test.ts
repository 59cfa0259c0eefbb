/** The life of a session, as far as clients see it: how it begins, what keeps it, what ends it, where it may come from. */

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { buildApp } from '../../src/app.ts'
import { Auth } from '../../src/auth.ts'
import { StoreUnavailable } from '../../src/engines/engine.ts'
import { makeLog } from '../../src/log.ts'
import { parseCredential } from '../../src/security/credential.ts'
import { readSettings } from '../../src/settings.ts'
import { form, type House, PRODUCTION } from '../house.ts'
import { temporaryFolder } from '../started.ts'
import {
  ALICE,
  anotherDevice,
  BOB,
  Client,
  cookieValue,
  house,
  houseOnFile,
  MADE_UP,
  PASSWORD,
  seen,
  setCookies,
  signedIn,
} from './client.ts'
import { Program, programOf } from './program.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE
const IDLE = 7 * DAY
const ABSOLUTE = 30 * DAY

const IN = { status: 200, body: { email: BOB } }
const OUT = { status: 403, body: { message: 'no valid session: log in first', code: 'session_required' } }

test('S-02: two logins are two sessions, and both are good', async () => {
  const { app } = await house()
  const [laptop, phone] = [await signedIn(app), await anotherDevice(app)]
  const [first, second] = [cookieValue(laptop.cookie).split('.'), cookieValue(phone.cookie).split('.')]
  expect(first[0]).not.toBe(second[0])
  expect(first[1]).not.toBe(second[1])
  expect([seen(await laptop.profile()), seen(await phone.profile())]).toStrictEqual([IN, IN])
})

test('S-03: a login with a valid session gives a new one and ends the one presented', async () => {
  const { app } = await house()
  const [client, phone] = [await signedIn(app), await anotherDevice(app)]
  const { cookie: old } = client
  await client.logIn()
  expect(cookieValue(client.cookie)).not.toBe(cookieValue(old))
  expect(client.sessionId).not.toBe(cookieValue(old).slice(0, 36))
  expect(seen(await client.profile())).toStrictEqual(IN)
  client.cookie = old
  expect(seen(await client.profile())).toStrictEqual(OUT)
  expect(seen(await phone.profile())).toStrictEqual(IN)
})

test.each([
  ['password', { password: 'sch0k0lade' }],
  ['address', { email: ALICE }],
])('S-03: a new %s gives a new id as well, and ends the one presented', async (_, change) => {
  const { app } = await house()
  const client = await signedIn(app)
  const { cookie: old, sessionId } = client
  expect((await client.send('PATCH', '/users/me', { ...change, current_password: PASSWORD })).statusCode).toBe(200)
  expect(client.sessionId).not.toBe(sessionId)
  expect((await client.profile()).statusCode).toBe(200)
  client.cookie = old
  expect(seen(await client.profile())).toStrictEqual(OUT)
})

test('a login of someone else on the same device ends the session presented as well', async () => {
  const { app } = await house()
  await signedIn(app, ALICE)
  const client = await signedIn(app)
  const { cookie: old } = client
  await client.logIn(ALICE)
  expect(seen(await client.profile())).toStrictEqual({ status: 200, body: { email: ALICE } })
  client.cookie = old
  expect(seen(await client.profile())).toStrictEqual(OUT)
})

test('a login that fails leaves the session presented alive', async () => {
  const { app } = await house()
  const client = await signedIn(app)
  expect((await client.logIn(BOB, 'wrong')).statusCode).toBe(401)
  expect(seen(await client.profile())).toStrictEqual(IN)
})

test('S-04: an id that it did not issue is never adopted', async () => {
  const { app, db, dump } = await houseOnFile()
  await new Client(app).register()
  const secret = MADE_UP.slice(37)
  for (const chosen of ['attacker', MADE_UP, MADE_UP.slice(0, 36), `${MADE_UP}.more`]) {
    const client = new Client(app)
    client.cookie = `session_id=${chosen}`
    await client.logIn()
    expect(cookieValue(client.cookie), chosen).not.toContain(chosen)
    expect(client.sessionId, chosen).not.toBe(chosen.slice(0, 36))
    const other = new Client(app)
    other.cookie = `session_id=${chosen}`
    expect(seen(await other.profile()), chosen).toStrictEqual(OUT)
  }
  await expect(db.findSessionBy({ id: MADE_UP.slice(0, 36) })).rejects.toThrow('no row')
  for (const chosen of ['attacker', secret, createHash('sha256').update(secret).digest('base64url')]) {
    expect(dump()).not.toContain(chosen)
  }
})

test('S-05: whatever a cookie holds, the answer is a plain refusal', async () => {
  const { app } = await house()
  const client = await signedIn(app)
  const valid = cookieValue(client.cookie)
  const hostile = [
    '',
    `'`,
    `' OR '1'='1`,
    `${valid.slice(0, 36)}' --.${valid.slice(37)}`,
    'x'.repeat(10_000),
    '\u0000\u0001\u00ff\u0080',
    '%00',
    '%ff%fe',
    '%',
    '%E0%A4%A',
    '"',
    '"""',
    '\\',
    '.',
    '..',
    'undefined',
    'null',
    '__proto__',
    '{"id":1}',
    valid.slice(0, 36),
    valid.slice(37),
    `${valid}x`,
    ` ${valid.toUpperCase()}`,
    `${valid.slice(0, -1)}`,
    `${valid.slice(0, 36)}.${'A'.repeat(43)}`,
    `${valid.slice(0, 37)}${'='.repeat(43)}`,
    `00000000-0000-0000-0000-000000000000.${valid.slice(37)}`,
    `${valid}; session_id=${valid}`.slice(1),
  ]
  for (const value of hostile) {
    client.cookie = `session_id=${value}`
    expect(seen(await client.profile()), value).toStrictEqual(OUT)
    expect(seen(await client.logOut()), value).toStrictEqual(OUT)
    expect((await client.send('GET', '/')).statusCode, value).toBe(200)
    expect((await new Client(app).logIn()).statusCode, value).toBe(200)
  }
})

test('S-06: an unused session ends, on the server, whatever the cookie says of its own end', async () => {
  const { app, auth, db, clock } = await house()
  const [client, used] = [await signedIn(app), await anotherDevice(app)]
  clock.advance(IDLE - SECOND)
  expect(seen(await used.profile())).toStrictEqual(IN)
  clock.advance(2 * SECOND)
  const { cookie } = client
  for (const edited of [cookie, `${cookie}; Max-Age=99999999`, `${cookie}; Expires=Fri, 01 Jan 2100 00:00:00 GMT`]) {
    client.cookie = edited
    expect(seen(await client.profile()), edited).toStrictEqual(OUT)
  }
  expect(seen(await used.profile())).toStrictEqual(IN)
  // The row goes a little later, since another process may know of a use that is not written yet.
  clock.advance(2 * MINUTE)
  await auth.upkeep()
  await expect(db.findSessionBy({ id: client.sessionId })).rejects.toThrow('no row')
  expect((await db.findSessionBy({ id: used.sessionId })).id).toBe(used.sessionId)
})

test('S-07: a session ends at a fixed age, however much it is used', async () => {
  const { app, clock } = await house({ SESSION_LIFETIME: '6h', SESSION_IDLE: '1h' })
  const client = await signedIn(app)
  for (let minute = 1; minute < 6 * 60; minute += 1) {
    clock.advance(MINUTE)
    expect((await client.profile()).statusCode, `minute ${minute}`).toBe(200)
  }
  clock.advance(MINUTE - SECOND)
  expect(seen(await client.profile())).toStrictEqual(IN)
  clock.advance(2 * SECOND)
  expect(seen(await client.profile())).toStrictEqual(OUT)
})

test('S-08: use starts the idle time anew, a login both times', async () => {
  const { app, clock } = await house()
  const client = await signedIn(app)
  for (let use = 0; use < 4; use += 1) {
    clock.advance(IDLE - MINUTE)
    expect(seen(await client.profile()), `use ${use}`).toStrictEqual(IN)
  }
  await client.logIn()
  for (let use = 0; use < 4; use += 1) {
    clock.advance(IDLE - MINUTE)
    expect(seen(await client.profile()), `use ${use} after the login`).toStrictEqual(IN)
  }
  clock.advance(ABSOLUTE - 4 * (IDLE - MINUTE) - SECOND)
  expect(seen(await client.profile())).toStrictEqual(IN)
  clock.advance(SECOND)
  expect(seen(await client.profile())).toStrictEqual(OUT)
})

/** @returns an app as a process that starts on the same database has it: nothing of the first one's memory */
async function restarted({ db, settings, outbox }: House) {
  const log = await makeLog(settings, { write: () => undefined })
  return buildApp({ auth: new Auth(db, settings), settings, log, outbox })
}

/** @returns what a client sees whose process starts anew on the same database */
async function profileAfterRestart(opened: House, { cookie }: Client) {
  const later = new Client(await restarted(opened))
  later.cookie = cookie
  return seen(await later.profile())
}

test('what was used is remembered across a restart, to the millisecond, once the process has closed', async () => {
  const opened = await house()
  const { app, auth, clock } = opened
  const [client, other] = [await signedIn(app), await anotherDevice(app)]
  clock.advance(SECOND)
  await client.profile()
  await other.profile()
  await auth.close()
  clock.advance(IDLE - 1)
  expect(await profileAfterRestart(opened, client)).toStrictEqual(IN)
  clock.advance(1)
  expect(await profileAfterRestart(opened, other)).toStrictEqual(OUT)
})

test('what was used is remembered across a crash, once the upkeep has written it', async () => {
  const opened = await house()
  const { app, auth, clock } = opened
  const [client, other] = [await signedIn(app), await anotherDevice(app)]
  clock.advance(IDLE - 5 * MINUTE)
  await client.profile()
  await other.profile()
  await auth.upkeep()
  clock.advance(IDLE - 1)
  expect(await profileAfterRestart(opened, client)).toStrictEqual(IN)
  clock.advance(1)
  expect(await profileAfterRestart(opened, other)).toStrictEqual(OUT)
})

test('last use is recorded once a minute at most, and never by the request itself', async () => {
  const { app, auth, db, clock, dump } = await houseOnFile()
  const client = await signedIn(app)
  const opened = clock.now()
  const recorded = async () => (await db.findSessionBy({ id: client.sessionId })).lastSeenAt - opened

  clock.advance(30 * SECOND)
  await client.profile()
  clock.advance(29 * SECOND)
  await auth.upkeep()
  expect(await recorded()).toBe(0)

  // A minute after what is recorded, with the use as it was.
  clock.advance(SECOND)
  await auth.upkeep()
  expect(await recorded()).toBe(30 * SECOND)

  clock.advance(15 * SECOND)
  const before = dump()
  await client.profile()
  expect(dump()).toBe(before)
  clock.advance(15 * SECOND - 1)
  await auth.upkeep()
  expect(await recorded()).toBe(30 * SECOND)
  clock.advance(1)
  await auth.upkeep()
  expect(await recorded()).toBe(75 * SECOND)

  clock.advance(10 * MINUTE)
  await client.profile()
  clock.advance(10 * MINUTE)
  await client.profile()
  await auth.upkeep()
  expect(await recorded()).toBe(21 * MINUTE + 30 * SECOND)

  clock.advance(SECOND)
  await client.profile()
  await auth.upkeep()
  expect(await recorded()).toBe(21 * MINUTE + 30 * SECOND)
  await auth.close()
  expect(await recorded()).toBe(21 * MINUTE + 31 * SECOND)
})

test('five minutes without use end a session that is used every two and a half, exactly, with the upkeep or without', async () => {
  for (const between of ['upkeep', 'nothing'] as const) {
    const { app, clock, upkeep } = await house({ SESSION_IDLE: '5m' })
    const [client, other] = [await signedIn(app), await anotherDevice(app)]
    const { cookie } = client
    for (let use = 0; use < 20; use += 1) {
      clock.advance(2.5 * MINUTE)
      expect(seen(await client.profile()), `use ${use}`).toStrictEqual(IN)
      expect(seen(await other.profile()), `use ${use}`).toStrictEqual(IN)
      if (between === 'upkeep') await upkeep()
    }
    clock.advance(5 * MINUTE - 1)
    if (between === 'upkeep') await upkeep()
    expect(seen(await other.profile()), between).toStrictEqual(IN)
    clock.advance(1)
    client.cookie = cookie
    expect(seen(await client.profile()), between).toStrictEqual(OUT)
    expect(seen(await other.profile()), between).toStrictEqual(IN)
  }
})

test('S-06: a session in constant use at one process is alive for another, however short SESSION_IDLE may be', async () => {
  const least = ['1m', '2m', '5m'].find(isTaken)
  const { app, auth, db, settings, clock } = await house({ SESSION_IDLE: least ?? '' })
  const client = await signedIn(app)
  const credential = parseCredential(cookieValue(client.cookie)) ?? expect.fail('no credential')
  for (let time = 0; time < 10 * MINUTE; time += 5 * SECOND) {
    clock.advance(5 * SECOND)
    expect(seen(await client.profile())).toStrictEqual(IN)
    if (time % (30 * SECOND) === 0) await auth.upkeep()
    // One that was never asked before knows no more than the database.
    const another = new Auth(db, settings)
    expect(await another.glances([credential]), `after ${time} ms with ${least}`).not.toContain(null)
  }
})

/** Two processes on one database, and one clock for both. */
async function twoProcesses() {
  const env = { DATABASE_URL: `sqlite:${join(temporaryFolder(), 'bienvenue.db')}`, SESSION_IDLE: '5m' }
  const tokens = { SECRET: PRODUCTION.SECRET, ACCESS_TOKEN_LIFETIME: '1h' }
  const [here, there] = [await house({ ...env, ...tokens }), await house({ ...env, ...tokens })]
  const advance = (time: number) => {
    for (const { clock } of [here, there]) clock.advance(time)
  }
  return { here, there, advance }
}

type Use = (process: House, client: Client, program: Program) => Promise<unknown>

test.each<[string, Use]>([
  ['the check of a cookie', (_, client) => client.profile()],
  ['the fast check', ({ auth }, { cookie }) => auth.glances([parseCredential(cookieValue(cookie)) ?? expect.fail()])],
  ['the check of an access token', (_process, _client, program) => program.profile()],
])('S-06: %s that finds a session nearly idle is seen by every process at once', async (_, use) => {
  const { here, there, advance } = await twoProcesses()
  const [client, program] = [await signedIn(here.app), await programOf(here, 'program@example.org')]
  const isAlive = async () => {
    const { cookie } = client
    const { accessToken } = program
    const copies = [
      Object.assign(new Client(there.app), { cookie }),
      Object.assign(new Program(there), { accessToken }),
    ]
    const answers = await Promise.all(copies.map((copy) => copy.profile()))
    return answers.some(({ statusCode }) => statusCode === 200)
  }
  advance(5 * MINUTE - 1)
  await use(here, client, program)
  advance(5 * MINUTE - 1)
  expect(await isAlive()).toBe(true)
  advance(5 * MINUTE)
  expect(await isAlive()).toBe(false)
})

test('S-11: what is used at one process can be ended at another', async () => {
  const { here, there, advance } = await twoProcesses()
  const program = await programOf(here, 'program@example.org')
  const at = ({ app }: House, { cookie }: Client) => Object.assign(new Client(app), { cookie })
  const endings: [string, (client: Client) => Promise<unknown>][] = [
    ['a logout', (client) => at(there, client).logOut()],
    ['a login on the same device', (client) => at(there, client).logIn()],
    ['the end of all others', async () => (await anotherDevice(there.app)).send('DELETE', '/sessions?others=true')],
    [
      'the end of that one',
      async ({ sessionId }) => (await anotherDevice(there.app)).send('DELETE', `/sessions/${sessionId}`),
    ],
  ]
  await signedIn(here.app)
  for (const [ending, end] of endings) {
    const client = await anotherDevice(here.app)
    advance(4.5 * MINUTE)
    expect(seen(await client.profile()), ending).toStrictEqual(IN)
    advance(MINUTE)
    await end(client)
    expect(seen(await client.profile()), ending).toStrictEqual(OUT)
  }
  await program.logIn('program@example.org')
  advance(4.5 * MINUTE)
  expect((await program.profile()).statusCode).toBe(200)
  advance(MINUTE)
  const { accessToken } = program
  const copy = Object.assign(new Program(there), { accessToken })
  expect((await copy.send('DELETE', '/tokens', {})).statusCode).toBe(200)
  expect((await program.profile()).statusCode).toBe(401)
})

test('a use that cannot be written at once is left to the upkeep, and no check fails for it', async () => {
  const { app, auth, db, clock } = await house({ SESSION_IDLE: '5m' })
  const client = await signedIn(app)
  const note = vi.spyOn(db, 'note').mockRejectedValue(new StoreUnavailable('a full disk'))
  clock.advance(5 * MINUTE - 1)
  const used = clock.now()
  expect(seen(await client.profile())).toStrictEqual(IN)
  expect(note).toHaveBeenCalledOnce()
  note.mockRestore()
  await auth.upkeep()
  expect((await db.findSessionBy({ id: client.sessionId })).lastSeenAt).toBe(used)
})

test('nobody waits for long for such a write', async () => {
  const { app, db, clock } = await house({ SESSION_IDLE: '5m' })
  const client = await signedIn(app)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const note = vi.spyOn(db, 'note').mockReturnValue(promise)
  clock.advance(5 * MINUTE - 1)
  expect(seen(await client.profile())).toStrictEqual(IN)
  expect(note).toHaveBeenCalledOnce()
  resolve(true)
})

test.each([
  ['its refresh token', ({ refreshToken }: Program) => refreshToken],
  ['its access token', ({ accessToken }: Program) => accessToken],
])('T-16, S-11: a login of a program is ended by %s, though its last use could not be written', async (_, token) => {
  const { here, there, advance } = await twoProcesses()
  const program = await programOf(here, 'program@example.org')
  advance(5 * MINUTE - 1)
  vi.spyOn(here.db, 'note').mockRejectedValueOnce(new StoreUnavailable('a full disk'))
  expect((await program.profile()).statusCode).toBe(200)
  advance(MINUTE)
  await new Program(there).send('DELETE', '/tokens', { refresh_token: token(program) })
  expect((await program.profile()).statusCode).toBe(401)
  await here.upkeep()
  expect((await program.profile()).statusCode).toBe(401)
})

function isTaken(idle: string): boolean {
  try {
    return readSettings({ SESSION_IDLE: idle }).sessionIdle > 0
  } catch {
    return false
  }
}

test('a session that is used is not swept: not even while the upkeep takes its time', async () => {
  const { app, auth, clock } = await house({ SESSION_IDLE: '5m' })
  const client = await signedIn(app)
  clock.advance(4.5 * MINUTE)
  expect(seen(await client.profile())).toStrictEqual(IN)
  clock.advance(30 * SECOND - 1)
  // Nothing is due yet; then time passes, as it does with many sessions to write.
  const upkeep = auth.upkeep()
  clock.advance(SECOND)
  await upkeep
  expect(seen(await client.profile())).toStrictEqual(IN)
})

test('S-11: logout is final on the server', async () => {
  const { app } = await house()
  const [laptop, phone] = [await signedIn(app), await anotherDevice(app)]
  const { cookie } = laptop
  await laptop.logOut()
  laptop.cookie = cookie
  expect(seen(await laptop.profile())).toStrictEqual(OUT)
  expect(seen(await laptop.logOut())).toStrictEqual(OUT)
  expect(seen(await phone.profile())).toStrictEqual(IN)
})

test('a logout ends a session whose last use is not recorded yet', async () => {
  const { app, auth, clock } = await house()
  const client = await signedIn(app)
  const { cookie } = client
  clock.advance(DAY)
  await client.profile()
  await client.logOut()
  await auth.upkeep()
  client.cookie = cookie
  expect(seen(await client.profile())).toStrictEqual(OUT)
})

test('S-17: a session comes from its cookie and from nowhere else', async () => {
  const { app } = await house()
  const credential = cookieValue((await signedIn(app)).cookie)
  const body = form({ session_id: credential })
  const elsewhere = [
    { url: `/profile?session_id=${credential}` },
    { url: '/profile', ...body },
    { url: '/profile', headers: { 'x-session-id': credential } },
    { url: '/profile', headers: { session_id: credential } },
    { url: '/profile', headers: { authorization: `Basic ${btoa(`session_id:${credential}`)}` } },
    { url: '/profile', headers: { cookie: `other=session_id=${credential}` } },
    { url: '/profile', headers: { 'set-cookie': `session_id=${credential}` } },
    { url: '/profile', headers: { cookie2: `session_id=${credential}` } },
    { method: 'DELETE', url: `/sessions?session_id=${credential}` },
    { method: 'DELETE', url: '/sessions', ...body },
    { url: `/sessions?session_id=${credential}` },
    { method: 'DELETE', url: `/sessions/${credential}` },
    { method: 'DELETE', url: '/sessions?others=true', ...body },
    { method: 'PATCH', url: '/users/me', ...form({ session_id: credential, name: 'Bob' }) },
    { method: 'DELETE', url: '/users/me', ...form({ session_id: credential, current_password: PASSWORD }) },
  ] as const
  for (const request of elsewhere) {
    expect(seen(await app.inject({ ...request })), JSON.stringify(request)).toStrictEqual(OUT)
  }
  for (const url of ['/profile', '/users/me']) {
    const answer = await app.inject({ url, headers: { authorization: `Bearer ${credential}` } })
    expect(seen(answer)).toMatchObject({ status: 401, body: { code: 'token_invalid' } })
  }
  const client = new Client(app)
  client.cookie = `session_id=${credential}`
  expect(seen(await client.profile())).toStrictEqual(IN)
})

test('S-18: no id, token or password is in a path, a query, a redirect or a line of the log', async () => {
  const { app, log } = await house({ LOG_REQUESTS: 'true' })
  const client = await signedIn(app)
  const credential = cookieValue(client.cookie)
  const token = await client.resetToken()
  const strayed = `session_id=${credential}&reset_token=${token}&password=${PASSWORD}`
  const answers = [
    await client.profile(),
    await client.send('GET', `/profile?${strayed}`),
    await client.send('GET', `/nowhere?${strayed}`),
    await client.send('PATCH', `/users?${strayed}`),
    await client.send('GET', `/sessions?${strayed}`),
    await client.send('DELETE', `/sessions/x?${strayed}`),
    await client.send('PATCH', `/users/me?${strayed}`, { name: 'Bob' }),
    await client.send('PATCH', '/users/me', { password: `${PASSWORD}!`, current_password: 'wrong' }),
    await client.logOut(),
    await client.logIn(BOB, `${PASSWORD}?`),
    await client.reset(token),
  ]
  expect(log.filter((line) => line.includes('"path":"none"'))).toHaveLength(1)
  const secrets = [credential, credential.slice(37), token, token.slice(37), PASSWORD]
  for (const secret of secrets) {
    expect(log.filter((line) => line.includes(secret))).toEqual([])
    expect(answers.filter(({ headers }) => String(headers.location).includes(secret))).toEqual([])
  }
})

test('S-18: a credential that strays into the place of an id does not reach the log', async () => {
  const { app, log } = await house({ LOG_REQUESTS: 'true' })
  const client = await signedIn(app)
  const credential = cookieValue(client.cookie)
  expect((await client.send('DELETE', `/sessions/${credential}`)).statusCode).toBe(404)
  expect(log.filter((line) => line.includes(credential.slice(37)))).toEqual([])
})

test('S-20: there is nothing to read in a cookie', async () => {
  const { app } = await house()
  const [laptop, phone] = [await signedIn(app), await anotherDevice(app)]
  const [first, second] = [laptop, phone].map(({ cookie }) => cookieValue(cookie))
  // A UUID of version 4 has neither time nor node in it; the rest is 32 bytes.
  for (const credential of [first, second]) {
    expect(credential).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}\.[\w-]{43}$/)
  }
  // One user, one device and one moment, yet no four bytes in common: nothing of them is encoded.
  const pieces = new Set(piecesOf(first ?? ''))
  expect(piecesOf(second ?? '').filter((piece) => pieces.has(piece))).toEqual([])
})

/** @returns every four bytes in a row of a credential's secret */
function piecesOf(credential: string): string[] {
  const bytes = Buffer.from(credential.slice(37), 'base64url')
  return Array.from({ length: bytes.length - 3 }, (_, from) => bytes.subarray(from, from + 4).toString('hex'))
}

test('S-21: what has ended is deleted by the upkeep, what has not stays', async () => {
  const { app, auth, db, clock } = await house()
  const [abandoned, used] = [await signedIn(app), await anotherDevice(app)]
  const staleToken = (await abandoned.resetToken()).slice(0, 36)
  clock.advance(IDLE - MINUTE)
  await used.profile()
  clock.advance(MINUTE)
  const alice = await signedIn(app, ALICE)
  const freshToken = (await alice.resetToken(ALICE)).slice(0, 36)
  clock.advance(2 * MINUTE)

  await auth.upkeep()

  await expect(db.findSessionBy({ id: abandoned.sessionId })).rejects.toThrow('no row')
  await expect(db.findTokenBy({ id: staleToken })).rejects.toThrow('no row')
  expect((await db.findSessionBy({ id: used.sessionId })).id).toBe(used.sessionId)
  expect((await db.findSessionBy({ id: alice.sessionId })).id).toBe(alice.sessionId)
  expect((await db.findTokenBy({ id: freshToken })).id).toBe(freshToken)
  expect(seen(await used.profile())).toStrictEqual(IN)
})

test('S-23: after the absolute end nothing that was ever set gives access, under any name', async () => {
  const { app, clock } = await house()
  const client = await signedIn(app)
  const everSet = [client.cookie]
  for (let use = 0; use < 5; use += 1) {
    clock.advance(IDLE - MINUTE)
    everSet.push(...setCookies(await client.profile()))
  }
  const values = everSet.map(cookieValue)
  for (const name of ['session_id', '__Host-session_id', 'remember_me', 'remember_token', 'device']) {
    client.cookie = values.map((value) => `${name}=${value}`).join('; ')
    expect(seen(await client.profile()), name).toStrictEqual(OUT)
  }
})

test('K-06: the cookie lives as long as the session may, and the server does not rely on it', async () => {
  for (const [lifetime, seconds] of [
    ['30d', 2_592_000],
    ['1h', 3_600],
    ['400d', 34_560_000],
  ] as const) {
    const { app, clock } = await house({ SESSION_LIFETIME: lifetime, SESSION_IDLE: '365d' })
    const client = new Client(app)
    await client.register()
    const [set] = setCookies(await client.logIn())
    expect(set).toMatch(new RegExp(`; Max-Age=${seconds}(;|$)`))
    clock.advance(Math.min(seconds * SECOND, 365 * DAY))
    client.cookie = `${client.cookie}; Max-Age=99999999`
    expect(seen(await client.profile()), lifetime).toStrictEqual(OUT)
  }
})
