/** Real processes for a test: started as children, ended with the test that started them. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished, vi } from 'vitest'

/** Longer than a start takes on a slow machine, in milliseconds. */
const PATIENCE = 20_000

/** How the server says that it is ready: a banner in development, a line of JSON in production. */
const READY = /ready at http:\/\/localhost:(\d+)|"port":(\d+).*"msg":"ready"/

export type Env = Record<string, string>

export class Child {
  stdout = ''
  stderr = ''
  /** Resolves with the exit code when the process has ended and all its output is here; null where a signal ended it. */
  readonly ended: Promise<number | null>
  readonly #process: ChildProcess

  /**
   * Starts a program with nothing in its environment but `env` and PATH.
   * @param cwd its working folder; the server reads the `.env` in there
   */
  constructor(command: string, args: readonly string[], env: Env, cwd: string) {
    const { PATH = '' } = process.env
    const child = spawn(command, args, { cwd, env: { PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await this.ended.catch(() => 'it never started')
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }
}

export interface Server {
  readonly child: Child
  readonly port: number
  /** Like `http://127.0.0.1:41234`. */
  readonly url: string
}

/** @returns a folder for this test alone, removed with all that is in it when the test ends */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bienvenue-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Holds a port of one loopback address for this test. @returns the port, on which nothing else listens */
export async function heldPort(host: string): Promise<number> {
  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen({ host, port: 0 }, resolve))
  onTestFinished(() => void holder.close())
  const address = holder.address()
  if (address === null || typeof address === 'string') throw new Error('no port is held')
  return address.port
}

/** @param path of a file of the repository, from its root */
export function pathOf(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url))
}

/** Runs the server without waiting for it, on a free port, with the cheapest hashes that its settings allow. */
export function runServer(env: Env = {}, folder: string = temporaryFolder()): Child {
  return new Child(process.execPath, [pathOf('src/server.ts')], { PORT: '0', BCRYPT_COST: '10', ...env }, folder)
}

/**
 * Runs the server and waits until it is ready.
 * @param folder its working folder, with the database in `data/bienvenue.db`
 */
export async function startServer(env: Env = {}, folder: string = temporaryFolder()): Promise<Server> {
  const child = runServer(env, folder)
  const failed = child.ended.then((code) => {
    throw new Error(`the server ended with ${code} before it was ready: ${child.stderr || child.stdout}`)
  })
  const ready = vi.waitFor(() => readyPort(child.stdout), { timeout: PATIENCE, interval: 10 })
  const port = await Promise.race([ready, failed])
  return { child, port, url: `http://127.0.0.1:${port}` }
}

function readyPort(output: string): number {
  const [found, development, production] = READY.exec(output) ?? []
  if (found === undefined) throw new Error(`not ready yet: ${output}`)
  return Number(development ?? production)
}
