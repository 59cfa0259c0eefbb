/** Processes of a run: started on a processor of their own, measured by the time that they spend on it, ended with it. */

import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Load, Seen } from './load.ts'

export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Record<string, string>
}

/** How a server says where it listens: a line of JSON, or gunicorn's words. */
const PORT = /"port":(\d+)|Listening at: http:\/\/127\.0\.0\.1:(\d+)/

const started = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of started) child.kill('SIGKILL')
})

export class Server {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  /** @param processors as `taskset` takes them; the contenders have the first one */
  static async start({ command, args, env }: Program, processors = '0'): Promise<Server> {
    const child = spawn('taskset', ['-c', processors, command, ...args], {
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    started.add(child)
    let said = ''
    const port = await new Promise<number>((resolve, reject) => {
      const hear = (chunk: Buffer) => {
        said += said.length < 10_000 ? chunk : ''
        const found = PORT.exec(said)
        if (found !== null) resolve(Number(found[1] ?? found[2]))
      }
      child.stdout?.on('data', hear)
      child.stderr?.on('data', hear)
      child.once('exit', () => reject(new Error(`${args.join(' ')} did not start: ${said}`)))
    })
    return new Server(child, port)
  }

  /** @returns microseconds of processor time that it and its children have spent */
  spent(): number {
    return this.#family().reduce((sum, id) => sum + spentBy(id), 0)
  }

  /** @returns megabytes of memory that are resident */
  resident(): number {
    const sizes = this.#family().map((id) => /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1])
    return sizes.reduce((sum, size) => sum + Number(size), 0) / 1_024
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGTERM')
    await ended
    started.delete(this.#child)
  }

  #family(): number[] {
    const id = this.#child.pid ?? 0
    const children = readFileSync(`/proc/${id}/task/${id}/children`, 'utf8').trim()
    return [id, ...children.split(' ').filter(Boolean).map(Number)]
  }
}

function spentBy(id: number): number {
  const threads = readdirSync(`/proc/${id}/task`)
  const nanoseconds = threads.map(
    (thread) => readFileSync(`/proc/${id}/task/${thread}/schedstat`, 'utf8').split(' ')[0],
  )
  return nanoseconds.reduce((sum, one) => sum + Number(one), 0) / 1_000
}

/** The load, on the second processor. */
export class Loader {
  readonly #child = fork(join(import.meta.dirname, 'load.ts'))

  constructor() {
    started.add(this.#child)
    spawnSync('taskset', ['-cp', '1', String(this.#child.pid)])
  }

  send(load: Load): Promise<Seen> {
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error('the load has ended'))
      this.#child.once('exit', ended)
      this.#child.once('message', (seen: Seen) => {
        this.#child.off('exit', ended)
        resolve(seen)
      })
      this.#child.send(load)
    })
  }

  stop(): void {
    this.#child.removeAllListeners('exit')
    this.#child.kill()
  }
}
