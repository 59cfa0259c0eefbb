/** The service under mixed load for as long as one likes, by hand: nothing is refused, lost or grows. */

import { setTimeout } from 'node:timers/promises'
import { ownMemoryOf } from './connections.ts'
import type { Report } from './report.ts'
import { withTrial } from './trial.ts'

const MINUTE = 60_000
/** A service that has warmed up may still need so much more, in KiB. */
const ALLOWANCE = 48 * 1_024
/** After this share of the time it counts as warmed up. */
const WARM = 0.2

export async function soak(folder: string, minutes: number): Promise<Report> {
  return withTrial(folder, async (trial) => {
    const samples: number[] = []
    for (let minute = 1; minute <= minutes; minute += 1) {
      await setTimeout(MINUTE)
      samples.push(ownMemoryOf(trial.service))
      const { requests, misses } = trial.crowd
      console.log(`    minute ${minute}: ${requests} requests, ${misses.length} refused, ${samples.at(-1)} KiB`)
    }
    const warm = Math.ceil(samples.length * WARM)
    const [early, late] = [Math.max(...samples.slice(0, warm)), Math.max(...samples.slice(warm))]
    trial.expect(`memory grew from ${early} to ${late} KiB`, late <= early + ALLOWANCE)
    trial.expect('nobody is refused', trial.crowd.misses.length === 0)
    const rate = Math.round(trial.crowd.requests / (minutes * 60))
    return trial.end(
      `${minutes} minutes, ${rate} requests a second, memory of its own ${early} KiB early, ${late} KiB late`,
    )
  })
}
