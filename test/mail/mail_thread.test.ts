/** Mail on a thread of its own: it goes as it would go without one, and takes nothing from those who are served meanwhile. */

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test, vi } from 'vitest'
import { MailThread } from '../../src/mail/mail_thread.ts'
import type { Message } from '../../src/mail/message.ts'
import { NotSent, smtpTransport, type Transport } from '../../src/mail/transport.ts'
import { transportOf } from '../../src/service.ts'
import type { SmtpServer } from '../../src/settings/smtp.ts'
import { readSettings } from '../../src/settings.ts'
import { MAIL, PRODUCTION } from '../house.ts'
import { pathOf, temporaryFolder } from '../started.ts'
import { gate, PATIENCE, startSmtp, type TestSmtp, tried } from './smtp.ts'

const ADA = 'ada@lovelace.example'

function serverAt(port: number): SmtpServer {
  return { host: '127.0.0.1', port, secure: false, plain: true, user: '', password: '' }
}

function messageTo(to: string): Message {
  const from = { name: 'Bienvenue', address: 'no-reply@example.org' }
  const id = '5b1d3f2e-8c4a-4d6b-9e7f-0a1b2c3d4e5f'
  return { id, from, to, date: 1_790_000_000_000, subject: 'Välkommen', text: 'Hello\n', html: '<p>Hello</p>' }
}

/** @returns how a try ends, as far as the delivery looks at it */
async function outcomeOf(sending: Promise<void>) {
  try {
    await sending
    return 'sent'
  } catch (error) {
    if (!(error instanceof NotSent)) throw error
    const { message, code, reply, permanent } = error
    return { message, code, reply, permanent }
  }
}

/** @returns what comes of each of these, without a thread and with one */
async function bothWays(smtp: TestSmtp, ask: (transport: Transport) => Promise<void>) {
  const server = serverAt(smtp.port)
  const ways = [smtpTransport(server), new MailThread(server)]
  return Promise.all(ways.map((transport) => outcomeOf(ask(transport))))
}

test('a mail goes as it would without a thread', async () => {
  const smtp = await startSmtp()
  expect(await bothWays(smtp, (transport) => transport.send(messageTo(ADA)))).toEqual(['sent', 'sent'])
  // The boundary of the parts is by chance.
  const [one, other] = smtp.received.map(({ raw }) => raw.toString().replaceAll(/(?<=_NmP-)\w+/g, ''))
  expect(one).toContain('\r\n\r\nHello\r\n')
  expect(other).toBe(one)
  expect(smtp.received.map(({ to }) => to)).toEqual([[ADA], [ADA]])
})

test.each([
  ['the recipient', 'recipient', '550 5.1.1 nobody of this name', true],
  ['the sender', 'sender', '530 5.7.0 log in first', false],
  ['the mail, for now', 'data', '451 4.3.0 later', false],
] as const)('a refusal of %s is told as it would be without a thread', async (_, at, words, permanent) => {
  const smtp = await startSmtp()
  smtp.reply = () => ({ at, words })
  const [without, within] = await bothWays(smtp, (transport) => transport.send(messageTo(ADA)))
  expect(without).toMatchObject({ permanent, reply: expect.stringContaining(words) })
  expect(within).toEqual(without)
})

test('so is a mail server that is not there', async () => {
  const smtp = await startSmtp()
  await smtp.close()
  const [without, within] = await bothWays(smtp, (transport) => transport.send(messageTo(ADA)))
  expect(without).toMatchObject({ permanent: false, code: 'ESOCKET' })
  expect(within).toEqual(without)
})

test.each([
  [true, 2],
  [false, 0],
])(
  'a letter to nobody is handed to nobody; where the server may be reached (%s) it is',
  async (reaches, connections) => {
    const smtp = await startSmtp()
    expect(await bothWays(smtp, (transport) => transport.pretend(messageTo(ADA), reaches))).toEqual(['sent', 'sent'])
    expect([smtp.connections, smtp.tries, smtp.received]).toEqual([connections, [], []])
  },
)

test('many go side by side, and each hears what became of its own', async () => {
  const smtp = await startSmtp()
  const { opened, open } = gate()
  smtp.reply = (to) => (to.startsWith('slow') ? { after: opened } : { at: 'recipient', words: `550 5.1.1 ${to}` })
  const thread = new MailThread(serverAt(smtp.port))
  const slow = thread.send(messageTo('slow@example.org'))
  const refused = ['a@example.org', 'b@example.org', 'c@example.org']
  const outcomes = await Promise.all(refused.map((to) => outcomeOf(thread.send(messageTo(to)))))
  expect(outcomes).toMatchObject(refused.map((to) => ({ reply: expect.stringContaining(to) })))
  open()
  expect(await outcomeOf(slow)).toBe('sent')
})

test('a try is given up when it is told so, before it has begun too', async () => {
  const smtp = await startSmtp()
  smtp.reply = () => ({ after: new Promise(() => {}) })
  const thread = new MailThread(serverAt(smtp.port))
  const [early, late] = [AbortSignal.abort(), new AbortController()]
  const sending = outcomeOf(thread.send(messageTo(ADA), late.signal))
  expect(await outcomeOf(thread.send(messageTo(ADA), early))).toMatchObject({ permanent: false })
  await tried(smtp, 1)
  late.abort()
  expect(await sending).toMatchObject({ permanent: false })
})

/** @returns a mail on its way to a server that never answers, with the worker behind the thread, and all that were asked */
async function underWay() {
  const smtp = await startSmtp()
  smtp.reply = () => ({ after: new Promise(() => {}) })
  const posted = vi.spyOn(Worker.prototype, 'postMessage')
  onTestFinished(() => posted.mockRestore())
  const thread = new MailThread(serverAt(smtp.port))
  const sending = outcomeOf(thread.send(messageTo(ADA)))
  await tried(smtp, 1)
  const { contexts: workers } = posted.mock
  const [worker] = workers
  if (!(worker instanceof Worker)) throw new Error('no thread')
  return { smtp, thread, sending, worker, workers }
}

test('what goes wrong in the thread is no fault of this process, and nobody but its letters has to do with it', async () => {
  const { smtp, thread, sending, worker, workers } = await underWay()
  worker.emit('error', new Error('no descriptor is left'))
  expect(await sending).toMatchObject({ permanent: false, message: expect.stringContaining('no descriptor is left') })
  smtp.reply = () => 'take'
  expect(await outcomeOf(thread.send(messageTo(ADA)))).toBe('sent')
  await worker.terminate()
  expect(await outcomeOf(thread.send(messageTo(ADA)))).toBe('sent')
  expect(new Set(workers).size).toBe(2)
})

test('a process lives until its mail is gone, and no longer', async () => {
  const smtp = await startSmtp()
  const source = (name: string) => JSON.stringify(pathToFileURL(pathOf(`src/mail/${name}.ts`)))
  const program = `
    const { MailThread } = await import(${source('mail_thread')})
    const thread = new MailThread(${JSON.stringify(serverAt(smtp.port))})
    for (const _ of [1, 2]) await thread.send(${JSON.stringify(messageTo(ADA))})
    console.log('gone')`
  const file = join(temporaryFolder(), 'program.mjs')
  writeFileSync(file, program)
  const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: PATIENCE })
  expect([stdout, smtp.received.length]).toEqual(['gone\n', 2])
})

test('where the thread dies its letters are to be tried again, and the next one has a new thread', async () => {
  const { smtp, thread, sending, worker } = await underWay()
  await worker.terminate()
  expect(await sending).toMatchObject({ permanent: false, message: expect.stringContaining('thread') })
  smtp.reply = () => 'take'
  expect(await outcomeOf(thread.send(messageTo(ADA)))).toBe('sent')
})

/** A mail server on another thread, which takes one mail and says so by a number that may be waited for without an event loop. */
const ELSEWHERE = `
  const { parentPort, workerData } = require('node:worker_threads')
  const taken = new Int32Array(workerData)
  const server = require('node:net').createServer((socket) => {
    let mail = null
    socket.write('220 here\\r\\n')
    socket.on('data', (chunk) => {
      const text = chunk.toString()
      if (mail !== null) mail += text
      if (mail !== null && !mail.endsWith('\\r\\n.\\r\\n')) return
      if (mail !== null) {
        Atomics.store(taken, 0, 1)
        Atomics.notify(taken, 0)
      }
      mail = text === 'DATA\\r\\n' ? '' : null
      socket.write(mail === null ? '250 good\\r\\n' : '354 go on\\r\\n')
    })
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
`

test('R-02: a mail goes while this process stands still: whom it is for is not to be seen by how long others wait', async () => {
  const shared = new SharedArrayBuffer(4)
  const elsewhere = new Worker(ELSEWHERE, { eval: true, workerData: shared })
  onTestFinished(async () => void (await elsewhere.terminate()))
  const port: number = await new Promise((resolve) => elsewhere.once('message', resolve))
  const transport = transportOf(readSettings({ ...PRODUCTION, ...MAIL, SMTP_URL: `smtp://127.0.0.1:${port}?tls=none` }))
  const sending = transport.send(messageTo(ADA))
  expect(Atomics.wait(new Int32Array(shared), 0, 0, PATIENCE)).not.toBe('timed-out')
  await sending
})
