/** A person without a mouse: every step by key, in an order that makes sense, with the focus in sight. */

import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { BOB, landing, noticeOf, openWindow, PASSWORD, pathOf, register, signedIn, startSite } from './browser.ts'

/** What a person hears of the element that has the focus. */
const FOCUSED = `(() => {
  const { activeElement: here } = document
  return here.labels?.[0]?.textContent ?? here.getAttribute('aria-label') ?? here.textContent.trim()
})()`

/** Whether there is a line around it of three pixels, in a colour unlike the ground. */
const IN_SIGHT = `(() => {
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(document.activeElement)
  const ground = getComputedStyle(document.querySelector('main')).backgroundColor
  return outlineStyle === 'solid' && outlineWidth === '3px' && outlineColor !== ground
})()`

async function tab(page: Page): Promise<string> {
  await page.keyboard.press('Tab')
  return String(await page.evaluate(FOCUSED))
}

/** Presses Tab until the focus is at what is called so. */
async function tabTo(page: Page, name: string): Promise<void> {
  const passed: string[] = []
  while (passed.at(-1) !== name) {
    if (passed.length > 40) throw new Error(`no way to ${name} by ${passed.join(', ')}`)
    passed.push(await tab(page))
  }
}

describe.each([
  ['with scripts', true],
  ['without scripts', false],
])('%s', (_, javaScriptEnabled) => {
  test('Tab goes through the login in the order in which it is read, and the focus is always in sight', async () => {
    const page = await openWindow(await startSite(), { javaScriptEnabled })
    await page.goto('/login')
    const show = javaScriptEnabled ? ['Show the password'] : []
    const stops = ['Bienvenue', 'Email address', 'Password', ...show, 'Log in', 'Forgot your password?', 'Register']
    for (const stop of stops) {
      expect(await tab(page)).toBe(stop)
      expect(await page.evaluate(IN_SIGHT), stop).toBe(true)
    }
  })

  test('a person registers, logs in, changes the name and logs out by key', async () => {
    const page = await openWindow(await startSite(), { javaScriptEnabled })
    await page.goto('/register')
    await tabTo(page, 'Email address')
    await page.keyboard.type(BOB)
    await tab(page)
    await page.keyboard.type(PASSWORD)
    await landing(page, () => page.keyboard.press('Enter'))
    expect(pathOf(page)).toBe('/login?notice=registered_mail')

    await tabTo(page, 'Email address')
    await page.keyboard.type(BOB)
    await tab(page)
    await page.keyboard.type(PASSWORD)
    await landing(page, () => page.keyboard.press('Enter'))
    expect(pathOf(page)).toBe('/dashboard')

    await tabTo(page, 'Change your name')
    await page.keyboard.press('Enter')
    expect(await tab(page)).toBe('Name')
    await page.keyboard.type('Bob')
    await landing(page, () => page.keyboard.press('Enter'))
    expect(await noticeOf(page)).toBe('Your name is changed.')
    expect(await page.locator('dd').nth(1).textContent()).toBe('Bob')

    await tabTo(page, 'Log out')
    await landing(page, () => page.keyboard.press('Enter'))
    expect(await noticeOf(page)).toBe('You are logged out.')
  })
})

test('what is folded is passed by in one step, and every stop of the dashboard is in sight', async () => {
  const page = await signedIn(await startSite())
  const passed: string[] = []
  for (let last = await tab(page); last !== 'I want to delete my account'; last = await tab(page)) {
    expect(await page.evaluate(IN_SIGHT), last).toBe(true)
    passed.push(last)
    expect(passed.length).toBeLessThan(20)
  }
  expect(passed).toEqual([
    'Bienvenue',
    'Your account',
    'Log out',
    'Send the mail again',
    'Change your name',
    'Change your address',
    'Change your password',
  ])
})

test('after a refusal the next key lands in the field that is to be mended', async () => {
  const page = await openWindow(await startSite())
  await register(page)
  await page.goto('/register')
  await tabTo(page, 'Email address')
  await page.keyboard.type(BOB)
  await tab(page)
  await page.keyboard.type(PASSWORD)
  await landing(page, () => page.keyboard.press('Enter'))
  // The browser moves the focus with the first picture that it draws, which may come after the page.
  await page.locator('#register-email:focus').waitFor()
  await page.keyboard.press('End')
  await page.keyboard.type('.uk')
  expect(await page.locator('#register-email').inputValue()).toBe(`${BOB}.uk`)
})
