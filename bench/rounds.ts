/** Rounds: every contender in turn, again and again, so that a busy minute of the machine weighs on all. */

import type { Contender } from './contenders.ts'
import type { Seen } from './load.ts'
import { Loader, Server } from './processes.ts'

/** Enough to keep a server busy without a break. */
const CONNECTIONS = 50

/** What of its cookies a contender is asked for. */
export interface Slice {
  from: number
  count: number
  requests: number
  /** Milliseconds. */
  duration: number
}

export interface Measured {
  name: string
  /** Processor time of a request in each round, in microseconds. */
  costs: number[]
}

export class Track {
  readonly #loader = new Loader()
  readonly #servers = new Map<string, { server: Server; contender: Contender }>()

  async enter(contender: Contender): Promise<Server> {
    const server = await Server.start(contender.program)
    this.#servers.set(contender.name, { server, contender })
    return server
  }

  /** @returns microseconds of processor time for a request, with what the load saw */
  async run(name: string, slice: Slice): Promise<Seen & { cost: number }> {
    const entered = this.#servers.get(name)
    if (entered === undefined) throw new Error(`${name} has not entered`)
    const { server, contender } = entered
    const before = server.spent()
    const load = { port: server.port, path: '/profile', headers: contender.headers, connections: CONNECTIONS, ...slice }
    const seen = await this.#loader.send(load)
    return { ...seen, cost: (server.spent() - before) / seen.answered }
  }

  /** @param sliceOf what each is asked for in a round */
  async rounds(
    names: readonly string[],
    rounds: number,
    sliceOf: (round: number, name: string) => Slice,
  ): Promise<Measured[]> {
    const measured = names.map((name): Measured => ({ name, costs: [] }))
    for (let round = 0; round < rounds; round += 1) {
      for (const { name, costs } of measured) costs.push((await this.run(name, sliceOf(round, name))).cost)
    }
    return measured
  }

  resident(name: string): number {
    return this.#servers.get(name)?.server.resident() ?? 0
  }

  async leave(names: readonly string[] = [...this.#servers.keys()]): Promise<void> {
    for (const name of names) {
      await this.#servers.get(name)?.server.stop()
      this.#servers.delete(name)
    }
  }

  async close(): Promise<void> {
    await this.leave()
    this.#loader.stop()
  }
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

export interface Ratio {
  median: number
  lowest: number
  highest: number
}

/** @returns how many times more `one` costs than `other`, round by round */
export function ratioOf(one: readonly number[], other: readonly number[]): Ratio {
  const ratios = one.map((cost, round) => cost / (other[round] ?? Number.NaN))
  return { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) }
}
