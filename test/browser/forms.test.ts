/** What a form does with what people type: the focus, what is kept, password managers, and the little that scripts add. */

import { describe, expect, test } from 'vitest'
import {
  alertOf,
  BOB,
  countPosts,
  fillIn,
  landing,
  leaveChecksToServer,
  openWindow,
  PASSWORD,
  pathOf,
  register,
  SCRIPTS,
  send,
  signedIn,
  startSite,
} from './browser.ts'

const FOCUSED = 'document.activeElement.id || document.activeElement.className'

/** Every password field of a page that holds something. */
const FILLED_PASSWORDS = `[...document.querySelectorAll('[autocomplete$=password]')].filter(({ value }) => value !== '').length`

describe.each(SCRIPTS)('%s', (_, javaScriptEnabled) => {
  test('a form that was refused has the focus at the field, what was typed, and no password', async () => {
    const page = await openWindow(await startSite(), { javaScriptEnabled })
    await register(page)
    await page.goto('/register')
    expect(await send(page, 'register', { name: 'Robert', email: BOB, password: PASSWORD })).toBe(400)
    await expect.poll(() => page.evaluate(FOCUSED)).toBe('register-email')
    expect(await page.locator('#register-name').inputValue()).toBe('Robert')
    expect(await page.locator('#register-email').inputValue()).toBe(BOB)
    expect(await page.evaluate(FILLED_PASSWORDS)).toBe(0)
    expect(await alertOf(page)).toContain('This address is registered already.')
    expect(await page.locator('#register-email-error').textContent()).toBe(await alertOf(page))
    expect(await page.title()).toBe('Not done yet: Register · Bienvenue')

    await page.goto('/login')
    expect(await send(page, 'login', { email: BOB, password: 'wrong' })).toBe(401)
    await expect.poll(() => page.evaluate(FOCUSED)).toBe('alert')
    expect(await page.locator('#login-email').inputValue()).toBe(BOB)
    expect(await page.evaluate(FILLED_PASSWORDS)).toBe(0)

    await page.goto('/register')
    await leaveChecksToServer(page)
    expect(await send(page, 'register', { email: 'bob@example.com', password: '' })).toBe(400)
    await expect.poll(() => page.evaluate(FOCUSED)).toBe('register-password')
  })

  test('a form of the dashboard that was refused is unfolded, with the focus at the field', async () => {
    const page = await signedIn(await startSite(), { javaScriptEnabled })
    const wrong = { email: 'rob@example.org', current_password: 'wrong' }
    expect(await send(page, 'change-email', wrong)).toBe(403)
    await expect.poll(() => page.evaluate(FOCUSED)).toBe('change-email-current_password')
    expect(await page.locator('#change-email-email').inputValue()).toBe('rob@example.org')
    expect(await page.evaluate(FILLED_PASSWORDS)).toBe(0)
    expect(await page.locator('#change-name').isVisible()).toBe(false)
  })
})

test('P-20: every password field is one, takes a paste, tells managers whose it is, and can be shown', async () => {
  const page = await signedIn(await startSite())
  const asked = new Map<string, string[]>()
  const note = async () => {
    for (const form of await page.locator('form:has([autocomplete$=password])').all()) {
      const fields = await form.locator('input:not([type=hidden])').all()
      const tokens = await Promise.all(fields.map((field) => field.getAttribute('autocomplete')))
      asked.set(String(await form.getAttribute('id')), tokens.map(String))
      const passwords = form.locator('input[type=password]')
      expect(await passwords.count()).toBe(tokens.filter((token) => token?.endsWith('password')).length)
      expect(await form.locator('button.show').count()).toBe(await passwords.count())
    }
  }
  await note()
  await send(page, 'log-out')
  await note()
  await page.goto('/register')
  await note()
  await page.goto('/reset')
  await note()
  expect(Object.fromEntries(asked)).toEqual({
    'change-email': ['username', 'email', 'current-password'],
    'change-password': ['username', 'current-password', 'new-password'],
    delete: ['username', 'current-password'],
    login: ['username', 'current-password'],
    register: ['name', 'username', 'new-password'],
    reset: ['username', 'one-time-code', 'new-password'],
  })

  await page.goto('/login')
  await page.locator('#login-email').fill(PASSWORD)
  await page.locator('#login-email').press('Control+a')
  await page.locator('#login-email').press('Control+x')
  await page.locator('#login-password').press('Control+v')
  expect(await page.locator('#login-password').inputValue()).toBe(PASSWORD)
})

describe('scripts', () => {
  test('show the password and hide it, and send it hidden', async () => {
    const page = await openWindow(await startSite())
    await register(page)
    await page.goto('/login')
    await fillIn(page, 'login', { email: BOB, password: 'wrong' })
    const field = page.locator('#login-password')
    await page.getByRole('button', { name: 'Show the password' }).click()
    expect([await field.getAttribute('type'), await field.inputValue()]).toEqual(['text', 'wrong'])
    await page.getByRole('button', { name: 'Hide the password' }).click()
    expect(await field.getAttribute('type')).toBe('password')
    await page.getByRole('button', { name: 'Show the password' }).click()
    await page.evaluate(`document.forms[0].addEventListener('submit', (event) => {
      event.preventDefault()
      document.title = document.querySelector('#login-password').type
    })`)
    await page.locator('#login button[type=submit]').click()
    expect(await page.title()).toBe('password')
  })

  test('send a form once, and let it be sent again after Back', async () => {
    const page = await openWindow(await startSite())
    await register(page)
    await page.goto('/login')
    const posts = countPosts(page)
    await fillIn(page, 'login', { email: BOB, password: 'wrong' })
    // All in one breath, before the browser can leave the page.
    const press = `(() => {
      const button = document.querySelector('#login button[type=submit]')
      button.click()
      const { disabled } = button
      button.click()
      button.form.requestSubmit()
      return disabled
    })()`
    let disabled: unknown
    expect(
      await landing(page, async () => {
        disabled = await page.evaluate(press)
      }),
    ).toBe(401)
    expect([disabled, posts.count]).toEqual([true, 1])
    await page.goBack()
    expect(await page.locator('#login button[type=submit]').isEnabled()).toBe(true)
    await send(page, 'login', { email: BOB, password: PASSWORD })
    expect([pathOf(page), posts.count]).toEqual(['/dashboard', 2])
  })

  test('tell of Caps Lock at the field, while it is on', async () => {
    const page = await openWindow(await startSite())
    await page.goto('/login')
    const press = (modifierCapsLock: boolean) =>
      page.locator('#login-password').dispatchEvent('keydown', { modifierCapsLock, key: 'A' })
    await press(true)
    expect(await page.getByRole('status').textContent()).toBe('Caps Lock is on.')
    await press(false)
    expect(await page.getByRole('status').textContent()).toBe('')
  })

  test('R-18: take a token from behind the # of a link, and out of the address', async () => {
    const page = await openWindow(await startSite())
    await page.goto('/reset#t=abc.def')
    expect(await page.locator('#reset-reset_token').inputValue()).toBe('abc.def')
    expect(await page.evaluate('location.href')).toBe(`${new URL(page.url()).origin}/reset`)
  })
})
