/** What the parts of Auth share: whose address it is. */

import { expect, onTestFinished, test } from 'vitest'
import { ownerOf } from '../../src/auth/parts.ts'
import { addToken } from '../../src/db/tokens.ts'
import { DB } from '../../src/db.ts'
import { makeCredential } from '../../src/security/credential.ts'
import { TestClock } from '../house.ts'

const WANTED = 'ada@lovelace.example'
const HOUR = 3_600_000

test.each([
  ['before', [HOUR, 2 * HOUR]],
  ['after', [2 * HOUR, HOUR]],
])('A-14: an address is reserved by the one who can bring it back, %s one who could', async (_, lives) => {
  const clock = new TestClock()
  const db = await DB.open('sqlite::memory:', { clock: clock.now })
  onTestFinished(() => db.close())
  for (const [index, life] of lives.entries()) {
    const user = await db.addUser(`user${index}@example.org`, '$2b$04$made-up')
    const { id, secretHash } = makeCredential()
    const times = { createdAt: clock.now(), expiresAt: clock.now() + life }
    const token = { id, secretHash, userId: user.id, email: WANTED, reserves: WANTED, ...times }
    await db.commit(addToken({ ...token, purpose: 'email_undo' }))
  }
  clock.advance(HOUR)
  const owner = await ownerOf(db, WANTED)
  expect(owner).toMatchObject({ id: lives.indexOf(2 * HOUR) + 1, email: WANTED, emailKey: WANTED })
  clock.advance(HOUR)
  expect(await ownerOf(db, WANTED)).toBeNull()
})
