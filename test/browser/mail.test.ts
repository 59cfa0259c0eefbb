/** Mail as people meet it: from the page of all mails in development, and from a mail that really arrived. */

import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { linksIn, mailTo, startSmtp } from '../mail/smtp.ts'
import {
  BOB,
  fillIn,
  landing,
  logIn,
  noticeOf,
  openWindow,
  PASSWORD,
  pathOf,
  register,
  send,
  startSite,
} from './browser.ts'
import { inspect } from './inspection.ts'

const NEW_PASSWORD = 'sch0k0lade too'
const MADE_UP = `0d9f4c5e-6b1a-4e7d-9c3b-2a1f0e8d7c6b.${'B'.repeat(43)}`

/** @returns the newest mail with these words in its subject, on the page of all mails */
async function mailOn(page: Page, subject: string) {
  await page.goto('/outbox')
  return page.locator('article', { hasText: subject }).first()
}

/** Opens the page of all mails and follows the first link of the newest mail with these words in its subject. */
async function follow(page: Page, subject: string): Promise<void> {
  const mail = await mailOn(page, subject)
  await landing(page, () => mail.locator('pre a').first().click())
}

/** Opens a path as a machine does that looks at a mail before its reader: without what is behind the #. */
async function scan(site: string, link: string): Promise<void> {
  const { pathname } = new URL(link, site)
  for (const method of ['GET', 'HEAD', 'GET', 'HEAD', 'GET']) {
    expect((await fetch(`${site}${pathname}`, { method })).status).toBe(200)
  }
}

test('a person registers, finds the mail, follows its link, and presses once', async () => {
  const page = await openWindow(await startSite())
  await register(page)
  await follow(page, 'Confirm your address')
  expect([pathOf(page), new URL(page.url()).hash]).toEqual(['/confirm', ''])
  const field = page.locator('[name=verification_token]')
  expect([await field.isVisible(), (await field.inputValue()).length]).toEqual([false, 80])
  expect(await page.locator('#confirm button[type=submit]').isVisible()).toBe(true)
  expect(await send(page, 'confirm')).toBe(200)
  expect(pathOf(page)).toBe('/login?notice=email_confirmed')
  expect(await noticeOf(page)).not.toBe('')
  // The token is nowhere behind: not in the history either.
  await page.goBack()
  expect(page.url()).not.toContain('#')
  await logIn(page)
  expect(pathOf(page)).toBe('/dashboard')
})

test('a person who forgot the password follows the link of the mail and logs in with a new one', async () => {
  const page = await openWindow(await startSite())
  await register(page)
  await page.goto('/forgot')
  await send(page, 'forgot', { email: BOB })
  const phone = await openWindow(new URL(page.url()).origin)
  await follow(phone, 'Choose a new password')
  expect([pathOf(phone), new URL(phone.url()).hash]).toEqual(['/reset', ''])
  expect(await phone.locator('[name=reset_token]').isVisible()).toBe(false)
  expect(await phone.locator('[name=email]').inputValue()).toBe(BOB)
  await send(phone, 'reset', { new_password: NEW_PASSWORD })
  expect(await noticeOf(phone)).toContain('Your password is new')
  await send(phone, 'login', { email: BOB, password: NEW_PASSWORD })
  expect(pathOf(phone)).toBe('/dashboard')
  // And is told of it.
  expect(await (await mailOn(phone, 'was changed')).textContent()).toContain('If this was not you')
})

test('a person changes the address, confirms it, and takes it back from the mail to the former one', async () => {
  const page = await openWindow(await startSite())
  await register(page)
  await logIn(page)
  await send(page, 'change-email', { email: 'rob@example.org', current_password: PASSWORD })
  await follow(page, 'Confirm your new address')
  await send(page, 'confirm')
  expect(await page.locator('dd').first().textContent()).toBe('rob@example.org')
  const mails = page.locator('article', { hasText: 'was changed' })
  await page.goto('/outbox')
  expect(await mails.count()).toBe(2)
  await landing(page, () => mails.locator('a[href*="/undo"]').click())
  expect([pathOf(page), await page.locator('[name=undo_token]').isVisible()]).toEqual(['/undo', false])
  await send(page, 'undo')
  expect(pathOf(page)).toBe('/forgot?notice=email_restored')
  await send(page, 'forgot', { email: BOB })
  await follow(page, 'Choose a new password')
  await send(page, 'reset', { new_password: NEW_PASSWORD })
  await logIn(page, BOB, NEW_PASSWORD)
  expect(await page.locator('dd').first().textContent()).toBe(BOB)
})

test('R-19: links that a machine opens five times before their reader still work', async () => {
  const site = await startSite()
  const page = await openWindow(site)
  await register(page)
  const confirmation = await (await mailOn(page, 'Confirm your address')).locator('pre a').first().getAttribute('href')
  await scan(site, confirmation ?? '')
  // Some of them run scripts as well, and press nothing.
  const machine = await openWindow(site)
  for (let times = 0; times < 5; times += 1) await machine.goto(confirmation ?? '')
  await page.goto(confirmation ?? '')
  expect(await send(page, 'confirm')).toBe(200)
  expect(pathOf(page)).toBe('/login?notice=email_confirmed')

  await page.goto('/forgot')
  await send(page, 'forgot', { email: BOB })
  const reset = await (await mailOn(page, 'Choose a new password')).locator('pre a').first().getAttribute('href')
  await scan(site, reset ?? '')
  for (let times = 0; times < 5; times += 1) await machine.goto(reset ?? '')
  await page.goto(reset ?? '')
  await send(page, 'reset', { new_password: NEW_PASSWORD })
  expect(await noticeOf(page)).toContain('Your password is new')
})

test('without scripts what the link brings can be typed: the token of a confirmation, and the code of a reset', async () => {
  const page = await openWindow(await startSite(), { javaScriptEnabled: false })
  await register(page)
  const words = (await (await mailOn(page, 'Confirm your address')).locator('pre').textContent()) ?? ''
  const [, token = ''] = /#t=(\S+)/.exec(words) ?? []
  await page.goto(`/confirm#t=${token}`)
  expect(await page.locator('[name=verification_token]').isVisible()).toBe(true)
  expect(await send(page, 'confirm', { verification_token: MADE_UP })).toBe(403)
  expect(await send(page, 'confirm', { verification_token: token })).toBe(200)
  expect(pathOf(page)).toBe('/login?notice=email_confirmed')

  await page.goto('/forgot')
  await send(page, 'forgot', { email: BOB })
  const reset = (await (await mailOn(page, 'Choose a new password')).locator('pre').textContent()) ?? ''
  const [code = ''] = /^\d{4} \d{4}$/m.exec(reset) ?? []
  await page.goto('/reset')
  await send(page, 'reset', { email: BOB, reset_token: code, new_password: NEW_PASSWORD })
  expect(await noticeOf(page)).toContain('Your password is new')
  await logIn(page, BOB, NEW_PASSWORD)
  expect(pathOf(page)).toBe('/dashboard')
})

test('the code of a reset is good in no other browser than the one that asked', async () => {
  const site = await startSite()
  const page = await openWindow(site)
  await register(page)
  await page.goto('/forgot')
  await send(page, 'forgot', { email: BOB })
  const reset = (await (await mailOn(page, 'Choose a new password')).locator('pre').textContent()) ?? ''
  const [code = ''] = /^\d{4} \d{4}$/m.exec(reset) ?? []
  const stranger = await openWindow(site)
  await stranger.goto('/reset')
  expect(await send(stranger, 'reset', { email: BOB, reset_token: code, new_password: NEW_PASSWORD })).toBe(403)
})

test('a newer link that is opened in the tab of the former one takes its place', async () => {
  const page = await openWindow(await startSite())
  await register(page)
  await follow(page, 'Confirm your address')
  await page.goto('/confirm')
  await send(page, 'confirm-again', { email: BOB })
  const newer = (await (await mailOn(page, 'Confirm your address')).locator('pre a').first().getAttribute('href')) ?? ''
  await page.goto(`/confirm#t=${MADE_UP}`)
  await page.goto(newer)
  await page.waitForURL((url) => url.hash === '')
  expect(await send(page, 'confirm')).toBe(200)
  expect(pathOf(page)).toBe('/login?notice=email_confirmed')
})

test('from a mail that really arrived the browser is led to the page, and confirms', async () => {
  const smtp = await startSmtp()
  const site = await startSite({ SMTP_URL: smtp.url, MAIL_FROM: 'no-reply@example.org' })
  const page = await openWindow(site)
  await register(page)
  const [link = ''] = await linksIn(await mailTo(smtp, BOB, 'Confirm your address'))
  expect(link.startsWith(`${site}/confirm#t=`)).toBe(true)
  await page.goto(link)
  expect(pathOf(page)).toBe('/confirm')
  expect(await send(page, 'confirm')).toBe(200)
  expect(pathOf(page)).toBe('/login?notice=email_confirmed')
  await page.goto('/forgot')
  await send(page, 'forgot', { email: BOB })
  const [reset = ''] = await linksIn(await mailTo(smtp, BOB, 'Choose a new password'))
  await page.goto(reset)
  await send(page, 'reset', { new_password: NEW_PASSWORD })
  expect(await noticeOf(page)).toContain('Your password is new')
  // Where mails leave, nobody on this machine reads them.
  expect((await page.goto('/outbox'))?.status()).toBe(404)
})

describe.each(['en', 'fr'])('in %s', (locale) => {
  test('the pages of mail have no fault that axe-core finds, and scroll sideways nowhere', async () => {
    const page = await openWindow(await startSite(), { locale })
    await register(page, `${'bartholomew.'.repeat(5)}x@${'department-of-long-names.'.repeat(4)}example.org`)
    const states: [string, () => Promise<unknown>][] = [
      ['outbox', () => page.goto('/outbox')],
      ['confirm', () => page.goto('/confirm')],
      ['confirm by link', () => opened(page, `/confirm#t=${MADE_UP}`)],
      ['confirm refused', () => send(page, 'confirm')],
      ['confirm again', () => fillIn(page, 'confirm-again', { email: 'nobody' })],
      ['undo', () => page.goto('/undo')],
      ['undo by link', () => opened(page, `/undo#t=${MADE_UP}`)],
      ['undo refused', () => send(page, 'undo')],
    ]
    for (const [name, reach] of states) {
      await reach()
      await inspect(page, `${name}-${locale}`)
    }
  })
})

/** Opens a link anew: only another part of the page that is there would load nothing. */
async function opened(page: Page, link: string): Promise<void> {
  await page.goto('about:blank')
  await page.goto(link)
}
