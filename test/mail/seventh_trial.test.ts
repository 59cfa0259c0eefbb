/** What a seventh trial by hand found in mails, addresses and sessions, each as a test. */

import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { sessions } from '../../src/db/sessions.ts'
import { must, remove, update } from '../../src/db/table.ts'
import { tokens } from '../../src/db/tokens.ts'
import type { House } from '../house.ts'
import {
  addressOf,
  inTurn,
  MINUTE,
  NEW_PASSWORD,
  NOBODY,
  OWNER,
  PASSWORD,
  stranger,
  tally,
  Visitor,
} from '../production.ts'
import { change, confirm, settled, tokenOf } from './owner.ts'

const EVE = 'eve@example.net'
const WANTED = 'wanted@corp.example'

/** Registers, confirms and logs in. */
async function member(house: House, email: string): Promise<Visitor> {
  const visitor = new Visitor(house, addressOf(9))
  await visitor.register(email)
  await confirm(visitor, await tokenOf(house, 'email_confirmation'))
  expect((await visitor.logIn(email)).statusCode).toBe(200)
  house.clock.advance(1)
  return visitor
}

/** @returns the token that is mailed for a change of address */
async function asked(house: House, visitor: Visitor, email: string): Promise<string> {
  house.clock.advance(1)
  expect((await change(visitor, { email })).statusCode).toBe(200)
  return tokenOf(house, 'email_change')
}

/** The owner has waited to have an address which its own owner lost to a thief, and may take back. */
async function waiting() {
  const { house, owner } = await settled()
  const link = await asked(house, owner, WANTED)
  const victim = await member(house, WANTED)
  expect((await confirm(victim, await asked(house, victim, EVE))).statusCode).toBe(200)
  return { house, owner, link, undo: await tokenOf(house, 'email_changed') }
}

function takeBack(house: House, undo: string) {
  return stranger(house).send('POST', '/undo_email_change', { undo_token: undo })
}

test('A-14: a change that waits for its proof takes no former address that can be brought back', async () => {
  const { house, owner, link, undo } = await waiting()
  const refused = await confirm(owner, link)
  expect([refused.statusCode, refused.json()]).toEqual([400, { message: 'email already registered' }])
  expect((await takeBack(house, undo)).statusCode).toBe(200)
  expect((await house.db.findUserBy({ email: WANTED })).id).toBe(2)
})

test('a change that waits for its proof is good again when the address cannot be brought back any more', async () => {
  const { house, owner, link } = await waiting()
  const past = house.clock.now() - 1
  await house.db.commit([must(update(tokens, { expiresAt: past }, { reserves: WANTED }))])
  expect((await confirm(owner, link)).statusCode).toBe(200)
})

test('A-14: of 20 links for a former address pressed beside the one that brings it back none has it', async () => {
  const { house, owner, link, undo } = await waiting()
  const pressed = Array.from({ length: 20 }, () => confirm(owner, link))
  const [back, ...refused] = await Promise.all([takeBack(house, undo), ...pressed])
  expect(back.statusCode).toBe(200)
  expect(tally(refused)).toEqual({ 400: 20 })
  expect((await house.db.findUserBy({ email: WANTED })).id).toBe(2)
})

test('A-14: an address that was never proven is not brought back from whoever left it proven', async () => {
  const { house, owner } = await settled()
  const squatter = new Visitor(house, addressOf(3))
  await squatter.register(WANTED)
  await squatter.logIn(WANTED)
  expect((await confirm(squatter, await asked(house, squatter, EVE))).statusCode).toBe(200)
  const old = await tokenOf(house, 'email_changed')
  const victim = await member(house, WANTED)
  expect((await confirm(victim, await asked(house, victim, 'mallory@example.net'))).statusCode).toBe(200)
  const undo = await tokenOf(house, 'email_changed')
  expect((await takeBack(house, old)).json()).toEqual({ message: 'email already registered' })
  expect((await takeBack(house, undo)).statusCode).toBe(200)
  expect([(await house.db.findUserBy({ email: WANTED })).id, (await owner.profile()).statusCode]).toEqual([3, 200])
})

/** A thief whose session was looked up when it was alive, and has waited for a seat while the owner changed the password. */
async function overtaken() {
  const { house, owner } = await settled()
  const thief = new Visitor(house, addressOf(6))
  await thief.logIn()
  const stale = await house.auth.checkSession(thief.cookies.get(house.settings.cookie.name))
  if (stale === null) throw new Error('the thief has no session')
  expect((await change(owner, { password: NEW_PASSWORD })).statusCode).toBe(200)
  const others = (await house.auth.listSessions(stale.user.id)).map(({ id }) => id)
  return { house, owner, stale, own: others[0] ?? '' }
}

const DEAD = { code: 'session_required' }

test('S-14: who waits while the session ends proves nothing by the former password', async () => {
  const { house, stale } = await overtaken()
  await expect(house.auth.confirmPassword(stale, PASSWORD)).rejects.toMatchObject(DEAD)
  await expect(house.auth.deleteAccount(stale, PASSWORD)).rejects.toMatchObject(DEAD)
})

test('S-14: a session that ended meanwhile ends no others, one by one or all of them', async () => {
  const { house, owner, stale, own } = await overtaken()
  await expect(house.auth.endSession(own, stale)).rejects.toMatchObject(DEAD)
  await expect(house.auth.endOtherSessions(stale)).rejects.toMatchObject(DEAD)
  expect((await owner.profile()).statusCode).toBe(200)
})

test('S-14: a session that ends while the password is checked withdraws no change and deletes no account', async () => {
  const { house, owner } = await settled()
  const link = await asked(house, owner, WANTED)
  const thief = await house.auth.checkSession(await house.auth.createSession(OWNER))
  if (thief === null) throw new Error('the thief has no session')
  const { commit } = house.db
  vi.spyOn(house.db, 'commit').mockImplementation(async (statements) => {
    const last = statements.some(({ sql }) => /^DELETE FROM (?:users|sessions)/.test(sql))
    if (last) await commit.call(house.db, [remove(sessions, { id: thief.session.id })])
    return commit.call(house.db, statements)
  })
  await expect(house.auth.deleteAccount(thief, PASSWORD)).rejects.toMatchObject(DEAD)
  await expect(house.auth.endOtherSessions(thief)).rejects.toMatchObject(DEAD)
  expect((await confirm(owner, link)).statusCode).toBe(200)
})

/** Asks for resets after these waits, in minutes. @returns of each whether it was admitted, and how many letters there are */
async function askAfter(house: House, email: string, waits: readonly number[]) {
  return inTurn(waits.length, async (n) => {
    house.clock.advance((waits[n] ?? 0) * MINUTE)
    const { statusCode } = await stranger(house, n).askForReset(email)
    const rows = { sql: 'SELECT id FROM outbox', params: [] }
    return { statusCode, letters: (await house.db.read(rows, ({ id }) => id)).length }
  })
}

/** @returns whether one of the resets that were mailed can be spent */
async function hasLink(house: House): Promise<boolean> {
  const token = await house.db.findBy(tokens, { purpose: 'password_reset' })
  if (token === null || token.expiresAt <= house.clock.now()) return false
  const mailed = (await house.outbox.recent(200)).map((row) => house.outbox.open(row).values.token ?? '')
  return mailed.some((credential) => credential.startsWith(token.id))
}

const LIMITED = { RESETS_PER_ACCOUNT: '5', MAILS_PER_ADDRESS: '5' }
const FLOOD = [0, 0, 0, 0, 0, ...Array.from({ length: 90 }, () => 2)]

test.each(['1m', '10m', '15m', '60m', '2h'])(
  'R-10: whoever asks for a reset has a good link, however many strangers ask for: %s',
  async (lifetime) => {
    const waits = fc.array(fc.constantFrom(0, 0, 1, 5, 10, 16, 19, 20, 21, 40, 59), { minLength: 25, maxLength: 25 })
    await fc.assert(
      fc.asyncProperty(waits, async (given) => {
        const { house } = await settled({ ...LIMITED, RESET_TOKEN_LIFETIME: lifetime })
        for (const wait of given) {
          await askAfter(house, OWNER, [wait])
          expect(await hasLink(house)).toBe(true)
        }
      }),
      { numRuns: 8, examples: [[[0, 0, 0, 0, 0, 16]], [[0, 0, 0, 0, 0, 59, 2]], [FLOOD]] },
    )
  },
)

test('R-02: letters go to nobody when they would go to somebody, and no mailbox is flooded', async () => {
  const { house } = await settled({ ...LIMITED, RESET_TOKEN_LIFETIME: '15m' })
  const apart = await settled({ ...LIMITED, RESET_TOKEN_LIFETIME: '15m' })
  const [known, unknown] = [await askAfter(house, OWNER, FLOOD), await askAfter(apart.house, NOBODY, FLOOD)]
  expect(known).toEqual(unknown)
  const inHour = (known[34]?.letters ?? 0) - (known[0]?.letters ?? 0) + 1
  expect(inHour).toBe(5 + 7)
})

test('A-06: the link of somebody else that one presses leaves the browser a known device of one’s own account', async () => {
  const { house, owner } = await settled()
  const mallory = await member(house, 'mallory@example.net')
  owner.keepDeviceOnly()
  const before = [...owner.cookies]
  expect((await confirm(owner, await asked(house, mallory, EVE))).statusCode).toBe(200)
  expect([...owner.cookies]).toEqual(before)
  const fresh = stranger(house)
  expect((await confirm(fresh, await asked(house, mallory, WANTED))).statusCode).toBe(200)
  expect([...fresh.cookies.keys()]).toEqual(['__Host-device'])
})

test('A-18: a change to the same address that mails nothing leaves the last mailed link good, and no other one', async () => {
  const { house, owner } = await settled({ MAILS_PER_ADDRESS: '5' })
  const other = await asked(house, owner, EVE)
  const links = await inTurn(5, () => asked(house, owner, WANTED))
  await change(owner, { email: WANTED })
  const pressed = await inTurn(5, (n) => confirm(stranger(house, n), links[n] ?? ''))
  expect(pressed.map(({ statusCode }) => statusCode)).toEqual([403, 403, 403, 403, 200])
  expect((await house.db.findUserBy({ id: 1 })).email).toBe(WANTED)
  expect((await confirm(stranger(house, 9), other)).statusCode).toBe(403)
})

test('A-18: a change to another address that mails nothing withdraws the one that waited', async () => {
  const { house, owner } = await settled({ MAILS_PER_ADDRESS: '1' })
  await asked(house, owner, WANTED)
  const link = await asked(house, owner, EVE)
  await change(owner, { email: WANTED })
  expect((await confirm(stranger(house), link)).statusCode).toBe(403)
})

test('A-18: to ask for the address that the account has withdraws a change that waits', async () => {
  const { house, owner } = await settled()
  const link = await asked(house, owner, WANTED)
  const kept = await change(owner, { email: OWNER })
  expect([kept.statusCode, kept.json().email, kept.json().pending_email]).toEqual([200, OWNER, undefined])
  expect((await confirm(stranger(house), link)).statusCode).toBe(403)
})
