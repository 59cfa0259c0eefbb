/** Who is compared: how each is prepared and started, and which cookies go with it. */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { START } from '../faults/program.ts'
import type { Program } from './processes.ts'

const HERE = import.meta.dirname
export const SECRET = 'b7Qx0mT9rVw2Zk4LpN8sYc6HdJ1fGu3A'

export interface Contender {
  readonly name: string
  readonly program: Program
  /** The headers of its requests, in the folder of the run. */
  readonly headers: string
}

/** This service as its users start it in production, with nothing set but what must be. */
export function service(databaseUrl: string, env: Record<string, string> = {}): Program {
  return {
    command: process.execPath,
    args: START,
    env: {
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://auth.example.org',
      SECRET,
      PORT: '0',
      ...env,
      DATABASE_URL: databaseUrl,
    },
  }
}

export function nodeProgram(script: string, args: readonly string[] = [], env: Record<string, string> = {}): Program {
  return { command: process.execPath, args: [join(HERE, 'contenders', script), ...args], env }
}

const RIVALS: [name: string, script: string, headers: string, ...args: string[]][] = [
  ['better-auth', 'better_auth.mjs', 'better_auth'],
  ['better-auth with its cookie cache', 'better_auth.mjs', 'better_auth_cached', 'cached'],
  ['express-session and passport', 'express_session.mjs', 'express_session'],
  ['@fastify/session', 'fastify_session.mjs', 'fastify_session'],
  ['@fastify/session, ends however it is used', 'fastify_session.mjs', 'fastify_session', 'fixed'],
  ['@fastify/secure-session', 'secure_session.mjs', 'secure_session'],
]

/** From Debian's packages, so with Debian's own Python. */
const PYTHON = '/usr/bin/python3'
const ANCESTORS = [
  { name: 'Flask and SQLAlchemy', script: 'flask_app', app: 'app', needs: 'flask_sqlalchemy, gunicorn' },
  { name: "Django's sessions", script: 'django_app', app: 'application', needs: 'django, gunicorn' },
]

/** Fills the databases of all rivals. @returns them, and the names of those that this machine has not */
export function prepareRivals(folder: string, count: number): { rivals: Contender[]; leftOut: string[] } {
  const env = { ...process.env, BENCH_FOLDER: folder }
  for (const script of new Set(RIVALS.map(([, script]) => script))) {
    const args = [join(HERE, 'contenders', script), 'prepare', folder, String(count)]
    execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore'] })
  }
  const rivals = RIVALS.map(([name, script, headers, ...args]) => ({
    ...{ name, program: nodeProgram(script, ['serve', folder, '0', ...args]) },
    headers: join(folder, `${headers}.cookies`),
  }))
  const leftOut: string[] = []
  for (const { name, script, app, needs } of ANCESTORS) {
    try {
      execFileSync(PYTHON, ['-c', `import ${needs}`], { stdio: 'ignore' })
    } catch {
      leftOut.push(name)
      continue
    }
    execFileSync(PYTHON, [join(HERE, 'contenders', `${script}.py`), String(count)], { env, stdio: 'ignore' })
    // One process, as for all others; a thread keeps the connections open, which the plain worker does not.
    const args = ['-m', 'gunicorn', '--worker-class', 'gthread', '--threads', '1', '--keep-alive', '60']
    args.push(
      '--worker-connections',
      '200',
      '--bind',
      '127.0.0.1:0',
      '--chdir',
      join(HERE, 'contenders'),
      `${script}:${app}`,
    )
    const program = { command: PYTHON, args, env: { BENCH_FOLDER: folder } }
    rivals.push({ name, program, headers: join(folder, `${script.replace('_app', '')}.cookies`) })
  }
  return { rivals, leftOut }
}
