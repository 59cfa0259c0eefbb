/**
 * Mail goes to the mail server on a thread of its own. What a letter takes is not taken from those whom this process serves
 * meanwhile, and they cannot see whether it goes to somebody or to nobody.
 */

import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { SmtpServer } from '../settings/smtp.ts'
import type { Message } from './message.ts'
import { NotSent, notSent, type Refusal, type Transport } from './transport.ts'

export interface MailErrand {
  id: number
  message: Message
  /** Of a letter to nobody, whether the mail server may be reached. */
  reaches?: boolean
}

export interface MailAnswer {
  id: number
  /** Where the mail was not taken. */
  refusal?: Refusal
}

interface Thread {
  readonly worker: Worker
  /** By the id of the errand. */
  readonly underWay: Map<number, PromiseWithResolvers<void>>
}

const WORKER = new URL(`./mail_worker${extname(import.meta.url)}`, import.meta.url)

export class MailThread implements Transport {
  readonly #server: SmtpServer
  /** Made for the first letter, and made anew for the next one where it has died. */
  #thread: Thread | undefined
  #errands = 0

  constructor(server: SmtpServer) {
    this.#server = server
  }

  async send(message: Message, signal?: AbortSignal): Promise<void> {
    await this.#run({ message }, signal)
  }

  async pretend(message: Message, reaches: boolean, signal?: AbortSignal): Promise<void> {
    await this.#run({ message, reaches }, signal)
  }

  async #run(errand: Omit<MailErrand, 'id'>, signal?: AbortSignal): Promise<void> {
    this.#thread ??= this.#start()
    const { worker, underWay } = this.#thread
    this.#errands += 1
    const id = this.#errands
    const outcome = Promise.withResolvers<void>()
    underWay.set(id, outcome)
    // Only a thread at work keeps the process alive.
    worker.ref()
    worker.postMessage({ id, ...errand } satisfies MailErrand)
    const giveUp = () => worker.postMessage({ givenUp: id })
    if (signal?.aborted) giveUp()
    signal?.addEventListener('abort', giveUp)
    await outcome.promise.finally(() => {
      underWay.delete(id)
      if (underWay.size === 0) worker.unref()
      signal?.removeEventListener('abort', giveUp)
    })
  }

  #start(): Thread {
    const worker = new Worker(WORKER, { workerData: this.#server })
    const thread: Thread = { worker, underWay: new Map() }
    const end = (cause: Error) => {
      if (this.#thread === thread) this.#thread = undefined
      for (const { reject } of thread.underWay.values()) reject(notSent(cause))
    }
    worker.on('message', ({ id, refusal }: MailAnswer) => {
      const outcome = thread.underWay.get(id)
      if (refusal === undefined) outcome?.resolve()
      else outcome?.reject(new NotSent(refusal))
    })
    worker.on('error', end)
    worker.on('exit', () => end(new Error('the thread that sends mail has ended')))
    return thread
  }
}
