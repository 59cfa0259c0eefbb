/** A great many mixed requests, and what the service needs of memory for them: as much at the end as at the beginning. */

import { randomUUID } from 'node:crypto'
import { Browser, type Target } from './browser.ts'
import { memoryOf } from './connections.ts'
import type { Report } from './report.ts'
import { withTrial } from './trial.ts'

const ASKING = 16
/** The memory is read so often in all. */
const SAMPLES = 20
/** What the last four fifths may need more than the first, in KiB: what the collector leaves lying is not a leak. */
const ALLOWANCE = 48 * 1_024

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
  return withTrial(folder, async (trial) => {
    const samples: number[] = []
    const began = performance.now()
    let [asked, wrong] = [0, 0]
    const ask = async (browser: Browser) => {
      while (asked < count) {
        asked += 1
        if (asked % Math.floor(count / SAMPLES) === 0) samples.push(memoryOf(trial.service))
        if (!(await askOne(browser, asked))) wrong += 1
      }
      browser.close()
    }
    await Promise.all(Array.from({ length: ASKING }, () => ask(new Browser(targetOf(trial.service)))))
    const rate = Math.round((count / (performance.now() - began)) * 1_000)
    const [first, rest] = [samples.slice(0, SAMPLES / 5), samples.slice(SAMPLES / 5)]
    const [early, late] = [Math.max(...first), Math.max(...rest)]
    trial.expect(`${wrong} answers were not as they should be`, wrong === 0)
    trial.expect(`memory grew from ${early} to ${late} KiB`, late <= early + ALLOWANCE)
    const line = `${count} mixed requests, ${rate} a second; resident memory at most ${mib(early)} MiB in their first fifth, ${mib(late)} MiB later`
    const report = await trial.end(line)
    return { ...report, requests: report.requests + count }
  })
}

function targetOf({ url }: { url: string }): Target {
  return { url }
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
