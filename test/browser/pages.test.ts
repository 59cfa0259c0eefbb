/**
 * Every page in every state that it has, as people see it: both languages, light and dark, narrow and wide. No violation
 * of what axe-core checks, nothing to scroll sideways, nothing loaded from elsewhere. SCREENSHOTS names a folder for
 * pictures of all of them.
 */

import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../started.ts'
import { FIREFOX, leaveChecksToServer, logIn, openWindow, PASSWORD, register, send, startSite } from './browser.ts'
import { inspect } from './inspection.ts'

/** As long as an address and a name may well be, without a place to break. */
const LONG_EMAIL = `${'bartholomew.'.repeat(5)}x@${'department-of-long-names.'.repeat(4)}example.org`
const LONG_NAME = 'Wolfeschlegelsteinhausenbergerdorff'.repeat(3)

interface State {
  name: string
  status: number
  /** Whose window it is. */
  page: Page
  reach: () => Promise<unknown>
}

type Add = (name: string, status: number, reach: State['reach']) => void

/** The states in an order in which one can be reached after the other. */
function everyState(stranger: Page, owner: Page, folder: string): State[] {
  const states: State[] = []
  const seenBy =
    (page: Page): Add =>
    (name, status, reach) =>
      void states.push({ name, status, page, reach })
  addPublic(seenBy(stranger), stranger)
  addOwn(seenBy(owner), owner, folder)
  addFaults(seenBy(stranger), stranger, seenBy(owner), owner, folder)
  return states
}

function opened(page: Page, path: string): State['reach'] {
  return () => page.goto(path)
}

function sent(page: Page, path: string, form: string, fields: Record<string, string>): State['reach'] {
  return async () => {
    await page.goto(path)
    await leaveChecksToServer(page)
    await send(page, form, fields)
  }
}

function addPublic(add: Add, page: Page): void {
  const wrong = { email: 'eve@example.org', password: 'wrong' }
  add('home', 200, opened(page, '/'))
  add('login', 200, opened(page, '/login'))
  add('login-required', 200, opened(page, '/dashboard'))
  add('login-refused', 401, sent(page, '/login', 'login', wrong))
  add('login-throttled', 429, async () => {
    for (let wrongs = 0; wrongs < 5; wrongs += 1) await sent(page, '/login', 'login', wrong)()
  })
  add('register', 200, opened(page, '/register'))
  add('register-refused', 400, sent(page, '/register', 'register', { email: 'bob', password: PASSWORD }))
  add('register-taken', 400, sent(page, '/register', 'register', { email: LONG_EMAIL, password: PASSWORD }))
  add('forgot', 200, opened(page, '/forgot'))
  add('forgot-refused', 403, sent(page, '/forgot', 'forgot', { email: 'eve@example.org' }))
  add('reset', 200, opened(page, '/reset'))
  add('reset-token', 200, sent(page, '/forgot', 'forgot', { email: LONG_EMAIL }))
  const guessed = { email: LONG_EMAIL, reset_token: 'guessed', new_password: PASSWORD }
  add('reset-refused', 403, sent(page, '/reset', 'reset', guessed))
  add('refusal-404', 404, opened(page, '/nowhere'))
  add('refusal-400', 400, opened(page, '/%zz'))
  add('refusal-405', 405, async () => {
    await page.goto('/login')
    await page.evaluate(`document.forms[0].action = '/dashboard'`)
    return send(page, 'login', wrong)
  })
}

function addOwn(add: Add, page: Page, folder: string): void {
  const wrong = { current_password: 'wrong' }
  add('home-signed-in', 200, opened(page, '/'))
  add('dashboard', 200, opened(page, '/dashboard'))
  add('dashboard-unfolded', 200, async () => {
    for (const summary of await page.locator('summary').all()) await summary.click()
  })
  add('dashboard-name-changed', 200, sent(page, '/dashboard', 'change-name', { name: LONG_NAME }))
  add('dashboard-name-refused', 400, sent(page, '/dashboard', 'change-name', { name: 'x'.repeat(5000) }))
  add('dashboard-email-refused', 403, sent(page, '/dashboard', 'change-email', { email: 'rob@example.org', ...wrong }))
  add('dashboard-password-refused', 403, sent(page, '/dashboard', 'change-password', { ...wrong, password: 'new' }))
  add('dashboard-delete-refused', 403, sent(page, '/dashboard', 'delete', wrong))
  add('dashboard-not-fresh', 200, async () => {
    inDatabase(folder, (database) => database.exec('UPDATE sessions SET authenticated_at = authenticated_at - 3600000'))
    await page.goto('/dashboard')
    for (const summary of await page.locator('summary').all()) await summary.click()
  })
  add('dashboard-end-refused', 403, sent(page, '/dashboard', 'end-others', wrong))
}

function addFaults(addStranger: Add, stranger: Page, addOwner: Add, owner: Page, folder: string): void {
  // Another process holds the database: the server waits for it, then gives up.
  addStranger('refusal-503', 503, async () => {
    const database = new Database(join(folder, 'data/bienvenue.db'))
    database.exec('BEGIN IMMEDIATE')
    await stranger.goto('/register')
    await send(stranger, 'register', { email: 'new@example.org', password: PASSWORD })
    database.close()
  })
  addOwner('refusal-500', 500, async () => {
    inDatabase(folder, (database) => database.exec('DROP TABLE audit_log'))
    await owner.goto('/dashboard')
  })
}

function inDatabase(folder: string, act: (database: Database.Database) => void): void {
  const database = new Database(join(folder, 'data/bienvenue.db'))
  act(database)
  database.close()
}

test.each(['en', 'fr'])(
  'W-17: no page in %s has a fault that axe-core finds, scrolls sideways or asks elsewhere',
  async (locale) => {
    const folder = temporaryFolder()
    const site = await startSite({ LOGIN_FAILURES_PER_ACCOUNT: '5', TERMS_URL: 'https://example.org/terms' }, folder)
    const [stranger, owner, phone] = [
      await openWindow(site, { locale }),
      await openWindow(site, { locale }),
      await openWindow(site, { userAgent: FIREFOX }),
    ]
    await register(owner, LONG_EMAIL, PASSWORD, 'Bob')
    await logIn(phone, LONG_EMAIL)
    await logIn(owner, LONG_EMAIL)
    const asked = new Set<string>()
    const complaints: string[] = []
    const statuses = new Map<Page, number>()
    for (const page of [stranger, owner]) {
      page.on('request', (request) => void asked.add(new URL(request.url()).origin))
      page.on('response', (response) => {
        if (response.request().isNavigationRequest()) statuses.set(page, response.status())
      })
      page.on('pageerror', (error) => void complaints.push(error.message))
      page.on('console', (message) => {
        // Every refusal is a line in the console of the browser, and so is a focus that our script had set before it.
        if (!/^(?:Failed to load resource|Autofocus processing)/.test(message.text())) complaints.push(message.text())
      })
    }
    for (const { name, status, page, reach } of everyState(stranger, owner, folder)) {
      await reach()
      expect(statuses.get(page), name).toBe(status)
      expect(await page.evaluate('document.documentElement.lang')).toBe(locale)
      await inspect(page, `${name}-${locale}`)
    }
    expect([...asked]).toEqual([site])
    expect(complaints).toEqual([])
  },
)
