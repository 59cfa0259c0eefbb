/** Real processes: started as children, watched, stopped and killed. */

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** Longer than a start takes on a slow machine, in milliseconds. */
const PATIENCE = 20_000
/** Between two looks at whether something has come about, in milliseconds. */
const PAUSE = 10

/** How the server says that it is ready: a banner in development, a line of JSON in production. */
const READY = /ready at http:\/\/localhost:(\d+)|"port":(\d+).*"msg":"ready"/

export type Env = Record<string, string>

/** As whom a program runs, where that is not whoever started it. */
export interface Owner {
  readonly uid?: number
  readonly gid?: number
}

export class Program {
  stdout = ''
  stderr = ''
  /** Resolves with the exit code when the process has ended and all its output is here; null where a signal ended it. */
  readonly ended: Promise<number | null>
  readonly #process: ChildProcess

  /**
   * Starts a program with nothing in its environment but `env` and PATH.
   * @param cwd its working folder; the server reads the `.env` in there
   */
  constructor(command: string, args: readonly string[], env: Env, cwd: string, owner: Owner = {}) {
    const { PATH = '' } = process.env
    const child = spawn(command, args, { cwd, env: { PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'], ...owner })
    this.#process = child
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  }

  /** @throws where it never started */
  get pid(): number {
    const { pid } = this.#process
    if (pid === undefined) throw new Error('the program never started')
    return pid
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Asks it to end. @returns its exit code @throws where it does not end */
  async stop(): Promise<number | null> {
    this.signal('SIGTERM')
    const late = setTimeout(PATIENCE, undefined, { ref: false }).then(async () => {
      await this.kill()
      throw new Error('the program did not end when it was asked to')
    })
    return Promise.race([this.ended, late])
  }

  /** Ends it at once, if it has not ended. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.ended.catch(() => 'it never started')
  }

  /** @throws where it ends with another code than 0, with what it said */
  async succeeded(): Promise<string> {
    const code = await this.ended
    if (code !== 0) throw new Error(`${this.#process.spawnargs.join(' ')} ended with ${code}: ${this.stderr}`)
    return this.stdout
  }
}

export interface Service {
  readonly child: Program
  readonly port: number
  /** Like `http://127.0.0.1:41234`. */
  readonly url: string
}

/** @param path of a file of the repository, from its root */
export function pathOf(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url))
}

/** The arguments of `npm start`, from wherever it is started. */
export const START: readonly string[] = startArguments()

function startArguments(): string[] {
  const { scripts } = JSON.parse(readFileSync(pathOf('package.json'), 'utf8'))
  const [, ...args] = String(scripts.start).split(' ')
  return args.map((part) => (part.includes('src/') ? pathOf(part) : part))
}

/** How the service is started for a trial: on a free port, with the cheapest hashes that its settings allow. */
export const CHEAP: Env = { PORT: '0', BCRYPT_COST: '10' }

/** @param folder its working folder, with the database in `data/bienvenue.db` */
export async function startService(env: Env, folder: string): Promise<Service> {
  const child = new Program(process.execPath, START, { ...CHEAP, ...env }, folder)
  return whenReady(child).catch(async (error: unknown) => {
    await child.kill()
    throw error
  })
}

/** Waits until the service that `child` runs serves. @throws where it ends before */
export async function whenReady<T extends Program>(
  child: T,
): Promise<{ readonly child: T; readonly port: number; readonly url: string }> {
  const failed = child.ended.then((code) => {
    throw new Error(`the server ended with ${code} before it was ready: ${child.stderr || child.stdout}`)
  })
  const port = await Promise.race([until('the service is ready', () => readyPort(child.stdout), PATIENCE), failed])
  return { child, port, url: `http://127.0.0.1:${port}` }
}

function readyPort(output: string): number | undefined {
  const [found, development, production] = READY.exec(output) ?? []
  return found === undefined ? undefined : Number(development ?? production)
}

/**
 * Waits for what `look` finds.
 * @param what is waited for, in words
 * @param look says undefined or false until it is there
 * @throws after `patience` milliseconds
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  patience: number = PATIENCE,
): Promise<T> {
  const end = performance.now() + patience
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > end) throw new Error(`waited in vain for this: ${what}`)
    await setTimeout(PAUSE)
  }
}
