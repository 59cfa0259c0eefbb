/** Looks into a server that runs as a process of its own: a script that Node loads first answers to a signal. */

import { vi } from 'vitest'
import type { Server } from '../started.ts'

/**
 * At SIGUSR2 it clears the memory and writes what is left of it, without that of the program's file, which Linux takes and brings
 * back as it likes; at SIGWINCH it rejects a promise that nobody awaits.
 */
const SCRIPT = `
import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
const memory = () =>
  process.platform === 'linux'
    ? 1024 * /RssAnon:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]
    : process.memoryUsage().rss
process.stderr.write('pid ' + process.pid + '\\n')
process.on('SIGUSR2', () => {
  collect()
  collect()
  process.stderr.write('memory ' + memory() + '\\n')
})
process.on('SIGWINCH', () => void Promise.reject(new Error('nobody awaits this')))
`

/** For the environment of the server. */
export const PROBE = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(SCRIPT)}` }

/** @returns bytes of memory that the process holds after a collection */
export async function memoryOf({ child }: Server): Promise<number> {
  const before = child.stderr.length
  child.signal('SIGUSR2')
  return vi.waitFor(() => numberAfter('memory', child.stderr.slice(before)), { timeout: 10_000, interval: 10 })
}

export function pidOf({ child }: Server): number {
  return numberAfter('pid', child.stderr)
}

function numberAfter(word: string, text: string): number {
  const [, number] = new RegExp(`${word} (\\d+)\\n`).exec(text) ?? []
  if (number === undefined) throw new Error(`the process has not said its ${word}`)
  return Number(number)
}
