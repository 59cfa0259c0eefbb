/** One hashing thread: computes bcrypt for the pool of bcrypt_threads.ts, one job at a time. */

import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { basename } from 'node:path'
import { parentPort } from 'node:worker_threads'
import bcrypt from 'bcrypt'
import type { BcryptAnswer, BcryptJob } from './bcrypt_threads.ts'

/** Of the 40 steps of niceness the last but nine: a request that needs no hash goes first, and hashes get what is left. */
const NICENESS = 10

/** Linux has a priority for every thread; elsewhere this one keeps that of the process. */
function yieldToRequests(): void {
  if (process.platform !== 'linux') return
  const thread = Number(basename(readlinkSync('/proc/thread-self')))
  setPriority(thread, NICENESS)
}

/** A cheaper hash is topped up to 2^c + 2^c + 2^(c+1) + ... + 2^(e-1) = 2^e rounds. */
function topUp({ password, salt, equalCost }: BcryptJob): void {
  for (let cost = bcrypt.getRounds(salt); cost < equalCost; cost += 1) bcrypt.hashSync(password, cost)
}

function answer(job: BcryptJob): BcryptAnswer {
  try {
    const done = bcrypt.hashSync(job.password, job.salt)
    topUp(job)
    return { done }
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) }
  }
}

try {
  yieldToRequests()
} catch {
  // A system that hides /proc or forbids priorities still hashes, only less politely.
}
parentPort?.on('message', (job: BcryptJob) => parentPort?.postMessage(answer(job)))
