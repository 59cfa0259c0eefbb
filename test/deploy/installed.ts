/** What a test run says or does where nginx or PostgreSQL is not installed. */

import { HOW_TO_INSTALL, isInstalled } from '../../deploy/stack.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * @param say where the line goes that tells what is missing
 * @returns the test files that cannot run: none where all is there, and none where it is demanded, so that they fail
 */
export function withoutStack(env: Env, say: (line: string) => void, installed = isInstalled()): string[] {
  const demanded = (env.CI ?? '') !== '' || env.BIENVENUE_DEPLOY === 'required'
  if (installed || demanded) return []
  say(
    `The test of the deployment (test/deploy/stack.test.ts) does not run, for something is missing: ${HOW_TO_INSTALL}.`,
  )
  return ['test/deploy/stack.test.ts']
}
