/** Where Chromium is, and what a test run says or does where it is not. */

import { existsSync } from 'node:fs'

const USUAL = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

export const HOW_TO_INSTALL = 'apt-get install chromium, or set CHROMIUM to the path of one'

type Env = Readonly<Record<string, string | undefined>>

/** @returns the path of a Chromium: the one that is named, or the first in the usual places */
export function findChromium({ CHROMIUM = '' }: Env, exists: (path: string) => boolean = existsSync) {
  return (CHROMIUM === '' ? USUAL : [CHROMIUM]).find((path) => exists(path))
}

/**
 * @param say where the line goes that tells what is missing
 * @returns the test files that cannot run: none where there is a browser, and none where one is demanded, so that they fail
 */
export function withoutBrowser(env: Env, say: (line: string) => void, found = findChromium(env)): string[] {
  const demanded = (env.CI ?? '') !== '' || env.BIENVENUE_BROWSER === 'required'
  if (found !== undefined || demanded) return []
  say(`The tests in a browser (test/browser) do not run, for there is no Chromium: ${HOW_TO_INSTALL}.`)
  return ['test/browser/**']
}
