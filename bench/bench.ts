/**
 * The benchmark: `npm run bench`. It builds databases, starts contender by contender on the first processor with the load on
 * the second, and writes what it measured: `results.json` here, which keeps three runs, tables and plots into `docs/`.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { type Checks, compareChecks, comparePostgres, compareSizes } from './checks.ts'
import { compareFlood, compareLogins, compareStarts, type Flood, type Rates, type Starts } from './others.ts'
import { keepRun } from './report.ts'
import type { Measured } from './rounds.ts'

export interface Results {
  machine: {
    processor: string
    processors: number
    memory: number
    kernel: string
    node: string
    load: number
    day: string
  }
  versions: Record<string, string>
  minutes: number
  checks: Checks
  sizes: Measured[]
  postgres: Measured[]
  logins: Rates
  starts: Starts
  flood: Flood
}

const HERE = import.meta.dirname

function machine(): Results['machine'] {
  return {
    processor: cpus()[0]?.model ?? '',
    processors: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    load: loadavg()[0] ?? 0,
    day: new Date().toISOString().slice(0, 10),
  }
}

function versions(): Record<string, string> {
  const { dependencies } = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8'))
  const found: Record<string, string> = { ...dependencies }
  for (const [name, module] of [
    ['Flask', 'flask'],
    ['SQLAlchemy', 'sqlalchemy'],
    ['gunicorn', 'gunicorn'],
    ['Django', 'django'],
  ] as const) {
    try {
      const said = execFileSync('/usr/bin/python3', ['-c', `import ${module}; print(${module}.__version__)`], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      found[name] = said.toString().trim()
    } catch {
      // Not on this machine; the report says what was left out.
    }
  }
  return found
}

async function told<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now()
  const done = await work()
  console.log(`${what}: ${((performance.now() - start) / 1_000).toFixed(0)} s`)
  return done
}

const folder = mkdtempSync(join(tmpdir(), 'bienvenue-bench-'))
const start = performance.now()
try {
  const before = machine()
  const results: Results = {
    machine: before,
    versions: versions(),
    starts: await told('starts', () => compareStarts(folder)),
    checks: await told('session checks', () => compareChecks(folder)),
    postgres: await told('on PostgreSQL', () => comparePostgres(folder)),
    sizes: await told('a thousand and a million sessions', () => compareSizes(folder)),
    logins: await told('logins', () => compareLogins(folder)),
    flood: await told('under a flood of logins', () => compareFlood()),
    minutes: 0,
  }
  results.minutes = Number(((performance.now() - start) / 60_000).toFixed(1))
  console.log(keepRun(results))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit()
