/** Real processes for a test: started as children, ended with the test that started them. */

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { CHEAP, type Env, Program, START, whenReady } from '../faults/program.ts'

export { type Env, pathOf } from '../faults/program.ts'

export class Child extends Program {
  constructor(command: string, args: readonly string[], env: Env, cwd: string) {
    super(command, args, env, cwd)
    onTestFinished(() => this.kill())
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

/** Runs the server without waiting for it, on a free port, with the cheapest hashes that its settings allow. */
export function runServer(env: Env = {}, folder: string = temporaryFolder()): Child {
  return new Child(process.execPath, START, { ...CHEAP, ...env }, folder)
}

/**
 * Runs the server and waits until it is ready.
 * @param folder its working folder, with the database in `data/bienvenue.db`
 */
export async function startServer(env: Env = {}, folder: string = temporaryFolder()): Promise<Server> {
  return whenReady(runServer(env, folder))
}
