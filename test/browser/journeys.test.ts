/** Whole journeys of people, from page to page, as they would do it; each with scripts and without. */

import { describe, expect, test } from 'vitest'
import {
  BOB,
  FIREFOX,
  logIn,
  noticeOf,
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

describe.each(SCRIPTS)('%s', (_, javaScriptEnabled) => {
  test('a person registers, logs in, changes name, address and password, and logs out', async () => {
    const page = await openWindow(await startSite(), { javaScriptEnabled })
    await page.goto('/')
    await page.getByRole('link', { name: 'Register' }).click()
    expect(await send(page, 'register', { name: 'Bob', email: BOB, password: PASSWORD })).toBe(200)
    expect(await noticeOf(page)).toContain('Your account is ready. Log in to use it')
    expect(await send(page, 'login', { email: BOB, password: PASSWORD })).toBe(200)
    expect(pathOf(page)).toBe('/dashboard')
    expect(await page.locator('dd').allTextContents()).toEqual([BOB, 'Bob', expect.stringMatching(/20\d\d/)])

    await send(page, 'change-name', { name: 'Robert <b>' })
    expect(await noticeOf(page)).toBe('Your name is changed.')
    await send(page, 'change-email', { email: 'rob@example.org', current_password: PASSWORD })
    expect(await noticeOf(page)).toContain('Almost done: open the link')
    await send(page, 'change-password', { current_password: PASSWORD, password: 'sch0k0lade too' })
    expect(await noticeOf(page)).toContain('Your password is changed')
    expect(await who(page)).toEqual([BOB, 'Robert <b>'])

    await send(page, 'log-out')
    expect(await noticeOf(page)).toBe('You are logged out.')
    await logIn(page, BOB, PASSWORD)
    expect(await page.locator('.alert').count()).toBe(1)
    await logIn(page, BOB, 'sch0k0lade too')
    expect(pathOf(page)).toBe('/dashboard')
  })

  test('a person chooses a new password for a forgotten one', async () => {
    const site = await startSite()
    const elsewhere = await signedIn(site)
    const page = await openWindow(site, { javaScriptEnabled })
    await page.goto('/login')
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await send(page, 'forgot', { email: BOB })
    await send(page, 'reset', { new_password: 'sch0k0lade too' })
    expect(await noticeOf(page)).toContain('Your password is new')
    await send(page, 'login', { email: BOB, password: 'sch0k0lade too' })
    expect(pathOf(page)).toBe('/dashboard')
    await elsewhere.reload()
    expect(await noticeOf(elsewhere)).toContain('Your session has ended.')
  })

  test('a person signs out one device, then everywhere else, and sees it all among what happened', async () => {
    const site = await startSite()
    const page = await signedIn(site, { javaScriptEnabled })
    const [phone, laptop] = [await openWindow(site, { userAgent: FIREFOX }), await openWindow(site)]
    await logIn(phone)
    await logIn(laptop)

    await page.reload()
    await page.getByRole('button', { name: 'Sign out Firefox on Windows' }).click()
    await page.waitForURL('**/dashboard?notice=device_signed_out')
    expect(await noticeOf(page)).toBe('That device is signed out.')
    await phone.reload()
    expect(pathOf(phone)).toBe('/login?next=%2Fdashboard&notice=session_ended')
    expect(await who(laptop)).toEqual([BOB, 'none'])

    await send(page, 'end-others')
    expect(await noticeOf(page)).toBe('You are signed out everywhere else.')
    await laptop.reload()
    expect(pathOf(laptop)).toBe('/login?next=%2Fdashboard&notice=session_ended')
    expect(await who(page)).toEqual([BOB, 'none'])
    const happened = await page.locator('section', { hasText: 'Recent activity' }).locator('li p:first-child')
    expect(await happened.allTextContents()).toEqual([
      'All other devices were signed out',
      'A device was signed out',
      'Logged in',
      'Logged in',
      'Logged in',
      'Account registered',
    ])
  })

  test('a person deletes the account, after being asked for the password', async () => {
    const page = await signedIn(await startSite(), { javaScriptEnabled })
    expect(await page.locator('#delete').isVisible()).toBe(false)
    expect(await send(page, 'delete', { current_password: 'wrong' })).toBe(403)
    expect(await who(page)).toEqual([BOB, 'none'])
    expect(await send(page, 'delete', { current_password: PASSWORD })).toBe(200)
    expect([pathOf(page), await noticeOf(page)]).toEqual([
      '/?notice=account_deleted',
      'Your account is deleted. Goodbye.',
    ])
    await logIn(page)
    expect(await page.locator('.alert').textContent()).toContain('The address or the password is wrong.')
    await register(page)
    expect(pathOf(page)).toBe('/login?notice=registered_mail')
  })
})
