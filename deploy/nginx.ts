/** nginx from deploy/nginx.conf, for a trial: the same file but for its ports and its certificate, which are the trial's. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Program, pathOf, until } from '../faults/program.ts'

const USUAL = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/opt/homebrew/bin/nginx']

/** The name that the shipped files are written for. */
export const NAME = 'auth.example.org'

/** @returns the path of nginx, or undefined where it is not installed */
export function findNginx(): string | undefined {
  return USUAL.find((path) => existsSync(path))
}

export interface NginxPorts {
  readonly http: number
  readonly https: number
  readonly instances: readonly [number, number]
}

export class Nginx {
  readonly #path: string
  readonly #folder: string
  readonly #ports: NginxPorts
  #server: Program | undefined

  constructor(path: string, folder: string, ports: NginxPorts) {
    this.#path = path
    this.#folder = join(folder, 'nginx')
    this.#ports = ports
  }

  /** @returns the certificate, by which whoever asks knows it */
  async start(): Promise<string> {
    mkdirSync(this.#folder)
    const certificate = await this.#certify()
    const site = readFileSync(pathOf('deploy/nginx.conf'), 'utf8')
    writeFileSync(join(this.#folder, 'site.conf'), this.#moved(site))
    writeFileSync(join(this.#folder, 'nginx.conf'), this.#around())
    const args = ['-p', this.#folder, '-c', 'nginx.conf', '-e', join(this.#folder, 'error.log')]
    const server = new Program(this.#path, args, {}, this.#folder)
    this.#server = server
    const failed = server.ended.then((code) => {
      throw new Error(`nginx ended with ${code}: ${server.stderr}`)
    })
    await Promise.race([until('nginx answers', () => answers(this.#ports.http)), failed])
    return certificate
  }

  async stop(): Promise<void> {
    this.#server?.signal('SIGTERM')
    await this.#server?.ended
  }

  async #certify(): Promise<string> {
    const [key, certificate] = [join(this.#folder, 'key.pem'), join(this.#folder, 'certificate.pem')]
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    const named = ['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`, '-keyout', key, '-out', certificate]
    await new Program('openssl', [...made, ...named], {}, this.#folder).succeeded()
    return readFileSync(certificate, 'utf8')
  }

  /** @throws where the shipped file no longer has what must be changed */
  #moved(site: string): string {
    const { http, https, instances } = this.#ports
    const letsEncrypt = `/etc/letsencrypt/live/${NAME}`
    const changes = [
      ['listen 80;', `listen 127.0.0.1:${http};`],
      ['listen 443 ', `listen 127.0.0.1:${https} `],
      ['    listen [::]:80;\n', ''],
      ['    listen [::]:443 ssl http2;\n', ''],
      ['127.0.0.1:5001', `127.0.0.1:${instances[0]}`],
      ['127.0.0.1:5002', `127.0.0.1:${instances[1]}`],
      [`${letsEncrypt}/fullchain.pem`, join(this.#folder, 'certificate.pem')],
      [`${letsEncrypt}/privkey.pem`, join(this.#folder, 'key.pem')],
    ] as const
    return changes.reduce((text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`deploy/nginx.conf has no ${from}`)
      return text.replace(from, to)
    }, site)
  }

  /** What Debian's /etc/nginx/nginx.conf is around a site. */
  #around(): string {
    const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    return `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 2;
pid nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  ${kinds.map((kind) => `${kind}_temp_path ${kind};`).join('\n  ')}
  include site.conf;
}
`
  }
}

async function answers(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' }).catch(() => null)
  return answer?.status === 301
}
