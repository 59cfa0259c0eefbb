/** The numbers of the manual are those of the service: each is read from the page and tried out on a house in production. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { SHARED_FACTOR } from '../src/features/throttle/keys.ts'
import { CHANGES_PER_ACCOUNT, GROWING_WAITS, MOST_FAILURES, REFRESHES_PER_SESSION } from '../src/features/throttle.ts'
import { readSettings } from '../src/settings.ts'
import { Program } from './app/program.ts'
import { type House, letterOf, letters, MAIL, PRODUCTION } from './house.ts'
import {
  type Answer,
  anotherDevice,
  DAY,
  HOUR,
  inTurn,
  MADE_UP,
  MINUTE,
  OWNER,
  PASSWORD,
  production,
  productionOnFile,
  SECOND,
  signedIn,
  stranger,
  tally,
  Visitor,
  WRONG,
  waitOf,
} from './production.ts'
import { pathOf } from './started.ts'

/** @returns the cells of every row of the tables on a page of the manual, without the heads */
function tableOf(page: string): string[][] {
  const rows = page.split('\n').filter((line) => line.startsWith('| '))
  return rows
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .filter(([first]) => first !== '---')
}

const throttling = readFileSync(pathOf('docs/throttling.md'), 'utf8')
const [, ...limits] = tableOf(throttling)
const [, ...settings] = tableOf(readFileSync(pathOf('docs/settings.md'), 'utf8'))

/** @returns the default of production that docs/settings.md gives, as one would write it */
function documented(variable: string): string {
  const [, , cell = ''] = settings.find(([name]) => name === `\`${variable}\``) ?? []
  const [, value] = /(?:^|production: )`([^`]+)`$/.exec(cell) ?? []
  if (value === undefined) throw new Error(`docs/settings.md has no default for ${variable}: ${cell}`)
  return value
}

const UNITS: Record<string, number> = { s: SECOND, m: MINUTE, minutes: MINUTE, h: HOUR, hour: HOUR, d: DAY, days: DAY }

/** @returns the first time that a text names, like `30 s`, `10 minutes`, `an hour` or `7d`, in milliseconds */
function timeIn(text: string): number {
  const [found, amount = '', unit = ''] = /(\d+|\ban) ?(s|m|minutes|h|hour|d|days)\b/.exec(text) ?? []
  if (found === undefined) throw new Error(`no time in ${text}`)
  return (amount === 'an' ? 1 : Number(amount)) * (UNITS[unit] ?? Number.NaN)
}

function numberIn(text: string): number {
  const [number] = /\d+/.exec(text) ?? []
  if (number === undefined) throw new Error(`no number in ${text}`)
  return Number(number)
}

/** @returns the address of an account of its own */
function reader(n: number): string {
  return `reader${n}@byron.example`
}

interface Scene {
  house: House
  laptop: Visitor
  program?: Program
}

/** What no setting changes. */
const FIXED: Record<string, number> = {
  "changes of one's own account without a password": CHANGES_PER_ACCOUNT,
  'refreshes of one session': REFRESHES_PER_SESSION,
}

interface Throttled {
  /** The `n`th try of what is counted. */
  attempt(scene: Scene, n: number): Promise<Answer>
  /** Where the page names the waits of another row. */
  wait?: string
  /** Before the tries that count. */
  before?(scene: Scene): Promise<unknown>
}

/** Tries for an account until only a reset or a known device helps. */
async function exhaust({ house }: { house: House }): Promise<void> {
  await inTurn(MOST_FAILURES, async (n) => {
    await stranger(house, 10_000 + n).logIn(OWNER, WRONG)
    house.clock.advance(HOUR)
  })
}

/** How to do what each row of docs/throttling.md counts. */
const THROTTLED: Record<string, Throttled> = {
  'wrong passwords of strangers for one account': {
    attempt: ({ house }, n) => stranger(house, n).logIn(OWNER, WRONG),
  },
  'wrong passwords from one known device': {
    // As a stranger it meets what the strangers have left.
    before: exhaust,
    attempt: ({ laptop }) => laptop.logIn(OWNER, WRONG),
  },
  'wrong passwords and reset tokens from one network': {
    attempt: ({ house }, n) => (n % 2 === 0 ? stranger(house).logIn(reader(n), WRONG) : stranger(house).reset(MADE_UP)),
  },
  'registrations from one network': {
    attempt: ({ house }, n) => stranger(house).register(reader(n)),
  },
  'resets asked for one address': { attempt: ({ house }, n) => stranger(house, n).askForReset() },
  'resets and confirmations asked from one network': {
    attempt: ({ house }, n) =>
      n % 2 === 0
        ? stranger(house).askForReset(reader(n))
        : stranger(house).send('POST', '/email_verification', { email: reader(n) }),
  },
  'confirmations asked for one address': {
    attempt: ({ house }, n) => stranger(house, n).send('POST', '/email_verification', { email: OWNER }),
  },
  "changes of one's own account without a password": {
    attempt: ({ laptop }, n) => laptop.send('PATCH', '/users/me', { name: `Ada ${n}` }),
  },
  'refreshes of one session': {
    before: async (scene) => {
      scene.program = new Program(scene.house)
      await scene.program.logIn(OWNER, PASSWORD)
    },
    attempt: async ({ program }) => program?.refresh() ?? Promise.reject(new Error('no program has logged in')),
  },
  'wrong current passwords within one session': {
    attempt: ({ laptop }) => laptop.send('DELETE', '/users/me', { current_password: WRONG }),
    wait: '30 s',
  },
}

/** A house in which the tries of a row can begin. */
async function sceneOf(what: string): Promise<{ counted: Throttled; scene: Scene }> {
  const counted = THROTTLED[what]
  if (counted === undefined) throw new Error(`nobody knows how to try ${what}`)
  const house = await production()
  const scene: Scene = { house, laptop: await signedIn(house) }
  if (what.includes('known device')) scene.laptop.keepDeviceOnly()
  await counted.before?.(scene)
  return { counted, scene }
}

const TOTAL = 'the same, in total'

describe('docs/throttling.md', () => {
  test('A-01: has a row for each count that there is', () => {
    expect(limits.map(([what]) => what).sort()).toEqual([...Object.keys(THROTTLED), TOTAL].sort())
  })

  test.each(limits.filter(([what]) => what !== TOTAL))(
    'A-01: %s: %s free, then %s',
    async (what = '', free = '', then = '') => {
      const { counted, scene } = await sceneOf(what)
      const answers = await inTurn(numberIn(free) + 1, (n) => counted.attempt(scene, n))
      expect(answers.map(({ statusCode }) => statusCode === 429)).toEqual([...answers.slice(1).map(() => false), true])
      const wait = timeIn(counted.wait ?? then)
      expect(waitOf(answers.at(-1) ?? (await scene.laptop.profile())) * SECOND).toBe(wait)
      scene.house.clock.advance(wait - 1)
      expect((await counted.attempt(scene, 1_000)).statusCode, 'a millisecond early').toBe(429)
      scene.house.clock.advance(1)
      expect((await counted.attempt(scene, 1_001)).statusCode, 'in time').not.toBe(429)
    },
  )

  const forgotten = limits.filter(([what, , , after]) => what !== TOTAL && after?.includes('after'))

  test.each(forgotten)('A-01: %s: are forgotten in the time given, not before', async (...row) => {
    const [what = '', free = '', , after = ''] = row
    const spent = async () => {
      const { counted, scene } = await sceneOf(what)
      const answers = await inTurn(numberIn(free), (n) => counted.attempt(scene, n))
      expect(tally(answers)[429]).toBeUndefined()
      return { attempt: (n: number) => counted.attempt(scene, 100 + n), clock: scene.house.clock }
    }
    const [early, late] = [await spent(), await spent()]
    early.clock.advance(timeIn(after) - 1)
    expect(tally(await inTurn(2, early.attempt))[429], 'a millisecond early').toBeGreaterThan(0)
    late.clock.advance(timeIn(after))
    expect(tally(await inTurn(numberIn(free), late.attempt))[429], 'in time').toBeUndefined()
  })

  test('A-01: the waits of strangers double up to an hour, and the total ends their tries', async () => {
    const [, , then = ''] = limits.find(([what]) => what?.includes('strangers')) ?? []
    expect(then).toBe('a wait after each: 30 s, doubling to 1 h')
    const doubling = GROWING_WAITS.map((_, n) => Math.min(30 * SECOND * 2 ** n, HOUR))
    expect(GROWING_WAITS).toEqual(doubling)
    expect(GROWING_WAITS.at(-1)).toBe(HOUR)
    const [, total = ''] = limits.find(([what]) => what === TOTAL) ?? []
    const house = await production()
    await signedIn(house)
    const checked = await inTurn(numberIn(total) + 1, async (n) => {
      const answer = await stranger(house, n).logIn(OWNER, WRONG)
      house.clock.advance(HOUR)
      return answer
    })
    expect(tally(checked)).toEqual({ 401: numberIn(total), 429: 1 })
    house.clock.advance(400 * DAY)
    expect((await stranger(house, 999).logIn()).statusCode).toBe(429)
  })

  test('A-01: names the setting of each row, whose default is the number of the row', () => {
    for (const [what, free = '', , , setting = ''] of limits) {
      if (what === TOTAL) expect(setting).toMatch(/^fixed/)
      else if (setting === 'fixed') expect(numberIn(free), what).toBe(FIXED[what ?? ''])
      else expect(documented(setting.replaceAll('`', '')), what).toBe(String(numberIn(free)))
    }
  })

  test('A-01: says how the owner is kept from being locked out, and what a proxy may do that nobody named', () => {
    expect(throttling).toMatch(/\n## How a stranger is kept from locking the owner out\n\n.{200}/s)
    expect(throttling).toMatch(/may do twenty\s+times as much/)
    expect(SHARED_FACTOR).toBe(20)
  })
})

describe('docs/settings.md', () => {
  const written = settings.flatMap(([name = '', , cell = '']) =>
    /`$/.test(cell) && !/required|SMTP_URL|as `/.test(cell) ? [name.replaceAll('`', '')] : [],
  )

  test.each(written.filter((variable) => variable !== 'PUBLIC_URL'))(
    'the default of %s is what stands there',
    (variable) => {
      const env = { ...PRODUCTION, [variable]: variable === 'NODE_ENV' ? 'production' : documented(variable) }
      expect(readSettings(env)).toEqual(readSettings(PRODUCTION))
    },
  )

  test('S-09: both ends of a session are those of the manual, and none is later than NIST allows a password alone', () => {
    const { sessionIdle, sessionLifetime } = readSettings(PRODUCTION)
    expect(timeIn(documented('SESSION_IDLE'))).toBe(sessionIdle)
    expect(timeIn(documented('SESSION_LIFETIME'))).toBe(sessionLifetime)
    expect(sessionLifetime).toBeLessThanOrEqual(30 * DAY)
    expect(sessionIdle).toBeLessThanOrEqual(sessionLifetime)
  })
})

/** @returns whether a session does this after that time */
async function stillAfter(time: number, act: (laptop: Visitor) => Promise<Answer>, env = {}): Promise<boolean> {
  const house = await production(env)
  const laptop = await signedIn(house)
  house.clock.advance(time)
  return (await act(laptop)).statusCode === 200
}

/** @returns whether nobody has to wait when this is tried so often */
async function noneWaits(times: number, attempt: (house: House, n: number) => Promise<Answer>): Promise<boolean> {
  const house = await production()
  return (await inTurn(times, (n) => attempt(house, n))).every(({ statusCode }) => statusCode !== 429)
}

/** Whether so many, or so many milliseconds, are within each limit, tried out. */
const LIMITS: Record<string, (amount: number) => Promise<boolean>> = {
  SESSIONS_PER_USER: async (sessions) => {
    const house = await production()
    const first = await signedIn(house)
    await inTurn(sessions - 1, () => {
      house.clock.advance(SECOND)
      return anotherDevice(house)
    })
    return (await first.profile()).statusCode === 200
  },
  LOGIN_FAILURES_PER_ACCOUNT: (tries) => noneWaits(tries, (house, n) => stranger(house, n).logIn(OWNER, WRONG)),
  FAILURES_PER_NETWORK: (tries) => noneWaits(tries, (house, n) => stranger(house).logIn(reader(n), WRONG)),
  REGISTRATIONS_PER_NETWORK: (times) => noneWaits(times, (house, n) => stranger(house).register(reader(n))),
  RESETS_PER_ACCOUNT: (times) => noneWaits(times, (house, n) => stranger(house, n).askForReset()),
  RESETS_PER_NETWORK: (times) => noneWaits(times, (house, n) => stranger(house).askForReset(reader(n))),
  SESSION_IDLE: (time) => stillAfter(time, (laptop) => laptop.profile()),
  SESSION_LIFETIME: (time) => stillAfter(time, (laptop) => laptop.profile(), { SESSION_IDLE: '365d' }),
  FRESH_FOR: (time) => stillAfter(time, (laptop) => laptop.send('DELETE', '/sessions?others=true')),
  ACCESS_TOKEN_LIFETIME: async (time) => {
    const house = await production()
    const laptop = await signedIn(house)
    const { access_token } = (await laptop.send('POST', '/tokens', { email: OWNER, password: PASSWORD })).json()
    house.clock.advance(time)
    const headers = { authorization: `Bearer ${access_token}` }
    return (await stranger(house).send('GET', '/profile', undefined, headers)).statusCode === 200
  },
  RESET_TOKEN_LIFETIME: async (time) => {
    const house = await production()
    await signedIn(house)
    const token = await house.auth.getResetPasswordToken(OWNER)
    house.clock.advance(time)
    return (await stranger(house).reset(token)).statusCode === 200
  },
  CONFIRMATION_LIFETIME: async (time) => {
    const house = await production(MAIL)
    await stranger(house).register(OWNER)
    const { values } = await letterOf(house, 'email_confirmation')
    house.clock.advance(time)
    const fields = { verification_token: values.token ?? '' }
    return (await stranger(house).send('PUT', '/email_verification', fields)).statusCode === 200
  },
  EMAIL_UNDO_LIFETIME: async (time) => {
    const house = await production(MAIL)
    const laptop = await signedIn(house)
    await laptop.send('PATCH', '/users/me', { email: reader(1), current_password: PASSWORD })
    const { values: change } = await letterOf(house, 'email_change')
    await laptop.send('PUT', '/email_verification', { verification_token: change.token ?? '' })
    const { values } = await letterOf(house, 'email_changed')
    house.clock.advance(time)
    const fields = { undo_token: values.token ?? '' }
    return (await stranger(house).send('POST', '/undo_email_change', fields)).statusCode === 200
  },
  MAILS_PER_ADDRESS: async (count) => {
    const house = await production({ ...MAIL, RESETS_PER_ACCOUNT: '0', RESETS_PER_NETWORK: '0' })
    await signedIn(house)
    for (let n = 0; n < count; n += 1) await stranger(house).askForReset()
    return (await letters(house)).filter(({ kind }) => kind === 'password_reset').length === count
  },
  AUDIT_RETENTION: async (time) => {
    // No key for tokens gets a successor meanwhile, which would be a row of its own.
    const house = await productionOnFile({ SIGNING_KEY_ROTATION: '365d' })
    await new Visitor(house).register()
    house.clock.advance(time)
    await house.upkeep()
    return house.rows('SELECT id FROM audit_log').length === 1
  },
}

describe('each limit', () => {
  test('H-19: is a setting of the manual, and each of those is tried out here', () => {
    const names = settings.map(([name = '']) => name.replaceAll('`', ''))
    expect(names.filter((name) => /_PER_|_LIFETIME|_IDLE|_RETENTION|^FRESH/.test(name)).sort()).toEqual(
      Object.keys(LIMITS).sort(),
    )
  })

  test.each(Object.entries(LIMITS))('H-19: is enforced where docs/settings.md has it: %s', async (variable, within) => {
    const value = documented(variable)
    const counted = /^\d+$/.test(value)
    const [most, step] = counted ? [Number(value), 1] : [timeIn(value), SECOND]
    expect(await within(counted ? most : most - step), 'just within').toBe(true)
    expect(await within(most + step), 'just beyond').toBe(false)
  })
})
