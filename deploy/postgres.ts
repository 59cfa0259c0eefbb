/** Debian's PostgreSQL in a temporary folder, for a trial: with the disk in the loop, as an operator would run it. */

import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Owner, Program, until } from '../faults/program.ts'

const DEBIAN = '/usr/lib/postgresql'

/** @returns the folder of the newest server's programs, or undefined where none is installed */
export function findPostgres(): string | undefined {
  if (!existsSync(DEBIAN)) return undefined
  const versions = readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a))
  return versions.map((version) => join(DEBIAN, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')))
}

export class Postgres {
  /** Of the superuser `postgres`. */
  readonly password = randomBytes(16).toString('hex')
  readonly port: number
  readonly #bin: string
  readonly #folder: string
  readonly #owner: Owner
  #server: Program | undefined

  /** @param owner whoever runs it, since PostgreSQL does not run as root */
  constructor(bin: string, folder: string, port: number, owner: Owner) {
    this.#bin = bin
    this.#folder = join(folder, 'postgres')
    this.port = port
    this.#owner = owner
  }

  async make(): Promise<void> {
    mkdirSync(this.#folder)
    const secret = join(this.#folder, 'password')
    writeFileSync(secret, this.password, { mode: 0o600 })
    const { uid, gid } = this.#owner
    if (uid !== undefined && gid !== undefined) for (const path of [this.#folder, secret]) chownSync(path, uid, gid)
    chmodSync(this.#folder, 0o700)
    const flags = ['--username=postgres', '--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', '--no-sync']
    await this.#run('initdb', [`--pgdata=${join(this.#folder, 'data')}`, `--pwfile=${secret}`, ...flags]).succeeded()
  }

  async start(): Promise<void> {
    const flags = [`port=${this.port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${this.#folder}`]
    const server = this.#run('postgres', ['-D', join(this.#folder, 'data'), ...flags.flatMap((flag) => ['-c', flag])])
    this.#server = server
    const asked = ['-q', '-h', '127.0.0.1', '-p', String(this.port)]
    await until('PostgreSQL answers', async () => (await this.#run('pg_isready', asked).ended) === 0)
  }

  /** @throws where it does not run */
  get pid(): number {
    if (this.#server === undefined) throw new Error('PostgreSQL does not run')
    return this.#server.pid
  }

  /** What the server has logged since it was started. */
  get log(): string {
    return this.#server?.stderr ?? ''
  }

  /** @param signal `SIGINT` ends all connections and stops, `SIGQUIT` stops as a crash would */
  async stop(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    this.#server?.signal(signal)
    await this.#server?.ended
    this.#server = undefined
  }

  /** Runs a file of SQL as an operator would. */
  async psql(file: string, env: Record<string, string>): Promise<void> {
    const asked = ['-q', '-h', '127.0.0.1', '-p', String(this.port), '-U', 'postgres']
    const all = { PGPASSWORD: this.password, ...env }
    const args = [...asked, '--set=ON_ERROR_STOP=1', `--file=${file}`, 'postgres']
    await new Program(join(this.#bin, 'psql'), args, all, '/').succeeded()
  }

  #run(name: string, args: string[]): Program {
    return new Program(join(this.#bin, name), args, {}, this.#folder, this.#owner)
  }
}
