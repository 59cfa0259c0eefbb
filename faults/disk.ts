/** A disk that is full, and one that takes its time. */

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHEAP, type Env, Program, type Service, START, whenReady } from './program.ts'
import type { Report } from './report.ts'
import { withTrial } from './trial.ts'

const STRACE = '/usr/bin/strace'
/** So long each wait for the disk takes, in milliseconds; a good one takes less than one. */
const SLOWNESS = 100
/** As large as it must be for the database and its log, in KiB. */
const SIZE = 6 * 1024

/** @returns what is needed to try disks and is not here, or undefined */
export function missingForDisks(): string | undefined {
  if (process.platform !== 'linux') return 'Linux'
  if (process.getuid?.() !== 0) return 'root, who may mount a small disk'
  return existsSync(STRACE) ? undefined : 'strace (apt-get install strace)'
}

/** A small disk under the database is filled to its last byte, and then freed. */
export async function fullDisk(folder: string): Promise<Report> {
  const data = join(folder, 'data')
  return onSmallDisk(data, SIZE, () =>
    withTrial(folder, async (trial) => {
      const ballast = join(data, 'ballast')
      fill(ballast)
      const refusals = await trial.refused(20)
      trial.expect('what only reads is served on a full disk', !refusals.some(({ asked }) => asked === 'GET /profile'))
      rmSync(ballast)
      const freed = performance.now()
      await trial.served()
      const last = trial.crowd.misses.filter(({ began }) => began > freed)
      trial.expect('nothing is refused once there is space again', last.length === 0)
      return trial.end('a disk filled to its last byte and freed')
    }),
  )
}

/** Does `work` while a disk of `size` KiB is at `folder`, which it makes. */
export async function onSmallDisk<T>(folder: string, size: number, work: () => Promise<T>): Promise<T> {
  mkdirSync(folder)
  await new Program('mount', ['-t', 'tmpfs', '-o', `size=${size}k,mode=0700`, 'tmpfs', folder], {}, '/').succeeded()
  try {
    return await work()
  } finally {
    // A process that does not end may still write there.
    await new Program('umount', ['-l', folder], {}, '/').succeeded()
  }
}

/** Every wait for the disk takes a tenth of a second. */
export async function slowDisk(folder: string): Promise<Report> {
  return withTrial(
    folder,
    async (trial) => {
      await trial.served(60)
      trial.expect('nothing is refused because the disk is slow', trial.crowd.misses.length === 0)
      return trial.end(`a disk that takes ${SLOWNESS} ms for every sync`)
    },
    (env, folder) => startSlowly(SLOWNESS, env, folder),
  )
}

/**
 * Starts the service on a disk that takes `slowness` milliseconds for every sync: strace holds up the calls that wait for the
 * disk, and no others.
 */
export async function startSlowly(slowness: number, env: Env, folder: string): Promise<Service> {
  const calls = 'fsync,fdatasync'
  // -D: strace is not the one that signals reach.
  const tracing = ['-D', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`]
  const delaying = ['-e', `inject=${calls}:delay_enter=${slowness * 1_000}`]
  const args = [...tracing, ...delaying, process.execPath, ...START]
  return whenReady(new Program(STRACE, args, { ...CHEAP, ...env }, folder))
}

/** Writes until there is no byte left. */
export function fill(path: string): void {
  for (const size of [65_536, 4_096, 1]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
    }
  }
}
