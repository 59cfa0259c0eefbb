/** What a stolen database holds: nothing that logs in. */

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ALICE, anotherDevice, BOB, Client, cookieValue, house, NEW_PASSWORD, signedIn } from '../app/client.ts'
import { temporaryFolder } from '../started.ts'

const PASSWORD = 'a long way to go'

/** @returns every byte of the database: the file, its log and its index */
function bytesOf(folder: string): Buffer {
  return Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))))
}

function hashed(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

/** A whole journey on a file, with sessions and a token that are alive at its end. */
async function journey() {
  const folder = temporaryFolder()
  const { app, db } = await house({ DATABASE_URL: `sqlite:${join(folder, 'bienvenue.db')}` })
  const left = await signedIn(app, BOB, PASSWORD)
  const spentToken = await left.resetToken()
  const [leftSession = ''] = [cookieValue(left.cookie)]
  await new Client(app).reset(spentToken)
  const laptop = await anotherDevice(app, BOB, NEW_PASSWORD)
  const alice = await signedIn(app, ALICE, PASSWORD.repeat(6))
  const pendingToken = await new Client(app).resetToken(BOB)
  const sessions = [cookieValue(laptop.cookie), cookieValue(alice.cookie)]
  return { folder, db, sessions, leftSession, spentToken, pendingToken }
}

test('S-19: only the hash of a session’s secret is stored', async () => {
  const { folder, db, sessions, leftSession } = await journey()
  const bytes = bytesOf(folder)
  for (const credential of sessions) {
    const [id = '', secret = ''] = credential.split('.')
    expect(bytes.includes(id)).toBe(true)
    expect((await db.findSessionBy({ secretHash: hashed(secret) })).id).toBe(id)
  }
  for (const credential of [...sessions, leftSession]) {
    const [, secret = ''] = credential.split('.')
    expect(bytes.includes(secret)).toBe(false)
    expect(bytes.includes(Buffer.from(secret, 'base64url'))).toBe(false)
  }
})

test('R-04: only the hash of a reset token’s secret is stored', async () => {
  const { folder, db, spentToken, pendingToken } = await journey()
  const bytes = bytesOf(folder)
  const [id = '', pending = ''] = pendingToken.split('.')
  expect((await db.findTokenBy({ secretHash: hashed(pending) })).id).toBe(id)
  for (const secret of [pending, spentToken.slice(37)]) {
    expect(bytes.includes(secret)).toBe(false)
    expect(bytes.includes(Buffer.from(secret, 'base64url'))).toBe(false)
  }
})

test('no password is stored, plain or by a fast hash', async () => {
  const { folder } = await journey()
  const bytes = bytesOf(folder)
  expect(bytes.includes(BOB)).toBe(true)
  expect(bytes.includes('$2b$04$')).toBe(true)
  expect(bytes.includes('$bcrypt-sha256$v=2,t=2b,r=4$')).toBe(true)
  for (const password of [PASSWORD, NEW_PASSWORD]) {
    expect(bytes.includes(password)).toBe(false)
    expect(bytes.includes(Buffer.from(password).toString('base64').slice(0, -2))).toBe(false)
    for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512']) {
      const digest = createHash(algorithm).update(password).digest()
      for (const form of [digest, digest.toString('hex'), digest.toString('base64'), digest.toString('base64url')]) {
        expect(bytes.includes(form), algorithm).toBe(false)
      }
    }
  }
})
