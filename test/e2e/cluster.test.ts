/** Several processes on one port and one SQLite file: together they are one service, whatever becomes of one of them. */

import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { PRODUCTION } from '../house.ts'
import { type Child, type Env, heldPort, runServer, type Server, startServer, temporaryFolder } from '../started.ts'

vi.setConfig({ testTimeout: 90_000 })

const PATIENCE = { timeout: 30_000, interval: 20 }
/** What takes longer hangs, in milliseconds. */
const ANSWERED = 30_000
const EMAIL = 'bob@example.org'
const PASSWORD = 'a long way to go'
const WORKERS = '3'
const REPLACED = 'all workers were replaced'

/** Every answer says which process it is from; a worker that finds the file `held` waits while it is there, and one that finds `broken` ends before it is ready. */
const TELLING = `
import { existsSync } from 'node:fs'
import { ServerResponse } from 'node:http'
const { writeHead } = ServerResponse.prototype
ServerResponse.prototype.writeHead = function (...given) {
  this.setHeader('x-process', process.pid)
  return writeHead.apply(this, given)
}
const isWorker = process.argv[1].endsWith('worker.ts')
while (isWorker && existsSync('held')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
if (isWorker && existsSync('broken')) {
  process.stderr.write('broken at ' + Date.now() + '\\n')
  process.exit(3)
}`

const SEVERAL = { WORKERS, NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(TELLING)}` }

interface Answer {
  readonly status: number
  /** Of the process that answered. */
  readonly pid: number
  readonly headers: IncomingHttpHeaders
}

interface Sent {
  method?: string
  fields?: Record<string, string>
  cookie?: string
  agent?: Agent | false
}

/** Sends over a connection of its own, where no agent keeps one. */
function send({ port }: Server, path: string, { method = 'GET', fields, cookie = '', agent = false }: Sent = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const headers = { cookie, 'content-type': 'application/json' }
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent, timeout: ANSWERED }, (answer) => {
      answer.resume().on('end', () => {
        resolve({
          status: answer.statusCode ?? 0,
          pid: Number(answer.headers['x-process']),
          headers: answer.headers,
        })
      })
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer')))
    sent.on('error', reject).end(fields === undefined ? '' : JSON.stringify(fields))
  })
}

function register(server: Server, email = EMAIL): Promise<Answer> {
  return send(server, '/users', { method: 'POST', fields: { email, password: PASSWORD } })
}

function logIn(server: Server, password = PASSWORD): Promise<Answer> {
  return send(server, '/sessions', { method: 'POST', fields: { email: EMAIL, password } })
}

async function signedIn(server: Server): Promise<string> {
  await register(server)
  const { headers } = await logIn(server)
  return String(headers['set-cookie']).split(';', 1).join()
}

/**
 * Asks each of the workers once. Which one takes a connection is for the kernel to say, so the others are held up meanwhile.
 * @returns every answer
 */
async function askAll(server: Server, sent: Sent = {}, path = '/profile'): Promise<Answer[]> {
  const workers = workersOf(server)
  const answers: Answer[] = []
  for (const asked of workers) {
    const others = workers.filter((worker) => worker !== asked)
    for (const other of others) process.kill(other, 'SIGSTOP')
    answers.push(await send(server, path, sent).finally(() => others.map((other) => process.kill(other, 'SIGCONT'))))
  }
  expect([...pidsOf(answers)].sort()).toEqual(workers.sort())
  expect(workers).toHaveLength(Number(WORKERS))
  return answers
}

function workersOf({ child }: Server): number[] {
  return execFileSync('pgrep', ['-P', `${child.pid}`], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number)
}

function pidsOf(answers: readonly Answer[]): Set<number> {
  return new Set(answers.map(({ pid }) => pid))
}

function statusesOf(answers: readonly Answer[]): number[] {
  return [...new Set(answers.map(({ status }) => status))]
}

/** Eight clients that ask without a pause: four over connections that they keep, four over new ones. */
function load(server: Server, cookie: string) {
  const answers: Answer[] = []
  const failures: { begunAt: number; error: unknown }[] = []
  let going = true
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  const client = async (kept: Agent | false) => {
    while (going) {
      const begunAt = performance.now()
      try {
        answers.push(await send(server, '/profile', { cookie, agent: kept }))
      } catch (error) {
        failures.push({ begunAt, error })
      }
    }
  }
  const clients = Array.from({ length: 8 }, (_, n) => client(n % 2 === 0 && agent))
  const end = async () => {
    going = false
    await Promise.all(clients)
  }
  return { answers, failures, end }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function expectGone(pids: Iterable<number>): Promise<void> {
  await vi.waitFor(() => expect([...pids].filter(isRunning)).toEqual([]), PATIENCE)
}

/** That there are as many workers as were asked for, and still are when all were replaced once more. */
async function expectTheirNumber(server: Server): Promise<void> {
  const isRight = () => vi.waitFor(() => expect(workersOf(server)).toHaveLength(Number(WORKERS)), PATIENCE)
  const renewals = () => server.child.stdout.split(REPLACED).length
  await isRight()
  const before = renewals()
  server.child.signal('SIGHUP')
  await vi.waitFor(() => expect(renewals()).toBe(before + 1), PATIENCE)
  await isRight()
}

function start(env: Env = {}, folder?: string): Promise<Server> {
  return startServer({ ...SEVERAL, ...env }, folder)
}

describe('three workers', () => {
  test('are one service: a login at one is good at all, and a logout ends it at all at once', async () => {
    const server = await start()
    const cookie = await signedIn(server)
    expect(statusesOf(await askAll(server, { cookie }))).toEqual([200])
    expect((await send(server, '/sessions', { method: 'DELETE', cookie })).status).toBe(302)
    expect(statusesOf(await askAll(server, { cookie }))).toEqual([403])
    expect(server.child.stdout.match(/is ready at/g)).toHaveLength(1)
    expect(server.child.stderr).toBe('')
  })

  test('count wrong passwords together', async () => {
    const server = await start({
      ...PRODUCTION,
      ...{ PUBLIC_URL: 'http://localhost', INSECURE_HTTP: 'true', PORT: '0' },
    })
    await register(server)
    const answers: Answer[] = []
    for (let n = 0; n < 15; n += 1) answers.push(await logIn(server, `wrong ${n}`))
    expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(401), ...Array(5).fill(429)])
    expect(pidsOf(answers).size).toBeGreaterThan(1)
    expect(server.child.stdout.match(/"msg":"ready"/g)).toHaveLength(1)
  })

  test('write to one file at the same time, and nobody is sent away', async () => {
    const server = await start()
    await register(server)
    // Each writes a token, a letter and a row of the audit log at once; a hash would keep them apart.
    const asked = { method: 'POST', fields: { email: EMAIL } }
    const answers = await Promise.all(Array.from({ length: 60 }, () => send(server, '/reset_password', asked)))
    expect(statusesOf(answers)).toEqual([200])
    expect(pidsOf(answers).size).toBeGreaterThan(1)
  })
})

describe('a worker that is killed', () => {
  test('takes only what it was answering with it, and is replaced', async () => {
    const server = await start()
    const cookie = await signedIn(server)
    const { answers, failures, end } = load(server, cookie)
    await vi.waitFor(() => expect(pidsOf(answers).size).toBe(3), PATIENCE)
    const [victim = 0, ...others] = pidsOf(answers)
    process.kill(victim, 'SIGKILL')
    await expectGone([victim])
    const goneAt = performance.now()
    await vi.waitFor(() => expect(pidsOf(answers).size).toBe(4), PATIENCE)
    await end()
    expect(statusesOf(answers)).toEqual([200])
    expect(failures.filter(({ begunAt }) => begunAt > goneAt)).toEqual([])
    expect(failures.length).toBeLessThanOrEqual(8)
    const now = pidsOf(await askAll(server, { cookie }))
    expect(now.has(victim)).toBe(false)
    for (const other of others) expect(now.has(other)).toBe(true)
    expect(server.child.stdout).toContain('a worker has ended, and is replaced')
  })

  test('is replaced later and later while its successors do not start either', async () => {
    const folder = temporaryFolder()
    const server = await start({}, folder)
    const [victim = 0] = pidsOf(await askAll(server, {}, '/'))
    writeFileSync(join(folder, 'broken'), '')
    process.kill(victim, 'SIGKILL')
    const times = () => [...server.child.stderr.matchAll(/broken at (\d+)\n/g)].map(([, time]) => Number(time))
    await vi.waitFor(() => expect(times().length).toBeGreaterThanOrEqual(4), PATIENCE)
    rmSync(join(folder, 'broken'))
    const waits = times().flatMap((time, n, all) => (n === 0 ? [] : [time - (all[n - 1] ?? 0)]))
    for (const [n, least] of [200, 400, 800].entries()) expect(waits[n]).toBeGreaterThanOrEqual(least)
    await vi.waitFor(() => askAll(server, {}, '/'), PATIENCE)
  })
})

describe('SIGHUP', () => {
  test('replaces all workers one after the other, and not one request fails', async () => {
    const server = await start()
    const cookie = await signedIn(server)
    const before = pidsOf(await askAll(server, { cookie }))
    const { answers, failures, end } = load(server, cookie)
    server.child.signal('SIGHUP')
    await vi.waitFor(() => expect(server.child.stdout).toContain(REPLACED), PATIENCE)
    await end()
    expect(failures).toEqual([])
    expect(statusesOf(answers)).toEqual([200])
    const after = pidsOf(await askAll(server, { cookie }))
    expect([...after].filter((pid) => before.has(pid))).toEqual([])
    await expectGone(before)
  })

  test('keeps the workers that run where a new one does not start', async () => {
    const folder = temporaryFolder()
    const server = await start({}, folder)
    const before = pidsOf(await askAll(server, {}, '/'))
    writeFileSync(join(folder, 'broken'), '')
    server.child.signal('SIGHUP')
    await vi.waitFor(() => expect(server.child.stdout).toContain('a new worker does not start'), PATIENCE)
    expect(pidsOf(await askAll(server, {}, '/'))).toEqual(before)
  })

  /** Asks for new workers, and kills those that there are while the first new one is on its way. */
  async function killedMeanwhile(folder: string): Promise<Server> {
    const server = await start({}, folder)
    const before = workersOf(server)
    writeFileSync(join(folder, 'held'), '')
    server.child.signal('SIGHUP')
    await vi.waitFor(() => expect(workersOf(server)).toHaveLength(before.length + 1), PATIENCE)
    for (const pid of before) process.kill(pid, 'SIGKILL')
    const seen = () => server.child.stdout.split('a worker has ended, and is replaced').length - 1
    await vi.waitFor(() => expect(seen()).toBe(before.length), PATIENCE)
    return server
  }

  test('replaces a worker that dies meanwhile once, and not twice', async () => {
    const folder = temporaryFolder()
    const server = await killedMeanwhile(folder)
    rmSync(join(folder, 'held'))
    await vi.waitFor(() => expect(server.child.stdout).toContain(REPLACED), PATIENCE)
    await expectTheirNumber(server)
  })

  test('replaces a worker that dies meanwhile also where the new one does not start', async () => {
    const folder = temporaryFolder()
    const server = await killedMeanwhile(folder)
    writeFileSync(join(folder, 'broken'), '')
    rmSync(join(folder, 'held'))
    await vi.waitFor(() => expect(server.child.stdout).toContain('a new worker does not start'), PATIENCE)
    rmSync(join(folder, 'broken'))
    await expectTheirNumber(server)
  })

  test('replaces a worker that never got ready once, and not twice', async () => {
    const server = await start()
    const before = workersOf(server)
    const [victim = 0] = before
    process.kill(victim, 'SIGKILL')
    await expectGone([victim])
    const late = () => workersOf(server).find((pid) => !before.includes(pid))
    const stopped = await vi.waitUntil(late, PATIENCE)
    process.kill(stopped, 'SIGSTOP')
    server.child.signal('SIGHUP')
    await expectGone(before)
    await vi.waitFor(() => expect(workersOf(server)).toHaveLength(before.length + 1), PATIENCE)
    process.kill(stopped, 'SIGKILL')
    await vi.waitFor(() => expect(server.child.stdout).toContain(REPLACED), PATIENCE)
    await expectTheirNumber(server)
  })
})

describe('the end', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s finishes requests in flight at every worker', async (signal) => {
    const server = await start({ BCRYPT_COST: '12', HASH_CONCURRENCY: '1' })
    const pids = pidsOf(await askAll(server, {}, '/'))
    const pending = Array.from({ length: 3 }, (_, n) => register(server, `${n}@example.org`))
    // Two answers of each later what was sent before has been read, and is being hashed.
    for (let round = 0; round < 2; round += 1) await askAll(server, {}, '/')
    // As a terminal and systemd do, to each of them.
    for (const pid of pids) process.kill(pid, signal)
    server.child.signal(signal)
    expect(statusesOf(await Promise.all(pending))).toEqual([200])
    expect(await server.child.ended).toBe(0)
    expect([...pids].filter(isRunning)).toEqual([])
    expect(server.child.stdout.match(/stopping/g)).toHaveLength(1)
    expect(server.child.stderr).toBe('')
  })

  test('a second signal ends all of them at once', async () => {
    const server = await start({ BCRYPT_COST: '15' })
    const pids = pidsOf(await askAll(server, {}, '/'))
    const pending = register(server).catch(() => 'cut off')
    await askAll(server, {}, '/')
    server.child.signal('SIGTERM')
    await vi.waitFor(() => expect(server.child.stdout).toContain('stopping'), PATIENCE)
    server.child.signal('SIGTERM')
    expect(await server.child.ended).toBe(null)
    await expectGone(pids)
    expect(await pending).toBe('cut off')
  })

  test('no worker outlives a primary that is killed', async () => {
    const server = await start()
    const pids = pidsOf(await askAll(server, {}, '/'))
    server.child.signal('SIGKILL')
    await expectGone(pids)
  })
})

describe('a start that cannot be', () => {
  async function failure(child: Child): Promise<string> {
    expect(await child.ended).toBe(1)
    expect(child.stderr).toMatch(/^Bienvenue cannot start: .+\n$/)
    return child.stderr
  }

  test('says once that the port is taken', async () => {
    const port = await heldPort('127.0.0.1')
    expect(await failure(runServer({ WORKERS, PORT: String(port) }))).toContain(`Port ${port} is taken.`)
  })

  test('refuses a database that each worker would have for itself', async () => {
    const told = await failure(runServer({ WORKERS, DATABASE_URL: 'sqlite::memory:' }))
    expect(told).toContain('WORKERS needs a database that all of them can open')
  })

  test('says which signal has ended the first worker', async () => {
    const killed = `if (process.argv[1].endsWith('worker.ts')) process.kill(process.pid, 'SIGKILL')`
    const env = { WORKERS, NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(killed)}` }
    expect(await failure(runServer(env))).toContain('SIGKILL has ended a worker.')
  })
})

test('one process alone is what it is without the setting: it answers itself', async () => {
  const server = await start({ WORKERS: '1' })
  const answers = [await send(server, '/'), await send(server, '/'), await send(server, '/')]
  expect(pidsOf(answers)).toEqual(new Set([server.child.pid]))
})
