/** What somebody found who tried to break in for the twelfth time, in what is mailed: each fails without its mend. */

import { expect, test, vi } from 'vitest'
import { sessions } from '../../src/db/sessions.ts'
import { remove } from '../../src/db/table.ts'
import { type House, MAIL } from '../house.ts'
import { inTurn, MINUTE, NOBODY, OWNER, PASSWORD, production, stranger, Visitor } from '../production.ts'
import { change, OPEN, settled } from './owner.ts'

/** Does something before the next transaction is written. */
function beforeTheNextCommit({ db }: House, happen: () => Promise<unknown>): void {
  const { commit } = db
  vi.spyOn(db, 'commit').mockImplementationOnce(async (statements) => {
    await happen()
    return commit.call(db, statements)
  })
}

/** @returns the kinds of letters that are due, with to whom */
async function due({ outbox }: House): Promise<string[]> {
  const rows = await outbox.claim(10, MINUTE)
  return rows.filter(({ kind }) => kind !== 'decoy').map((row) => `${row.kind} ${outbox.open(row).to}`)
}

test.each([
  ['a confirmation', '/email_verification'],
  ['a reset', '/reset_password'],
])('A-18: %s that a stranger asks for at the moment of a registration leaves its letter alone', async (_, url) => {
  const house = await production({ ...MAIL, ...OPEN })
  beforeTheNextCommit(house, async () => {
    await stranger(house, 1).register(NOBODY)
    if (url === '/reset_password') await stranger(house, 1).askForReset(NOBODY)
  })
  expect((await stranger(house, 2).send('POST', url, { email: NOBODY })).statusCode).toBe(200)
  const kinds = url === '/reset_password' ? ['email_confirmation', 'password_reset'] : ['email_confirmation']
  expect((await due(house)).toSorted()).toEqual(kinds.map((kind) => `${kind} ${NOBODY}`))
})

test('A-09: an address that is asked about by a change counts, though the session ends meanwhile', async () => {
  const { house } = await settled({ REGISTRATIONS_PER_NETWORK: '3' })
  const { id } = await house.db.findUserBy({ email: OWNER })
  const { commit } = house.db
  const ask = async (n: number) => {
    const asking = new Visitor(house)
    await asking.logIn(OWNER, PASSWORD)
    vi.spyOn(house.db, 'commit').mockImplementation(async (statements) => {
      const last = statements.some(({ sql }) => sql.startsWith('DELETE FROM sessions'))
      if (last) await commit.call(house.db, [remove(sessions, { userId: id })])
      return commit.call(house.db, statements)
    })
    const { statusCode } = await change(asking, { email: `free${n}@example.net` })
    vi.restoreAllMocks()
    return statusCode
  }
  expect(await inTurn(5, ask)).toEqual([403, 403, 403, 429, 429])
})
