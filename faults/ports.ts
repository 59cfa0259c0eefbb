/** Ports of 127.0.0.1 for programs that are started here. */

import { createServer } from 'node:net'

/** @returns so many ports at which nothing listens now, no two of them the same */
export async function freePorts(count: number): Promise<number[]> {
  const holders = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    holders.map(async (holder) => {
      await new Promise<void>((resolve) => holder.listen({ host: '127.0.0.1', port: 0 }, resolve))
      const address = holder.address()
      if (address === null || typeof address === 'string') throw new Error('no port is free')
      return address.port
    }),
  )
  await Promise.all(holders.map((holder) => new Promise((resolve) => holder.close(resolve))))
  return ports
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1)
  if (port === undefined) throw new Error('no port is free')
  return port
}
