/** The end-to-end script, run as a user runs it, against servers that are there and one that is not. */

import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { MAIL, PRODUCTION } from '../house.ts'
import { Child, heldPort, pathOf, startServer, temporaryFolder } from '../started.ts'

function runMain(url: string): Child {
  return new Child(process.execPath, [pathOf('scripts/main.ts'), url], {}, temporaryFolder())
}

/** Starts a server of another kind. @returns its address */
async function otherServer(status: number, body: string): Promise<string> {
  const server = createServer((_, response) => void response.writeHead(status).end(body))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

test('passes against a started server, again and again', async () => {
  const { url } = await startServer()
  for (let run = 1; run <= 2; run += 1) {
    const script = runMain(url)
    expect(await script.ended, script.stderr).toBe(0)
    expect(script.stderr).toBe('')
    expect(script.stdout.match(/^ {2}✓ .+$/gm)).toHaveLength(25)
    expect(script.stdout).toMatch(/\nAll is well\.\n$/)
  }
})

test('passes against a production server, and says what it cannot test', async () => {
  const { url } = await startServer(PRODUCTION)
  const script = runMain(url)
  expect(await script.ended, script.stderr).toBe(0)
  expect(script.stdout.match(/^ {2}✓ .+$/gm)).toHaveLength(21)
  expect(script.stdout).toContain(
    'this server sends the reset token by mail, and the script has no\nmailbox. Not tested: ',
  )
})

test('passes where accounts are hidden', async () => {
  const mail = { ...PRODUCTION, ...MAIL, HIDE_ACCOUNTS: 'true', REQUIRE_CONFIRMED_EMAIL: 'false' }
  const script = runMain((await startServer(mail)).url)
  expect(await script.ended, script.stderr).toBe(0)
  expect(script.stdout).toContain('✓ the same address again is answered like the first time')
  expect(script.stdout.match(/^ {2}✓ .+$/gm)).toHaveLength(21)
})

test.each(['true', 'false'])(
  'says what it cannot test where addresses must be confirmed, with HIDE_ACCOUNTS=%s',
  async (HIDE_ACCOUNTS) => {
    const mail = { ...PRODUCTION, ...MAIL, HIDE_ACCOUNTS, REQUIRE_CONFIRMED_EMAIL: 'true' }
    const script = runMain((await startServer(mail)).url)
    expect(await script.ended, script.stderr).toBe(0)
    expect(script.stdout).toContain('✓ nobody gets in before the address is confirmed')
    expect(script.stdout).toContain('Not tested: everything from the first login on.')
  },
)

test('passes against production with the plain cookie name', async () => {
  const { url } = await startServer({ ...PRODUCTION, PUBLIC_URL: 'http://auth.internal', INSECURE_HTTP: 'true' })
  const script = runMain(url)
  expect(await script.ended, script.stderr).toBe(0)
})

test('says that no server answers', async () => {
  const port = await heldPort('127.0.0.1')
  const script = runMain(`http://[::1]:${port}`)
  expect(await script.ended).toBe(1)
  expect(script.stderr).toMatch(
    /^No server answers at http:\/\/\[::1\]:\d+ \(.*ECONNREFUSED.*\)\.\nStart one with `npm start`/,
  )
})

test('says that an address is none', async () => {
  const script = runMain('nonsense')
  expect(await script.ended).toBe(1)
  expect(script.stderr).toBe('nonsense is no address. One looks like http://localhost:5000\n')
})

test('shows the first difference, and ends there', async () => {
  const script = runMain(await otherServer(200, '{"message":"Willkommen"}'))
  expect(await script.ended).toBe(1)
  expect(script.stderr).toBe(
    '  ✗ welcome\n\n' +
      '      expected  200 {"message":"Bienvenue"}, session cookie untouched\n' +
      '      got       200 {"message":"Willkommen"}, session cookie untouched\n\n',
  )
  expect(script.stdout).not.toContain('✓')
})

test('shows an answer that is no JSON', async () => {
  const script = runMain(await otherServer(502, '<h1>Bad Gateway</h1>'))
  expect(await script.ended).toBe(1)
  expect(script.stderr).toContain('got       502 "<h1>Bad Gateway</h1>"')
})
