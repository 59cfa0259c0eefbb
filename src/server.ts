/** The process: starts the service, or says in one line why it cannot. */

import './compile_cache.js'
import { flushCompileCache } from 'node:module'
import { StartError } from './errors.ts'

// All else is imported after the compile cache is there.
const { processSettings } = await import('./settings.ts')

try {
  const settings = processSettings()
  if (settings.workers > 1) {
    const { startCluster } = await import('./cluster.ts')
    await startCluster(settings)
  } else {
    const { start } = await import('./service.ts')
    await start()
  }
  flushCompileCache()
} catch (error) {
  if (!(error instanceof StartError)) throw error
  process.stderr.write(`Bienvenue cannot start: ${error.message}\n`)
  process.exit(1)
}
