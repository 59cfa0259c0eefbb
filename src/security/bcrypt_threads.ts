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
  /** The cost whose time it takes at least. */
  equalCost: number
}

export type BcryptAnswer = { done: string } | { failed: string }

const WORKER = new URL(`./bcrypt_worker${extname(import.meta.url)}`, import.meta.url)

const idle: Worker[] = []

/**
 * @param equalCost the cost whose time it takes, where that of the salt is lower
 * @returns bcrypt's text for this password under this salt
 */
export async function bcryptHash(password: string, salt: string, equalCost = 0): Promise<string> {
  const worker = idle.pop() ?? new Worker(WORKER)
  // Only a thread at work keeps the process alive.
  worker.ref()
  worker.postMessage({ password, salt, equalCost } satisfies BcryptJob)
  const [answer]: BcryptAnswer[] = await once(worker, 'message')
  worker.unref()
  idle.push(worker)
  if (answer === undefined || 'failed' in answer) throw new Error(`bcrypt failed: ${answer?.failed}`)
  return answer.done
}
