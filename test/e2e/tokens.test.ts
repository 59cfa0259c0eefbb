/** Programs and services beside ours, each a process of its own against a started server, as in the examples. */

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { emptyDatabase } from '../postgres/databases.ts'
import { Child, pathOf, type Server, startServer, temporaryFolder } from '../started.ts'

const ISSUER = 'https://auth.example.org'
const LOGIN = { email: 'ada@lovelace.example', password: 'the long way round' }

interface Tokens {
  access_token: string
  refresh_token: string
}

async function post<T>({ url }: Server, path: string, fields: object): Promise<T> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(fields) })
  expect(answer.status, path).toBe(200)
  const body: T = JSON.parse(await answer.text())
  return body
}

/** @returns a server whose tokens name another address than the one that it happens to have, and a login */
async function started(env: Record<string, string> = {}): Promise<{ server: Server; tokens: Tokens }> {
  const server = await startServer({ PUBLIC_URL: ISSUER, ...env })
  await post(server, '/users', LOGIN)
  return { server, tokens: await post(server, '/tokens', LOGIN) }
}

/** @returns a Python that has PyJWT */
async function pythonWithJwt(): Promise<string> {
  for (const python of ['python3', '/usr/bin/python3']) {
    const code = await new Child(python, ['-c', 'import jwt, cryptography'], {}, temporaryFolder()).ended.catch(
      () => null,
    )
    if (code === 0) return python
  }
  throw new Error('python3 with PyJWT is needed: apt-get install python3-jwt')
}

test('a program in another language logs in, calls, refreshes, is revoked, and its thief is found out', async () => {
  const { url } = await startServer()
  const args = [pathOf('test/e2e/token_client.py'), url, LOGIN.email, LOGIN.password]
  const program = new Child('python3', args, {}, temporaryFolder())
  expect(await program.ended, program.stderr).toBe(0)
  expect(program.stdout).toBe('OK\n')
})

test.each(['ES256', 'EdDSA'])(
  'PyJWT verifies tokens of %s by our keys, and refuses what is not one',
  async (algorithm) => {
    const python = await pythonWithJwt()
    const { server, tokens } = await started({ TOKEN_ALGORITHM: algorithm })
    const folder = temporaryFolder()
    const verify = async (token: string, audience = ISSUER) => {
      writeFileSync(join(folder, 'token'), token)
      const keys = `${server.url}/.well-known/jwks.json`
      const command = `"${python}" "${pathOf('examples/verify_with_pyjwt.py')}" ${ISSUER} ${audience} ${keys} < token`
      const child = new Child('sh', ['-c', command], {}, folder)
      return { code: await child.ended, ...child }
    }
    const good = await verify(tokens.access_token)
    expect(good.code, good.stderr).toBe(0)
    expect(JSON.parse(good.stdout)).toEqual({ user: '1', session: tokens.refresh_token.slice(0, 36) })
    const deep = Buffer.from(`{"typ":"at+jwt","a":${'['.repeat(20_000)}`).toString('base64url')
    const [head, body, signature = ''] = tokens.access_token.split('.')
    const refused = [
      await verify(`${head}.${body}.${[...signature].reverse().join('')}`),
      await verify(tokens.access_token, 'https://shop.example.org'),
      await verify(tokens.refresh_token),
      // What strangers may nest as deeply as they like.
      await verify(`${deep}.${body}.${signature}`),
      await verify(`${head}.${deep}.${signature}`),
    ]
    for (const { code, stderr } of refused) {
      expect(code).toBe(1)
      expect(stderr).toMatch(/^refused: /)
    }
  },
)

test('another service verifies our tokens with jose, and goes on when the key is replaced', async () => {
  const folder = temporaryFolder()
  const server = await startServer({ PUBLIC_URL: ISSUER }, folder)
  await post(server, '/users', LOGIN)
  const tokens = await post<Tokens>(server, '/tokens', LOGIN)
  const env = { ISSUER, JWKS_URL: `${server.url}/.well-known/jwks.json`, PORT: '0' }
  const service = new Child(process.execPath, [pathOf('examples/verify_with_jose/service.ts')], env, temporaryFolder())
  const port = await vi.waitFor(
    () => {
      const [, found] = /listening on port (\d+)/.exec(service.stdout) ?? []
      if (found === undefined) throw new Error(`not ready: ${service.stderr}`)
      return found
    },
    { timeout: 20_000, interval: 10 },
  )
  const ask = async (token: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${token}` } })
    return [answer.status, await answer.json()]
  }
  const session = tokens.refresh_token.slice(0, 36)
  expect(await ask(tokens.access_token)).toEqual([200, { user: '1', session }])
  expect((await ask(tokens.refresh_token))[0]).toBe(401)
  expect((await ask(`${tokens.access_token.slice(0, -4)}AAAA`))[0]).toBe(401)
  expect((await ask(''))[0]).toBe(401)

  const rotation = new Child(process.execPath, [pathOf('src/cli.ts'), 'rotate-keys'], { PUBLIC_URL: ISSUER }, folder)
  expect(await rotation.ended, rotation.stderr).toBe(0)
  expect(rotation.stdout).toMatch(/\nKey \S+ of \S+bienvenue\.db signs in ten minutes\.\n$/)
  const again = await post<Tokens>(server, '/tokens', LOGIN)
  expect((await ask(again.access_token))[0]).toBe(200)
})

test('keys are rotated in no database on which no service has started: it is not made, nor is a key', async () => {
  const folder = temporaryFolder()
  const env = (url: string) => ({ DATABASE_URL: url, PUBLIC_URL: ISSUER })
  const args = [pathOf('src/cli.ts'), 'rotate-keys', '--compromised']
  const rotate = (url: string) => new Child(process.execPath, args, env(url), folder)
  const absent = rotate('sqlite:./data/bienvenue.db')
  expect([await absent.ended, absent.stderr]).toEqual([2, expect.stringContaining('There is no database')])
  expect(existsSync(join(folder, 'data'))).toBe(false)
  const empty = rotate(await emptyDatabase())
  expect([await empty.ended, empty.stderr]).toEqual([2, expect.stringContaining('There is no key in postgres:')])
})
