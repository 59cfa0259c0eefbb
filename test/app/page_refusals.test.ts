/** How every refusal looks to a person. */

import { describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../src/db.ts'
import { type ErrorCode, errorTable } from '../../src/errors.ts'
import { PRODUCTION } from '../house.ts'
import { alertOf, BOB, formOf, house, PASSWORD, Person, signedIn } from '../pages/person.ts'

const WEB = { origin: 'https://auth.example.org' }

describe('a form that is refused', () => {
  test('keeps what was typed, says what is wrong at the top and at the field, and has the focus there', async () => {
    const { app } = await house()
    const refused = await new Person(app).register('bob', PASSWORD, 'Bob')
    expect(refused.statusCode).toBe(400)
    expect(refused.body).toContain('<title>Not done yet: Register · Bienvenue</title>')
    expect(alertOf(refused)).toBe('This is not an email address. One looks like bob@example.org.')
    const { inputs, content } = formOf(refused, 'register')
    expect(inputs.get('name')).toMatchObject({ value: 'Bob' })
    expect(inputs.get('email')).toMatchObject({
      value: 'bob',
      autofocus: '',
      'aria-invalid': 'true',
      'aria-describedby': 'register-email-error',
    })
    expect(content).toContain('id="register-email-error">This is not an email address.')
    expect(inputs.get('password')).not.toHaveProperty('autofocus')
  })

  test('has the focus on the message where no field is to blame', async () => {
    const { app } = await house()
    const refused = await new Person(app).logIn(BOB, 'wrong')
    expect(refused.statusCode).toBe(401)
    expect(refused.body).toContain(
      '<div class="alert" role="alert" tabindex="-1" autofocus>The address or the password is wrong.',
    )
    expect(formOf(refused, 'login').values.email).toBe(BOB)
  })

  test.each([
    [
      'POST',
      '/users',
      { email: BOB, password: PASSWORD },
      400,
      'register',
      'email',
      'This address is registered already.',
    ],
    ['POST', '/users', { email: 'a@example.org' }, 400, 'register', 'password', 'Please fill in this field.'],
    [
      'POST',
      '/users',
      { email: 'a@example.org', password: '' },
      400,
      'register',
      'password',
      'Please fill in this field.',
    ],
    [
      'POST',
      '/users',
      { email: 'a@b', password: 'x', name: 'x'.repeat(201) },
      400,
      'register',
      'name',
      'This cannot be used',
    ],
    [
      'POST',
      '/reset_password',
      { email: 'nobody@example.org' },
      403,
      'forgot',
      'email',
      'No account has this address.',
    ],
    [
      ...(['PUT', '/reset_password', { email: BOB, reset_token: 'x', new_password: 'y' }, 403, 'reset'] as const),
      ...(['reset_token', 'This token does not work for this address'] as const),
    ],
    [
      ...(['PATCH', '/users/me', { email: 'a@example.org' }, 400, 'change-email'] as const),
      ...(['current_password', 'Please fill in this field.'] as const),
    ],
    [
      ...(['PATCH', '/users/me', { password: 'x', current_password: 'y' }, 403, 'change-password'] as const),
      ...(['current_password', 'This is not your current password.'] as const),
    ],
    ['PATCH', '/users/me', { name: 'x'.repeat(201) }, 400, 'change-name', 'name', 'This cannot be used'],
    ['DELETE', '/users/me', {}, 400, 'delete', 'current_password', 'Please fill in this field.'],
  ] as const)('%s %s %j: %d, form %s, field %s', async (method, url, fields, status, form, field, text) => {
    const { app } = await house()
    const bob = await signedIn(app)
    const refused = await bob.send(method, url, { ...fields })
    expect(refused.statusCode).toBe(status)
    expect(alertOf(refused)).toContain(text)
    expect(formOf(refused, form).inputs.get(field)).toMatchObject({ 'aria-invalid': 'true', autofocus: '' })
    expect([...refused.body.matchAll(/autofocus/g)]).toHaveLength(1)
  })

  test('says how a password must be', async () => {
    const { app } = await house(PRODUCTION)
    const person = new Person(app, WEB)
    const tries = {
      short: 'at least 8 characters',
      password1: 'most common',
      'bob@example.org': 'made of your address',
    }
    for (const [password, text] of Object.entries(tries)) {
      const refused = await person.send('POST', '/users', { email: BOB, password })
      expect([refused.statusCode, alertOf(refused)], password).toEqual([400, expect.stringContaining(text)])
    }
  })

  test('says how long to wait, in both languages', async () => {
    const { app } = await house({ LOGIN_FAILURES_PER_ACCOUNT: '1' })
    const [english, french] = [new Person(app), new Person(app, { 'accept-language': 'fr' })]
    await english.logIn(BOB, 'wrong')
    const refused = await english.logIn(BOB, 'wrong')
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '30'])
    expect(alertOf(refused)).toBe('There were too many tries. Wait 30 seconds before the next one.')
    expect(alertOf(await french.logIn(BOB, 'wrong'))).toMatch(/Attendez 30\ssecondes/)
    expect(formOf(refused, 'login').values.email).toBe(BOB)
  })

  test('says that there are too many logins', async () => {
    const { app } = await house({ HASH_CONCURRENCY: '1', HASH_QUEUE: '0' }, { bcryptCost: 10 })
    const person = new Person(app)
    const login = () => person.send('POST', '/sessions', { email: BOB, password: 'x' })
    const both = await Promise.all([login(), login()])
    const refused = both.filter(({ statusCode }) => statusCode === 503)
    expect(refused.map(({ headers }) => headers['retry-after'])).toEqual(['2'])
    expect(refused.map(alertOf).join()).toContain('Very many people are logging in')
  })

  test('comes back in the words of people for JSON too', async () => {
    const { app } = await house()
    const headers = { 'content-type': 'application/json' }
    const answer = await app.inject({
      ...{ method: 'POST', url: '/users', headers: { ...headers, accept: 'text/html' } },
      payload: JSON.stringify({ email: { a: 1 }, password: ['x'] }),
    })
    expect([answer.statusCode, alertOf(answer)]).toEqual([400, expect.stringContaining('This cannot be used')])
  })
})

describe('the page of a refusal', () => {
  test.each([
    ['/nowhere', 404, 'There is nothing here', 'Check the address, or go to the start.'],
    ['/%zz', 400, 'This could not be done', 'Go to the start and try again from there.'],
  ])('%s', async (url, status, title, next) => {
    const { app } = await house()
    const answer = await new Person(app).open(url)
    expect(answer.statusCode).toBe(status)
    expect(answer.body).toContain(`<h1>${title}</h1>`)
    expect(answer.body).toContain(next)
    expect(answer.body).toContain('<a class="button" href="/">Go to the start</a>')
  })

  test('403: of another site, 405: not served, 413: too large, 415: of another kind', async () => {
    const { app } = await house()
    const person = new Person(app)
    const foreign = await person.send('POST', '/users', { email: BOB, password: 'x' }, { origin: 'https://evil.test' })
    const method = await person.send('PUT', '/users')
    const large = await person.send('POST', '/users', { email: BOB, password: 'x'.repeat(20_000) })
    const kind = await person.send('POST', '/users', { email: BOB }, { 'content-type': 'text/plain' })
    const host = await person.send('GET', '/', undefined, { host: 'evil.test' })
    expect([foreign, method, large, kind, host].map(({ statusCode }) => statusCode)).toEqual([403, 405, 413, 415, 421])
    for (const answer of [foreign, method, large, kind, host]) {
      expect(answer.body).toMatch(/<h1>[^<]+<\/h1>/)
      expect(answer.body).not.toContain('<input')
    }
    expect(method.headers.allow).toBe('OPTIONS, POST')
  })

  test('500 and 503: the fault is ours, and nothing is said of it but that', async () => {
    const { app, db, log } = await house()
    const bob = await signedIn(app)
    const page = await bob.open('/dashboard')
    await db.close()
    for (const answer of [await bob.open('/dashboard'), await bob.submit(page, 'change-name', { name: 'Bob' })]) {
      expect(answer.statusCode).toBeGreaterThanOrEqual(500)
      expect(answer.body).toMatch(/<h1>(?:Something went wrong here|Not at this moment)<\/h1>/)
      expect(answer.body).not.toMatch(/sqlite|database|Error|at /i)
    }
    expect(log.some((line) => line.includes('request failed'))).toBe(true)
  })

  test.each([
    ['gone', new Error('gone'), 500, 'Something went wrong here', undefined],
    ['away', new StoreUnavailable('away'), 503, 'Not at this moment', '5'],
  ])(
    'O-18: a form that cannot be shown again gives way to the page of the fault: the database is %s',
    async (...row) => {
      const [, fault, status, title, retryAfter] = row
      const { app, auth, log } = await house()
      const bob = await signedIn(app)
      auth.listSessions = () => Promise.reject(fault)
      const answer = await bob.send('PATCH', '/users/me', { name: 'x'.repeat(201) })
      expect([answer.statusCode, answer.headers['retry-after']]).toEqual([status, retryAfter])
      expect(answer.body).toContain(`<h1>${title}</h1>`)
      expect(log.some((line) => line.includes('no form for a refusal'))).toBe(true)
    },
  )
})

test('a person gets the status that a program gets', async () => {
  const seen = new Set<ErrorCode>()
  const { app } = await house()
  const requests = [
    ['POST', '/users', { email: 'bob', password: 'x' }],
    ['POST', '/users', { email: BOB }],
    ['POST', '/sessions', { email: BOB, password: 'wrong' }],
    ['PUT', '/reset_password', { email: BOB, reset_token: 'x', new_password: 'y' }],
    ['POST', '/reset_password', { email: BOB }],
    ['GET', '/nowhere', undefined],
  ] as const
  for (const [method, url, fields] of requests) {
    const person = await new Person(app).send(method, url, fields && { ...fields })
    const program = await new Person(app, { accept: '*/*' }).send(method, url, fields && { ...fields })
    expect(person.statusCode).toBe(program.statusCode)
    seen.add(program.json().code)
  }
  for (const code of seen) expect(errorTable).toHaveProperty(code)
  expect(seen.size).toBe(requests.length)
})
