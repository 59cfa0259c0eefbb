/** What a body may be, and how its fields are read: in one way, strictly, on every route. */

import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { form, type House } from '../house.ts'
import { type Answer, BOB, Client, house, json, MADE_UP, NEW_PASSWORD, PASSWORD, seen, signedIn } from './client.ts'

const CAROL = 'carol@example.org'

/** What a request adds to its route. */
interface Body {
  headers?: Record<string, string>
  payload?: string | Buffer
}

/** Every route that reads fields, with good ones, and the field that must be there. */
const ROUTES: [string, string, Record<string, string>, string | null][] = [
  ['POST', '/users', { email: BOB, password: PASSWORD, name: 'Bob' }, 'email'],
  ['POST', '/sessions', { email: BOB, password: PASSWORD }, 'email'],
  [
    'PATCH',
    '/users/me',
    { name: 'Caroline', email: 'caroline@example.org', password: NEW_PASSWORD, current_password: PASSWORD },
    null,
  ],
  ['DELETE', '/users/me', { current_password: PASSWORD }, 'current_password'],
  ['DELETE', '/sessions?others=true', { current_password: PASSWORD }, null],
  ['DELETE', '/sessions/:id', { current_password: PASSWORD }, null],
  ['POST', '/reset_password', { email: BOB }, 'email'],
  ['PUT', '/reset_password', { email: BOB, reset_token: MADE_UP, new_password: PASSWORD }, 'email'],
]

interface Asked extends House {
  /** Sends a body, and perhaps a query, in the name of somebody who is signed in. */
  ask(body: Body, query?: string): Promise<Answer>
}

async function open(method: string, url: string): Promise<Asked> {
  const opened = await house()
  const client = await signedIn(opened.app, CAROL)
  const path = url.replace(':id', client.sessionId)
  const ask = (body: Body, query = '') => {
    const whole = query === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${query}`
    const headers = { ...body.headers, cookie: client.cookie }
    return opened.app.inject({ method, url: whole, ...body, headers })
  }
  return { ...opened, ask }
}

describe.each(
  ROUTES.flatMap(([method, url, , required]) => (required === null ? [] : [[method, url, required] as const])),
)('%s %s without %s', (method, url, required) => {
  test.each([
    ['no body', {}],
    ['an empty form', form({})],
    ['an empty JSON body', { ...json({}), payload: '' }],
    ['null', json(null)],
    ['no field', json({})],
  ])('%s: the first missing field is named', async (_, body) => {
    const { ask } = await open(method, url)
    const missing = { message: `${required} missing`, code: 'field_missing', field: required }
    expect(seen(await ask(body))).toStrictEqual({ status: 400, body: missing })
  })
})

describe.each(ROUTES)('%s %s', (method, url, good, required) => {
  test('its good fields are good, as a form and as JSON', async () => {
    const statuses = [
      await (await open(method, url)).ask(form(good)),
      await (await open(method, url)).ask(json(good)),
    ].map(seen)
    expect(statuses[0]).toStrictEqual(statuses[1])
    expect(statuses[0]?.status).not.toBe(400)
  })

  test('H-04: a field is text and nothing that could be taken for it', async () => {
    const { ask } = await open(method, url)
    for (const field of Object.keys(good)) {
      for (const value of [null, true, 1, 1.5, [], [good[field]], [[]], {}, { toString: 'x' }]) {
        const answer = await ask(json({ ...good, [field]: value }))
        expect(seen(answer), `${field}: ${JSON.stringify(value)}`).toStrictEqual({
          status: 400,
          body: { message: `${field} must be given once, as text`, code: 'field_invalid', field },
        })
      }
    }
  })

  test.each([
    ['a list', '[]'],
    ['a list of bodies', '[{"email":"bob@example.org","password":"x"}]'],
    ['a text', '"email=bob@example.org"'],
    ['a number', '1'],
    ['not JSON', '{email:"bob@example.org"}'],
    ['half of it', '{"email":"bob@example.org"'],
    ['JSON and more', '{} {}'],
    ['a form', 'email=bob@example.org'],
    ['bytes that are no UTF-8', Buffer.from('{"email":"b\xf6b@example.org"}', 'latin1')],
    ['UTF-16', Buffer.from(JSON.stringify({ email: BOB }), 'utf16le')],
  ])('a JSON body that is %s is a 400', async (_, payload) => {
    const { ask } = await open(method, url)
    const answer = await ask({ headers: json({}).headers, payload })
    expect(seen(answer)).toMatchObject({ status: 400, body: { code: 'body_invalid' } })
  })

  test('H-06: nothing reaches a prototype', async () => {
    const { ask } = await open(method, url)
    const bodies = [
      '{"__proto__":{"polluted":"yes"}}',
      '{"\\u005f_proto__":{"polluted":"yes"}}',
      '{"constructor":{"prototype":{"polluted":"yes"}}}',
      '{"further":{"__proto__":{"polluted":"yes"}}}',
    ]
    for (const body of bodies) {
      const payload = body.replace(/\}$/, `,${JSON.stringify(good).slice(1)}`)
      const answer = await ask({ headers: json({}).headers, payload })
      expect(answer.statusCode, body).toBe(400)
    }
    for (const name of [
      '__proto__',
      '__proto__[polluted]',
      'constructor',
      'constructor.prototype.polluted',
      'toString',
    ]) {
      const answer = await ask(form({ [name]: 'yes', ...good }))
      expect(answer.statusCode, name).toBeLessThan(500)
    }
    expect(Object.keys(Object.prototype)).toEqual([])
    expect({}.toString()).toBe('[object Object]')
    expect('polluted' in {}).toBe(false)
  })

  test('H-07: a field twice in a form is a 400', async () => {
    const { ask } = await open(method, url)
    for (const [field, value] of Object.entries(good)) {
      for (const again of [value, 'another']) {
        const twice = new URLSearchParams([...Object.entries(good), [field, again]]).toString()
        const answer = await ask({ headers: form({}).headers, payload: twice })
        expect(seen(answer), field).toMatchObject({ status: 400, body: { code: 'field_invalid', field } })
      }
    }
  })

  test('H-07: a key twice in JSON is a 400, however it is written', async () => {
    const { ask } = await open(method, url)
    for (const [field, value] of Object.entries(good)) {
      const escaped = `"\\u${field.charCodeAt(0).toString(16).padStart(4, '0')}${field.slice(1)}"`
      for (const key of [`"${field}"`, escaped, `"${field}"\t\n `]) {
        for (const again of [JSON.stringify(value), '"another"', 'null', '{"a":[1]}']) {
          const payload = JSON.stringify(good).replace(/\}$/, `,${key}:${again}}`)
          const answer = await ask({ headers: json({}).headers, payload })
          const body = { message: `${field} must be given once`, code: 'field_invalid', field }
          expect(seen(answer), payload).toStrictEqual({ status: 400, body })
        }
      }
    }
  })

  test('H-07: what only looks like a key twice is none', async () => {
    const [field = '', value = ''] = Object.entries(good)[0] ?? []
    const looks = [
      { ...good, further: { [field]: value } },
      { ...good, further: [{ [field]: value }, { [field]: value }, field] },
      { ...good, further: `"${field}":"${value}","${field}":` },
      { ...good, further: `\\","${field}":"` },
      { ...good, further: field, [`${field} `]: field, [field.toUpperCase()]: field },
    ]
    const plain = seen(await (await open(method, url)).ask(json(good)))
    for (const body of looks) {
      expect(seen(await (await open(method, url)).ask(json(body))), JSON.stringify(body)).toStrictEqual(plain)
    }
  })

  test('H-07: a query is not read', async () => {
    const [field = ''] = Object.keys(good)
    const { [field]: value = '', ...rest } = good
    if (required === null) {
      const without = seen(await (await open(method, url)).ask(form(rest)))
      expect(seen(await (await open(method, url)).ask(form(rest), `${field}=${value}`))).toStrictEqual(without)
    } else {
      const inQuery = await (await open(method, url)).ask(form(rest), `${field}=${value}`)
      expect(seen(inQuery)).toMatchObject({ status: 400, body: { message: `${field} missing` } })
    }
    const overruled = await (await open(method, url)).ask(form(good), `${field}=nobody@example.org`)
    expect(seen(overruled)).toStrictEqual(seen(await (await open(method, url)).ask(form(good))))
  })

  test.each([
    ['text/plain', 'text/plain'],
    ['text/plain that speaks of JSON', 'text/plain; application/json'],
    ['multipart/form-data', 'multipart/form-data; boundary=x'],
    ['XML', 'application/xml'],
    ['a name that begins like JSON', 'application/jsonx'],
    ['a patch', 'application/json-patch+json'],
    ['nonsense', 'nonsense'],
  ])('H-10: %s is a 415', async (_, type) => {
    const { ask } = await open(method, url)
    const answer = await ask({ headers: { 'content-type': type }, payload: JSON.stringify(good) })
    expect(seen(answer)).toStrictEqual({
      status: 415,
      body: { message: 'this content type is not read here', code: 'content_type_unsupported' },
    })
  })

  test('H-10: a body without a type is a 415', async () => {
    const { ask } = await open(method, url)
    const answer = await ask({ payload: JSON.stringify(good) })
    expect(seen(answer)).toMatchObject({ status: 415, body: { code: 'content_type_unsupported' } })
  })

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', (text: string) => text],
    ['gzip, identity', gzipSync],
    ['nonsense', (text: string) => text],
    ['', (text: string) => text],
  ])('H-10: a body encoded as "%s" is a 415', async (encoding, encode) => {
    const { ask } = await open(method, url)
    for (const { headers, payload } of [form(good), json(good)]) {
      const answer = await ask({ headers: { ...headers, 'content-encoding': encoding }, payload: encode(payload) })
      expect(seen(answer)).toStrictEqual({
        status: 415,
        body: { message: 'send the body uncompressed', code: 'content_type_unsupported' },
      })
    }
  })

  test('H-10: a body in a transfer encoding that is not read is a 415', async () => {
    const { headers, payload } = form(good)
    const { ask } = await open(method, url)
    for (const encoding of ['gzip, chunked', 'gzip', 'identity, chunked']) {
      const answer = await ask({ headers: { ...headers, 'transfer-encoding': encoding }, payload })
      expect(answer.statusCode, encoding).toBe(415)
    }
  })

  test('a body that says it is not encoded is read', async () => {
    const { headers, payload } = form(good)
    const plain = seen(await (await open(method, url)).ask({ headers, payload }))
    const answer = await (await open(method, url)).ask({
      headers: { ...headers, 'content-encoding': 'identity' },
      payload,
    })
    expect(seen(answer)).toStrictEqual(plain)
  })

  test.each([
    ['a percent sign at the end', '%'],
    ['a percent sign before no digits', '%zz'],
    ['half of a code', '%4'],
    ['a lone byte of Latin-1', '%E9'],
    ['half of a letter', '%C3'],
    ['a letter written too long', '%C0%AF'],
    ['half of a surrogate pair', '%ED%A0%80'],
    ['UTF-16', '%FE%FF%00a'],
  ])('a form with %s is a 400', async (_, bytes) => {
    const { ask } = await open(method, url)
    for (const field of Object.keys(good)) {
      const payload = `${form(good).payload}&further=${bytes}`.replace(`${field}=`, `${field}=${bytes}`)
      for (const one of [payload, `${form(good).payload}&${bytes}=further`]) {
        const answer = await ask({ headers: form({}).headers, payload: one })
        expect(seen(answer), one).toStrictEqual({
          status: 400,
          body: { message: 'the form is not percent-encoded UTF-8', code: 'body_invalid' },
        })
      }
    }
  })

  test('a body of more than 16 KiB is a 413, as a form and as JSON', async () => {
    const { ask } = await open(method, url)
    for (const encode of [form, json]) {
      const answer = await ask(encode({ ...good, email: 'x'.repeat(20_000) }))
      expect(seen(answer)).toStrictEqual({
        status: 413,
        body: { message: 'the body is larger than 16 KiB', code: 'body_too_large' },
      })
    }
  })

  test('text that looks like SQL is text', async () => {
    const { app, db, ask } = await open(method, url)
    await signedIn(app)
    const before = await db.findUserBy({ email: BOB })
    const hostile = [
      `' OR '1'='1`,
      `bob@example.org' --`,
      `'; DROP TABLE users; --`,
      `" OR ""="`,
      `\\'; --`,
      `%' OR 1=1`,
    ]
    for (const field of Object.keys(good)) {
      for (const value of hostile) {
        // A password or a name may be any text: what is not refused must do what it says and no more.
        const answer = await ask(form({ ...good, email: 'eve@example.org', [field]: value }))
        expect(answer.statusCode, `${field}: ${value}`).toBeLessThan(500)
      }
    }
    expect(await db.findUserBy({ email: BOB })).toEqual(before)
  })
})

test('a form body that is no UTF-8 is a 400: two passwords must not become one', async () => {
  const { app } = await house()
  const payload = (letter: string) => Buffer.from(`email=bob@example.org&password=${letter}`, 'latin1')
  const { headers } = form({})
  const registered = await app.inject({ method: 'POST', url: '/users', headers, payload: payload('é') })
  expect(seen(registered)).toMatchObject({ status: 400, body: { code: 'body_invalid' } })
  const login = await app.inject({ method: 'POST', url: '/sessions', headers, payload: payload('è') })
  expect(seen(login)).toMatchObject({ status: 400, body: { code: 'body_invalid' } })
})

test('H-05: fields that nobody asked for are not stored', async () => {
  const { app, db, clock } = await house()
  const further = {
    id: 77,
    is_admin: true,
    hashed_password: 'x',
    hashedPassword: 'x',
    email_verified: true,
    createdAt: 1,
  }
  const registered = await app.inject({
    method: 'POST',
    url: '/users',
    ...json({ email: BOB, password: PASSWORD, ...further }),
  })
  expect(seen(registered)).toStrictEqual({ status: 200, body: { email: BOB, message: 'user created' } })
  expect(await db.findUserBy({ email: BOB })).toStrictEqual({
    id: 1,
    email: BOB,
    emailKey: BOB,
    name: null,
    hashedPassword: expect.stringMatching(/^\$2b\$/),
    createdAt: clock.now(),
    emailConfirmedAt: null,
    updatedAt: clock.now(),
  })
})

test('a name has limits', async () => {
  const { app } = await house()
  for (const name of ['x'.repeat(201), 'a\nb', 'a\0b', '\u0007']) {
    const answer = await new Client(app).send('POST', '/users', { email: BOB, password: PASSWORD, name })
    expect(seen(answer)).toMatchObject({ status: 400, body: { code: 'field_invalid', field: 'name' } })
  }
})

test('half of a surrogate pair is no password', async () => {
  const { app } = await house()
  const payload = '{"email":"bob@example.org","password":"\\ud800"}'
  const answer = await app.inject({ method: 'POST', url: '/users', headers: json({}).headers, payload })
  expect(seen(answer)).toMatchObject({ status: 400, body: { code: 'password_invalid', field: 'password' } })
})

test.each(['APPLICATION/JSON', 'application/json;charset=UTF-8', 'application/json; charset=iso-8859-1'])(
  'a body of the type %s is UTF-8',
  async (type) => {
    const { app } = await house()
    await new Client(app).register(BOB, 'пароль')
    const payload = JSON.stringify({ email: BOB, password: 'пароль' })
    const answer = await app.inject({ method: 'POST', url: '/sessions', headers: { 'content-type': type }, payload })
    expect(answer.statusCode).toBe(200)
  },
)
