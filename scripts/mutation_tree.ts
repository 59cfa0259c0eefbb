/** A copy of the working tree in which a defence is taken out, and a run of Vitest in it. */

import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Edit, edited } from './mutation_table.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))

export interface Ran {
  /** From the root of the repository. */
  file: string
  title: string
  state: string
  /** Why it failed. */
  message: string
}

/** What to run, and how. */
export interface Selection {
  files: readonly string[]
  rows: readonly string[]
  /** Ends with the first test that fails. */
  untilFirst: boolean
  workers: number
  /** The longest that it may take, in milliseconds. */
  limit: number
}

const running = new Set<number>()
process.once('exit', () => {
  for (const pid of running) killGroup(pid)
})

export class Tree {
  readonly #folder: string

  /** Copies every file that git tracks or would track. */
  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'bienvenue-mutation-'))
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT })
    const files = listed.toString().split('\0')
    for (const file of files.filter((name) => name !== '' && existsSync(join(ROOT, name)))) {
      cpSync(join(ROOT, file), join(this.#folder, file))
    }
    symlinkSync(join(ROOT, 'node_modules'), join(this.#folder, 'node_modules'))
    process.once('exit', () => this.remove())
  }

  /**
   * Applies the edits, does the work, and puts everything back.
   * @throws SyntaxError where a source cannot be parsed any more: then a test that fails shows nothing
   */
  async with<T>(edits: readonly Edit[], work: () => Promise<T>): Promise<T> {
    const files = [...new Set(edits.map(({ file }) => file))]
    const originals = files.map((file) => [file, readFileSync(join(this.#folder, file), 'utf8')] as const)
    try {
      for (const edit of edits) {
        const path = join(this.#folder, edit.file)
        writeFileSync(path, edited(readFileSync(path, 'utf8'), edit))
      }
      for (const file of files) this.#parse(file)
      return await work()
    } finally {
      for (const [file, original] of originals) writeFileSync(join(this.#folder, file), original)
    }
  }

  /** @returns what ran, or null where it took too long */
  async run({ files, rows, untilFirst, workers, limit }: Selection): Promise<Ran[] | null> {
    const report = join(this.#folder, '.vitest.json')
    rmSync(report, { force: true })
    const args = [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--project=sqlite',
      ...files,
      '-t',
      `\\b(?:${rows.join('|')})\\b`,
    ]
    args.push(
      '--reporter=json',
      `--outputFile=${report}`,
      `--maxWorkers=${workers}`,
      ...(untilFirst ? ['--bail=1'] : []),
    )
    if (!(await this.#ended(args, limit))) return null
    return existsSync(report) ? testsOf(JSON.parse(readFileSync(report, 'utf8')), this.#folder) : []
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** @returns false where it had to be stopped */
  #ended(args: readonly string[], limit: number): Promise<boolean> {
    const { PATH = '' } = process.env
    // The tests in a browser are part of the proof, and a child started by a test takes the same Node.
    const env = {
      ...process.env,
      PATH: `${join(ROOT, 'node_modules/.bin')}${delimiter}${PATH}`,
      BIENVENUE_BROWSER: 'required',
    }
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, args, { cwd: this.#folder, env, stdio: 'ignore', detached: true })
      const { pid = 0 } = child
      running.add(pid)
      let late = false
      const timer = setTimeout(() => {
        late = true
        killGroup(pid)
      }, limit)
      child.once('error', reject)
      child.once('exit', () => {
        clearTimeout(timer)
        running.delete(pid)
        resolve(!late)
      })
    })
  }

  #parse(file: string): void {
    if (!/\.[jt]s$/.test(file)) return
    try {
      stripTypeScriptTypes(readFileSync(join(this.#folder, file), 'utf8'))
    } catch (error) {
      throw new SyntaxError(`${file} cannot be parsed`, { cause: error })
    }
  }
}

/** A child that Vitest left behind ends with it. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** Reads what the JSON reporter of Vitest has written. */
function testsOf(report: unknown, folder: string): Ran[] {
  return listIn(report, 'testResults').flatMap((module) => {
    const file = textIn(module, 'name').slice(folder.length + 1)
    return listIn(module, 'assertionResults').map((test) => ({
      file,
      title: textIn(test, 'title'),
      state: textIn(test, 'status'),
      message: listIn(test, 'failureMessages').join('\n'),
    }))
  })
}

function listIn(value: unknown, name: string): unknown[] {
  const found = fieldOf(value, name)
  return Array.isArray(found) ? found : []
}

function textIn(value: unknown, name: string): string {
  const found = fieldOf(value, name)
  return typeof found === 'string' ? found : ''
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined
}
