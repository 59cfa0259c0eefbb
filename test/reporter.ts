/**
 * The last lines of a test run: how many rows of the security list its tests proved, where all of them ran, and how many
 * tests passed and failed.
 */

import type { Reporter, TestModule, Vitest } from 'vitest/node'
import { idsOf, securityRows } from '../scripts/security_rows.ts'

interface Ran {
  title: string
  state: 'passed' | 'failed' | 'skipped' | 'pending'
}

export default class LastLines implements Reporter {
  #vitest: Vitest | undefined

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  async onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): Promise<void> {
    const ran = modules.flatMap(testsOf)
    const complete = await this.#isComplete(modules)
    const broken = modules.flatMap(errorsOf).length + unhandledErrors.length
    if (complete) process.stdout.write(`${provenLine(ran)}\n`)
    process.stdout.write(`${countLine(ran, broken)}\n`)
  }

  /** Every test file ran, and no name was asked for. */
  async #isComplete(modules: readonly TestModule[]): Promise<boolean> {
    if (this.#vitest === undefined || this.#vitest.getGlobalTestNamePattern() !== undefined) return false
    if (this.#vitest.config.project.length > 0) return false
    const all = await this.#vitest.globTestSpecifications()
    const ran = new Set(modules.map(({ moduleId }) => moduleId))
    return all.every(({ moduleId }) => ran.has(moduleId))
  }
}

/** @returns what the rows of the core have come to: proven where every test that names one has passed */
export function provenLine(ran: readonly Ran[]): string {
  const core = securityRows.filter(({ part }) => part === 'core')
  const proven = core.filter(({ id }) => {
    const naming = ran.filter(({ title }) => idsOf(title).includes(id))
    return naming.length > 0 && naming.every(({ state }) => state === 'passed')
  })
  const operators = core.filter((row) => row.operator !== undefined && !proven.includes(row))
  const open = core.length - proven.length - operators.length
  return `security rows: ${proven.length} proven, ${operators.length} the operator's, ${open} open`
}

/** @param broken what failed outside of any test: a file that does not load, a hook that throws */
export function countLine(ran: readonly Ran[], broken: number): string {
  const count = (state: Ran['state']) => ran.filter((test) => test.state === state).length
  return `${count('passed')} passed, ${count('failed') + broken} failed`
}

function testsOf(module: TestModule): Ran[] {
  return [...module.children.allTests()].map((test) => ({ title: test.name, state: test.result().state }))
}

function errorsOf(module: TestModule): unknown[] {
  return [...module.errors(), ...[...module.children.allSuites()].flatMap((suite) => suite.errors())]
}
