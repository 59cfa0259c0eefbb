import { cpSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isCommonPassword } from '../../src/security/common_passwords.ts'
import { PRODUCTION } from '../house.ts'
import { PASSWORD } from '../production.ts'
import { Child, type Env, pathOf, temporaryFolder } from '../started.ts'

const FILE = pathOf('lists/common_passwords.txt')
const entries = readFileSync(FILE, 'utf8').trimEnd().split('\n')

describe('the list', () => {
  test('has what everybody tries first, and is under 10 MB', () => {
    expect(entries.length).toBeGreaterThanOrEqual(3_000)
    expect(entries.slice(0, 3)).toEqual(['password', '12345678', '123456789'])
    expect(statSync(FILE).size).toBeLessThan(10_000_000)
    expect(readFileSync(pathOf('lists/README.md'), 'utf8')).toContain(entries.length.toLocaleString('en'))
  })

  test('holds each entry once, in the form in which passwords are compared', () => {
    expect(new Set(entries).size).toBe(entries.length)
    expect(entries.filter((entry) => entry !== entry.normalize('NFC').toLowerCase())).toEqual([])
    expect(entries.filter((entry) => [...entry].length < 8)).toEqual([])
  })

  test.each([
    ['an entry', 'password', true],
    ['the last one', entries.at(-1) ?? '', true],
    ['an entry in other letters', 'PassWord', true],
    ['a part of an entry', 'passwor', false],
    ['more than an entry', 'password and more', false],
    ['an entry with a line break', 'password\n', false],
    ['two entries', 'password\n12345678', false],
    ['nothing', '', false],
  ])('is compared with the whole password: %s', async (_, password, common) => {
    expect(await isCommonPassword(password)).toBe(common)
  })
})

describe('the list is read when the first password is set in production, and not before', () => {
  const PROGRAM = `
    import { renameSync } from 'node:fs'
    import { Auth } from './src/auth.ts'
    import { DB } from './src/db.ts'
    import { readSettings } from './src/settings.ts'

    const settings = { ...readSettings(process.env), bcryptCost: 4 }
    const auth = new Auth(await DB.open('sqlite::memory:'), settings)
    const register = (email) => auth.registerUser(email, ${JSON.stringify(PASSWORD)}).then(() => 'registered', ({ code }) => code)
    const outcome = { loggedIn: await auth.validLogin('bob@example.org', 'password'), first: await register('a@b.example') }
    renameSync('lists.away', 'lists')
    console.log(JSON.stringify({ ...outcome, second: await register('b@b.example') }))`

  /** @returns what a process does that starts while the list is not there */
  async function withoutList(env: Env): Promise<unknown> {
    const folder = temporaryFolder()
    for (const name of ['src', 'lists', 'package.json']) cpSync(pathOf(name), join(folder, name), { recursive: true })
    symlinkSync(pathOf('node_modules'), join(folder, 'node_modules'))
    renameSync(join(folder, 'lists'), join(folder, 'lists.away'))
    writeFileSync(join(folder, 'program.ts'), PROGRAM)
    const child = new Child(process.execPath, ['program.ts'], env, folder)
    expect(await child.ended, child.stderr).toBe(0)
    return JSON.parse(child.stdout)
  }

  test('in production: a start and a login need no list; no password is set without it', async () => {
    expect(await withoutList(PRODUCTION)).toMatchObject({ loggedIn: false, first: 'ENOENT' })
  })

  test('in production: a list that could not be read is tried again', async () => {
    expect(await withoutList(PRODUCTION)).toMatchObject({ first: 'ENOENT', second: 'registered' })
  })

  test('in development: never', async () => {
    expect(await withoutList({})).toEqual({ loggedIn: false, first: 'registered', second: 'registered' })
  })
})
