/** What people do beside pressing a button once: Back, reload, pressing twice, two tabs, a session that ends elsewhere. */

import Database from 'better-sqlite3'
import type { Page } from 'playwright-core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../started.ts'
import {
  alertOf,
  BOB,
  countPosts,
  fillIn,
  landing,
  logIn,
  noticeOf,
  openKeepingWindow,
  openWindow,
  PASSWORD,
  pathOf,
  register,
  SCRIPTS,
  send,
  signedIn,
  startSite,
  who,
} from './browser.ts'

const NEW_PASSWORD = 'sch0k0lade too'

/** @returns how many rows there are, read beside the server */
function rowsIn(folder: string, table: 'users' | 'sessions'): unknown {
  const database = new Database(`${folder}/data/bienvenue.db`, { readonly: true })
  onTestFinished(() => void database.close())
  return database.prepare(`SELECT count(*) FROM ${table}`).pluck().get()
}

/** Reload, Back and forward again, as people do to see whether it worked. */
async function lookAround(page: Page): Promise<void> {
  const posts = countPosts(page)
  const here = pathOf(page)
  await page.reload()
  expect(pathOf(page)).toBe(here)
  await page.goBack()
  await page.reload()
  await page.goForward()
  expect(posts.count, `sent again at ${here}`).toBe(0)
}

describe('reload, Back and forward repeat nothing', () => {
  // Without scripts: nothing but the redirect stands between a person and a form that is sent again.
  const javaScriptEnabled = false

  test('W-14: after a registration, a login and a logout', async () => {
    const folder = temporaryFolder()
    const page = await openWindow(await startSite({}, folder), { javaScriptEnabled })
    await register(page)
    await lookAround(page)
    await logIn(page)
    await lookAround(page)
    expect([rowsIn(folder, 'users'), rowsIn(folder, 'sessions')]).toEqual([1, 1])
    await send(page, 'log-out')
    await lookAround(page)
    expect(rowsIn(folder, 'sessions')).toBe(0)
  })

  test('W-14: after each change, and after the deletion of the account', async () => {
    const folder = temporaryFolder()
    const page = await signedIn(await startSite({}, folder), { javaScriptEnabled })
    for (const [form, fields] of [
      ['change-name', { name: 'Bob' }],
      ['change-email', { email: 'rob@example.org', current_password: PASSWORD }],
      ['change-password', { current_password: PASSWORD, password: NEW_PASSWORD }],
    ] as const) {
      expect(await send(page, form, fields)).toBe(200)
      await lookAround(page)
    }
    expect(await who(page)).toEqual(['bob@example.org', 'Bob'])
    expect(await send(page, 'delete', { current_password: NEW_PASSWORD })).toBe(200)
    await lookAround(page)
    expect([rowsIn(folder, 'users'), rowsIn(folder, 'sessions')]).toEqual([0, 0])
  })

  test('W-14: after a new password and the end of other sessions', async () => {
    const folder = temporaryFolder()
    const site = await startSite({}, folder)
    const page = await openWindow(site, { javaScriptEnabled })
    await register(page)
    await page.goto('/forgot')
    await send(page, 'forgot', { email: BOB })
    await send(page, 'reset', { new_password: NEW_PASSWORD })
    const posts = countPosts(page)
    await page.reload()
    expect([pathOf(page), posts.count]).toEqual(['/login?notice=password_updated', 0])
    await logIn(await openWindow(site), BOB, NEW_PASSWORD)
    await logIn(page, BOB, NEW_PASSWORD)
    expect(await send(page, 'end-others')).toBe(200)
    await lookAround(page)
    expect(rowsIn(folder, 'sessions')).toBe(1)
  })
})

describe.each(SCRIPTS)('%s', (_, javaScriptEnabled) => {
  test('W-15: Back after the logout shows nobody who was signed in', async () => {
    const page = await signedIn(await startSite(), { javaScriptEnabled })
    await send(page, 'log-out')
    await page.goBack()
    expect(await page.content()).not.toContain(BOB)
    expect(pathOf(page)).toContain('/login?next=%2Fdashboard')
  })

  test('who presses the button twice has one account, is signed in, and is told the truth', async () => {
    const folder = temporaryFolder()
    const page = await openWindow(await startSite({}, folder), { javaScriptEnabled })
    await page.goto('/register')
    await fillIn(page, 'register', { email: BOB, password: PASSWORD })
    await landing(page, () => page.locator('#register button[type=submit]').dblclick())
    // Without scripts the second press finds the address taken, by whoever pressed first.
    const said = page.locator('.notice, .alert')
    expect(await said.textContent()).toMatch(/^(?:Your account is ready|This address is registered already)/)
    await page.goto('/login')
    await fillIn(page, 'login', { email: BOB, password: PASSWORD })
    await landing(page, () => page.locator('#login button[type=submit]').dblclick())
    expect(await who(page)).toEqual([BOB, 'none'])
    await fillIn(page, 'change-name', { name: 'Bob' })
    await landing(page, () => page.locator('#change-name button[type=submit]').dblclick())
    expect(await who(page)).toEqual([BOB, 'Bob'])
    expect(rowsIn(folder, 'users')).toBe(1)
  })
})

test('W-15: a browser that keeps pages as they were left shows no account by Back, and no password', async () => {
  const page = await openKeepingWindow(await startSite())
  await page.goto('/register')
  await fillIn(page, 'register', { email: BOB, password: PASSWORD })
  await landing(page, () => page.locator('#register button[type=submit]').click())
  await page.goBack()
  await expect.poll(() => page.locator('#register [name=password]').inputValue()).toBe('')
  await logIn(page)
  expect(await page.content()).toContain(BOB)
  await fillIn(page, 'delete', { current_password: PASSWORD })
  // What stands there until the answer comes, which may be long.
  await page.evaluate(
    "addEventListener('pageshow', () => sessionStorage.setItem('shown', getComputedStyle(document.body).display))",
  )
  await send(page, 'log-out')
  await page.goBack()
  await expect.poll(() => pathOf(page)).toContain('/login?next=%2Fdashboard')
  expect(await page.content()).not.toContain(BOB)
  expect(await page.evaluate("sessionStorage.getItem('shown')")).toBe('none')
})

test('W-15: a form that was refused is not sent again, by reload or Back, by whoever comes after the logout either', async () => {
  const folder = temporaryFolder()
  const page = await openWindow(await startSite({ LOGIN_FAILURES_PER_ACCOUNT: '1' }, folder))
  await register(page)
  await page.goto('/login')
  expect(await send(page, 'login', { email: BOB, password: 'wrong' })).toBe(401)
  // Right, and refused all the same: it would be taken later.
  expect(await send(page, 'login', { email: BOB, password: PASSWORD })).toBe(429)
  const posts = countPosts(page)
  await page.reload()
  expect([pathOf(page), posts.count]).toEqual(['/login?next=%2Fsessions&notice=login_required', 0])
  await page.goto('/forgot')
  await send(page, 'forgot', { email: BOB })
  await send(page, 'reset', { new_password: PASSWORD })
  await logIn(page)
  expect(await send(page, 'change-password', { current_password: 'wrong', password: NEW_PASSWORD })).toBe(403)
  expect(await send(page, 'log-out')).toBe(200)
  posts.count = 0
  while (await page.goBack()) await page.reload()
  expect(posts.count).toBe(0)
  expect(rowsIn(folder, 'sessions')).toBe(0)
})

test('a reload after a refused form still knows where it was to lead', async () => {
  const page = await openWindow(await startSite())
  await register(page)
  await page.goto('/login?next=%2Freset')
  expect(await send(page, 'login', { email: BOB, password: 'wrong' })).toBe(401)
  await page.reload()
  expect(pathOf(page)).toBe('/login?next=%2Freset&notice=login_required')
  await send(page, 'login', { email: BOB, password: PASSWORD })
  expect(pathOf(page)).toBe('/reset')
})

test.each([
  ['/reset', 'reset_token'],
  ['/confirm', 'verification_token'],
  ['/undo', 'undo_token'],
])(
  'W-15, R-18: a token that %s was opened with, and that was not used, does not come back by Back',
  async (path, field) => {
    const page = await openWindow(await startSite())
    const token = page.locator(`[name=${field}]`)
    await page.goto(`${path}#t=the-token`)
    expect(await token.inputValue()).toBe('the-token')
    await page.goto('/login')
    await page.goBack()
    expect([pathOf(page), await token.inputValue()]).toEqual([path, ''])
    await token.fill('typed by hand')
    await page.goto('/login')
    await page.goBack()
    expect([pathOf(page), await token.inputValue()]).toEqual([path, ''])
  },
)

test('a form that was sent and stopped can be sent again after a while', async () => {
  const page = await openWindow(await startSite())
  await page.clock.install()
  await page.goto('/login')
  await fillIn(page, 'login', { email: BOB, password: PASSWORD })
  // As a press of Esc, before anything is answered.
  await page.evaluate(
    "document.forms.login.addEventListener('submit', (event) => event.preventDefault(), { once: true })",
  )
  const button = page.locator('#login button[type=submit]')
  await button.click()
  expect(await button.isDisabled()).toBe(true)
  await page.clock.fastForward(9_000)
  expect(await button.isDisabled()).toBe(true)
  await page.clock.fastForward(1_000)
  expect(await landing(page, () => button.click())).toBe(401)
})

describe('two tabs', () => {
  test('a change in the first shows in the second', async () => {
    const first = await signedIn(await startSite())
    const second = await first.context().newPage()
    await second.goto('/dashboard')
    await send(first, 'change-name', { name: 'Bob' })
    expect(await who(second)).toEqual(['bob@example.org', 'Bob'])
    await send(second, 'change-name', { name: 'Robert' })
    expect(await who(first)).toEqual(['bob@example.org', 'Robert'])
  })

  test('a login in both ends signed in, with one session', async () => {
    const folder = temporaryFolder()
    const first = await openWindow(await startSite({}, folder))
    await register(first)
    const second = await first.context().newPage()
    await Promise.all([first.goto('/login'), second.goto('/login')])
    await send(first, 'login', { email: BOB, password: PASSWORD })
    await send(second, 'login', { email: BOB, password: PASSWORD })
    expect(await who(first)).toEqual([BOB, 'none'])
    expect(await who(second)).toEqual([BOB, 'none'])
    expect(rowsIn(folder, 'sessions')).toBe(1)
  })

  test('a form that was open when the other tab logged out leads to the login and back', async () => {
    const first = await signedIn(await startSite())
    const second = await first.context().newPage()
    await second.goto('/dashboard')
    await send(second, 'log-out')
    await send(first, 'change-name', { name: 'Bob' })
    expect([pathOf(first), await noticeOf(first)]).toEqual([
      '/login?next=%2Fdashboard&notice=login_required',
      'Log in to see this page.',
    ])
    await send(first, 'login', { email: BOB, password: PASSWORD })
    expect(pathOf(first)).toBe('/dashboard')
    expect(await who(first)).toEqual([BOB, 'none'])
  })

  test('a token that the other tab has used is refused, with the way to another one', async () => {
    const first = await openWindow(await startSite())
    await register(first)
    const second = await first.context().newPage()
    await first.goto('/forgot')
    await send(first, 'forgot', { email: BOB })
    // What the first tab holds in hidden fields, as if the tab had been duplicated.
    const token = await first.locator('#reset [name=reset_token]').inputValue()
    await second.goto('/reset')
    await send(second, 'reset', { email: BOB, reset_token: token, new_password: NEW_PASSWORD })
    expect(await send(first, 'reset', { new_password: 'something else' })).toBe(403)
    expect(await alertOf(first)).toContain('This token does not work')
    await logIn(second, BOB, NEW_PASSWORD)
    expect(pathOf(second)).toBe('/dashboard')
  })
})

test('a session that was ended from elsewhere leads to the login with the reason, and back to the very page', async () => {
  const site = await startSite()
  const page = await signedIn(site)
  const elsewhere = await openWindow(site)
  await logIn(elsewhere)
  await send(elsewhere, 'end-others')
  await page.goto('/dashboard?notice=name_changed')
  expect(await noticeOf(page)).toBe('Your session has ended. Log in again to go on where you were.')
  await send(page, 'login', { email: BOB, password: PASSWORD })
  expect(pathOf(page)).toBe('/dashboard?notice=name_changed')
})
