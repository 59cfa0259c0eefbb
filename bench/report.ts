/** What was measured, for people: `docs/benchmark.md` between its marks, and plots beside it. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Results } from './bench.ts'
import { CONSTANT, LOOK_UP, NODE, SERVICE } from './checks.ts'
import { barChart } from './plot.ts'
import { type Measured, median, type Ratio, ratioOf } from './rounds.ts'

const DOCS = join(import.meta.dirname, '../docs')
const KEPT = join(import.meta.dirname, 'results.json')
const MARKS = ['<!-- measured -->', '<!-- /measured -->'] as const

interface Row {
  what: string
  goal: string
  measured: string
  value: number
  /** What Node's HTTP server reaches with a constant answer, where the goal is about such. */
  limit?: number
  reached(value: number): boolean
}

function costsOf(measured: readonly Measured[], name: string): number[] {
  return measured.find((one) => one.name === name)?.costs ?? []
}

function spread({ median, lowest, highest }: Ratio, digits = 2): string {
  return `**${median.toFixed(digits)}** (${lowest.toFixed(digits)} to ${highest.toFixed(digits)})`
}

function atLeast(what: string, goal: number, ratio: Ratio): Row {
  return {
    what,
    goal: `at least ${goal}`,
    measured: spread(ratio),
    value: ratio.median,
    reached: (value) => value >= goal,
  }
}

function atMost(what: string, goal: number, ratio: Ratio): Row {
  return {
    what,
    goal: `at most ${goal}`,
    measured: spread(ratio),
    value: ratio.median,
    reached: (value) => value <= goal,
  }
}

/** How many times as much each must cost. */
const RIVALS: [string, number][] = [
  ['better-auth', 40],
  ['express-session and passport', 15],
  ['@fastify/session', 6],
  ['@fastify/secure-session', 2],
  ['Flask and SQLAlchemy', 18],
  ["Django's sessions", 35],
]

function spreadOf(values: readonly number[]): Ratio {
  return { median: median(values), lowest: Math.min(...values), highest: Math.max(...values) }
}

function single(value: number): Ratio {
  return spreadOf([value])
}

function goals({ checks, postgres, sizes, logins, starts, flood }: Results): Row[] {
  const { cold, warm, memory } = checks
  const ours = costsOf(warm, SERVICE)
  const [small = [], large = []] = sizes.map(({ costs }) => costs)
  const present = RIVALS.filter(([name]) => costsOf(warm, name).length > 0)
  const [first, second] = memory.map(({ resident }) => resident)
  return [
    atLeast(
      'a check, its session seen for the first time',
      0.5,
      ratioOf(costsOf(cold, CONSTANT), costsOf(cold, SERVICE)),
    ),
    {
      ...atLeast('a check, its session seen before', 0.9, ratioOf(costsOf(warm, CONSTANT), ours)),
      limit: ratioOf(costsOf(warm, CONSTANT), costsOf(warm, NODE)).median,
    },
    ...present.map(([name, goal]) => ({
      ...atLeast(`the same against ${name}`, goal, ratioOf(costsOf(warm, name), ours)),
      limit: ratioOf(costsOf(warm, name), costsOf(warm, NODE)).median,
    })),
    atLeast('a check on PostgreSQL', 0.9, ratioOf(costsOf(postgres, LOOK_UP), costsOf(postgres, SERVICE))),
    atLeast('logins against the bcrypt limit', 0.95, ratioOf(logins.logins, logins.limit)),
    atMost('a check under 50 logins at once, median', 1.2, spreadOf(flood.median)),
    atMost('the same, 99th percentile', 2, spreadOf(flood.p99)),
    atMost('a start against that of Fastify', 2, ratioOf(starts.own, starts.fastify)),
    atMost('memory at rest, MB', 90, spreadOf(starts.idle)),
    atMost('memory after 1,000,000 checks, MB', 160, single(first ?? Number.NaN)),
    atMost('what another 1,000,000 checks add, MB', 10, single((second ?? Number.NaN) - (first ?? Number.NaN))),
    atMost('a check with 1,000,000 sessions against 1,000', 1.3, ratioOf(large, small)),
  ]
}

function costTable({ checks: { cold, warm } }: Results): string {
  const base = costsOf(warm, CONSTANT)
  const rows = [...warm, { name: `${SERVICE}, each session for the first time`, costs: costsOf(cold, SERVICE) }]
    .toSorted((a, b) => median(a.costs) - median(b.costs))
    .map(({ name, costs }) => {
      const cost = median(costs)
      const perSecond = Math.round(1_000_000 / cost).toLocaleString('en')
      return `| ${name} | ${cost.toFixed(1)} | ${perSecond} | ${spread(ratioOf(base, costs))} |`
    })
  const head =
    '| contender | µs a check | a second on one core | of Fastify with a constant answer |\n| --- | --- | --- | --- |'
  return [head, ...rows].join('\n')
}

/** @param earlier the runs before, the last one first */
function goalTable(results: Results, earlier: readonly Results[]): string {
  const before = earlier.map(goals)
  const rows = goals(results).map(({ what, goal, measured, value, limit, reached }) => {
    const others = before.map((run) => run.find((row) => row.what === what)?.value.toFixed(2) ?? '')
    const cells = [what, goal, measured, others.join(', '), limit?.toFixed(2) ?? '', reached(value) ? 'yes' : '**no**']
    return `| ${cells.join(' | ')} |`
  })
  const head =
    "| what | goal | median (lowest to highest) | medians of the runs before | Node's HTTP server, a constant answer | reached |"
  return [head, '| --- | --- | --- | --- | --- | --- |', ...rows].join('\n')
}

function conditions({ machine, versions, minutes, checks: { leftOut } }: Results): string {
  const { processor, processors, memory, kernel, node, load, day } = machine
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const absent = leftOut.length === 0 ? '' : ` Left out, since this machine has it not: ${leftOut.join(', ')}.`
  return `Measured ${day} in ${minutes} minutes on ${processors} cores (${processor}, ${memory} GB, Linux ${kernel}, Node ${node}; load
of the machine before it began: ${load.toFixed(1)}). ${named.join(', ')}.${absent}`
}

/** @param runs the last one first @returns the tables, as they stand in the page */
export function writeReport([results, ...earlier]: readonly [Results, ...Results[]]): string {
  const tables = [conditions(results), goalTable(results, earlier), costTable(results)].join('\n\n')
  const path = join(DOCS, 'benchmark.md')
  const page = readFileSync(path, 'utf8')
  const [before = '', after = ''] = [page.split(MARKS[0])[0], page.split(MARKS[1])[1]]
  writeFileSync(path, `${before}${MARKS[0]}\n\n${tables}\n\n${MARKS[1]}${after}`)
  const { warm, cold } = results.checks
  plot('benchmark.svg', 'Session checks a second, on one core', [
    ...warm,
    { name: `${SERVICE}, first time`, costs: costsOf(cold, SERVICE) },
  ])
  plot('benchmark_postgres.svg', 'Session checks a second on PostgreSQL, on one core', results.postgres)
  return tables
}

/** The longest bar first. */
function plot(file: string, title: string, measured: readonly Measured[]): void {
  const bars = measured
    .map(({ name, costs }) => ({ name, value: 1_000_000 / median(costs), own: name.startsWith(SERVICE) }))
    .toSorted((a, b) => b.value - a.value)
  writeFileSync(join(DOCS, file), barChart(title, bars))
}

/** @returns the runs that are kept, the last one first */
export function keptRuns(): Results[] {
  return existsSync(KEPT) ? JSON.parse(readFileSync(KEPT, 'utf8')) : []
}

/** Keeps a run, and the two before it. @returns the tables */
export function keepRun(results: Results): string {
  const runs: [Results, ...Results[]] = [results, ...keptRuns().slice(0, 2)]
  writeFileSync(KEPT, `${JSON.stringify(runs, null, 2)}\n`)
  return writeReport(runs)
}

if (import.meta.main) {
  const [last, ...earlier] = keptRuns()
  if (last !== undefined) console.log(writeReport([last, ...earlier]))
}
