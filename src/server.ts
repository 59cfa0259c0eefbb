/** The process: starts the service, or says in one line why it cannot. */

import { enableCompileCache, flushCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'
import { StartError } from './errors.ts'

// What Node made of the sources is kept for the next start, which then takes half as long; where the folder cannot be
// written, nothing is kept. Everything else is imported after this line.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url)))

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
