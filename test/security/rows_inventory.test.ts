/** Rows of the security list about what is written down: keys, access, and whom the service talks to. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type AccessRow, accessRows } from '../../scripts/access.ts'
import { pages } from '../../scripts/docs.ts'
import { inventory } from '../../scripts/key_inventory.ts'
import { settingRows } from '../../src/settings.ts'
import { house } from '../app/client.ts'
import { MAIL, PRODUCTION } from '../house.ts'
import { journey } from './journey.ts'

const ROOT = join(import.meta.dirname, '../..')

const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name): [string, string] => [`src/${name}`, readFileSync(join(ROOT, 'src', name), 'utf8')])

describe('keys and algorithms', () => {
  /** What the source says where it uses one, and what the list must say then. */
  const USES: [RegExp, string][] = [
    [/createHmac\('sha256'/, 'HMAC-SHA-256'],
    [/[^a-z]hash\('sha256'/i, 'SHA-256'],
    [/hkdfSync\('sha256'/, 'HKDF with SHA-256'],
    [/\brandom(?:Bytes|Int)\(/, 'random'],
    [/createCipheriv\(/, 'AES-256-GCM'],
    [/\bSignJWT\(/, 'JWT'],
    [/'ES256', 'EdDSA'/, 'ES256'],
    [/'ES256', 'EdDSA'/, 'EdDSA'],
    [/\bbcrypt\w*\.?\w*\(/, 'bcrypt'],
    [/\buuid\(/, 'UUID v4'],
  ]

  test('O-03: every file that uses any is in the list, and no other', () => {
    const users = sources.filter(([, source]) => /from '(?:node:)?(?:crypto|bcrypt|uuid|jose)'/.test(source))
    expect(inventory.map(({ file }) => file).sort()).toEqual(users.map(([file]) => file).sort())
  })

  test.each(inventory)('O-03: what $file uses is named', ({ file, algorithm }) => {
    const [, source = ''] = sources.find(([name]) => name === file) ?? []
    const used = USES.filter(([pattern]) => pattern.test(source)).map(([, name]) => name)
    expect(used.length).toBeGreaterThan(0)
    for (const name of used) expect(algorithm).toContain(name)
    const others = [...source.matchAll(/(?:createHmac|createHash|hash|hkdfSync|createCipheriv)\('([^']+)'/g)]
    expect(others.filter(([, name]) => name !== 'sha256')).toEqual([])
  })

  test('O-03: every purpose of a key and every setting that holds one is named', () => {
    const [, source = ''] = sources.find(([name]) => name === 'src/security/secrets.ts') ?? []
    const [, union = ''] = /keys\(purpose: ([^)]*)\)/.exec(source) ?? []
    const purposes = [...union.matchAll(/'(\w+)'/g)].map(([, purpose = '']) => purpose)
    expect(purposes).toContain('device_cookie')
    const settings = settingRows().map(({ variable }) => variable)
    const secrets = settings.filter((variable) => /SECRET|KEY$|PEPPER/.test(variable))
    const keys = inventory.map(({ key }) => key).join()
    for (const name of [...purposes, ...secrets]) expect(keys).toContain(`\`${name}\``)
  })
})

describe('who may call what', () => {
  const WORDS: Record<AccessRow['access'], string> = {
    public: 'anyone',
    session: 'session',
    fresh: 'fresh password',
    operator: 'operator’s key',
  }

  interface Documented {
    route: string
    query: string | undefined
    fields: string[]
    who: string | undefined
  }

  function tableOfReadme(): Documented[] {
    const rows = readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(
      /^\| `([A-Z]+ \/[^`?]*)(?:\?(\w+)[^`]*)?` \|([^|]*)\|([^|]*)\|/gm,
    )
    return [...rows].map(([, route = '', query, fields = '', who]) => ({
      ...{ route, query, who: who?.trim() },
      fields: [...fields.matchAll(/`(\w+)`/g)].map(([, field = '']) => field).sort(),
    }))
  }

  const nameOf = ({ method, url }: AccessRow) => `${method} ${url}`
  const plain = (fields: string[]) => fields.map((field) => field.replace('?', '')).sort()

  test('O-26: the page of access has every route with its access and its fields, once', async () => {
    const page = readFileSync(join(ROOT, 'docs/access.md'), 'utf8')
    expect(page, 'run `npm run docs`').toBe(pages().get('access.md'))
    const lines = page.split('\n').filter((line) => line.startsWith('| `'))
    const rows = await accessRows()
    expect(rows.length).toBeGreaterThan(10)
    expect(lines).toHaveLength(rows.length)
    for (const [index, row] of rows.entries()) {
      expect(lines[index]).toContain(`| \`${nameOf(row)}\` | ${row.access} |`)
      for (const field of plain([...row.body, ...row.query])) expect(lines[index]).toContain(`\`${field}\``)
    }
  })

  test('O-26: the README has every route with the same access and fields, and no other', async () => {
    const documented = tableOfReadme()
    const rows = await accessRows()
    expect([...new Set(documented.map(({ route }) => route))].sort()).toEqual(rows.map(nameOf).sort())
    for (const row of rows) {
      const same = documented.filter(({ route }) => route === nameOf(row))
      expect(same.find(({ query }) => query === undefined)?.who, nameOf(row)).toBe(WORDS[row.access])
      expect(same.flatMap(({ fields }) => fields).sort(), nameOf(row)).toEqual(plain(row.body))
      const queries = documented.flatMap(({ route, query }) => (route === nameOf(row) ? [query ?? ''] : []))
      expect(queries.filter((query) => query !== '').sort(), nameOf(row)).toEqual(plain(row.query))
    }
  })
})

describe('what leaves for others', () => {
  const CHANNELS = ['net.client.socket', 'http.client.request.start', 'undici:request:create']
  const OUTWARD = /\bfetch\(|node:(?:https|http2|dns|dgram|tls)\b|\bconnect\(|createConnection|http\.(?:get|request)\b/

  const DATABASE = 'src/engines/postgres.ts'

  test('O-27: a whole journey opens no connection', async () => {
    const opened: unknown[] = []
    const listen = (message: unknown) => void opened.push(message)
    for (const channel of CHANNELS) subscribe(channel, listen)
    try {
      const steps = await journey(await house({ ...PRODUCTION, ...MAIL }))
      expect(steps.length).toBeGreaterThan(10)
    } finally {
      for (const channel of CHANNELS) unsubscribe(channel, listen)
    }
    expect(opened).toEqual([])
  })

  test('O-27: nothing in the source could open one, but to the mail server and the database that the operator names', () => {
    expect(sources.length).toBeGreaterThan(30)
    expect(sources.filter(([, source]) => OUTWARD.test(source)).map(([file]) => file)).toEqual([DATABASE])
    expect(sources.filter(([, source]) => /new pg\.(?:Pool|Client)/.test(source)).map(([file]) => file)).toEqual([
      DATABASE,
    ])
    const mailers = sources.filter(([, source]) => /'nodemailer'/.test(source))
    expect(mailers.map(([file]) => file)).toEqual(['src/mail/transport.ts'])
    // A message never names a file or an address that would be fetched into it.
    for (const [, source] of mailers) expect(source.match(/disableUrlAccess: true/g)).toHaveLength(2)
  })
})
