/**
 * What one session check and one login cost: `node bench/capacity.ts [requests]`. In processor time and not in time passed, so
 * that other programs on the machine hardly matter: of the service, and of PostgreSQL where it is the store. docs/scaling.md
 * keeps the results. Needs Linux and Debian's PostgreSQL.
 */

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPostgres, Postgres } from '../deploy/postgres.ts'
import { ownerOf } from '../deploy/stack.ts'
import { Browser } from '../faults/browser.ts'
import { memoryOf } from '../faults/connections.ts'
import { freePort } from '../faults/ports.ts'
import { type Env, pathOf, type Service, startService } from '../faults/program.ts'

const CHECKS = Number(process.argv[2] ?? 100_000)
const LOGINS = 40
const USERS = 20
const ASKING = 16
const PASSWORD = 'four horses walk'
/** Of the files in /proc: what they count in, in microseconds. */
const TICK = 1_000_000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
const PRODUCTION: Env = {
  ...{ NODE_ENV: 'production', PUBLIC_URL: 'https://auth.example.org', SECRET: randomBytes(33).toString('base64') },
  // All of them come from one address.
  ...{ FAILURES_PER_NETWORK: '0', REGISTRATIONS_PER_NETWORK: '0' },
}

/** @returns the processor time that a process and its children have used so far, in microseconds */
function timeOf(pid: number): number {
  const own = fieldsOf(pid)
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && fieldsOf(Number(name))[1] === pid)
  return [pid, ...children.map(Number)].reduce((sum, one) => sum + ticksOf(fieldsOf(one)), (own[13] ?? 0) * TICK)
}

function ticksOf(fields: readonly number[]): number {
  return ((fields[11] ?? 0) + (fields[12] ?? 0)) * TICK
}

/** @returns what stands behind the name of the program, which may hold spaces */
function fieldsOf(pid: number): number[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
  } catch {
    // It has ended since it was listed.
    return []
  }
}

interface Cost {
  /** Microseconds of processor time for each request. */
  readonly service: number
  readonly store: number
}

/** Asks `count` times, by several at a time, and tells what each cost. */
async function costOf(
  service: Service,
  store: Postgres | undefined,
  count: number,
  ask: (browser: Browser, n: number) => Promise<number>,
): Promise<Cost> {
  const read = () => [timeOf(service.child.pid), store === undefined ? 0 : timeOf(store.pid)] as const
  const before = read()
  let asked = 0
  const one = async (browser: Browser) => {
    while (asked < count) {
      asked += 1
      const status = await ask(browser, asked)
      if (status !== 200) throw new Error(`answered with ${status}`)
    }
    browser.close()
  }
  await Promise.all(Array.from({ length: ASKING }, () => one(new Browser(service))))
  const after = read()
  return { service: (after[0] - before[0]) / count, store: (after[1] - before[1]) / count }
}

async function measure(name: string, env: Env, folder: string, store?: Postgres): Promise<void> {
  const service = await startService({ ...PRODUCTION, BCRYPT_COST: '12', ...env }, folder)
  try {
    const browser = new Browser(service)
    const idle = memoryOf(service)
    const cookies: string[] = []
    const fields = (n: number) => ({ email: `user${n % USERS}@example.org`, password: PASSWORD })
    for (let n = 0; n < USERS; n += 1) {
      await browser.send('POST', '/users', { fields: fields(n) })
      const { cookies: set } = await browser.send('POST', '/sessions', { fields: fields(n) })
      cookies.push(set.find((one) => one.startsWith('__Host-session_id=')) ?? '')
    }
    browser.close()
    const check = async (who: Browser, n: number) =>
      (await who.send('GET', '/profile', { headers: { cookie: cookies[n % USERS] ?? '' } })).status
    await costOf(service, store, CHECKS / 5, check)
    const checks = await costOf(service, store, CHECKS, check)
    const logins = await costOf(
      service,
      store,
      LOGINS,
      async (who, n) => (await who.send('POST', '/sessions', { fields: fields(n) })).status,
    )
    tell(`${name}, session check`, checks)
    tell(`${name}, login at bcrypt cost 12`, logins)
    console.log(
      `${name}: resident memory ${Math.round(idle / 1_024)} MiB at the start, ${Math.round(memoryOf(service) / 1_024)} MiB at the end`,
    )
  } finally {
    await service.child.kill()
  }
}

function tell(what: string, { service, store }: Cost): void {
  const rate = (time: number) => (time === 0 ? '' : ` (${Math.round(1_000_000 / time)} a second and core)`)
  console.log(`${what}: service ${service.toFixed(1)} µs${rate(service)}, store ${store.toFixed(1)} µs${rate(store)}`)
}

async function main(): Promise<void> {
  const bin = findPostgres()
  if (bin === undefined) throw new Error('This needs PostgreSQL: apt-get install postgresql')
  const folder = mkdtempSync(join(tmpdir(), 'bienvenue-capacity-'))
  chmodSync(folder, 0o755)
  const postgres = new Postgres(bin, folder, await freePort(), await ownerOf())
  try {
    await measure('SQLite', {}, folder)
    await postgres.make()
    await postgres.start()
    await postgres.psql(pathOf('deploy/database.sql'), { DATABASE_PASSWORD: 'measured' })
    const url = `postgres://bienvenue:measured@127.0.0.1:${postgres.port}/bienvenue`
    for (const [name, prepare] of [
      ['PostgreSQL', 'true'],
      ['PostgreSQL without prepared statements', 'false'],
    ] as const) {
      await measure(name, { DATABASE_URL: url, DATABASE_PREPARE: prepare }, folder, postgres)
    }
  } finally {
    await postgres.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

console.log(`${availableParallelism()} cores, Node ${process.version}`)
await main()
