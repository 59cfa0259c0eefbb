/** A disk that is full, slow, or no longer takes anything; only root may make one so. */

import { expect, test } from 'vitest'
import { fullDisk, slowDisk } from '../../faults/disk.ts'
import { readOnlyFile } from '../../faults/files.ts'
import { temporaryFolder } from '../started.ts'

test.each([
  ['full', fullDisk],
  ['slow', slowDisk],
  ['read-only', readOnlyFile],
])(
  'a disk that is %s: what cannot be written is 503, and nothing that was acknowledged is lost',
  async (_, fault) => {
    const { failures, acknowledged } = await fault(temporaryFolder())
    expect(failures).toEqual([])
    expect(acknowledged).toBeGreaterThan(0)
  },
  180_000,
)
