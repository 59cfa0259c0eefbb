/** The administrator's move from one database to another: what is asked for, what is shown meanwhile, what is told at the end. */

import { migrations } from './app.ts'
import { type MoveProgress, moveAll } from './db/move.ts'
import { StoreUnavailable } from './db.ts'
import type { Engine } from './engines/engine.ts'
import { databaseLocation, isMissing, limitsOf, openEngine } from './engines/open.ts'
import { StartError } from './errors.ts'
import type { Settings } from './settings.ts'

interface Output {
  readonly isTTY?: boolean
  write(text: string): unknown
}

interface Wanted {
  from: string | undefined
  to: string | undefined
  settings: Pick<Settings, 'databaseUrl' | 'databasePool' | 'databaseTimeout' | 'databasePrepare'>
  output: Output
}

/** A page of 500 rows is more than one request of the service asks for. */
const PATIENCE = 12

/**
 * Moves everything; what is not named is DATABASE_URL, so that no password need stand in the list of processes.
 * @throws StartError with a line that names the mend
 */
export async function moveDatabase({ from, to, settings, output }: Wanted): Promise<void> {
  const source = from ?? settings.databaseUrl
  const target = to ?? settings.databaseUrl
  if (source === target) throw new StartError('Name two databases: --from and --to, of which one may be DATABASE_URL.')
  if (isMissing(source)) {
    throw new StartError(`There is no database ${databaseLocation(source)} to move from.`)
  }
  const limits = { ...limitsOf(settings), pool: 1, timeout: settings.databaseTimeout * PATIENCE }
  const begun = performance.now()
  const opened: Engine[] = []
  try {
    for (const url of [source, target]) opened.push(await openEngine(url, limits))
    const [one, other] = opened
    if (one === undefined || other === undefined) throw new Error('two databases are open')
    const counts = await moveAll({ from: one, to: other, migrations, now: Date.now(), report: progressLine(output) })
    for (const [table, count] of counts) output.write(`${table}: ${count}\n`)
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1)
    output.write(
      `Moved to ${databaseLocation(target)} in ${seconds} s, and checked. Start the service with that as DATABASE_URL, and with the same SECRET.\n`,
    )
  } catch (error) {
    if (error instanceof StoreUnavailable) {
      throw new StartError(`The move stopped: ${error.message}. Run it again: it goes on where it stopped.`)
    }
    throw error
  } finally {
    for (const engine of opened) await engine.close()
  }
}

/** One line that is written over itself; where nobody watches, a line at every tenth. */
function progressLine(output: Output): (progress: MoveProgress) => void {
  let tenth = ''
  return ({ table, phase, done, total }) => {
    const [part, whole] = [Math.floor((done * 10) / Math.max(total, 1)), done >= total]
    const line = `${phase} ${table}: ${done} of ${total}`
    if (output.isTTY === true) output.write(`\r${line.padEnd(60)}${whole ? '\n' : ''}`)
    else if (`${phase} ${table} ${part}` !== tenth) output.write(`${line}\n`)
    tenth = `${phase} ${table} ${part}`
  }
}
