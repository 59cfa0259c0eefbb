/** A great many mixed requests, and what the service needs of memory for them: as much at the end as at the beginning. */

import { randomUUID } from 'node:crypto'
import { Browser } from './browser.ts'
import { ownMemoryOf } from './connections.ts'
import { startService } from './program.ts'
import type { Report } from './report.ts'
import { type Trial, withTrial } from './trial.ts'

const ASKING = 16
/** The memory is read so often in all. */
const SAMPLES = 20
/** What the second half may need more than the first, in KiB: what the collector leaves lying is not a leak. */
const ALLOWANCE = 32 * 1_024

/** The engine gives its young objects more room in steps of 30 MiB and more; held small, only what stays is left to see. */
const STEADY = { NODE_OPTIONS: '--max-semi-space-size=2' }

/** What costs little, beside the accounts and passwords of those who ask all the time anyway. */
const QUESTIONS: readonly [method: string, path: string, status: number, fields?: Record<string, string>][] = [
  ['GET', '/', 200],
  ['GET', '/profile', 403],
  ['GET', '/health/ready', 200],
  ['GET', '/login', 200],
  ['GET', '/nowhere', 404],
  ['POST', '/tokens/refresh', 401, { refresh_token: `${randomUUID()}.${'x'.repeat(86)}` }],
  ['PUT', '/email_verification', 403, { verification_token: `${randomUUID()}.${'x'.repeat(43)}` }],
  ['POST', '/users', 400, { email: 'no address', password: 'x' }],
]

/** @param count of requests in all */
export async function manyRequests(folder: string, count: number): Promise<Report> {
  const work = async (trial: Trial) => {
    const samples: number[] = []
    const began = performance.now()
    let [asked, wrong] = [0, 0]
    const ask = async (browser: Browser) => {
      while (asked < count) {
        asked += 1
        if (asked % Math.floor(count / SAMPLES) === 0) samples.push(ownMemoryOf(trial.service))
        if (!(await askOne(browser, asked))) wrong += 1
      }
      browser.close()
    }
    await Promise.all(Array.from({ length: ASKING }, () => ask(new Browser(trial.service))))
    const rate = Math.round((count / (performance.now() - began)) * 1_000)
    const [early = 0, half = 0, late = 0] = [samples[1], samples[SAMPLES / 2 - 1], samples.at(-1)]
    trial.expect(`${wrong} answers were not as they should be`, wrong === 0)
    trial.expect(`memory grew from ${half} to ${late} KiB`, late <= half + ALLOWANCE)
    const memory = `memory of its own ${mib(early)} MiB after a tenth of them, ${mib(half)} after half, ${mib(late)} at the end`
    const line = `${count} mixed requests, ${rate} a second; ${memory}`
    const report = await trial.end(line)
    return { ...report, requests: report.requests + count }
  }
  return withTrial(folder, work, (env, place) => startService({ ...env, ...STEADY }, place))
}

async function askOne(browser: Browser, n: number): Promise<boolean> {
  const [method, path, expected, fields] = QUESTIONS[n % QUESTIONS.length] ?? ['GET', '/', 200]
  const headers = path === '/login' ? { accept: 'text/html' } : {}
  const { status } = await browser.send(method, path, fields === undefined ? { headers } : { headers, fields })
  return status === expected
}

function mib(kib: number): number {
  return Math.round(kib / 1_024)
}
