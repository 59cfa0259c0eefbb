/** The short forms of `npm run faults`: the same faults, for a shorter time or with fewer of everything. */

import { expect, test } from 'vitest'
import { idleConnections, slowClients } from '../../faults/connections.ts'
import { deletedFile, lockedFile, replacedFile } from '../../faults/files.ts'
import { killed } from '../../faults/kill.ts'
import { manyRequests } from '../../faults/memory.ts'
import type { Report } from '../../faults/report.ts'
import { temporaryFolder } from '../started.ts'

test.each<[string, (folder: string) => Promise<Report>]>([
  ['killed three times under mixed load', (folder) => killed(folder, 3)],
  ['a file that another program holds', lockedFile],
  ['a file that was replaced', replacedFile],
  ['a file that was deleted', deletedFile],
  ['two thousand idle connections', (folder) => idleConnections(folder, 2_000)],
  ['clients that are slow, or never read', (folder) => slowClients(folder, 20)],
  ['thirty thousand mixed requests', (folder) => manyRequests(folder, 30_000)],
])(
  '%s: nothing that was acknowledged is lost',
  async (_, fault) => {
    const { failures, acknowledged } = await fault(temporaryFolder())
    expect(failures).toEqual([])
    expect(acknowledged).toBeGreaterThan(0)
  },
  180_000,
)
