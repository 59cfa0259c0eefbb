/** A connection on which anything can be sent, at any pace. */

import { connect, type Socket } from 'node:net'

/** The longest that a test waits for a connection to end, in milliseconds. */
const PATIENCE = 15_000

export class Wire {
  readonly #socket: Socket
  readonly #ended: Promise<void>
  text = ''

  /** @param port of a server on this machine */
  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    this.#socket.setEncoding('latin1').on('data', (text) => {
      this.text += String(text)
    })
    this.#ended = new Promise((resolve) => {
      // A reset is also an end.
      this.#socket
        .on('error', () => resolve())
        .on('end', () => resolve())
        .on('close', () => resolve())
    })
  }

  write(text: string): this {
    this.#socket.write(text, 'latin1')
    return this
  }

  /** Sends nothing more, and still listens. */
  halfClose(): this {
    this.#socket.end()
    return this
  }

  pause(): this {
    this.#socket.pause()
    return this
  }

  /** @returns all that came until the server ended the connection; fails where it does not */
  async untilClosed(): Promise<string> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error(`the connection is still open after: ${this.text}`)), PATIENCE)
    try {
      await Promise.race([this.#ended, late])
    } finally {
      clearTimeout(timer)
      this.#socket.destroy()
    }
    return this.text
  }

  /** @returns all that came until it holds `end` */
  async until(end: string): Promise<string> {
    while (!this.text.includes(end)) await this.more()
    return this.text
  }

  /** Waits until something more has come. */
  more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const closed = () => reject(new Error(`closed after: ${this.text}`))
      this.#socket.once('close', closed)
      this.#socket.once('data', () => {
        this.#socket.off('close', closed)
        resolve()
      })
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Breaks the connection off without an end (RST), as soon as all that was written has gone. */
  async reset(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.write('', () => resolve()))
    this.#socket.resetAndDestroy()
  }
}

/** @returns the statuses of all answers that came on a connection */
export function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}
