/** The same service at the administrator's hands: `npm run bienvenue -- <command>`. */

import { parseArgs } from 'node:util'
import { AuthError, StartError } from './errors.ts'
import { examineMail } from './mail/doctor.ts'
import { smtpTransport } from './mail/transport.ts'
import { moveDatabase } from './move.ts'
import { rotateKeys } from './rotate_keys.ts'
import { processSettings } from './settings.ts'

interface Command {
  /** How it is written, and what it does. */
  usage: string
  does: string
  /** @returns whether all is well */
  run(args: readonly string[]): Promise<boolean>
}

const commands: Record<string, Command> = {
  move: {
    usage: 'move --from sqlite:./data/bienvenue.db --to postgres://user:password@db.example.org/bienvenue',
    does: 'copies everything into an empty database; without --from or --to that one is DATABASE_URL',
    async run(args) {
      await moveDatabase({ ...namedIn(args), settings: processSettings(), output: process.stdout })
      return true
    },
  },
  'doctor mail': {
    usage: 'doctor mail you@example.org',
    does: 'sends a test message and explains what is wrong',
    async run([to = '', ...more]) {
      if (more.length > 0) throw new StartError('One address at a time.')
      const { well, lines } = await examineMail(processSettings(), to, smtpTransport)
      process.stdout.write(`${lines.join('\n')}\n`)
      return well
    },
  },
  'rotate-keys': {
    usage: 'rotate-keys [--compromised]',
    does: 'gives the key of access tokens a successor, or replaces all keys at once',
    async run([option = '']) {
      if (!['', '--compromised'].includes(option)) throw new StartError(`${option} is no option.`)
      const compromised = option !== ''
      const { kid, place } = await rotateKeys(compromised)
      const from = compromised ? 'signs from now on, all others are gone' : 'signs in ten minutes'
      process.stdout.write(`Key ${kid} of ${place} ${from}.\n`)
      return true
    },
  },
}

/** @throws StartError where something else is named */
function namedIn(args: readonly string[]): { from: string | undefined; to: string | undefined } {
  try {
    const { from, to } = parseArgs({
      args: [...args],
      options: { from: { type: 'string' }, to: { type: 'string' } },
    }).values
    return { from, to }
  } catch (error) {
    throw new StartError(error instanceof Error ? error.message : String(error))
  }
}

function help(): string {
  const lines = Object.values(commands).map(({ usage, does }) => `  ${usage}\n      ${does}\n`)
  return `npm run bienvenue -- <command>\n\n${lines.join('')}`
}

const given = process.argv.slice(2)
const [name, command] =
  Object.entries(commands).find(([known]) => known.split(' ').every((word, n) => given[n] === word)) ?? []
if (name === undefined || command === undefined) {
  process.stderr.write(help())
  process.exitCode = 2
} else {
  try {
    const well = await command.run(given.slice(name.split(' ').length))
    process.exitCode = well ? 0 : 1
  } catch (error) {
    if (!(error instanceof StartError) && !(error instanceof AuthError)) throw error
    process.stderr.write(`${error.message}\n${command.usage}\n`)
    process.exitCode = 2
  }
}
