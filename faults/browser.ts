/** Who asks: a client over HTTP with one connection and an address of its own, that says how each request ended. */

import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'

/** Nothing that is asked here may take longer, in milliseconds. */
const PATIENCE = 60_000

/** Where the service is reached. */
export interface Target {
  readonly url: string
  /** The name in the request, where it is not that of the URL. */
  readonly name?: string
  /** The certificate of whoever vouches for the server, where that is nobody whom the system knows. */
  readonly authority?: string
}

interface Contents {
  readonly fields?: Record<string, string>
  readonly headers?: Record<string, string>
}

export interface Answer {
  /** 0 where no whole answer came. */
  readonly status: number
  readonly body: string
  /** The cookies that it set, as `name=value`. */
  readonly cookies: readonly string[]
  /** When the request began and ended, on the clock of `performance`. */
  readonly began: number
  readonly ended: number
}

export class Browser {
  readonly #target: Target
  readonly #address: string | undefined
  readonly #agent: Agent

  /** @param address of this machine from which to ask, like `127.1.2.3`; any where there is none */
  constructor(target: Target, address?: string) {
    this.#target = target
    this.#address = address
    const options = { keepAlive: true, maxSockets: 1 }
    this.#agent = target.url.startsWith('https:') ? new TlsAgent(options) : new Agent(options)
  }

  /** @returns what came of it; it never throws */
  send(method: string, path: string, { fields, headers = {} }: Contents = {}): Promise<Answer> {
    const began = performance.now()
    const body = fields === undefined ? '' : new URLSearchParams(fields).toString()
    return new Promise((resolve) => {
      const end = (status: number, text = '', cookies: readonly string[] = []) =>
        resolve({ status, body: text, cookies, began, ended: performance.now() })
      const sent = this.#request(method, path, headers, body)
      sent.once('error', () => end(0))
      sent.setTimeout(PATIENCE, () => sent.destroy(new Error('no answer')))
      sent.once('response', (response) => receive(response, end))
      sent.end(body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }

  #request(method: string, path: string, given: Record<string, string>, body: string): ClientRequest {
    const { url, name, authority } = this.#target
    const headers = {
      ...{ 'content-length': String(Buffer.byteLength(body)), ...given },
      ...(body === '' ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(name === undefined ? {} : { host: name }),
    }
    const options = {
      ...{ method, headers, agent: this.#agent },
      ...(this.#address === undefined ? {} : { localAddress: this.#address }),
    }
    if (!url.startsWith('https:')) return request(new URL(path, url), options)
    return tlsRequest(new URL(path, url), {
      ...options,
      ...(authority === undefined ? {} : { ca: authority, servername: name }),
    })
  }
}

function receive(response: IncomingMessage, end: (status: number, text?: string, cookies?: string[]) => void): void {
  let text = ''
  response.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  response.once('error', () => end(0))
  response.once('end', () => {
    const cookies = (response.headers['set-cookie'] ?? []).map((line) => line.split(';', 1).join())
    end(response.statusCode ?? 0, text, cookies)
  })
}
