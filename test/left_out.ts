/** What a test run says or does where something that it needs, beside a browser, is not on the machine. */

import { HOW_TO_INSTALL, isInstalled } from '../deploy/stack.ts'
import { missingForDisks } from '../faults/disk.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Test files that need more than `npm ci` brings. */
interface Demanding {
  readonly file: string
  /** What is not here, or undefined. */
  readonly missing: string | undefined
  /** Each of these variables demands them, if it is set. */
  readonly demandedBy: readonly string[]
}

function demanding(): Demanding[] {
  const deployment = isInstalled() ? undefined : `nginx and PostgreSQL: ${HOW_TO_INSTALL}`
  return [
    { file: 'test/deploy/stack.test.ts', missing: deployment, demandedBy: ['CI', 'BIENVENUE_DEPLOY'] },
    // Not every machine for checks lets one be root.
    { file: 'test/faults/disk.test.ts', missing: missingForDisks(), demandedBy: ['BIENVENUE_FAULTS'] },
  ]
}

/**
 * @param say where the lines go that tell what is missing
 * @returns the test files that cannot run; those that are demanded are not among them, so that they fail
 */
export function leftOut(env: Env, say: (line: string) => void, all: readonly Demanding[] = demanding()): string[] {
  return all.flatMap(({ file, missing, demandedBy }) => {
    if (missing === undefined || demandedBy.some((variable) => (env[variable] ?? '') !== '')) return []
    say(`${file} does not run, for it needs ${missing}.`)
    return [file]
  })
}
