/**
 * What Node made of the sources is kept for the next start, which then takes half as long and needs no compiler of TypeScript;
 * where the folder cannot be written, nothing is kept. It comes before the first source by `node --import`, so it is none itself.
 */

import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url)))
