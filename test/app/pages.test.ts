/** The pages as a person meets them: journeys through forms, both languages, headers, and what nobody may slip in. */

import { describe, expect, test } from 'vitest'
import { letterOf, PRODUCTION } from '../house.ts'
import {
  alertOf,
  BOB,
  everyPage,
  formOf,
  house,
  inputsOf,
  noticeOf,
  PASSWORD,
  Person,
  signedIn,
} from '../pages/person.ts'

const BREAKOUT = `"><script>alert('x')</script>{{7*7}}`
const ESCAPED = '&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;{{7*7}}'
const SAFARI = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1'

describe('a person', () => {
  test('registers, logs in, sees who they are, logs out', async () => {
    const { app } = await house()
    const bob = new Person(app)
    expect((await bob.open('/')).body).toContain('href="/login"')
    const registered = await bob.register(BOB, PASSWORD, 'Bob')
    expect([registered.statusCode, registered.headers.location]).toEqual([303, '/login?notice=registered_mail'])
    expect(noticeOf(await bob.follow(registered))).toBe(
      'Your account is ready. Log in to use it; a mail to your address asks you to confirm it.',
    )
    const loggedIn = await bob.logIn()
    expect([loggedIn.statusCode, loggedIn.headers.location]).toEqual([303, '/dashboard'])
    const dashboard = await bob.follow(loggedIn)
    expect(dashboard.body).toContain(BOB)
    expect(dashboard.body).toContain('<dd>Bob</dd>')
    expect((await bob.open('/')).body).toContain(`You are signed in as ${BOB}.`)
    const left = await bob.submit(dashboard, 'log-out')
    expect([left.statusCode, left.headers.location]).toEqual([303, '/login?notice=logged_out'])
    expect((await bob.open('/dashboard')).headers.location).toBe('/login?next=%2Fdashboard&notice=login_required')
  })

  test('who is signed in does not need the login', async () => {
    const { app } = await house()
    const bob = await signedIn(app)
    expect((await bob.open('/login')).headers.location).toBe('/dashboard')
    expect((await bob.open('/register?next=/x')).headers.location).toBe('/x')
  })

  test('comes back to where the session ended', async () => {
    const { app } = await house()
    const bob = await signedIn(app)
    const other = await signedIn(app)
    await other.send('POST', '/sessions?others=true&_method=DELETE', {})
    const ended = await bob.open('/dashboard?x=1')
    expect([ended.statusCode, ended.headers.location]).toEqual([
      303,
      '/login?next=%2Fdashboard%3Fx%3D1&notice=session_ended',
    ])
    const login = await bob.follow(ended)
    expect(noticeOf(login)).toContain('Your session has ended.')
    expect((await bob.submit(login, 'login', { email: BOB, password: PASSWORD })).headers.location).toBe(
      '/dashboard?x=1',
    )
  })

  test('whose session ended while a form was open comes back to the page of the form', async () => {
    const { app } = await house()
    const bob = await signedIn(app)
    const page = await bob.open('/dashboard')
    bob.cookies.clear()
    const sent = await bob.submit(page, 'change-name', { name: 'Bob' })
    expect(sent.headers.location).toBe('/login?next=%2Fdashboard&notice=login_required')
  })

  test('keeps the way through a registration and a login that fails', async () => {
    const { app } = await house()
    const bob = new Person(app)
    const login = await bob.open('/login?next=/profile')
    const [, register = ''] = /href="(\/register[^"]*)"/.exec(login.body) ?? []
    const registered = await bob.submit(await bob.open(register), 'register', { email: BOB, password: PASSWORD })
    expect(registered.headers.location).toBe('/login?next=%2Fprofile&notice=registered_mail')
    const refused = await bob.submit(await bob.follow(registered), 'login', { email: BOB, password: 'wrong' })
    expect((await bob.submit(refused, 'login', { email: BOB, password: PASSWORD })).headers.location).toBe('/profile')
  })

  test('chooses a new password with a token that no address holds', async () => {
    const { app } = await house()
    const bob = await signedIn(app)
    const asked = await bob.submit(await bob.open('/forgot'), 'forgot', { email: BOB })
    expect([asked.statusCode, asked.headers.location]).toEqual([200, undefined])
    expect(formOf(asked, 'reset').inputs.get('reset_token')).toMatchObject({ type: 'hidden' })
    const weak = await bob.submit(asked, 'reset', { new_password: 'x'.repeat(5000) })
    expect([weak.statusCode, alertOf(weak)]).toEqual([400, 'This password is too long.'])
    const done = await bob.submit(weak, 'reset', { new_password: 'sch0k0lade' })
    expect([done.statusCode, done.headers.location]).toEqual([303, '/login?notice=password_updated'])
    expect((await bob.open('/dashboard')).statusCode).toBe(303)
    expect((await bob.logIn(BOB, 'sch0k0lade')).headers.location).toBe('/dashboard')
    const again = await bob.submit(asked, 'reset', { new_password: 'once more' })
    expect([again.statusCode, formOf(again, 'reset').inputs.get('reset_token')?.type]).toEqual([403, 'text'])
    expect(formOf(again, 'reset').values.reset_token).toBe('')
  })

  test('in production hears the same of every address', async () => {
    const { app } = await house(PRODUCTION)
    const bob = new Person(app, { origin: 'https://auth.example.org' })
    await bob.register(BOB, 'a long way to go')
    const [known, unknown] = [
      await bob.send('POST', '/reset_password', { email: BOB }),
      await bob.send('POST', '/reset_password', { email: 'nobody@example.org' }),
    ]
    expect([known.statusCode, known.body, known.headers.location]).toEqual([303, '', '/reset?notice=reset_requested'])
    expect([unknown.statusCode, unknown.body, unknown.headers.location]).toEqual([
      303,
      '',
      '/reset?notice=reset_requested',
    ])
    expect(noticeOf(await bob.follow(known))).toContain('If this address has an account')
  })

  test('through a proxy gets no token', async () => {
    const { app } = await house()
    const bob = await signedIn(app)
    const asked = await bob.send('POST', '/reset_password', { email: BOB }, { 'x-forwarded-for': '203.0.113.9' })
    expect([asked.statusCode, asked.body, asked.headers.location]).toEqual([303, '', '/reset?notice=reset_elsewhere'])
  })

  test('changes name, address and password', async () => {
    const opened = await house()
    const { app } = opened
    const bob = await signedIn(app)
    const change = async (id: string, fields: Record<string, string>) => {
      const changed = await bob.submit(await bob.open('/dashboard'), id, fields)
      expect([changed.statusCode, changed.headers.location]).toEqual([303, `/dashboard?notice=${id.slice(7)}_changed`])
      return bob.follow(changed)
    }
    expect((await change('change-name', { name: 'Robert' })).body).toContain('<dd>Robert</dd>')
    await change('change-password', { password: 'n3w', current_password: PASSWORD })
    const asking = { email: 'rob@example.org', current_password: 'n3w' }
    const asked = await bob.submit(await bob.open('/dashboard'), 'change-email', asking)
    expect([asked.statusCode, asked.headers.location]).toEqual([303, '/dashboard?notice=email_change_requested'])
    expect((await bob.follow(asked)).body).toContain(`<strong>${BOB}</strong>`)
    const { values } = await letterOf(opened, 'email_change')
    const token = { verification_token: values.token ?? '' }
    const confirmed = await bob.submit(await bob.open('/confirm'), 'confirm', token)
    expect([confirmed.statusCode, confirmed.headers.location]).toEqual([303, '/dashboard?notice=email_confirmed'])
    expect((await bob.follow(confirmed)).body).toContain('<strong>rob@example.org</strong>')
    expect((await new Person(app).logIn('rob@example.org', 'n3w')).statusCode).toBe(303)
  })

  test('takes a change of address back from the former one, and then needs a new password', async () => {
    const opened = await house()
    const bob = await signedIn(opened.app)
    await bob.send('PATCH', '/users/me', { email: 'eve@example.org', current_password: PASSWORD })
    const { values: change } = await letterOf(opened, 'email_change')
    await bob.send('PUT', '/email_verification', { verification_token: change.token ?? '' })
    const { to, values } = await letterOf(opened, 'email_changed')
    expect(to).toBe(BOB)
    const page = await new Person(opened.app).open('/undo')
    const undone = await bob.submit(page, 'undo', { undo_token: values.token ?? '' })
    expect([undone.statusCode, undone.headers.location]).toEqual([303, '/forgot?notice=email_restored'])
    expect((await bob.open('/dashboard')).statusCode).toBe(303)
    expect((await new Person(opened.app).logIn('eve@example.org', PASSWORD)).statusCode).toBe(401)
    expect((await new Person(opened.app).logIn(BOB, PASSWORD)).statusCode).toBe(401)
    const again = await bob.submit(page, 'undo', { undo_token: values.token ?? '' })
    expect([again.statusCode, alertOf(again)]).toEqual([
      403,
      'This link does not work any more: it was used, is too old, or there is a newer one. Ask for another mail.',
    ])
  })

  test('sees that the address is not confirmed, and asks for the mail again', async () => {
    const opened = await house()
    const bob = await signedIn(opened.app)
    const page = await bob.open('/dashboard')
    expect(page.body).toContain('This address is not confirmed yet')
    const { values: first } = await letterOf(opened, 'email_confirmation')
    opened.clock.advance(1_000)
    const asked = await bob.submit(page, 'confirm-again')
    expect(asked.headers.location).toBe('/dashboard?notice=confirmation_requested')
    const { values: second } = await letterOf(opened, 'email_confirmation')
    expect(second.token).not.toBe(first.token)
    const old = await bob.send('PUT', '/email_verification', { verification_token: first.token ?? '' })
    expect(old.statusCode).toBe(403)
    await bob.send('PUT', '/email_verification', { verification_token: second.token ?? '' })
    expect((await bob.open('/dashboard')).body).not.toContain('This address is not confirmed yet')
  })

  test('signs out one device, then all others; pressing twice does no harm', async () => {
    const { app } = await house()
    const bob = await signedIn(app)
    const phone = new Person(app, { 'user-agent': SAFARI })
    await phone.logIn()
    await new Person(app).logIn()
    const page = await bob.open('/dashboard')
    expect(page.body).toContain('Safari on iPhone')
    const [, id = ''] = /id="(end-[^"]+)">\s*<button[^>]*aria-label="Sign out Safari on iPhone"/.exec(page.body) ?? []
    for (const _ of ['once', 'twice']) {
      expect((await bob.submit(page, id)).headers.location).toBe('/dashboard?notice=device_signed_out')
    }
    expect((await phone.open('/dashboard')).statusCode).toBe(303)
    const ended = await bob.submit(await bob.open('/dashboard'), 'end-others')
    expect(ended.headers.location).toBe('/dashboard?notice=others_signed_out')
    expect((await bob.follow(ended)).body).toContain('You are signed in nowhere else.')
  })

  test('is asked for the password where it was not given lately', async () => {
    const { app, clock } = await house()
    const bob = await signedIn(app)
    await new Person(app).logIn()
    const fresh = await bob.open('/dashboard')
    expect(formOf(fresh, 'end-others').inputs.size).toBe(0)
    clock.advance(6 * 60_000)
    const late = await bob.submit(fresh, 'end-others')
    expect([late.statusCode, alertOf(late)]).toEqual([
      403,
      'It has been a while: give your current password once more.',
    ])
    expect(formOf(late, 'end-others').inputs.get('current_password')).toHaveProperty('autofocus')
    const asking = await bob.open('/dashboard')
    expect(formOf(asking, 'end-others').inputs.has('current_password')).toBe(true)
    const wrong = await bob.submit(asking, 'end-others', { current_password: 'wrong' })
    expect([wrong.statusCode, alertOf(wrong)]).toEqual([403, 'This is not your current password.'])
    const right = await bob.submit(wrong, 'end-others', { current_password: PASSWORD })
    expect(right.headers.location).toBe('/dashboard?notice=others_signed_out')
  })

  test('deletes the account, with the password only', async () => {
    const { app } = await house()
    const bob = await signedIn(app)
    const page = await bob.open('/dashboard')
    const wrong = await bob.submit(page, 'delete', { current_password: 'wrong' })
    expect([wrong.statusCode, alertOf(wrong)]).toEqual([403, 'This is not your current password.'])
    expect(wrong.body).toContain('<details open><summary>I want to delete my account')
    const gone = await bob.submit(wrong, 'delete', { current_password: PASSWORD })
    expect([gone.statusCode, gone.headers.location]).toEqual([303, '/?notice=account_deleted'])
    expect(noticeOf(await bob.follow(gone))).toBe('Your account is deleted. Goodbye.')
    expect((await bob.logIn()).statusCode).toBe(401)
  })

  test('sees what was done in the account, whatever strangers try meanwhile', async () => {
    const { app, upkeep } = await house()
    const bob = await signedIn(app)
    await bob.send('PATCH', '/users/me', { name: 'Bob' })
    const stranger = new Person(app)
    for (let n = 0; n < 15; n += 1) await stranger.register(BOB)
    for (let n = 0; n < 12; n += 1) await stranger.logIn(BOB, 'wrong')
    await stranger.send('POST', '/reset_password', { email: BOB })
    await upkeep()
    const [, activity = ''] = (await bob.open('/dashboard')).body.split('Recent activity')
    const shown = [...activity.matchAll(/<li><div><p>([^<]+)<\/p>/g)].map(([, text]) => text)
    expect(shown).toHaveLength(13)
    expect(shown[0]).toBe('Too many tries')
    expect(shown.slice(-3)).toEqual(['Name changed', 'Logged in', 'Account registered'])
  })

  test('sees what happened lately, the newest first, twenty lines of it', async () => {
    const { app } = await house()
    const bob = await signedIn(app)
    await new Person(app).logIn(BOB, 'wrong')
    const page = await bob.open('/dashboard')
    const [, activity = ''] = page.body.split('Recent activity')
    const shown = [...activity.matchAll(/<li><div><p>([^<]+)<\/p>/g)].map(([, text]) => text)
    expect(shown).toEqual(['Login refused: wrong password', 'Logged in', 'Account registered'])
    for (let n = 0; n < 25; n += 1) await bob.send('PATCH', '/users/me', { name: `Bob ${n}` })
    const [, later = ''] = (await bob.open('/dashboard')).body.split('Recent activity')
    expect([...later.matchAll(/Name changed/g)]).toHaveLength(20)
    expect(later).not.toContain('Account registered')
  })

  test('does not see what happened to others', async () => {
    const { app } = await house()
    const bob = await signedIn(app)
    await new Person(app).register('alice@example.org')
    await new Person(app, { 'user-agent': SAFARI }).logIn('alice@example.org')
    expect((await bob.open('/dashboard')).body).not.toMatch(/alice|Safari/)
  })

  test('finds the form for a new password where managers look for it', async () => {
    const { app } = await house()
    const answer = await new Person(app).open('/.well-known/change-password')
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/dashboard'])
  })

  test('who goes Back to the target of a form starts again', async () => {
    const { app } = await house()
    const bob = await signedIn(app)
    for (const [url, page] of [
      ['/users', '/register'],
      ['/reset_password', '/forgot'],
      ['/sessions/x', '/dashboard'],
    ] as const) {
      expect((await bob.open(url)).headers.location, url).toBe(page)
    }
  })
})

describe.each([
  ['en', 'Log in', 'Your account'],
  ['fr', 'Se connecter', 'Votre compte'],
])('in %s', (language, logIn, account) => {
  const headers = { 'accept-language': language }

  test('every page is there, in this language, whole', async () => {
    const pages = await everyPage(await house(), headers)
    for (const [name, { headers: got, body }] of pages) {
      expect(got['content-type'], name).toBe('text/html; charset=utf-8')
      expect(body, name).toMatch(new RegExp(`^<!doctype html>\n<html lang="${language}">`))
      expect(body, name).toMatch(/<title>[^<]{5,} · Bienvenue<\/title>/)
      expect(body.trimEnd(), name).toMatch(/<\/html>$/)
      expect(body, name).not.toMatch(/undefined|\[object|\{\w+\}/)
      expect([...body.matchAll(/<h1>/g)], name).toHaveLength(1)
      const ids = [...body.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)
      expect(ids, name).toEqual([...new Set(ids)])
    }
    const texts = new Map(pages.map(([name, { body }]) => [name, body]))
    expect(texts.get('login')).toContain(logIn)
    expect(texts.get('dashboard')).toContain(account)
  })

  test('every refusal is said in words of this language', async () => {
    for (const [name, { body }] of await everyPage(await house(), headers)) {
      expect(body, name).not.toMatch(/session_required|field_|credentials_invalid|error\.|notice\.|refusal\./)
    }
  })
})

test.each([
  ['home', 200],
  ['login', 200],
  ['login refused', 401],
  ['register refused', 400],
  ['forgot refused', 403],
  ['reset refused', 403],
  ['dashboard refused', 400],
  ['403', 403],
  ['404', 404],
  ['405', 405],
  ['400', 400],
])('the page "%s" has the status %d', async (name, status) => {
  const pages = new Map(await everyPage(await house()))
  expect(pages.get(name)?.statusCode).toBe(status)
})

describe('headers', () => {
  const CSP =
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

  test('W-06: every page allows our own style, script and images alone', async () => {
    for (const [name, { headers, body }] of await everyPage(await house())) {
      expect(headers['content-security-policy'], name).toBe(CSP)
      expect(body, name).not.toMatch(/<script(?! src="\/assets\/)|<style|\sstyle=|\son\w+=|javascript:/i)
    }
  })

  test('a form may end at a host to which people are sent back', async () => {
    const { app } = await house({ RETURN_HOSTS: 'app.example.org' })
    const { headers } = await new Person(app).open('/login')
    expect(headers['content-security-policy']).toContain("form-action 'self' app.example.org;")
  })

  test('W-05: over https every page and every redirect has Strict-Transport-Security', async () => {
    const { app } = await house(PRODUCTION)
    for (const url of ['/', '/login', '/nowhere', '/dashboard', '/%zz', '/.well-known/change-password']) {
      const { headers } = await new Person(app).open(url)
      expect(headers['strict-transport-security'], url).toBe('max-age=31536000; includeSubDomains')
    }
  })

  test('W-07: nobody frames a page', async () => {
    for (const [name, { headers }] of await everyPage(await house())) {
      expect(headers['content-security-policy'], name).toContain("frame-ancestors 'none'")
      expect(headers['x-frame-options'], name).toBe('DENY')
    }
  })

  test('W-08: forms are sent with their origin, and other sites are told no address', async () => {
    for (const [name, { headers }] of await everyPage(await house())) {
      expect(headers['referrer-policy'], name).toBe(name.startsWith('reset') ? 'strict-origin' : 'same-origin')
    }
  })

  test('W-10: every page has its window to itself', async () => {
    for (const [name, { headers }] of await everyPage(await house())) {
      expect(headers['cross-origin-opener-policy'], name).toBe('same-origin')
    }
  })

  test('W-11: nothing is loaded from elsewhere, and nothing is JSONP', async () => {
    const opened = await house()
    for (const [name, { headers }] of await everyPage(opened)) {
      expect(headers['cross-origin-resource-policy'], name).toBe('same-origin')
    }
    const { app } = await house()
    expect((await app.inject({ url: '/?callback=x' })).body).toBe('{"message":"Bienvenue"}')
    const bob = await signedIn(app, {}, 'Robert')
    const [, script = ''] = /<script src="([^"]+)"/.exec((await bob.open('/dashboard')).body) ?? []
    expect((await bob.open(script)).body).not.toMatch(/Robert|bob@/)
  })

  test('no page is stored, and caches know what it depends on', async () => {
    for (const [name, { headers }] of await everyPage(await house())) {
      expect(headers['cache-control'], name).toBe('no-store')
      expect(headers.vary, name).toBe('Accept, Accept-Language, Cookie')
    }
  })

  test('R-18: the page of a new password tells nobody its address and loads nothing from elsewhere', async () => {
    const pages = new Map(await everyPage(await house()))
    for (const name of ['reset', 'reset with a token', 'reset refused']) {
      const page = pages.get(name)
      expect(page?.headers, name).toMatchObject({ 'referrer-policy': 'strict-origin', 'cache-control': 'no-store' })
      expect(page?.body, name).not.toMatch(/(?:src|href|action)="(?!\/(?!\/))/)
    }
  })
})

test('W-17: no page names another host', async () => {
  for (const [name, { body }] of await everyPage(await house())) {
    expect(body, name).not.toMatch(/(?:https?:)?\/\/[\w.]/)
  }
})

test('T-20: no page and no cookie holds a token that could be one of a program', async () => {
  const opened = await house()
  for (const [name, { body, headers }] of await everyPage(opened)) {
    expect(`${body}${headers['set-cookie']}`, name).not.toMatch(/eyJ[\w-]+\.|access_token|refresh_token|Bearer/)
  }
})

test('S-22: every page of those who are signed in has the way out, as a form', async () => {
  const { app } = await house()
  const bob = await signedIn(app)
  const pages = [
    ...(await Promise.all(['/', '/dashboard', '/forgot', '/reset'].map((url) => bob.open(url)))),
    await bob.send('PATCH', '/users/me', { email: 'bob', current_password: 'x' }),
  ]
  for (const { body } of pages) {
    expect(body).toContain(
      '<form method="post" action="/sessions?_method=DELETE" id="log-out"><button type="submit">Log out</button>',
    )
  }
  expect((await new Person(app).open('/')).body).not.toContain('Log out')
})

test('W-15: a logout tells the browser to forget the pages, but not the device', async () => {
  const { app } = await house(PRODUCTION)
  const bob = new Person(app, { origin: 'https://auth.example.org' })
  await bob.register(BOB, 'a long way to go')
  await bob.logIn(BOB, 'a long way to go')
  expect([...bob.cookies.keys()].sort()).toEqual(['__Host-device', '__Host-session_id'])
  const left = await bob.send('POST', '/sessions?_method=DELETE', {})
  expect(left.headers['clear-site-data']).toBe('"cache", "storage"')
  expect([...bob.cookies.keys()]).toEqual(['__Host-device'])
  expect((await bob.open('/dashboard')).statusCode).toBe(303)
})

test('K-08: every cookie that a journey through the pages sets is hardened as the session is', async () => {
  const { app } = await house(PRODUCTION)
  const bob = new Person(app, { origin: 'https://auth.example.org' })
  const answers = [
    await bob.register(BOB, 'a long way to go'),
    await bob.logIn(BOB, 'a long way to go'),
    await bob.open('/dashboard'),
    await bob.send('POST', '/users/me?_method=PATCH', {
      password: 'another way to go',
      current_password: 'a long way to go',
    }),
    await bob.send('POST', '/sessions?_method=DELETE', {}),
  ]
  const lines = answers.flatMap(({ headers }) => headers['set-cookie'] ?? [])
  expect(new Set(lines.map((line) => line.split('=', 1)[0]))).toEqual(new Set(['__Host-session_id', '__Host-device']))
  for (const line of lines) {
    expect(line).toMatch(/; Path=\//)
    expect(line).toMatch(/; HttpOnly/)
    expect(line).toMatch(/; Secure/)
    expect(line).toMatch(/; SameSite=(?:Lax|Strict)/)
    expect(line).not.toMatch(/Domain=/)
  }
})

test('P-20: password fields are for managers: their type, their purpose, stable names, and nothing in the way', async () => {
  const passwords = []
  for (const [name, page] of await everyPage(await house())) {
    expect(page.body, name).not.toMatch(/onpaste|autocomplete="off"/)
    for (const input of inputsOf(page)) {
      if (!input.name?.includes('password')) continue
      expect(input.type, name).toBe('password')
      expect(input, name).not.toHaveProperty('value')
      passwords.push(`${input.name} ${input.autocomplete}`)
    }
  }
  expect([...new Set(passwords)].sort()).toEqual([
    'current_password current-password',
    'new_password new-password',
    'password current-password',
    'password new-password',
  ])
})

test('the hint for a new password follows the setting', async () => {
  const { app } = await house(PRODUCTION)
  const page = await new Person(app).open('/register')
  expect(formOf(page, 'register').inputs.get('password')).toMatchObject({ minlength: '8' })
  expect(page.body).toContain('At least 8 characters.')
})

test('R-19: opening the page of a new password spends nothing', async () => {
  const { app } = await house()
  const bob = await signedIn(app)
  const asked = await bob.send('POST', '/reset_password', { email: BOB })
  for (const method of ['GET', 'HEAD', 'GET', 'HEAD', 'GET'] as const) {
    expect((await bob.send(method, '/reset')).statusCode).toBe(200)
  }
  const { values } = formOf(asked, 'reset')
  for (const method of ['GET', 'HEAD'] as const) {
    await bob.send(method, `/reset?${new URLSearchParams({ ...values, new_password: 'x' })}`)
  }
  expect((await bob.submit(asked, 'reset', { new_password: 'sch0k0lade' })).statusCode).toBe(303)
})

test('H-17: no page under the name of a file', async () => {
  const { app } = await house()
  const bob = await signedIn(app)
  for (const url of [
    '/dashboard/x.css',
    '/dashboard;a.css',
    '/dashboard.css',
    '/dashboard%2fx.css',
    '/login/x.js',
    '/dashboard/',
  ]) {
    const answer = await bob.open(url)
    expect(answer.statusCode, url).toBe(404)
    expect(answer.body, url).not.toContain(BOB)
  }
})

describe('the files of the pages', () => {
  test('are kept by browsers for good', async () => {
    const { app } = await house()
    const { body } = await new Person(app).open('/login')
    const addresses = [...new Set(body.match(/\/assets\/[^"]+/g))]
    expect(addresses.map((address) => address.replace(/\.[\w-]{12}\./, '.')).sort()).toEqual([
      '/assets/mark.svg',
      '/assets/script.js',
      '/assets/style.css',
    ])
    for (const url of addresses) {
      const { statusCode, headers } = await app.inject({ url })
      expect([statusCode, headers['cache-control']], url).toEqual([200, 'public, max-age=31536000, immutable'])
      expect(headers['content-type'], url).toMatch(/^(?:text\/(?:css|javascript)|image\/svg\+xml); charset=utf-8$/)
      expect(headers['x-content-type-options'], url).toBe('nosniff')
    }
  })

  test('O-09: and no other file is served', async () => {
    const { app } = await house()
    const names = [
      '',
      'style.css',
      'script.js',
      '..%2fpackage.json',
      '../package.json',
      '%2e%2e/package.json',
      '.env',
      'style.css.map',
      'constructor',
      '__proto__',
    ]
    for (const url of [
      ...names.map((name) => `/assets/${name}`),
      '/assets',
      '/static/',
      '/.env',
      '/package.json',
      '/.git/config',
    ]) {
      expect((await app.inject({ url })).statusCode, url).toBe(404)
    }
  })
})

describe('what others typed', () => {
  test('W-12: is text wherever a page shows it: name, user agent, address typed, next, notice', async () => {
    const { app } = await house()
    const bob = await signedIn(app, {}, BREAKOUT)
    const device = new Person(app, { 'user-agent': `Firefox/1 ${BREAKOUT}` })
    await device.logIn()
    const typed = `${BREAKOUT}@example.org`
    const pages = [
      await bob.open('/dashboard'),
      await bob.send('PATCH', '/users/me', { email: typed, current_password: 'x' }),
      await bob.send('PATCH', '/users/me', { name: BREAKOUT.repeat(20) }),
      await device.send('POST', '/users', { email: typed, password: 'x', name: BREAKOUT, next: `/${BREAKOUT}` }),
      await device.send('POST', '/sessions', { email: typed, password: 'x', next: `/${BREAKOUT}` }),
      await device.send('POST', '/reset_password', { email: typed }),
      await device.send('PUT', '/reset_password', { email: typed, reset_token: BREAKOUT, new_password: '' }),
      await new Person(app).open(
        `/login?next=${encodeURIComponent(`/${BREAKOUT}`)}&notice=${encodeURIComponent(BREAKOUT)}`,
      ),
      await new Person(app).open(`/nowhere/${encodeURIComponent(BREAKOUT)}`),
      await new Person(app, { 'accept-language': BREAKOUT }).open('/login'),
      await bob.send('DELETE', `/sessions/${encodeURIComponent(BREAKOUT)}`, { current_password: 'wrong' }),
    ]
    for (const [index, { body }] of pages.entries()) {
      expect(body, String(index)).toMatch(/^<!doctype html>/)
      expect(body, String(index)).not.toContain('<script>')
      expect(body, String(index)).not.toMatch(/\b49\b/)
    }
    expect(pages[0]?.body).toContain(`<dd>${ESCAPED}</dd>`)
    expect(pages[1]?.body).toContain(`value="${ESCAPED}@example.org"`)
  })

  test('a notice is one of ours, or none', async () => {
    const { app } = await house()
    for (const notice of ['nonsense', 'toString', '', BREAKOUT]) {
      const answer = await new Person(app).open(`/login?notice=${encodeURIComponent(notice)}`)
      expect([answer.statusCode, noticeOf(answer)], notice).toEqual([200, undefined])
    }
  })

  test('W-12: an address that the rules let through is text too', async () => {
    const { app } = await house()
    const email = `o'neil&<x>{{7*7}}@example.org`.replace(/[<>]/g, '')
    const person = new Person(app)
    await person.register(email)
    await person.logIn(email)
    expect((await person.open('/dashboard')).body).toContain('<strong>o&#39;neil&amp;x{{7*7}}@example.org</strong>')
  })

  test('W-12: a user agent in the audit log and in the list of devices is one of a few words', async () => {
    const { app } = await house()
    await signedIn(app)
    const evil = new Person(app, { 'user-agent': BREAKOUT })
    await evil.logIn()
    const { body } = await evil.open('/dashboard')
    expect(body).toContain('<p>Unknown device</p>')
    expect(body).not.toContain('alert(')
  })

  test('a password is never shown again, whatever was wrong', async () => {
    const { app } = await house()
    const bob = await signedIn(app)
    const secret = 'my dearest secret'
    for (const answer of [
      await bob.send('POST', '/users', { email: 'bob', password: secret }),
      await bob.send('POST', '/sessions', { email: BOB, password: secret }),
      await bob.send('PUT', '/reset_password', { email: BOB, reset_token: 'x', new_password: secret }),
      await bob.send('PATCH', '/users/me', { email: 'bob', password: secret, current_password: secret }),
      await bob.send('DELETE', '/users/me', { current_password: secret }),
    ]) {
      expect(answer.statusCode).toBeGreaterThanOrEqual(400)
      expect(answer.body).not.toContain(secret)
    }
  })
})

describe('next', () => {
  const EVIL = [
    'https://evil.test',
    '//evil.test',
    '/\\evil.test',
    'javascript:alert(1)',
    '/\r\nset-cookie: x=y',
    '/.//evil.test',
  ]

  test.each(EVIL)('W-13: %j leads to the page of our own', async (next) => {
    const { app } = await house({ RETURN_HOSTS: 'app.example.org' })
    const bob = new Person(app)
    await bob.register()
    const login = await bob.open(`/login?next=${encodeURIComponent(next)}`)
    expect(login.body).not.toContain('evil')
    const loggedIn = await bob.send('POST', '/sessions', { email: BOB, password: PASSWORD, next })
    expect([loggedIn.statusCode, loggedIn.headers.location]).toEqual([303, '/dashboard'])
    const again = await bob.open(`/login?next=${encodeURIComponent(next)}`)
    expect(again.headers.location).toBe('/dashboard')
    const registered = await bob.send('POST', '/users', { email: 'a@example.org', password: 'x', next })
    expect(registered.headers.location).toBe('/login?notice=registered_mail')
  })

  test('W-13: a raw CR and LF in the query splits no header', async () => {
    const { app } = await house()
    const bob = await signedIn(app)
    const answer = await bob.open('/login?next=/x%0d%0aset-cookie:%20x=y')
    expect([answer.headers.location, answer.headers['set-cookie']]).toEqual(['/dashboard', undefined])
  })

  test('W-13: of two none counts', async () => {
    const { app } = await house()
    const bob = await signedIn(app)
    expect((await bob.open('/login?next=/a&next=//evil.test')).headers.location).toBe('/dashboard')
  })

  test('a listed host is a good end', async () => {
    const { app } = await house({ RETURN_HOSTS: 'app.example.org' })
    const bob = new Person(app)
    await bob.register()
    const login = await bob.open('/login?next=https://app.example.org/x?y=1')
    const loggedIn = await bob.submit(login, 'login', { email: BOB, password: PASSWORD })
    expect(loggedIn.headers.location).toBe('https://app.example.org/x?y=1')
  })

  test('a good end is still known to who asks anew for the page of a refused form', async () => {
    const { app } = await house({ RETURN_HOSTS: 'app.example.org' })
    const [bob, query] = [new Person(app), new URLSearchParams({ next: 'https://app.example.org/x?y=1' })]
    const login = (await bob.open(`/sessions?${query}`)).headers.location ?? ''
    expect(login).toBe(`/login?${query}&notice=login_required`)
    expect((await bob.open(`/users?${query}`)).headers.location).toBe(`/register?${query}`)
    expect((await bob.open('/users?next=//evil.test')).headers.location).toBe('/register')
    expect((await bob.open('/sessions?next=//evil.test')).headers.location).not.toContain('next=%2F%2Fevil')
  })
})

test('an operator’s name, logo and terms are on every page', async () => {
  const { app } = await house({ SERVICE_NAME: 'Chez <moi>', TERMS_URL: 'https://example.org/terms?a=1&b=2' })
  const { body } = await new Person(app).open('/register')
  expect(body).toContain('<title>Register · Chez &lt;moi&gt;</title>')
  expect(body).toContain('<a href="https://example.org/terms?a=1&amp;b=2">Terms of use</a>')
  expect(body).toContain('By registering you agree to the terms of use.')
})
