/** The ring of signing keys: made once, shared, replaced with an overlap, and of no use without SECRET. */

import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import { KEYS_KEPT_FOR, PUBLISHED_AHEAD } from '../../src/auth/signing_keys.ts'
import { Auth } from '../../src/auth.ts'
import { StartError } from '../../src/errors.ts'
import { house } from '../app/client.ts'
import { Program, programOf } from '../app/program.ts'
import { type House, openHouse } from '../house.ts'
import { DAY, linesOf, MINUTE, SECOND } from '../production.ts'
import { decoded } from '../security/forge.ts'
import { temporaryFolder } from '../started.ts'

function fileOf(): string {
  return `sqlite:${join(temporaryFolder(), 'bienvenue.db')}`
}

async function publishedBy({ app }: House): Promise<string[]> {
  const { keys } = (await app.inject({ url: '/.well-known/jwks.json' })).json()
  return keys.map(({ kid }: { kid: string }) => kid)
}

function signerOf({ accessToken }: Program): unknown {
  return decoded(accessToken.split('.')[0]).kid
}

/** A login of a moment ago, with what the key of now has signed. */
async function freshProgram(opened: House): Promise<Program> {
  const program = new Program(opened)
  expect((await program.logIn()).statusCode).toBe(200)
  return program
}

describe('rotation', () => {
  test('T-24: a new key is published before it signs, the old one verifies while there are tokens of it, then it is gone', async () => {
    const opened = await house()
    const old = await programOf(opened)
    const [first] = await publishedBy(opened)
    const second = await opened.auth.tokens.keys.rotate()
    expect(await publishedBy(opened)).toEqual([first, second])

    opened.clock.advance(PUBLISHED_AHEAD - 1)
    const last = await freshProgram(opened)
    expect([signerOf(old), signerOf(last)]).toEqual([first, first])
    opened.clock.advance(1)
    const next = await freshProgram(opened)
    expect(signerOf(next)).toBe(second)
    expect([(await last.profile()).statusCode, (await next.profile()).statusCode]).toEqual([200, 200])

    opened.clock.advance(9 * MINUTE)
    expect((await last.profile()).statusCode).toBe(200)
    opened.clock.advance(PUBLISHED_AHEAD + MINUTE)
    await opened.upkeep()
    expect(await publishedBy(opened)).toEqual([second])
    expect((await opened.db.findSigningKeys()).map(({ kid }) => kid)).toEqual([second])
    expect(KEYS_KEPT_FOR).toBeLessThan(PUBLISHED_AHEAD)
  })

  test('T-24: tokens of a key that was removed are refused, those that were seen before too', async () => {
    const opened = await house()
    const [seen, unseen] = [await programOf(opened), await freshProgram(opened)]
    expect((await seen.profile()).statusCode).toBe(200)
    await opened.auth.tokens.keys.rotate(true)
    expect((await opened.db.findSigningKeys()).length).toBe(1)
    expect([(await seen.profile()).statusCode, (await unseen.profile()).statusCode]).toEqual([401, 401])
    // The login itself is untouched.
    expect((await seen.refresh()).statusCode).toBe(200)
    expect((await seen.profile()).statusCode).toBe(200)
  })

  test('T-24: comes by itself at the age that is set, once', async () => {
    const opened = await house({ SIGNING_KEY_ROTATION: '7d' })
    opened.clock.advance(7 * DAY - 1)
    await opened.upkeep()
    expect(await publishedBy(opened)).toHaveLength(1)
    opened.clock.advance(1)
    for (let time = 0; time < 3; time += 1) await opened.upkeep()
    expect(await publishedBy(opened)).toHaveLength(2)
    expect(linesOf(opened, 'signing_key_added')).toHaveLength(1)
    opened.clock.advance(DAY)
    await opened.upkeep()
    expect(await publishedBy(opened)).toHaveLength(1)
  })

  test('T-24: another algorithm comes with a key of its own, and the tokens of before stay good', async () => {
    const file = fileOf()
    const before = await house({ DATABASE_URL: file, SECRET: 'one for both' })
    const old = await programOf(before)
    const after = await house({ DATABASE_URL: file, SECRET: 'one for both', TOKEN_ALGORITHM: 'EdDSA' })
    const { accessToken } = old
    const program = new Program(after)
    const call = () => program.send('GET', '/profile', undefined, { authorization: `Bearer ${accessToken}` })
    expect((await call()).statusCode).toBe(200)
    after.clock.advance(PUBLISHED_AHEAD)
    await program.logIn()
    expect(decoded(program.accessToken.split('.')[0]).alg).toBe('EdDSA')
    expect((await program.profile()).statusCode).toBe(200)
  })
})

describe('several instances', () => {
  test('that start at once on an empty database agree on one key', async () => {
    const file = fileOf()
    const env = { DATABASE_URL: file, SECRET: 'one for all' }
    const houses = await Promise.all(Array.from({ length: 5 }, () => openHouse(env)))
    onTestFinished(async () => {
      for (const { close } of houses) await close()
    })
    const rings = await Promise.all(houses.map(publishedBy))
    expect(new Set(rings.map(String)).size).toBe(1)
    expect(rings[0]).toHaveLength(1)
  })

  test('that rotate at once make one key', async () => {
    const env = { DATABASE_URL: fileOf(), SECRET: 'one for all' }
    const [left, right] = [await house(env), await house(env)]
    for (const { clock } of [left, right]) clock.advance(30 * DAY)
    await Promise.all([left.upkeep(), right.upkeep()])
    expect(await publishedBy(left)).toEqual(await publishedBy(right))
    expect(await left.db.findSigningKeys()).toHaveLength(2)
  })

  test.each([[false], [true]])(
    'that are told to rotate at once each make a key of theirs: compromised %s',
    async (compromised) => {
      const env = { DATABASE_URL: fileOf(), SECRET: 'one for all' }
      const houses = [await house(env), await house(env), await house(env), await house(env)]
      const kids = await Promise.all(houses.map(({ auth }) => auth.tokens.keys.rotate(compromised)))
      expect(new Set(kids).size).toBe(4)
      const [first] = houses
      const ring = (await first?.db.findSigningKeys())?.map(({ kid }) => kid) ?? []
      if (compromised) expect(kids).toContain(ring.join())
      else expect(ring.slice(1).sort()).toEqual(kids.sort())
    },
  )

  test('that never come first say so', async () => {
    const opened = await house()
    const [row] = await opened.db.findSigningKeys()
    if (row === undefined) throw new Error('there is no key')
    // What is read is what stood there before another one made its key.
    opened.db.findSigningKeys = () => Promise.resolve([{ ...row, serial: row.serial - 1 }])
    const rotating = opened.auth.tokens.keys.rotate()
    await expect(rotating).rejects.toThrow(StartError)
    await expect(rotating).rejects.toThrow('none was made here')
  })

  test('know the key of another one at the first token that it signed', async () => {
    const env = { DATABASE_URL: fileOf(), SECRET: 'one for all' }
    const [left, right] = [await house(env), await house(env)]
    await left.auth.tokens.keys.rotate(true)
    const program = await programOf(left)
    right.clock.advance(SECOND)
    const headers = { authorization: `Bearer ${program.accessToken}` }
    expect((await new Program(right).send('GET', '/profile', undefined, headers)).statusCode).toBe(200)
  })

  test('are replaced by nobody who cannot read them', async () => {
    const opened = await house({ SECRET: 'one for all' })
    const before = await opened.db.findSigningKeys()
    expect(before).toHaveLength(1)
    const other = new Auth(opened.db, { ...opened.settings, secret: 'another one' })
    for (const compromised of [true, false]) {
      const rotating = other.tokens.keys.rotate(compromised)
      await expect(rotating).rejects.toThrow(StartError)
      await expect(rotating).rejects.toThrow('SECRET opens none of the keys')
    }
    expect(await opened.db.findSigningKeys()).toEqual(before)
  })

  test('are made anew where somebody with another SECRET has replaced them all', async () => {
    const opened = await house({ SECRET: 'one for all' })
    await opened.db.commit([{ sql: 'DELETE FROM signing_keys', params: [] }])
    await new Auth(opened.db, { ...opened.settings, secret: 'another one' }).tokens.keys.open()
    await opened.upkeep()
    const { accessToken } = await programOf(opened)
    const headers = { authorization: `Bearer ${accessToken}` }
    expect((await new Program(opened).send('GET', '/profile', undefined, headers)).statusCode).toBe(200)
    expect(await opened.db.findSigningKeys()).toHaveLength(2)
  })

  test('do not start where others make keys that cannot be read, and say what to do', async () => {
    const opened = await house()
    opened.db.findSigningKeys = () => Promise.resolve([])
    const opening = new Auth(opened.db, opened.settings).tokens.keys.open()
    await expect(opening).rejects.toThrow(StartError)
    await expect(opening).rejects.toThrow('Set the same SECRET for all.')
  })

  test('do not read the database for every key that somebody makes up', async () => {
    const opened = await house()
    const { accessToken } = await programOf(opened)
    opened.clock.advance(SECOND)
    let reads = 0
    const { findSigningKeys } = opened.db
    opened.db.findSigningKeys = () => {
      reads += 1
      return findSigningKeys.call(opened.db)
    }
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'x' })).toString('base64url')
    const authorization = `Bearer ${header}${accessToken.slice(accessToken.indexOf('.'))}`
    for (let tries = 0; tries < 50; tries += 1) await opened.app.inject({ url: '/profile', headers: { authorization } })
    expect(reads).toBe(1)
  })
})

describe('SECRET', () => {
  test('seals the private keys, and nothing of them is in the database in clear', async () => {
    const file = fileOf()
    await house({ DATABASE_URL: file })
    const database = new Database(file.slice('sqlite:'.length), { readonly: true })
    const rows = database.prepare<[], { sealed_key: string }>('SELECT * FROM signing_keys').all()
    database.close()
    expect(rows).toHaveLength(1)
    const [row] = rows
    expect(Object.keys(row ?? {})).toEqual(['serial', 'kid', 'sealed_key', 'created_at', 'signs_from'])
    expect(Buffer.from(row?.sealed_key ?? '', 'base64url').toString('latin1')).not.toMatch(/"d"|"kty"|P-256/)
  })

  test('may be replaced: with the one before the keys stay, and their tokens too', async () => {
    const file = fileOf()
    const program = await programOf(await house({ DATABASE_URL: file, SECRET: 'the first' }))
    const after = await house({ DATABASE_URL: file, SECRET: 'the second', SECRET_PREVIOUS: 'the first' })
    const headers = { authorization: `Bearer ${program.accessToken}` }
    expect((await new Program(after).send('GET', '/profile', undefined, headers)).statusCode).toBe(200)
    expect(after.log.filter((line) => line.includes('SECRET that is lost'))).toEqual([])
  })

  test('that is lost takes the keys with it: the start says so, old tokens are refused, and a refresh is all it takes', async () => {
    const file = fileOf()
    const program = await programOf(await house({ DATABASE_URL: file, SECRET: 'the first' }))
    const after = await house({ DATABASE_URL: file, SECRET: 'quite another' })
    expect(after.log.filter((line) => line.includes('SECRET that is lost'))).toHaveLength(1)
    const headers = { authorization: `Bearer ${program.accessToken}` }
    const moved = new Program(after)
    expect((await moved.send('GET', '/profile', undefined, headers)).statusCode).toBe(401)
    expect((await moved.refresh(program.refreshToken)).statusCode).toBe(200)
    expect((await moved.profile()).statusCode).toBe(200)
    expect(await publishedBy(after)).toHaveLength(1)
  })

  test('a key that was moved to another row, or changed, is not believed', async () => {
    const file = fileOf()
    const first = await house({ DATABASE_URL: file, SECRET: 'the only one' })
    await first.auth.tokens.keys.rotate()
    const [one, two] = await first.db.findSigningKeys()
    const swap = 'UPDATE signing_keys SET sealed_key = ? WHERE serial = ?'
    await first.db.commit([
      { sql: swap, params: [two?.sealedKey ?? '', one?.serial ?? 0] },
      { sql: swap, params: [one?.sealedKey ?? '', two?.serial ?? 0] },
    ])
    const second = await house({ DATABASE_URL: file, SECRET: 'the only one' })
    const published = await publishedBy(second)
    expect(published).toHaveLength(1)
    expect([one?.kid, two?.kid]).not.toContain(published[0])
  })
})
