/** Rows of the security list about secrets, files, faults and what the service tells of itself. */

import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { StartError } from '../../src/errors.ts'
import { readSettings } from '../../src/settings.ts'
import { BOB, Client, cookieName, house, seen, setCookies, signedIn } from '../app/client.ts'
import { GOOD_PASSWORD } from '../app/routes.ts'
import { type House, openHouse, PRODUCTION } from '../house.ts'
import { temporaryFolder } from '../started.ts'

const ANOTHER_SECRET = 'Wq7Lr2Zt9Vx4Bn6Mk1Hj8Gf3Dp5Sy0Ce'

describe('production starts only with a SECRET that nobody guesses', () => {
  test.each([
    ['none', ''],
    ['a short one', PRODUCTION.SECRET.slice(0, 31)],
    ['one repeated character', 'a'.repeat(64)],
    ['a few repeated characters', 'abcdefg'.repeat(8)],
    ['a short text written again and again, and cut off', 'Kq3vTz8LmXw'.repeat(4).slice(0, 40)],
    ['a sample', `change-me-${PRODUCTION.SECRET}`],
    ['a placeholder', `your secret here ${PRODUCTION.SECRET}`],
  ])('O-01: not with %s', (_, secret) => {
    expect(() => readSettings({ ...PRODUCTION, SECRET: secret })).toThrow(StartError)
    expect(() => readSettings({ ...PRODUCTION, SECRET: secret })).toThrow(/^SECRET /)
  })

  test('O-01: with 32 random characters, which come from the environment', () => {
    expect(readSettings(PRODUCTION).secret).toBe(PRODUCTION.SECRET)
    expect(readSettings({ ...PRODUCTION, SECRET: ANOTHER_SECRET }).secret).toBe(ANOTHER_SECRET)
  })
})

describe('a new SECRET', () => {
  /** Logs in under one SECRET, then starts anew under another, with strangers waiting. */
  async function afterRotation(previous: string): Promise<{ profile: number; known: number; stranger: number }> {
    const database = `sqlite:${join(temporaryFolder(), 'bienvenue.db')}`
    const env = { ...PRODUCTION, DATABASE_URL: database, LOGIN_FAILURES_PER_ACCOUNT: '2' }
    const before = await openHouse(env)
    const client = await signedIn(before.app, BOB, GOOD_PASSWORD)
    const lines = setCookies(await new Client(before.app).logIn(BOB, GOOD_PASSWORD))
    const device = lines.find((line) => cookieName(line) === '__Host-device')?.split(';')[0] ?? ''
    await before.close()

    const { app } = await house({ ...env, SECRET: ANOTHER_SECRET, SECRET_PREVIOUS: previous })
    for (let tries = 0; tries < 2; tries += 1) await new Client(app).logIn(BOB, 'wrong')
    const status = async (cookie: string, ask: (asking: Client) => ReturnType<Client['profile']>) => {
      const asking = new Client(app)
      asking.cookie = cookie
      return (await ask(asking)).statusCode
    }
    return {
      stranger: await status('', (asking) => asking.logIn(BOB, GOOD_PASSWORD)),
      profile: await status(client.cookie, (asking) => asking.profile()),
      known: await status(device, (asking) => asking.logIn(BOB, GOOD_PASSWORD)),
    }
  }

  test('O-02: leaves sessions alive, and known devices known where the one before is named', async () => {
    expect(await afterRotation(PRODUCTION.SECRET)).toEqual({ stranger: 429, profile: 200, known: 200 })
  })

  test('O-02: alone makes what was signed under the one before worthless', async () => {
    expect(await afterRotation('')).toEqual({ stranger: 429, profile: 200, known: 429 })
  })
})

test('O-04: the database and all that lies beside it can be read by their owner alone', async () => {
  const file = join(temporaryFolder(), 'data', 'bienvenue.db')
  const { app } = await house({ DATABASE_URL: `sqlite:${file}` })
  await signedIn(app)
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
  expect(modeOf(dirname(file))).toBe('700')
  expect([file, `${file}-wal`, `${file}-shm`].map(modeOf)).toEqual(['600', '600', '600'])
})

describe('a fault', () => {
  /** Two that are real: a closed database and a lost table. */
  const faults: [string, (opened: House, file: string) => Promise<void>, RegExp][] = [
    ['of a closed database', ({ db }) => db.close(), /database connection is not open/],
    [
      'of a lost table',
      async (_, file) => {
        const database = new Database(file)
        database.pragma('foreign_keys = OFF')
        database.exec('DROP TABLE sessions')
        database.close()
      },
      /no such table: sessions/,
    ],
  ]

  async function faulty(cause: (typeof faults)[number][1]) {
    const file = join(temporaryFolder(), 'bienvenue.db')
    const opened = await openHouse({ ...PRODUCTION, DATABASE_URL: `sqlite:${file}` })
    const client = await signedIn(opened.app, BOB, GOOD_PASSWORD)
    await cause(opened, file)
    const already = opened.log.length
    const answer = await client.profile()
    await opened.app.close()
    return { answer, lines: opened.log.slice(already) }
  }

  test.each(faults)('O-07: %s is a generic 500, which names no part, path or version', async (_, cause, reason) => {
    const { answer } = await faulty(cause)
    expect(seen(answer)).toStrictEqual({
      status: 500,
      body: { message: 'something went wrong here; it has been logged', code: 'internal' },
    })
    expect(answer.body).not.toMatch(reason)
    expect(Object.keys(answer.headers)).not.toContain('server')
    expect(Object.keys(answer.headers)).not.toContain('x-powered-by')
    expect(JSON.stringify(answer.headers)).not.toMatch(/fastify|node|\d+\.\d+\.\d+/i)
  })

  test.each(faults)('O-14: %s is one error line with its cause', async (_, cause, reason) => {
    const { lines } = await faulty(cause)
    const errors = lines.filter((line) => line.startsWith('{"level":50,') || line.startsWith('{"level":60,'))
    expect(errors.map((line): unknown => JSON.parse(line))).toMatchObject([
      {
        msg: 'request failed',
        code: 'internal',
        err: { message: expect.stringMatching(reason), stack: expect.stringContaining('.ts') },
      },
    ])
  })
})

test.each([
  ['development', {}],
  ['production', PRODUCTION],
])('O-08: no docs, metrics, debugging or files in %s', async (_, env) => {
  const { app } = await house(env)
  const client = await signedIn(app, BOB, GOOD_PASSWORD)
  const folders = [
    'docs',
    'documentation',
    'swagger',
    'metrics',
    'status',
    'debug',
    'test',
    'admin',
    '__outbox',
    'static',
  ]
  const files = ['openapi.json', 'docs/json', '.env', '.git/config', 'package.json', 'data/bienvenue.db', 'src/app.ts']
  for (const path of [...folders, ...files]) {
    expect((await client.send('GET', `/${path}`)).statusCode, path).toBe(404)
  }
})
