/** The deployment of this folder, running on this machine's loopback: PostgreSQL, two instances, nginx in front. */

import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { Target } from '../faults/browser.ts'
import { freePorts } from '../faults/ports.ts'
import { type Env, type Owner, Program, pathOf, type Service, startService } from '../faults/program.ts'
import { findNginx, NAME, Nginx, type NginxPorts } from './nginx.ts'
import { findPostgres, Postgres } from './postgres.ts'

export const HOW_TO_INSTALL = 'apt-get install nginx postgresql'

interface Ports extends NginxPorts {
  readonly postgres: number
}

/** @returns whether what the deployment consists of is on this machine */
export function isInstalled(): boolean {
  return findNginx() !== undefined && findPostgres() !== undefined
}

export class Stack {
  readonly postgres: Postgres
  readonly #nginx: Nginx
  readonly #folder: string
  readonly #ports: Ports
  readonly #instances: Service[] = []
  #env: Env = {}
  #authority = ''

  private constructor(folder: string, ports: Ports, postgres: Postgres, nginx: Nginx) {
    this.#folder = folder
    this.#ports = ports
    this.postgres = postgres
    this.#nginx = nginx
  }

  /** Starts all of it, each part from its own file of this folder. */
  static async start(): Promise<Stack> {
    const [nginxPath, bin] = [findNginx(), findPostgres()]
    if (nginxPath === undefined || bin === undefined)
      throw new Error(`This needs nginx and PostgreSQL: ${HOW_TO_INSTALL}`)
    const folder = mkdtempSync(join(tmpdir(), 'bienvenue-deploy-'))
    chmodSync(folder, 0o755)
    const ports = await portsOfStack()
    const postgres = new Postgres(bin, folder, ports.postgres, await ownerOf())
    const stack = new Stack(folder, ports, postgres, new Nginx(nginxPath, folder, ports))
    try {
      await stack.#begin()
      return stack
    } catch (error) {
      await stack.stop()
      throw error
    }
  }

  /** Where people reach the service. */
  get target(): Target {
    return { url: `https://127.0.0.1:${this.#ports.https}`, name: NAME, authority: this.#authority }
  }

  /** Where nginx listens without TLS. */
  get plainUrl(): string {
    return `http://127.0.0.1:${this.#ports.http}`
  }

  get databaseUrl(): string {
    return this.#env.DATABASE_URL ?? ''
  }

  get operatorKey(): string {
    return this.#env.OPERATOR_KEY ?? ''
  }

  async #begin(): Promise<void> {
    await this.postgres.make()
    await this.postgres.start()
    const password = randomBytes(16).toString('hex')
    await this.postgres.psql(pathOf('deploy/database.sql'), { DATABASE_PASSWORD: password })
    this.#env = environment(password, this.postgres.port)
    this.#authority = await this.#nginx.start()
    await Promise.all([this.startInstance(0), this.startInstance(1)])
  }

  async startInstance(n: 0 | 1): Promise<void> {
    this.#instances[n] = await startService({ ...this.#env, PORT: String(this.#ports.instances[n]) }, this.#folder)
  }

  instance(n: 0 | 1): Service {
    const instance = this.#instances[n]
    if (instance === undefined) throw new Error('this instance was never started')
    return instance
  }

  /** Stops and removes all of it. */
  async stop(): Promise<void> {
    await Promise.all(this.#instances.map(({ child }) => child.kill()))
    await this.#nginx.stop()
    await this.postgres.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** The shipped settings, filled in as their comments ask for; cheap hashes, so that more is asked in the time. */
function environment(password: string, port: number): Env {
  const shipped = parseEnv(readFileSync(pathOf('deploy/bienvenue.env'), 'utf8'))
  const env: Env = { BCRYPT_COST: '10', LOG_LEVEL: 'info' }
  for (const [name, value = ''] of Object.entries(shipped)) env[name] = value
  env.DATABASE_URL = (env.DATABASE_URL ?? '').replace('PASSWORD', password).replace(':5432', `:${port}`)
  env.SECRET = randomBytes(33).toString('base64')
  env.OPERATOR_KEY = randomBytes(33).toString('base64')
  return env
}

/** PostgreSQL does not run as root; Debian's package brings a user for it. */
export async function ownerOf(): Promise<Owner> {
  if (process.getuid?.() !== 0) return {}
  const idOf = async (flag: string) => Number(await new Program('id', [flag, 'postgres'], {}, '/').succeeded())
  return { uid: await idOf('-u'), gid: await idOf('-g') }
}

export async function portsOfStack(): Promise<Ports> {
  const [http = 0, https = 0, first = 0, second = 0, postgres = 0] = await freePorts(5)
  return { http, https, instances: [first, second], postgres }
}
