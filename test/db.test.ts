import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { openSession, seeSession, sessions } from '../src/db/sessions.ts'
import { insert, must, remove } from '../src/db/table.ts'
import { type OneTimeToken, tokens } from '../src/db/tokens.ts'
import { changeUser, type UserChanges } from '../src/db/users.ts'
import { DB, InvalidRequest, NoResultFound, UniqueViolation } from '../src/db.ts'
import { StartError } from '../src/errors.ts'
import { isAlive, type Session } from '../src/session.ts'
import { TestClock } from './house.ts'
import { temporaryFolder } from './started.ts'

const LIFE = { idle: 60_000, absolute: 600_000 }

let clock: TestClock
let db: DB

beforeEach(async () => {
  clock = new TestClock()
  db = await DB.open('sqlite::memory:', { clock: clock.now })
  return () => db.close()
})

function sessionOf(userId: number, changes: Partial<Session> = {}): Session {
  const now = db.now()
  return {
    ...{ id: randomUUID(), secretHash: 'hash', userId, address: '127.0.0.1', userAgent: 'test' },
    ...{ kind: 'cookie', familyHash: null, rotatedAt: null },
    ...{ createdAt: now, authenticatedAt: now, lastSeenAt: now, expiresAt: now + LIFE.absolute },
    ...changes,
  }
}

function tokenOf(userId: number, changes: Partial<OneTimeToken> = {}): OneTimeToken {
  const now = db.now()
  return {
    ...{ id: randomUUID(), secretHash: 'hash', userId, purpose: 'password_reset' },
    ...{ createdAt: now, expiresAt: now + 3_600_000, email: null, reserves: null },
    ...changes,
  }
}

describe('opening', () => {
  test('keeps what an earlier process has written', async () => {
    const url = `sqlite:${join(temporaryFolder(), 'bienvenue.db')}`
    const first = await DB.open(url)
    const user = await first.addUser('bob@x.org', 'hash')
    await first.close()
    const second = await DB.open(url)
    onTestFinished(() => second.close())
    expect(await second.findUserBy({ email: 'bob@x.org' })).toEqual(user)
  })

  test.each(['', 'bienvenue.db', 'mysql://localhost/bienvenue'])('is refused for the url %j', async (url) => {
    await expect(DB.open(url)).rejects.toThrow(StartError)
    await expect(DB.open(url)).rejects.toThrow(/^DATABASE_URL must start with sqlite:/)
  })
})

describe('users', () => {
  test('are found as they were added', async () => {
    const user = await db.addUser('Bob@X.org', 'hash', 'Bob')
    const now = clock.now()
    expect(user).toEqual({
      ...{ id: user.id, email: 'Bob@X.org', emailKey: 'bob@x.org', name: 'Bob', hashedPassword: 'hash' },
      ...{ createdAt: now, updatedAt: now, emailConfirmedAt: null },
    })
    expect(await db.findUserBy({ id: user.id })).toEqual(user)
  })

  test('have no name where none is given', async () => {
    await db.addUser('ann@x.org', 'hash', 'Ann')
    const user = await db.addUser('bob@x.org', 'hash')
    expect(user.name).toBeNull()
    expect(await db.findUserBy({ name: null })).toEqual(user)
  })

  test('are found only where every criterion holds', async () => {
    const user = await db.addUser('bob@x.org', 'hash')
    await db.addUser('ann@x.org', 'hash')
    expect(await db.findUserBy({ email: 'bob@x.org', id: user.id, hashedPassword: 'hash' })).toEqual(user)
    await expect(db.findUserBy({ email: 'ann@x.org', id: user.id })).rejects.toThrow(NoResultFound)
    await expect(db.findUserBy({ email: 'bob@x.org', hashedPassword: 'other' })).rejects.toThrow(NoResultFound)
  })

  test.each(['bob@x.org', ' BOB@X.ORG\n', 'Bob@x.Org'])(
    'A-19: are found and unique by the normal form of the address: %j',
    async (typed) => {
      const user = await db.addUser('Bob@X.org', 'hash')
      expect(await db.findUserBy({ email: typed })).toEqual(user)
      await expect(db.addUser(typed, 'other')).rejects.toThrow(UniqueViolation)
      expect((await db.addUser('bob+1@x.org', 'hash')).id).not.toBe(user.id)
      expect(await db.findUserBy({ id: user.id })).toEqual(user)
    },
  )

  test('of one address: of many added at the same time one is, the others are told', async () => {
    const results = await Promise.allSettled(['bob@x.org', 'BOB@x.org', 'bob@X.ORG'].map((one) => db.addUser(one, 'h')))
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    for (const reason of reasons) expect(reason).toBeInstanceOf(UniqueViolation)
  })

  test('never get the id of one that was deleted', async () => {
    await db.addUser('ann@x.org', 'hash')
    const given = new Set<number>()
    for (let round = 0; round < 5; round += 1) {
      const { id } = await db.addUser('bob@x.org', 'hash')
      given.add(id)
      await db.deleteUser(id)
    }
    expect(given.size).toBe(5)
  })

  test.each<[string, UserChanges]>([
    ['the name', { name: 'Robert' }],
    ['the name away', { name: null }],
    ['the password', { hashedPassword: 'new hash' }],
    ['several at once', { name: 'Robert', hashedPassword: 'new hash' }],
  ])('change in what is named, and in the time of the change: %s', async (_, changes) => {
    const user = await db.addUser('bob@x.org', 'hash', 'Bob')
    const other = await db.addUser('ann@x.org', 'hash', 'Ann')
    clock.advance(5_000)
    await db.updateUser(user.id, changes)
    expect(await db.findUserBy({ id: user.id })).toEqual({ ...user, ...changes, updatedAt: user.createdAt + 5_000 })
    expect(await db.findUserBy({ id: other.id })).toEqual(other)
  })

  test('with a new address are found by it and no longer by the old one, which is free again', async () => {
    const { id } = await db.addUser('bob@x.org', 'hash')
    await db.updateUser(id, { email: 'Robert@Y.org' })
    expect(await db.findUserBy({ email: 'robert@y.ORG' })).toMatchObject({ id, email: 'Robert@Y.org' })
    await expect(db.findUserBy({ email: 'bob@x.org' })).rejects.toThrow(NoResultFound)
    await expect(db.addUser('ROBERT@y.org', 'hash')).rejects.toThrow(UniqueViolation)
    expect((await db.addUser('bob@x.org', 'hash')).id).not.toBe(id)
  })

  test('may write their own address in another way, and never take that of another', async () => {
    const bob = await db.addUser('bob@x.org', 'hash')
    const ann = await db.addUser('ann@x.org', 'hash')
    await db.updateUser(bob.id, { email: 'BOB@x.org' })
    await expect(db.updateUser(bob.id, { email: 'Ann@X.org', name: 'Bob' })).rejects.toThrow(UniqueViolation)
    expect(await db.findUserBy({ id: bob.id })).toMatchObject({ email: 'BOB@x.org', name: null })
    expect(await db.findUserBy({ email: 'ann@x.org' })).toEqual(ann)
  })

  test('take their sessions and tokens along, and nobody else’s', async () => {
    const [bob, ann] = [await db.addUser('bob@x.org', 'hash'), await db.addUser('ann@x.org', 'hash')]
    for (const { id } of [bob, ann]) {
      await db.addSession(sessionOf(id))
      await db.addSession(sessionOf(id))
      await db.addToken(tokenOf(id))
    }
    await db.deleteUser(bob.id)
    await expect(db.findUserBy({ id: bob.id })).rejects.toThrow(NoResultFound)
    expect(await db.findSessionsOf(bob.id)).toEqual([])
    await expect(db.findTokenBy({ userId: bob.id })).rejects.toThrow(NoResultFound)
    expect(await db.findSessionsOf(ann.id)).toHaveLength(2)
    expect(await db.findTokenBy({ userId: ann.id })).toMatchObject({ userId: ann.id })
  })

  test('change by compare-and-set: not where the password has changed meanwhile', async () => {
    const { id } = await db.addUser('bob@x.org', 'first')
    const change = (from: string, to: string) =>
      db.commit([must(changeUser({ hashedPassword: to }, { id, hashedPassword: from }, db.now()))])
    expect(await Promise.all([change('first', 'second'), change('first', 'third')])).toEqual([true, false])
    expect((await db.findUserBy({ id })).hashedPassword).toBe('second')
  })
})

describe('sessions', () => {
  let userId: number

  beforeEach(async () => {
    userId = (await db.addUser('bob@x.org', 'hash')).id
  })

  test('are found as they were added, alone and with their user', async () => {
    const session = sessionOf(userId, { userAgent: 'Mozilla/5.0 (fox 🦊)' })
    await db.addSession(session)
    const user = await db.findUserBy({ id: userId })
    expect(await db.findSessionBy({ id: session.id })).toEqual(session)
    expect(await db.findSessionAndUser(session.id)).toEqual({ session, user })
    expect(await db.findSessionAndUser(randomUUID())).toBeNull()
  })

  test('keep their own times apart from those of their user', async () => {
    clock.advance(1_000)
    await db.updateUser(userId, { name: 'Bob' })
    clock.advance(1_000)
    const session = sessionOf(userId, { authenticatedAt: clock.now() - 7, lastSeenAt: clock.now() - 3 })
    await db.addSession(session)
    const user = await db.findUserBy({ id: userId })
    expect(new Set([user.createdAt, user.updatedAt, session.createdAt]).size).toBe(3)
    expect(await db.findSessionAndUser(session.id)).toEqual({ session, user })
  })

  test('of a user are listed, those of others are not', async () => {
    const other = await db.addUser('ann@x.org', 'hash')
    const own = [sessionOf(userId), sessionOf(userId)]
    for (const session of [...own, sessionOf(other.id)]) await db.addSession(session)
    const found = await db.findSessionsOf(userId)
    expect(found).toHaveLength(2)
    expect(found).toEqual(expect.arrayContaining(own))
    expect(await db.findSessionsOf(999)).toEqual([])
  })

  test('change in what is named', async () => {
    const session = sessionOf(userId)
    await db.addSession(session)
    await db.updateSession(session.id, { lastSeenAt: session.lastSeenAt + 5, address: '::1' })
    expect(await db.findSessionBy({ id: session.id })).toEqual({
      ...session,
      lastSeenAt: session.lastSeenAt + 5,
      address: '::1',
    })
  })

  test('are deleted one at a time', async () => {
    const [first, second] = [sessionOf(userId), sessionOf(userId)]
    await db.addSession(first)
    await db.addSession(second)
    await db.deleteSession(first.id)
    expect(await db.findSessionsOf(userId)).toEqual([second])
    await expect(db.deleteSession(first.id)).rejects.toThrow(NoResultFound)
  })

  test('need a user and an id of their own', async () => {
    const session = sessionOf(userId)
    await db.addSession(session)
    await expect(db.addSession(sessionOf(userId, { id: session.id }))).rejects.toThrow(UniqueViolation)
    await expect(db.addSession(sessionOf(999))).rejects.toThrow(/FOREIGN KEY/)
  })

  test('open only for the password that was proven', async () => {
    const [good, late] = [sessionOf(userId), sessionOf(userId)]
    expect(await db.commit([openSession(good, 'hash')])).toBe(true)
    await db.updateUser(userId, { hashedPassword: 'new hash' })
    expect(await db.commit([openSession(late, 'hash')])).toBe(false)
    expect(await db.commit([openSession(sessionOf(999), 'hash')])).toBe(false)
    expect(await db.findSessionsOf(userId)).toEqual([good])
  })

  test('are seen later and later, never earlier', async () => {
    const session = sessionOf(userId)
    await db.addSession(session)
    const { lastSeenAt: opened } = session
    for (const [at, expected] of [
      [opened + 10, opened + 10],
      [opened + 5, opened + 10],
      [opened + 20, opened + 20],
    ] as const) {
      expect(await db.commit([seeSession(session.id, at)])).toBe(true)
      expect((await db.findSessionBy({ id: session.id })).lastSeenAt).toBe(expected)
    }
    expect(await db.commit([seeSession(randomUUID(), opened)])).toBe(true)
  })
})

describe('one-time tokens', () => {
  let userId: number

  beforeEach(async () => {
    userId = (await db.addUser('bob@x.org', 'hash')).id
  })

  test('are found as they were added', async () => {
    const token = tokenOf(userId)
    await db.addToken(token)
    expect(await db.findTokenBy({ id: token.id })).toEqual(token)
    expect(await db.findTokenBy({ userId, purpose: 'password_reset' })).toEqual(token)
    await expect(db.findTokenBy({ id: token.id, userId: 999 })).rejects.toThrow(NoResultFound)
  })

  test('replace the pending one of their user, and nobody else’s', async () => {
    const other = await db.addUser('ann@x.org', 'hash')
    const [first, second, foreign] = [tokenOf(userId), tokenOf(userId), tokenOf(other.id)]
    for (const token of [first, foreign, second]) await db.addToken(token)
    await expect(db.findTokenBy({ id: first.id })).rejects.toThrow(NoResultFound)
    expect(await db.findTokenBy({ userId })).toEqual(second)
    expect(await db.findTokenBy({ userId: other.id })).toEqual(foreign)
  })

  test('that cannot be added leave the pending one', async () => {
    const other = await db.addUser('ann@x.org', 'hash')
    const [pending, foreign] = [tokenOf(userId), tokenOf(other.id)]
    await db.addToken(pending)
    await db.addToken(foreign)
    await expect(db.addToken(tokenOf(userId, { id: foreign.id }))).rejects.toThrow(UniqueViolation)
    expect(await db.findTokenBy({ userId })).toEqual(pending)
    await expect(db.addToken(tokenOf(999))).rejects.toThrow(NoResultFound)
  })

  test('are deleted once', async () => {
    const token = tokenOf(userId)
    await db.addToken(token)
    await db.deleteToken(token.id)
    await expect(db.deleteToken(token.id)).rejects.toThrow(NoResultFound)
    await expect(db.findTokenBy({ id: token.id })).rejects.toThrow(NoResultFound)
  })
})

describe('what is not there', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['a user by address', () => db.findUserBy({ email: 'nobody@x.org' })],
    ['a user by SQL', () => db.findUserBy({ email: "' OR 1=1 --" })],
    ['a user by a wildcard', () => db.findUserBy({ email: '%' })],
    ['a user by id', () => db.findUserBy({ id: 999 })],
    ['a user to change', () => db.updateUser(999, { name: 'x' })],
    ['a user to delete', () => db.deleteUser(999)],
    ['a session', () => db.findSessionBy({ id: randomUUID() })],
    ['a session to change', () => db.updateSession(randomUUID(), { lastSeenAt: 1 })],
    ['a session to delete', () => db.deleteSession(randomUUID())],
    ['a token', () => db.findTokenBy({ id: randomUUID() })],
    ['a token to delete', () => db.deleteToken(randomUUID())],
  ])('is NoResultFound: %s', async (_, search) => {
    await db.addUser('bob@x.org', 'hash')
    await expect(search()).rejects.toThrow(NoResultFound)
  })
})

/** What no caller that the compiler has seen can ask for. */
const wrong: [string, object][] = [
  ['nothing', {}],
  ['an unknown field', { id: 1, nickname: 'bob' }],
  ['a column in the place of a field', { hashed_password: 'hash' }],
  ['SQL in the place of a field', { '1 = 1 OR id': 1 }],
  ['a name that every object has', { constructor: 1 }],
  ['a field without a value', { id: undefined }],
  ['an address without a value', { email: undefined }],
  ['a list as a value', { id: [1] }],
]

describe.each(wrong)('%s', (_, fields) => {
  test.each<[string, () => Promise<unknown>]>([
    ['finds a user', () => db.findUserBy(fields)],
    ['finds a session', () => db.findSessionBy(fields)],
    ['finds a token', () => db.findTokenBy(fields)],
    ['changes a user', () => db.updateUser(1, fields)],
    ['changes a session', () => db.updateSession('id', fields)],
  ])('never %s', async (_what, ask) => {
    const user = await db.addUser('bob@x.org', 'hash')
    await expect(ask()).rejects.toThrow(InvalidRequest)
    expect(await db.findUserBy({ id: user.id })).toEqual(user)
  })
})

test('the id of a row never changes', async () => {
  const { id } = await db.addUser('bob@x.org', 'hash')
  const changes: object = { id: 7, name: 'Bob' }
  await expect(db.updateUser(id, changes)).rejects.toThrow(InvalidRequest)
  await expect(db.updateSession('id', changes)).rejects.toThrow(InvalidRequest)
})

describe('commit', () => {
  test('writes all or nothing', async () => {
    const user = await db.addUser('bob@x.org', 'hash')
    const session = sessionOf(user.id)
    const steps = [insert(sessions, session), changeUser({ name: 'Bob' }, { id: user.id }, db.now())]
    const failing = must(remove(sessions, { id: randomUUID() }))
    for (const statements of [
      [failing, ...steps],
      [...steps, failing],
    ]) {
      expect(await db.commit(statements)).toBe(false)
      expect(await db.findUserBy({ id: user.id })).toEqual(user)
      expect(await db.findSessionsOf(user.id)).toEqual([])
    }
    expect(await db.commit(steps)).toBe(true)
    expect(await db.findSessionAndUser(session.id)).toMatchObject({ session, user: { name: 'Bob' } })
  })

  test('spends a token once, however many try at the same time', async () => {
    const { id: userId } = await db.addUser('bob@x.org', 'hash')
    const { id } = tokenOf(userId)
    await db.addToken(tokenOf(userId, { id }))
    const spend = (hashedPassword: string) =>
      db.commit([must(remove(tokens, { id })), must(changeUser({ hashedPassword }, { id: userId }, db.now()))])
    const spent = await Promise.all(Array.from({ length: 20 }, (_, index) => spend(`hash ${index}`)))
    expect(spent.filter(Boolean)).toHaveLength(1)
    expect((await db.findUserBy({ id: userId })).hashedPassword).toBe(`hash ${spent.indexOf(true)}`)
  })
})

describe('the sweep', () => {
  let userId: number

  beforeEach(async () => {
    userId = (await db.addUser('bob@x.org', 'hash')).id
  })

  /** @param ages how long ago each session was opened and last used, in milliseconds */
  async function addAged(ages: readonly { opened: number; seen: number }[]): Promise<Session[]> {
    const now = db.now()
    const added = ages.map(({ opened, seen }) =>
      sessionOf(userId, { createdAt: now - opened, lastSeenAt: now - seen, expiresAt: now - opened + LIFE.absolute }),
    )
    await db.commit(added.map((session) => insert(sessions, session)))
    return added
  }

  async function remaining(): Promise<string[]> {
    return (await db.findSessionsOf(userId)).map(({ id }) => id).sort()
  }

  function alive(all: readonly Session[]): string[] {
    return all
      .filter((session) => isAlive(session, db.now(), LIFE))
      .map(({ id }) => id)
      .sort()
  }

  const { idle, absolute } = LIFE
  const span = (end: number) => fc.oneof(fc.nat(2 * end), fc.constantFrom(0, end - 1, end, end + 1))

  test.each([
    ['just opened', { opened: 0, seen: 0 }, true],
    ['1 ms before the idle end', { opened: idle - 1, seen: idle - 1 }, true],
    ['at the idle end', { opened: idle, seen: idle }, false],
    ['1 ms before the absolute end', { opened: absolute - 1, seen: 0 }, true],
    ['at the absolute end', { opened: absolute, seen: 0 }, false],
  ])('keeps or deletes a session %s', async (_, age, kept) => {
    const added = await addAged([age])
    await db.sweep(idle)
    expect(await remaining()).toHaveLength(kept ? 1 : 0)
    expect(alive(added)).toEqual(await remaining())
  })

  test('deletes exactly what has ended', async () => {
    const ages = fc.array(fc.record({ opened: span(absolute), seen: span(idle) }), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(ages, async (some) => {
        await db.commit([remove(sessions, { userId })])
        clock.advance(30_000)
        const added = await addAged(some)
        await db.sweep(idle)
        expect(await remaining()).toEqual(alive(added))
      }),
    )
  })

  test.each([
    ['as many as one step', 500, (index: number) => index % 3 === 0],
    ['one more than a step', 501, () => false],
    ['several steps', 1_600, (index: number) => index % 2 === 0],
    ['several steps with nothing to delete', 1_200, () => true],
    ['several steps of which only the last is kept', 1_001, (index: number) => index === 1_000],
  ])('deletes exactly what has ended among many: %s', async (_, count, fresh) => {
    const added = await addAged(
      Array.from({ length: count }, (_value, index) => ({ opened: idle, seen: fresh(index) ? idle - 1 : idle })),
    )
    await db.sweep(idle)
    expect(await remaining()).toEqual(alive(added))
  })

  test('keeps what is opened while it is under way', async () => {
    await addAged(Array.from({ length: 1_200 }, () => ({ opened: idle, seen: idle })))
    const sweeping = db.sweep(idle)
    const opened = sessionOf(userId)
    await db.addSession(opened)
    await sweeping
    expect(await remaining()).toEqual([opened.id])
  })

  test('deletes the tokens that have ended', async () => {
    const other = await db.addUser('ann@x.org', 'hash')
    await db.addToken(tokenOf(userId, { expiresAt: db.now() + 1_000 }))
    await db.addToken(tokenOf(other.id, { expiresAt: db.now() + 1_001 }))
    clock.advance(1_000)
    await db.sweep(idle)
    await expect(db.findTokenBy({ userId })).rejects.toThrow(NoResultFound)
    expect(await db.findTokenBy({ userId: other.id })).toMatchObject({ userId: other.id })
  })
})
