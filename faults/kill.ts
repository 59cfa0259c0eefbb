/** SIGKILL at random moments under mixed load, round after round on one database. */

import { setTimeout } from 'node:timers/promises'
import { Crowd, summary } from './crowd.ts'
import { databaseOf, keptIn } from './database.ts'
import { type Service, startService } from './program.ts'
import type { Report } from './report.ts'

const PERSONS = 12
/** A round lasts from the first to the sum of both, in milliseconds: accounts are made at first, then changed. */
const SHORTEST = 200
const SPAN = 3_000
/** The log of requests would be all that the trial writes. */
const QUIET = { LOG_LEVEL: 'warn' }

/** @param folder the working folder of the service */
export async function killed(folder: string, rounds: number): Promise<Report> {
  const crowds: Crowd[] = []
  const failures: string[] = []
  let service = await startService(QUIET, folder)
  for (let round = 0; round < rounds; round += 1) {
    const crowd = new Crowd(PERSONS)
    crowds.push(crowd)
    failures.push(...(await killOnce(service, crowd)))
    service = await startService(QUIET, folder)
    failures.push(...keptIn(databaseOf(folder)).broken, ...(await crowd.verify(service)))
  }
  // What a later kill may have taken from an earlier round.
  for (const crowd of crowds) failures.push(...(await crowd.verify(service)))
  for (const crowd of crowds) crowd.close()
  await service.child.kill()
  const unanswered = crowds.reduce((sum, { misses }) => sum + misses.length, 0)
  return {
    line: `killed ${rounds} times under mixed load, ${unanswered} requests unanswered`,
    requests: crowds.reduce((sum, { requests }) => sum + requests, 0),
    acknowledged: crowds.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    failures,
  }
}

/** @returns what was answered otherwise than it should have been before the end */
async function killOnce(service: Service, crowd: Crowd): Promise<string[]> {
  crowd.start(service)
  await setTimeout(SHORTEST + Math.random() * SPAN)
  service.child.signal('SIGKILL')
  await crowd.stop()
  await service.child.ended
  const wrong = crowd.misses.filter(({ status }) => status !== 0)
  return wrong.length === 0 ? [] : [`answered before the kill: ${summary(wrong)}`]
}
