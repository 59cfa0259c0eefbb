/**
 * Tries the deployment of this folder here: PostgreSQL, two instances and nginx on loopback, from the very files that are
 * shipped, and lets parts of it stop under load: `npm run deploy:try [-- rounds]`.
 */

import { tell, tellAll } from '../faults/report.ts'
import { HOW_TO_INSTALL, isInstalled, Stack } from './stack.ts'
import { killInstances, restartPostgres, stopInstances } from './trials.ts'

const ROUNDS = Number(process.argv[2] ?? 6)

const TRIALS = [
  ['an instance is stopped', stopInstances],
  ['an instance is killed', killInstances],
  ['PostgreSQL is restarted', restartPostgres],
] as const

async function main(): Promise<boolean> {
  const stack = await Stack.start()
  const reports = []
  let well = true
  try {
    for (const [title, trial] of TRIALS) {
      const report = await trial(stack, ROUNDS)
      reports.push(report)
      well = tell(title, report) && well
    }
  } finally {
    await stack.stop()
  }
  tellAll(reports)
  return well
}

if (!isInstalled()) {
  console.error(`This needs nginx and PostgreSQL: ${HOW_TO_INSTALL}`)
  process.exit(1)
}
process.exitCode = (await main()) ? 0 : 1
