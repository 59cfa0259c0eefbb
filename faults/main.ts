/**
 * Faults that the service must survive, one after the other, each against a service of its own under mixed load:
 *
 *     npm run faults [-- name ...]
 *     npm run faults -- soak [minutes]
 *
 * One line a fault, and the totals at the end; whatever was lost or answered otherwise than it should be ends it with exit
 * code 1. Some ten minutes; the soak is by hand alone, an hour if no minutes are given.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { idleConnections, slowClients } from './connections.ts'
import { fullDisk, missingForDisks, slowDisk } from './disk.ts'
import { deletedFile, lockedFile, readOnlyFile, replacedFile } from './files.ts'
import { killed } from './kill.ts'
import { manyRequests } from './memory.ts'
import { type Report, tell, tellAll } from './report.ts'
import { soak } from './soak.ts'

type Fault = (folder: string) => Promise<Report>

const FAULTS: Record<string, Fault> = {
  kill: (folder) => killed(folder, 50),
  locked: lockedFile,
  replaced: replacedFile,
  deleted: deletedFile,
  full: fullDisk,
  'read-only': readOnlyFile,
  slow: slowDisk,
  idle: (folder) => idleConnections(folder, 10_000),
  clients: (folder) => slowClients(folder, 200),
  memory: (folder) => manyRequests(folder, 1_000_000),
}
const DISKS = ['full', 'read-only', 'slow']

async function run(faults: readonly [string, Fault][]): Promise<boolean> {
  const reports: Report[] = []
  let well = true
  for (const [name, fault] of faults) {
    const folder = mkdtempSync(join(tmpdir(), 'bienvenue-faults-'))
    try {
      const report = await fault(folder)
      reports.push(report)
      well = tell(name, report) && well
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  tellAll(reports)
  return well
}

function chosen([first, ...rest]: readonly string[]): [string, Fault][] {
  if (first === 'soak') return [['soak', (folder) => soak(folder, Number(rest[0] ?? 60))]]
  const names = first === undefined ? Object.keys(FAULTS) : [first, ...rest]
  const missing = missingForDisks()
  return names.flatMap((name) => {
    const fault = FAULTS[name]
    if (fault === undefined) throw new Error(`${name} is no fault; there are soak, ${Object.keys(FAULTS).join(', ')}`)
    if (missing === undefined || !DISKS.includes(name)) return [[name, fault]]
    console.log(`  – ${name} is left out: it needs ${missing}`)
    return []
  })
}

process.exitCode = (await run(chosen(process.argv.slice(2)))) ? 0 : 1
