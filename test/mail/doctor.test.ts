/** What the doctor says of each thing that may be wrong with a mail server, in words and as an exit status. */

import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from '../../faults/ports.ts'
import { examineMail } from '../../src/mail/doctor.ts'
import { smtpTransport } from '../../src/mail/transport.ts'
import type { SmtpServer } from '../../src/settings/smtp.ts'
import { readSettings } from '../../src/settings.ts'
import { MAIL, PRODUCTION } from '../house.ts'
import { Child, type Env, pathOf, temporaryFolder } from '../started.ts'
import { type Reply, read, selfSigned, startSmtp } from './smtp.ts'

const ADA = 'ada@lovelace.example'

/** @param reached how, where it is not as SMTP_URL says */
function examine(url: string, reached: Partial<SmtpServer> = {}) {
  const settings = readSettings({ ...PRODUCTION, ...MAIL, SMTP_URL: url })
  if (settings.smtp === undefined) throw new Error('there is no mail server')
  return examineMail({ ...settings, smtp: { ...settings.smtp, ...reached } }, ADA, smtpTransport)
}

/** Runs `npm run bienvenue -- <given>`. @returns the exit status and what it wrote */
async function run(given: readonly string[], env: Env = {}) {
  const child = new Child(process.execPath, [pathOf('src/cli.ts'), ...given], env, temporaryFolder())
  const status = await child.ended
  return { status, stdout: child.stdout, stderr: child.stderr }
}

test('a mail that is taken is well, and a test message is in it', async () => {
  const smtp = await startSmtp()
  const { well, lines } = await examine(smtp.url)
  expect(well).toBe(true)
  expect(lines[0]).toBe(
    `Sent to ${ADA} as no-reply@example.org, through 127.0.0.1:${smtp.port} with no TLS: the server took it.`,
  )
  expect(lines[1]).toContain('SPF, DKIM and DMARC')
  const [mail] = smtp.received
  expect(mail?.to).toEqual([ADA])
  expect(mail === undefined ? '' : (await read(mail)).subject).toBe('Test message from Bienvenue')
})

test('nothing that listens: the port is to be checked', async () => {
  const port = await freePort()
  const { well, lines } = await examine(`smtp://127.0.0.1:${port}`)
  expect([well, lines.at(-1)]).toEqual([false, expect.stringMatching(`Nothing listens at 127.0.0.1:${port}.*SMTP_URL`)])
})

test('a host that does not exist: its name is to be checked', async () => {
  const { well, lines } = await examine('smtp://mail.nowhere.invalid')
  expect([well, lines.at(-1)]).toEqual([
    false,
    expect.stringMatching(/There is no host mail\.nowhere\.invalid.*SMTP_URL/),
  ])
})

test('a login that is wrong: name and password are to be checked, and no password is shown', async () => {
  const smtp = await startSmtp({ login: { user: 'bienvenue', password: 'right' } })
  const { well, lines } = await examine(smtp.url.replace('//', '//bienvenue:wr%40ng@'))
  expect(well).toBe(false)
  expect(lines[0]).toContain('as bienvenue: it was not taken')
  expect(lines[1]).toContain('535 5.7.8')
  expect(lines[2]).toMatch(/^The login was refused.*SMTP_URL.*%40/)
  expect(lines.join('')).not.toContain('wr@ng')
})

test('a login that the server does not offer', async () => {
  const smtp = await startSmtp()
  const { well, lines } = await examine(smtp.url.replace('//', '//bienvenue:right@'))
  expect([well, lines.at(-1)]).toEqual([false, expect.stringMatching(/^The login was refused/)])
})

test.each([
  ['from the first byte', true],
  ['after STARTTLS', false],
])('a certificate that nobody has signed, %s', async (_, secure) => {
  const smtp = await startSmtp({ tls: selfSigned(), secure })
  const { well, lines } = await examine(smtp.url, { plain: false })
  expect([well, lines.at(-1)]).toEqual([
    false,
    expect.stringMatching(/^The certificate of 127\.0\.0\.1 is not trusted.*NODE_EXTRA_CA_CERTS/),
  ])
  expect(smtp.tries).toEqual([])
})

test('a server that offers no STARTTLS', async () => {
  const smtp = await startSmtp()
  const { well, lines } = await examine(smtp.url, { plain: false })
  expect([well, lines.at(-1)]).toEqual([false, expect.stringMatching(/offers no STARTTLS.*smtps:.*tls=none/)])
})

test('TLS at a port that speaks without it', async () => {
  const smtp = await startSmtp()
  const { well, lines } = await examine(smtp.url.replace('smtp:', 'smtps:'))
  expect([well, lines.at(-1)]).toEqual([
    false,
    expect.stringMatching(/TLS failed with 127\.0\.0\.1:\d+.*smtp:.*smtps:/),
  ])
})

const REFUSALS: [string, Reply, RegExp][] = [
  [
    'the recipient',
    { at: 'recipient', words: '550 5.1.1 nobody of this name' },
    /refuses this recipient or this message/,
  ],
  // Words of a reply are no diagnosis: `certain` is no certificate.
  [
    'the recipient, in other words',
    { at: 'recipient', words: '550 5.1.1 we are certain, nobody' },
    /refuses this recipient/,
  ],
  [
    'the message',
    { at: 'data', words: '554 5.6.0 ssl offer looks like spam' },
    /refuses this recipient or this message/,
  ],
  ['the sender', { at: 'sender', words: '553 5.7.1 not your address' }, /MAIL_FROM is no-reply@example\.org/],
  ['it for now', { at: 'recipient', words: '451 4.7.1 greylisted' }, /did not take it/],
]

test.each(REFUSALS)('a server that refuses %s', async (_, reply, expected) => {
  const smtp = await startSmtp()
  smtp.reply = () => reply
  const { well, lines } = await examine(smtp.url)
  expect(well).toBe(false)
  expect(lines[1]).toBe(`The server said: ${typeof reply === 'object' && 'words' in reply ? reply.words : ''}`)
  expect(lines.at(-1)).toMatch(expected)
})

test('a reply with control characters reaches the terminal without them', async () => {
  const server = createServer((socket) => {
    socket.write('220 here\r\n')
    socket
      .on('error', () => {})
      .on('data', (asked) => {
        const refused = String(asked).startsWith('RCPT')
        socket.write(refused ? '550 no\x1b[2J\x1b]0;owned\x07body\u009b31m\r\n' : '250 well\r\n')
      })
  })
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const { lines } = await examine(`smtp://127.0.0.1:${port}`)
  expect(lines[1]).toBe('The server said: 550 no [2J ]0;owned body 31m')
  expect(lines.join('')).not.toMatch(/\p{Cc}/u)
})

test('a server that says nothing', async () => {
  const smtp = await startSmtp()
  smtp.greets = false
  const { well, lines } = await examine(smtp.url)
  expect([well, lines.at(-1)]).toEqual([false, expect.stringMatching(/did not answer in time.*firewall/)])
})

test('doctor mail: well is 0, not well is 1, wrongly asked is 2', async () => {
  const smtp = await startSmtp()
  const env = { ...PRODUCTION, ...MAIL, SMTP_URL: smtp.url }
  const well = await run(['doctor', 'mail', ADA], env)
  expect([well.status, well.stdout, well.stderr]).toEqual([0, expect.stringContaining('the server took it'), ''])
  expect(smtp.received).toHaveLength(1)
  const refused = await run(['doctor', 'mail', ADA], { ...env, SMTP_URL: `smtp://127.0.0.1:${await freePort()}` })
  expect([refused.status, refused.stdout]).toEqual([1, expect.stringContaining('Nothing listens')])
  const without = await run(['doctor', 'mail', ADA])
  expect([without.status, without.stdout]).toEqual([1, expect.stringContaining('SMTP_URL is not set')])
  for (const given of [
    ['doctor', 'mail'],
    ['doctor', 'mail', 'nobody'],
    ['doctor', 'mail', 'a@b.example', 'c@d.example'],
  ]) {
    const { status, stderr } = await run(given, env)
    expect([status, stderr], given.join(' ')).toEqual([2, expect.stringContaining('doctor mail you@example.org')])
  }
  const wrong = await run(['doctor', 'mail', ADA], { ...env, SMTP_URL: 'mail.example.org' })
  expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('SMTP_URL is wrong')])
  for (const given of [[], ['doctor'], ['doctors', 'mail', ADA]]) {
    const { status, stderr } = await run(given, env)
    expect([status, stderr], given.join(' ')).toEqual([2, expect.stringContaining('doctor mail you@example.org')])
  }
  expect(smtp.received).toHaveLength(1)
}, 60_000)

test('doctor mail: an authority that NODE_EXTRA_CA_CERTS names is trusted, for its own host alone', async () => {
  const tls = selfSigned()
  const smtp = await startSmtp({ tls, secure: true })
  const env = { ...PRODUCTION, ...MAIL, NODE_EXTRA_CA_CERTS: tls.file }
  const well = await run(['doctor', 'mail', ADA], { ...env, SMTP_URL: `smtps://localhost:${smtp.port}` })
  expect([well.status, well.stdout]).toEqual([0, expect.stringContaining('with TLS: the server took it')])
  expect(smtp.received.map(({ secure }) => secure)).toEqual([true])
  const other = await run(['doctor', 'mail', ADA], { ...env, SMTP_URL: smtp.url })
  expect([other.status, other.stdout]).toEqual([1, expect.stringContaining('is not trusted')])
})
