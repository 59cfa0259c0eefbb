/**
 * bcrypt on threads of its own, with low priority: a flood of logins takes what the requests leave, and nothing else
 * that runs on libuv's pool (signatures, file access, name look-ups) queues behind a hash. docs/overload.md has the
 * measurements. How many run at once is decided by the gate in front; a thread is made when all others are busy, and kept.
 */

import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

export interface BcryptJob {
  password: string
  /** `$2b$`, cost and salt; the digest may follow. */
  salt: string
}

export type BcryptAnswer = { done: string } | { failed: string }

const WORKER = new URL(`./bcrypt_worker${extname(import.meta.url)}`, import.meta.url)

const idle: Worker[] = []

/** @returns bcrypt's text for this password under this salt */
export async function bcryptHash(password: string, salt: string): Promise<string> {
  const worker = idle.pop() ?? new Worker(WORKER)
  // Only a thread at work keeps the process alive.
  worker.ref()
  worker.postMessage({ password, salt } satisfies BcryptJob)
  const [answer]: BcryptAnswer[] = await once(worker, 'message')
  worker.unref()
  idle.push(worker)
  if (answer === undefined || 'failed' in answer) throw new Error(`bcrypt failed: ${answer?.failed}`)
  return answer.done
}
