/** One of several workers: the service as it is alone, but that the primary speaks for it and tells it when to end. */

import './compile_cache.js'
import { flushCompileCache } from 'node:module'
import { StartError } from './errors.ts'

let leave = (): void => process.exit(0)
process.on('message', () => leave())
// A terminal and systemd tell every process; which one ends when is for the primary to say.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {})

try {
  const { openService } = await import('./service.ts')
  const service = await openService()
  leave = () => void service.end()
  process.send?.(service.port)
  flushCompileCache()
} catch (error) {
  if (!(error instanceof StartError)) throw error
  process.stderr.write(`Bienvenue cannot start: ${error.message}\n`)
  process.exit(1)
}
