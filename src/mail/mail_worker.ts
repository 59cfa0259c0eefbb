/** The thread of mail_thread.ts: takes letters to the mail server. */

import { parentPort, workerData } from 'node:worker_threads'
import type { SmtpServer } from '../settings/smtp.ts'
import type { MailAnswer, MailErrand } from './mail_thread.ts'
import { notSent, smtpTransport } from './transport.ts'

const server: SmtpServer = workerData
const transport = smtpTransport(server)
/** By the id of the errand. */
const underWay = new Map<number, AbortController>()

async function run({ id, message, reaches }: MailErrand): Promise<MailAnswer> {
  const leaving = new AbortController()
  underWay.set(id, leaving)
  try {
    if (reaches === undefined) await transport.send(message, leaving.signal)
    else await transport.pretend(message, reaches, leaving.signal)
    return { id }
  } catch (error) {
    const { message: words, code, reply, permanent } = notSent(error)
    return { id, refusal: { message: words, code, reply, permanent } }
  } finally {
    underWay.delete(id)
  }
}

parentPort?.on('message', async (asked: MailErrand | { givenUp: number }) => {
  if ('givenUp' in asked) underWay.get(asked.givenUp)?.abort()
  else parentPort?.postMessage(await run(asked))
})
