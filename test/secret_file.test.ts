import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { StartError } from '../src/errors.ts'
import { withSecret } from '../src/secret_file.ts'
import { readSettings } from '../src/settings.ts'
import { PRODUCTION } from './house.ts'
import { Child, pathOf, temporaryFolder } from './started.ts'

/** @returns the settings of a development whose database is in this folder */
function settingsIn(folder: string) {
  return readSettings({ DATABASE_URL: `sqlite:${join(folder, 'bienvenue.db')}` })
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8)
}

describe('the secret of development', () => {
  test('is made beside the database: 32 random bytes, for this user alone', () => {
    const folder = join(temporaryFolder(), 'data')
    const { secret } = withSecret(settingsIn(folder))
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
    expect(readFileSync(join(folder, 'secret'), 'utf8')).toBe(secret)
    expect([modeOf(folder), modeOf(join(folder, 'secret'))]).toEqual(['700', '600'])
    expect(readdirSync(folder), 'nothing else is left').toEqual(['secret'])
  })

  test('is kept over restarts', () => {
    const folder = temporaryFolder()
    const first = withSecret(settingsIn(folder))
    expect(withSecret(settingsIn(folder))).toEqual(first)
    expect(withSecret(settingsIn(join(folder, '.', 'x', '..')))).toEqual(first)
  })

  test('is another for another database', () => {
    const secrets = [1, 2, 3].map(() => withSecret(settingsIn(temporaryFolder())).secret)
    expect(new Set(secrets).size).toBe(3)
  })

  test('changes nothing else', () => {
    const settings = settingsIn(temporaryFolder())
    const { secret: _, ...rest } = withSecret(settings)
    const { secret: none, ...before } = settings
    expect(rest).toEqual(before)
    expect(none).toBe('')
  })

  test('is one for all processes that start at the same time', async () => {
    const folder = join(temporaryFolder(), 'data')
    const program = `
      import { withSecret } from ${JSON.stringify(pathOf('src/secret_file.ts'))}
      import { readSettings } from ${JSON.stringify(pathOf('src/settings.ts'))}
      console.log(withSecret(readSettings(process.env)).secret)`
    const env = { DATABASE_URL: `sqlite:${join(folder, 'bienvenue.db')}` }
    const children = Array.from(
      { length: 8 },
      () => new Child(process.execPath, ['--input-type=module', '--eval', program], env, temporaryFolder()),
    )
    const codes = await Promise.all(children.map(({ ended }) => ended))
    expect(codes, children.map(({ stderr }) => stderr).join('')).toEqual(new Array(8).fill(0))
    const secrets = new Set(children.map(({ stdout }) => stdout.trim()))
    expect([...secrets]).toEqual([readFileSync(join(folder, 'secret'), 'utf8')])
    expect(readdirSync(folder)).toEqual(['secret'])
  })
})

describe('no file is made', () => {
  test.each([
    ['where SECRET is set', { SECRET: 'one of my own' }, 'one of my own'],
    ['in production', PRODUCTION, PRODUCTION.SECRET],
  ])('%s', (_, env, secret) => {
    const folder = temporaryFolder()
    const settings = readSettings({ DATABASE_URL: `sqlite:${join(folder, 'bienvenue.db')}`, ...env })
    expect(withSecret(settings)).toEqual({ ...settings, secret })
    expect(readdirSync(folder)).toEqual([])
  })

  test('where the database is in memory', () => {
    const settings = readSettings({ DATABASE_URL: 'sqlite::memory:' })
    expect(withSecret(settings)).toEqual(settings)
  })
})

describe('a start is refused, with the mend', () => {
  const MEND = /cannot be kept \(.+\)\. Make its folder writable for this user, or set SECRET\.$/

  test.each<[string, (folder: string) => string]>([
    [
      'where the folder cannot be made',
      (folder) => {
        writeFileSync(join(folder, 'file'), '')
        return join(folder, 'file', 'data')
      },
    ],
    [
      'where the folder is a file',
      (folder) => {
        writeFileSync(join(folder, 'file'), '')
        return join(folder, 'file')
      },
    ],
    [
      'where the secret is no file',
      (folder) => {
        mkdirSync(join(folder, 'secret'))
        return folder
      },
    ],
  ])('%s', (_, prepare) => {
    const settings = settingsIn(prepare(temporaryFolder()))
    expect(() => withSecret(settings)).toThrow(StartError)
    expect(() => withSecret(settings)).toThrow(MEND)
  })

  test('where the file has been emptied: a new secret at every start would be none', () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'secret'), '')
    expect(() => withSecret(settingsIn(folder))).toThrow(StartError)
  })
})
