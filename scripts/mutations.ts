/**
 * Takes every defence out, one at a time, and demands that a test of its row fails: `npm run mutations`, or
 * `npm run mutations -- S-02 K-04` for some rows. What was seen is written to docs/mutations.md when all rows were run.
 */

import { writeFileSync } from 'node:fs'
import { startPostgres } from '../test/postgres/server.ts'
import { editsOf, type Failure, type Mutation, mutations, recordPage } from './mutation_table.ts'
import { type Ran, Tree } from './mutation_tree.ts'
import { idsOf } from './security_rows.ts'
import { namedTests } from './test_titles.ts'

/** Mutations tried at the same time. */
const WORKERS = 2
/** For one mutation, and for all tests as they are, in milliseconds. */
const LIMIT = 180_000
const BASELINE_LIMIT = 900_000

type Verdict = { state: 'caught'; failures: Failure[] } | { state: 'survived' | 'timed out' | 'broken'; why: string }

interface Tried {
  mutation: Mutation
  verdict: Verdict
}

const named = namedTests()

async function main(wanted: readonly string[]): Promise<boolean> {
  const known = new Set(mutations.flatMap(({ rows }) => rows))
  const unknown = wanted.filter((row) => !known.has(row))
  if (unknown.length > 0) throw new Error(`no mutation is of ${unknown.join(', ')}`)
  const chosen = mutations.filter(({ rows }) => wanted.length === 0 || rows.some((row) => wanted.includes(row)))
  const trees = Array.from({ length: Math.min(WORKERS, chosen.length) }, () => new Tree())
  if (trees[0] === undefined || !(await passesAsItIs(trees[0], chosen))) return false
  const tried = await tryAll(trees, chosen)
  const count = (state: Verdict['state']) => tried.filter(({ verdict }) => verdict.state === state).length
  const rest = `${count('timed out')} timed out, ${count('broken')} broken`
  console.log(`${tried.length} mutations, ${count('caught')} caught, ${count('survived')} survived, ${rest}`)
  const seen = tried.flatMap(({ mutation, verdict }) =>
    verdict.state === 'caught' ? [{ mutation, failures: verdict.failures }] : [],
  )
  if (seen.length < tried.length) return false
  if (wanted.length === 0) writeFileSync(new URL('../docs/mutations.md', import.meta.url), recordPage(seen))
  return true
}

/** Without a mutation every test of these rows passes, or one that fails shows nothing. */
async function passesAsItIs(tree: Tree, chosen: readonly Mutation[]): Promise<boolean> {
  const rows = [...new Set(chosen.flatMap((mutation) => mutation.rows))]
  const files = [...new Set(chosen.flatMap(filesOf))]
  const ran = await tree.run({ files, rows, untilFirst: false, workers: WORKERS, limit: BASELINE_LIMIT })
  const bad = (ran ?? []).filter(({ state }) => state === 'failed')
  for (const { file, title } of bad) console.log(`fails as it is: ${file}: ${title}`)
  const passed = (ran ?? []).filter(({ state }) => state === 'passed').flatMap(({ title }) => idsOf(title))
  const silent = rows.filter((row) => !passed.includes(row))
  if (silent.length > 0) console.log(`no test of these passes as it is: ${silent.join(', ')}`)
  console.log(`as it is: of ${rows.length - silent.length} of ${rows.length} rows the tests pass`)
  return bad.length === 0 && silent.length === 0
}

async function tryAll(trees: readonly Tree[], chosen: readonly Mutation[]): Promise<Tried[]> {
  const tried = new Map<Mutation, Verdict>()
  const waiting = [...chosen]
  const work = async (tree: Tree) => {
    for (let mutation = waiting.shift(); mutation !== undefined; mutation = waiting.shift()) {
      const verdict = await tryOne(tree, mutation)
      tried.set(mutation, verdict)
      console.log(`${verdict.state}: ${mutation.rows.join(', ')}: ${mutation.takesOut}\n  ${told(verdict)}`)
    }
  }
  await Promise.all(trees.map(work))
  return chosen.flatMap((mutation) => {
    const verdict = tried.get(mutation)
    return verdict === undefined ? [] : [{ mutation, verdict }]
  })
}

async function tryOne(tree: Tree, mutation: Mutation): Promise<Verdict> {
  const { rows } = mutation
  const selection = { files: filesOf(mutation), rows, workers: 1, limit: LIMIT }
  const run = (untilFirst: boolean) => tree.run({ ...selection, untilFirst })
  try {
    return await tree.with(editsOf(mutation), async () => {
      let ran = await run(rows.length === 1)
      // Of tests that run at the same time the first failure breaks off the others, and is itself not in the report.
      if (ran?.some(({ state }) => state === 'pending') && !ran.some(({ state }) => state === 'failed'))
        ran = await run(false)
      return ran === null ? { state: 'timed out', why: `after ${LIMIT / 1_000} s` } : judged(rows, ran)
    })
  } catch (error) {
    return { state: 'broken', why: error instanceof Error ? error.message : String(error) }
  }
}

function judged(rows: readonly string[], ran: readonly Ran[]): Verdict {
  const failed = ran.filter(({ state }) => state === 'failed')
  // A name that is gone makes a test fail for another reason than the defence.
  const wrong = failed.find(({ message }) => /^(?:Reference|Syntax)Error\b/.test(message))
  if (wrong !== undefined) return { state: 'broken', why: `${wrong.title}: ${wrong.message.split('\n')[0]}` }
  const failures = rows.flatMap((row) => failed.find(({ title }) => idsOf(title).includes(row)) ?? [])
  if (failures.length < rows.length) return { state: 'survived', why: 'every test of its row passes' }
  const timedOut = (message: string) => /\btimed out in \d+ ?ms\b/.test(message)
  return {
    state: 'caught',
    failures: [...new Set(failures)].map(({ file, title, message }) => ({ file, title, timedOut: timedOut(message) })),
  }
}

/** The files with tests of these rows. */
function filesOf({ rows, tests }: Mutation): string[] {
  if (tests !== undefined) return [tests]
  return [...new Set(named.filter(({ ids }) => ids.some((id) => rows.includes(id))).map(({ file }) => file))]
}

function told(verdict: Verdict): string {
  if (verdict.state !== 'caught') return verdict.why
  const lines = verdict.failures.map(
    ({ file, title, timedOut }) => `${timedOut ? 'timed out: ' : ''}${file}: ${title.split('\n')[0]}`,
  )
  return lines.join('\n  ')
}

// Folders and children are cleaned up at the exit.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
if (import.meta.main) {
  // One for all runs of the tests, which would else start one each.
  const postgres = await startPostgres(['max_connections=400'])
  process.env.TEST_POSTGRES_URL = postgres.url
  const caught = await main(process.argv.slice(2)).finally(() => postgres.remove())
  process.exit(caught ? 0 : 1)
}
