/** What a browser and the server keep out together: posts from other sites, frames, and scripts that look for secrets. */

import { createServer } from 'node:http'
import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { BOB, landing, logIn, openWindow, PASSWORD, register, send, signedIn, startSite, who } from './browser.ts'

/** Serves one page on a port of its own, under both names of this machine. @returns the port */
async function foreignPage(content: string): Promise<number> {
  const server = createServer((_, response) => {
    response
      .setHeader('content-type', 'text/html; charset=utf-8')
      .end(`<!doctype html><title>Win a prize</title>${content}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the foreign page has no port')
  return address.port
}

function trap(id: string, action: string, fields: Record<string, string>, more = ''): string {
  const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`)
  return `<form id="${id}" method="post" action="${action}" ${more}>${inputs.join('')}<button type="submit">Win</button></form>`
}

const EVE = { email: 'eve@example.org', password: 'the password of eve' }

/** Every form that would change something, as another site would lay it out. */
function traps(site: string): Record<string, string> {
  const account = `${site}/users/me?_method=`
  return {
    name: trap('name', `${account}PATCH`, { name: 'Mallory' }),
    email: trap('email', `${account}PATCH`, { email: 'mallory@example.org', current_password: PASSWORD }),
    password: trap('password', `${account}PATCH`, { password: 'owned', current_password: PASSWORD }),
    deletion: trap('deletion', `${account}DELETE`, { current_password: PASSWORD }),
    logout: trap('logout', `${site}/sessions?_method=DELETE`, {}),
    others: trap('others', `${site}/sessions?others=true&_method=DELETE`, {}),
    login: trap('login', `${site}/sessions`, EVE),
    registration: trap('registration', `${site}/users`, { email: 'mallory@example.org', password: PASSWORD }),
    reset: trap('reset', `${site}/reset_password`, { email: BOB }),
    text: trap('text', `${account}PATCH`, { '{"name":"Mallory","x': '"}' }, 'enctype="text/plain"')
      .replaceAll('{"', '{&quot;')
      .replaceAll('","x', '&quot;,&quot;x'),
  }
}

/** @returns the headers with which the browser sends what `act` sends, as they leave it */
async function sentHeaders(page: Page, act: () => Promise<unknown>): Promise<Record<string, string>> {
  const request = page.waitForRequest((one) => one.method() === 'POST')
  await landing(page, act)
  return (await request).allHeaders()
}

test.each([
  ['another site', '127.0.0.1', 'cross-site', false],
  ['another port of the same site', 'localhost', 'same-site', true],
])('W-01, W-03: no form of %s changes anything, and the person is told', async (_, host, secFetchSite, hasCookie) => {
  const site = await startSite()
  await register(await openWindow(site), EVE.email, EVE.password)
  const page = await signedIn(site, {}, 'Bob')
  const other = await openWindow(site)
  await logIn(other)
  const forms = traps(site)
  const lure = `http://${host}:${await foreignPage(Object.values(forms).join(''))}/`
  for (const id of Object.keys(forms)) {
    await page.goto(lure)
    let status = 0
    const headers = await sentHeaders(page, async () => {
      page.once('response', (response) => {
        status = response.status()
      })
      await page.locator(`#${id} button`).click()
    })
    expect([status, headers['sec-fetch-site']], id).toEqual([403, secFetchSite])
    // On the same site the browser sends the cookie along: there the server alone stands in the way.
    expect(headers.cookie?.includes('session_id=') ?? false, id).toBe(hasCookie)
    expect(await page.locator('main').textContent(), id).toContain('This request came from a page of another site')
  }
  expect(await who(page)).toEqual([BOB, 'Bob'])
  expect(await who(other)).toEqual([BOB, 'Bob'])
  expect(await page.locator('section', { hasText: 'Recent activity' }).textContent()).not.toContain(
    'New password asked',
  )
  const mallory = await openWindow(site)
  await logIn(mallory, 'mallory@example.org')
  expect(await mallory.locator('.alert').count()).toBe(1)
})

test('W-01: no script of another origin changes or reads anything, whatever it sends', async () => {
  const site = await startSite()
  const page = await signedIn(site, {}, 'Bob')
  await page.goto(`http://localhost:${await foreignPage('')}/`)
  const attempt = (path: string, options: string) =>
    page.evaluate(`fetch('${site}${path}', { credentials: 'include', ${options} }).then(
      () => 'read', () => 'refused')`)
  expect(
    await attempt(
      '/users/me',
      `method: 'PATCH', headers: { 'content-type': 'application/json' }, body: '{"name":"M"}'`,
    ),
  ).toBe('refused')
  expect(await attempt('/users/me', `method: 'DELETE'`)).toBe('refused')
  expect(await attempt('/users/me', '')).toBe('refused')
  // These are sent without asking first; who may not read the answer still must not have changed anything.
  const simple = `method: 'POST', mode: 'no-cors', body: new URLSearchParams({ name: 'Mallory' })`
  expect(await attempt('/users/me?_method=PATCH', simple)).toBe('refused')
  expect(await attempt('/sessions?_method=DELETE', `method: 'POST', mode: 'no-cors'`)).toBe('refused')
  expect(await who(page)).toEqual([BOB, 'Bob'])
})

test('W-08: every form of ours is sent with the real origin', async () => {
  const site = await startSite()
  const page = await openWindow(site)
  const press = (form: string, fields: Record<string, string>) => sentHeaders(page, () => send(page, form, fields))
  const ours = { origin: site, 'sec-fetch-site': 'same-origin' }
  await page.goto('/register')
  expect(await press('register', { email: BOB, password: PASSWORD })).toMatchObject(ours)
  await page.goto('/forgot')
  expect(await press('forgot', { email: BOB })).toMatchObject(ours)
  expect(await press('reset', { new_password: 'sch0k0lade too' })).toMatchObject(ours)
  expect(await press('login', { email: BOB, password: 'sch0k0lade too' })).toMatchObject(ours)
  expect(await press('change-name', { name: 'Bob' })).toMatchObject(ours)
  expect(await press('log-out', {})).toMatchObject(ours)
})

test('W-07: framed by another page, every page stays blank', async () => {
  const site = await startSite()
  const page = await signedIn(site)
  for (const path of ['/', '/forgot', '/dashboard', '/nowhere']) {
    await page.goto(path)
    expect(await page.locator('main').count(), path).toBe(1)
    const refused = page.waitForEvent('console', (said) => /frame/i.test(said.text()))
    // The same site, so that the cookie would come along.
    await page.goto(`http://localhost:${await foreignPage(`<iframe src="${site}${path}"></iframe>`)}/`)
    expect((await refused).text(), path).toContain("frame-ancestors 'none'")
    expect(page.frames().at(1)?.url(), path).toBe('chrome-error://chromewebdata/')
    expect(await page.frameLocator('iframe').locator('main, form').count(), path).toBe(0)
  }
})

test('W-16: after a login no script finds a credential: no cookie in sight, nothing stored', async () => {
  const page = await signedIn(await startSite())
  const [session] = await page.context().cookies()
  expect(session).toMatchObject({ name: 'session_id', httpOnly: true, sameSite: 'Lax', path: '/' })
  const found = `Promise.all([indexedDB.databases(), caches.keys()]).then(([databases, kept]) =>
    [document.cookie, localStorage.length, sessionStorage.length, databases.length, kept.length])`
  expect(await page.evaluate(found)).toEqual(['', 0, 0, 0, 0])
  expect(await page.content()).not.toContain(session?.value)
  await send(page, 'change-password', { current_password: PASSWORD, password: 'sch0k0lade too' })
  expect(await page.evaluate(found)).toEqual(['', 0, 0, 0, 0])
})
