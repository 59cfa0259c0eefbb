/** A Chromium for a test file, windows of it for the people in a test, and what they do on a page. */

import { type Browser, type BrowserContextOptions, chromium, type Page, type Request } from 'playwright-core'
import { afterAll, onTestFinished, vi } from 'vitest'
import { type Env, type Server, startServer } from '../started.ts'
import { findChromium, HOW_TO_INSTALL } from './chromium.ts'

export const BOB = 'bob@example.org'
export const PASSWORD = 'k3ks0 and milk'
export const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** What works must work in both. */
export const SCRIPTS: [string, boolean][] = [
  ['with scripts', true],
  ['without scripts', false],
]

/** Nothing that the browser itself would like to tell its maker leaves the machine, and no page reaches anything else. */
const OPTIONS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
]

// Page after page takes its time where two cores are busy with other tests.
vi.setConfig({ testTimeout: 120_000 })

let browser: Promise<Browser> | undefined

afterAll(async () => {
  await (await browser)?.close()
})

/** @throws Error that names the package where there is no Chromium */
function launch(ignoreDefaultArgs: string[] = []): Promise<Browser> {
  const executablePath = findChromium(process.env)
  if (executablePath === undefined) throw new Error(`There is no Chromium: ${HOW_TO_INSTALL}.`)
  return chromium.launch({ executablePath, args: OPTIONS, ignoreDefaultArgs })
}

/** The address under which people reach a started server; 127.0.0.1 is then another site. */
export function siteOf({ port }: Server): string {
  return `http://localhost:${port}`
}

/** Starts a server for this test. @returns its address, for people */
export async function startSite(env: Env = {}, folder?: string): Promise<string> {
  return siteOf(await startServer(env, folder))
}

/** Opens a window of a new person: cookies, history and cache are theirs alone. It closes with the test. */
export async function openWindow(site: string, options: BrowserContextOptions = {}): Promise<Page> {
  browser ??= launch()
  const context = await (await browser).newContext({ baseURL: site, locale: 'en', ...options })
  onTestFinished(() => context.close())
  context.setDefaultTimeout(20_000)
  return context.newPage()
}

/** The same in a browser that keeps pages as they were left, as people have it; Playwright would switch that off. */
export async function openKeepingWindow(site: string): Promise<Page> {
  const keeping = await launch(['--disable-back-forward-cache'])
  onTestFinished(() => keeping.close())
  const page = await keeping.newPage({ baseURL: site, locale: 'en' })
  page.setDefaultTimeout(20_000)
  return page
}

type Fields = Readonly<Record<string, string>>

/** Unfolds what a form is folded into, if it is, and fills it in. */
export async function fillIn(page: Page, form: string, fields: Fields): Promise<void> {
  const folded = page.locator('details:not([open])', { has: page.locator(`#${form}`) })
  if ((await folded.count()) > 0) await folded.locator('summary').click()
  for (const [name, value] of Object.entries(fields)) {
    await page.locator(`#${form} [name="${name}"]`).fill(value)
  }
}

/** Fills in a form and presses its button. @returns the status of the page that it leads to */
export async function send(page: Page, form: string, fields: Fields = {}): Promise<number> {
  await fillIn(page, form, fields)
  return landing(page, () => page.locator(`#${form} button[type=submit]`).click())
}

/** Does what leads to another page, and waits until it is there. @returns its status */
export async function landing(page: Page, act: () => Promise<unknown>): Promise<number> {
  const loaded = page.waitForEvent('load')
  const answered = page.waitForResponse((response) => isLanding(response.request()) && response.status() !== 303)
  await Promise.all([act(), loaded])
  return (await answered).status()
}

function isLanding(request: Request): boolean {
  return request.isNavigationRequest() && request.frame().parentFrame() === null
}

export async function register(page: Page, email = BOB, password = PASSWORD, name = ''): Promise<void> {
  await page.goto('/register')
  await send(page, 'register', { name, email, password })
}

export async function logIn(page: Page, email = BOB, password = PASSWORD): Promise<void> {
  await page.goto('/login')
  await send(page, 'login', { email, password })
}

/** @returns the window of somebody who has registered and logged in, at the dashboard */
export async function signedIn(site: string, options: BrowserContextOptions = {}, name = ''): Promise<Page> {
  const page = await openWindow(site, options)
  await register(page, BOB, PASSWORD, name)
  await logIn(page)
  return page
}

/** @returns what a page shows of who is signed in, with their name */
export async function who(page: Page): Promise<string[]> {
  await page.goto('/dashboard')
  return (await page.locator('dd').allTextContents()).slice(0, 2)
}

/** What just happened, in the words of the page. */
export function noticeOf(page: Page): Promise<string | null> {
  return page.locator('.notice').textContent()
}

export function alertOf(page: Page): Promise<string | null> {
  return page.locator('.alert').textContent()
}

/** @returns the path of a page with its query */
export function pathOf(page: Page): string {
  return page.url().slice(new URL(page.url()).origin.length)
}

/** Counts what a person sends that changes something. */
export function countPosts(page: Page): { count: number } {
  const posts = { count: 0 }
  page.context().on('request', (request) => {
    if (request.method() === 'POST') posts.count += 1
  })
  return posts
}

/** Lets the server, not the browser, check what is typed. */
export async function leaveChecksToServer(page: Page): Promise<void> {
  await page.evaluate('for (const form of document.forms) form.noValidate = true')
}
