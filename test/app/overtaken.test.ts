/**
 * Every request about an account, with something that somebody else does to the account between any two of its steps in
 * the database: it is answered, never by a fault, and what was taken away meanwhile does not come back.
 */

import { expect, test, vi } from 'vitest'
import { users } from '../../src/db/users.ts'
import { DB, type Statement } from '../../src/db.ts'
import { type House, letterOf, MAIL, PRODUCTION } from '../house.ts'
import { OPEN } from '../mail/owner.ts'
import { type Answer, DAY, NEW_PASSWORD, PASSWORD, production, stranger, type Visitor, WRONG } from '../production.ts'

/** A disabled password: nothing that was proven before it counts any more. */
const WORTHLESS = '!'
const OPERATOR = { authorization: `Bearer ${PRODUCTION.OPERATOR_KEY}` }
const PATIENCE = 120_000

interface Person {
  house: House
  id: number
  email: string
  /** An address that nobody has yet. */
  wanted: string
  browser: Visitor
  refreshToken: string
  otherSession: string
}

type Request = () => Promise<Answer>

/** What somebody else does to the account of this number, or to the address that is wanted. */
type Event = (id: number, wanted: string) => Statement[]

const deleted: Event = (id) => [sql('DELETE FROM users WHERE id = ?', id)]
const taken: Event = (id, wanted) => [
  sql(
    `INSERT INTO users (email, email_key, hashed_password, created_at, updated_at)
      SELECT ?, ?, hashed_password, created_at, updated_at FROM users WHERE id = ? ON CONFLICT DO NOTHING`,
    ...[wanted, wanted, id],
  ),
]
const leftAgain: Event = (_, wanted) => [sql('DELETE FROM users WHERE email_key = ?', wanted)]
const ended: Event = (id) => [sql('DELETE FROM sessions WHERE user_id = ?', id)]
const spent: Event = (id) => [sql('DELETE FROM one_time_tokens WHERE user_id = ?', id)]
const secured: Event = (id) => [
  sql('UPDATE users SET hashed_password = ? WHERE id = ?', WORTHLESS, id),
  ...ended(id, ''),
  ...spent(id, ''),
]
const moved: Event = (id) => [
  sql('UPDATE users SET email = ?, email_key = ? WHERE id = ?', `moved${id}@a.example`, `moved${id}@a.example`, id),
]

/** In turn, where it is more than one thing. */
const MEANWHILE: Record<string, readonly Event[]> = {
  'the account is deleted': [deleted],
  'its sessions end': [ended],
  'its password changes': [secured],
  'its address changes': [moved],
  'its links end': [spent],
  'the wanted address is taken': [taken],
  'the wanted address is taken, and left again': [taken, leftAgain],
  'the new account is deleted': [leftAgain],
}

function sql(text: string, ...params: (string | number)[]): Statement {
  return { sql: text, params }
}

const REQUESTS: Record<string, (person: Person) => Promise<Request> | Request> = {
  'a registration of its address':
    ({ house, email }) =>
    () =>
      stranger(house, 9).register(email),
  'a registration of the wanted address':
    ({ house, wanted }) =>
    () =>
      stranger(house, 9).register(wanted),
  'a login':
    ({ house, email }) =>
    () =>
      stranger(house, 9).logIn(email),
  'a login with a wrong password':
    ({ house, email }) =>
    () =>
      stranger(house, 9).logIn(email, WRONG),
  'a login before the address is confirmed': async ({ house, id, email }) => {
    await house.db.updateUser(id, { emailConfirmedAt: null })
    return () => stranger(house, 9).logIn(email)
  },
  'a login over a session':
    ({ browser, email }) =>
    () =>
      browser.logIn(email),
  'a login for tokens':
    ({ house, email }) =>
    () =>
      stranger(house, 9).send('POST', '/tokens', { email, password: PASSWORD }),
  'a refresh':
    ({ house, refreshToken }) =>
    () =>
      stranger(house, 9).send('POST', '/tokens/refresh', { refresh_token: refreshToken }),
  'a refresh with a token that was used': async ({ house, refreshToken }) => {
    await stranger(house, 9).send('POST', '/tokens/refresh', { refresh_token: refreshToken })
    house.clock.advance(DAY)
    return () => stranger(house, 9).send('POST', '/tokens/refresh', { refresh_token: refreshToken })
  },
  'a logout by a token':
    ({ house, refreshToken }) =>
    () =>
      stranger(house, 9).send('DELETE', '/tokens', { refresh_token: refreshToken }),
  'an introspection':
    ({ house, refreshToken }) =>
    () =>
      stranger(house, 9).send('POST', '/tokens/introspect', { token: refreshToken }, OPERATOR),
  'a revocation':
    ({ house, refreshToken }) =>
    () =>
      stranger(house, 9).send('POST', '/tokens/revoke', { token: refreshToken }, OPERATOR),
  'a logout':
    ({ browser }) =>
    () =>
      browser.send('DELETE', '/sessions'),
  'the end of another session':
    ({ browser, otherSession }) =>
    () =>
      browser.send('DELETE', `/sessions/${otherSession}`, { current_password: PASSWORD }),
  'the end of all others':
    ({ browser }) =>
    () =>
      browser.send('DELETE', '/sessions?others=true', { current_password: PASSWORD }),
  'the list of sessions':
    ({ browser }) =>
    () =>
      browser.send('GET', '/sessions'),
  'a session check':
    ({ browser }) =>
    () =>
      browser.profile(),
  'the account':
    ({ browser }) =>
    () =>
      browser.send('GET', '/users/me'),
  'its page':
    ({ browser }) =>
    () =>
      browser.send('GET', '/dashboard', undefined, { accept: 'text/html' }),
  'the first page':
    ({ browser }) =>
    () =>
      browser.send('GET', '/', undefined, { accept: 'text/html' }),
  'another name':
    ({ browser }) =>
    () =>
      browser.send('PATCH', '/users/me', { name: 'Countess' }),
  'another password':
    ({ browser }) =>
    () =>
      browser.send('PATCH', '/users/me', { password: NEW_PASSWORD, current_password: PASSWORD }),
  'another address':
    ({ browser, wanted }) =>
    () =>
      browser.send('PATCH', '/users/me', { email: wanted, current_password: PASSWORD }),
  'the same address':
    ({ browser, email }) =>
    () =>
      browser.send('PATCH', '/users/me', { email, current_password: PASSWORD }),
  'a deletion':
    ({ browser }) =>
    () =>
      browser.send('DELETE', '/users/me', { current_password: PASSWORD }),
  'a reset that is asked for':
    ({ house, email }) =>
    () =>
      stranger(house, 9).askForReset(email),
  'a reset by its link': async ({ house, email }) => {
    await stranger(house, 9).askForReset(email)
    const { token = '' } = (await letterOf(house, 'password_reset')).values
    return () => stranger(house, 9).reset(token, NEW_PASSWORD, email)
  },
  'a reset by its code': async ({ house, email }) => {
    const asking = stranger(house, 9)
    await asking.askForReset(email)
    const { code = '' } = (await letterOf(house, 'password_reset')).values
    return () => asking.reset(code, NEW_PASSWORD, email)
  },
  'a confirmation that is asked for':
    ({ house, email }) =>
    () =>
      stranger(house, 9).send('POST', '/email_verification', { email }),
  'a confirmation': async ({ house }) => {
    const { token = '' } = (await letterOf(house, 'email_confirmation')).values
    return () => stranger(house, 9).send('PUT', '/email_verification', { verification_token: token })
  },
  'the confirmation of another address': async (person) => {
    const token = await linkToWanted(person)
    return () => stranger(person.house, 9).send('PUT', '/email_verification', { verification_token: token })
  },
  'a change that is taken back': async (person) => {
    const { house } = person
    await stranger(house, 9).send('PUT', '/email_verification', { verification_token: await linkToWanted(person) })
    const { token = '' } = (await letterOf(house, 'email_changed')).values
    return () => stranger(house, 9).send('POST', '/undo_email_change', { undo_token: token })
  },
}

/** What those are answered that do not end with 200 when nobody comes between. */
const ANSWERS: Record<string, number> = {
  'a registration of its address': 400,
  'a login with a wrong password': 401,
  'a refresh with a token that was used': 401,
  'a logout': 302,
}
const HIDDEN = { REQUIRE_CONFIRMED_EMAIL: 'true', HIDE_ACCOUNTS: 'true' }
const HIDDEN_ANSWERS: Record<string, number> = {
  'a registration of its address': 200,
  'a login before the address is confirmed': 401,
}
const CASES = Object.keys(REQUESTS).flatMap((name) => [
  { name, where: 'accounts are open', env: {}, answer: ANSWERS[name] ?? 200 },
  { name, where: 'accounts are hidden', env: HIDDEN, answer: HIDDEN_ANSWERS[name] ?? ANSWERS[name] ?? 200 },
])

async function linkToWanted({ house, browser, wanted }: Person): Promise<string> {
  await browser.send('PATCH', '/users/me', { email: wanted, current_password: PASSWORD })
  return (await letterOf(house, 'email_change')).values.token ?? ''
}

async function person(house: House, n: number): Promise<Person> {
  const [email, wanted] = [`ada${n}@lovelace.example`, `countess${n}@lovelace.example`]
  const browser = stranger(house, 1)
  await browser.register(email)
  const { id } = await house.db.findUserBy({ email })
  if (house.settings.requireConfirmed) await house.db.updateUser(id, { emailConfirmedAt: house.clock.now() })
  await browser.logIn(email)
  const fields = { email, password: PASSWORD }
  const refreshToken: string = (await stranger(house, 2).send('POST', '/tokens', fields)).json().refresh_token
  const other = stranger(house, 3)
  await other.logIn(email)
  const { sessions }: { sessions: { id: string; current: boolean }[] } = (await other.send('GET', '/sessions')).json()
  const otherSession = sessions.find(({ current }) => current)?.id ?? ''
  return { house, id, email, wanted, browser, refreshToken, otherSession }
}

/**
 * Lets things happen, the first before the step of this number that a request takes in the database, the others before the
 * steps that follow.
 * @returns how many steps it took
 */
function before(step: number, happen: readonly (() => Promise<unknown>)[]): () => number {
  let taken = 0
  const { commit, note, read, findBy, findLastBy, findSessionAndUser, findSessionsOf, glances } = DB.prototype
  const turn = async () => {
    taken += 1
    await happen[taken - step]?.()
  }
  vi.spyOn(DB.prototype, 'commit').mockImplementation(async function (this: DB, statements) {
    await turn()
    return commit.call(this, statements)
  })
  vi.spyOn(DB.prototype, 'note').mockImplementation(async function (this: DB, statements) {
    await turn()
    return note.call(this, statements)
  })
  vi.spyOn(DB.prototype, 'findSessionAndUser').mockImplementation(async function (this: DB, id) {
    await turn()
    return findSessionAndUser.call(this, id)
  })
  vi.spyOn(DB.prototype, 'findSessionsOf').mockImplementation(async function (this: DB, id) {
    await turn()
    return findSessionsOf.call(this, id)
  })
  vi.spyOn(DB.prototype, 'glances').mockImplementation(async function (this: DB, ids) {
    await turn()
    return glances.call(this, ids)
  })
  vi.spyOn(DB.prototype, 'read').mockImplementation(async function (this: DB, statement, reader) {
    await turn()
    return read.call(this, statement, reader)
  })
  vi.spyOn(DB.prototype, 'findBy').mockImplementation(async function (this: DB, table, criteria) {
    await turn()
    return findBy.call(this, table, criteria)
  })
  vi.spyOn(DB.prototype, 'findLastBy').mockImplementation(async function (this: DB, table, criteria, order, limit) {
    await turn()
    return findLastBy.call(this, table, criteria, order, limit)
  })
  return () => taken
}

test.each(CASES)(
  'O-17: $name is answered, whatever happens to the account meanwhile, where $where',
  async (one) => {
    const { name, env, answer: expected } = one
    const house = await production({ ...MAIL, ...OPEN, ...env, MAILS_PER_ADDRESS: '100' })
    const { commit } = house.db
    const interrupted = async (n: number, step: number, events: readonly Event[]) => {
      const somebody = await person(house, n)
      const request = await REQUESTS[name]?.(somebody)
      const happen = events.map((event) => () => commit.call(house.db, event(somebody.id, somebody.wanted)))
      const steps = before(step, happen)
      const answer = await request?.()
      vi.restoreAllMocks()
      const sessions = (await house.db.findSessionsOf(somebody.id)).length
      const stored = await house.db.findBy(users, { id: somebody.id })
      house.clock.advance(DAY)
      const worthless = stored?.hashedPassword === WORTHLESS
      return { answer, steps: steps(), sessions, worthless, called: stored?.name ?? null }
    }
    const { answer: alone, steps } = await interrupted(0, 1, [])
    expect(alone?.statusCode).toBe(expected)
    let n = 0
    for (const [what, events] of Object.entries(MEANWHILE)) {
      for (let step = 1; step <= steps; step += 1) {
        n += 1
        const { answer, sessions, worthless, called } = await interrupted(n, step, events)
        const when = `${what} before step ${step}: ${answer?.body}`
        expect(answer?.statusCode, when).toBeLessThan(500)
        if (events.includes(secured)) expect([worthless, sessions], when).toEqual([true, 0])
        if (events.includes(ended)) expect(called, when).toBeNull()
        if (events.includes(ended) && !name.startsWith('a login')) expect(sessions, when).toBe(0)
      }
    }
  },
  PATIENCE,
)
