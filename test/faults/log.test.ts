/** A log that nobody reads any more; of one on a full disk tells disk.test.ts. */

import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { Program } from '../../faults/program.ts'
import { temporaryFolder } from '../started.ts'
import { type Logging, startLogging } from './log.ts'

/** Starts the service with a pipe for a log: `log` in the folder. */
async function startPiped(folder: string): Promise<Logging> {
  await new Program('mkfifo', ['log'], {}, folder).succeeded()
  // Opened for reading as well, so that it opens before somebody reads.
  return startLogging('1<>log', folder)
}

/** Asks until so many lines were written. @returns how many requests were answered otherwise than they should be */
async function write(lines: number, { ask }: Logging): Promise<number> {
  let [left, wrong] = [lines, 0]
  const someone = async () => {
    while (left > 0) {
      left -= 1
      if ((await ask('/profile')) !== 403) wrong += 1
    }
  }
  await Promise.all(Array.from({ length: 8 }, someone))
  return wrong
}

test('O-18: a reader of the log who stalls holds up nobody, neither who asks nor the end', async () => {
  const service = await startPiped(temporaryFolder())
  // More than the pipe holds.
  expect(await write(1_500, service)).toBe(0)
  const { child } = service
  child.signal('SIGTERM')
  const late = AbortSignal.timeout(10_000)
  const ended = await Promise.race([child.ended, new Promise((resolve) => late.addEventListener('abort', resolve))])
  expect(ended).toBe(0)
}, 60_000)

test('O-18: of what a reader leaves for too long lines are lost, and their number is told; those that wait at a stop still go', async () => {
  const folder = temporaryFolder()
  const service = await startPiped(folder)
  expect(await write(10_000, service)).toBe(0)
  const lines: Record<string, unknown>[] = []
  const reader = createInterface(createReadStream(join(folder, 'log')))
  reader.on('line', (line) => void (line !== '' && lines.push(JSON.parse(line))))
  await expect.poll(() => lines.length).toBeGreaterThan(5_000)
  await expect
    .poll(async () => {
      await service.ask('/health/live')
      return lines.find(({ msg }) => msg === 'lines of the log were lost')
    })
    .toMatchObject({ level: 40, time: expect.stringMatching(/Z$/), lines: expect.any(Number) })
  const written = lines.filter(({ path, status }) => path === '/profile' && status === 403).length
  const told = lines.find(({ msg }) => msg === 'lines of the log were lost')
  expect(written + Number(told?.lines)).toBeGreaterThanOrEqual(10_000)
  expect(await service.child.stop()).toBe(0)
  await expect.poll(() => lines.some(({ msg }) => msg === 'stopping')).toBe(true)
  reader.close()
}, 120_000)
