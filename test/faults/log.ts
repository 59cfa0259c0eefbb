/** A service whose standard output is not the test's, but a file or a pipe. */

import { onTestFinished } from 'vitest'
import { freePort } from '../../faults/ports.ts'
import { CHEAP, type Env, START, until } from '../../faults/program.ts'
import { PRODUCTION } from '../house.ts'
import { Child } from '../started.ts'

export interface Logging {
  readonly child: Child
  /** @returns the status of `GET path`, or what went wrong where no answer comes */
  ask(path: string, cookie?: string): Promise<number | string>
}

/**
 * Starts the service in production.
 * @param output what a shell makes of standard output, like `>file`
 */
export async function startLogging(output: string, folder: string, env: Env = {}): Promise<Logging> {
  const port = await freePort()
  const own = { ...PRODUCTION, ...CHEAP, LOG_REQUESTS: 'true', ...env, PORT: String(port) }
  const child = new Child('/bin/sh', ['-c', `exec "$0" "$@" ${output}`, process.execPath, ...START], own, folder)
  onTestFinished(() => child.kill())
  const ask = (path: string, cookie = '') =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { cookie }, signal: AbortSignal.timeout(5_000) }).then(
      ({ status }) => status,
      (error: unknown) => String(error),
    )
  await until('the service is ready', async () => (await ask('/health/ready')) === 200)
  return { child, ask }
}
