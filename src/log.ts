/** The log: pino's JSON lines with the time in UTC; in development the same, for human eyes. */

import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LogController } from 'fastify'
import { type DestinationStream, type Logger, pino } from 'pino'
import type { Settings } from './settings.ts'

/** What waits for a reader of standard output that stalls, in characters; a line beyond is lost. */
const MOST_WAITING = 1_000_000
/** So long a reader that lags is given at the end, in milliseconds. */
const LAST_WAIT = 1_000

/**
 * No line holds a header, a body or a query, and so no password, token or cookie.
 * @param stream where the lines go; default: standard output
 */
export async function makeLog(
  { logLevel, production }: Pick<Settings, 'logLevel' | 'production'>,
  stream?: DestinationStream,
): Promise<Logger> {
  const options = { level: logLevel, timestamp: pino.stdTimeFunctions.isoTime, base: null }
  if (stream !== undefined) return pino(options, stream)
  if (production) return pino(options, new StandardOutput((line) => line))
  const { prettyFactory } = await import('pino-pretty')
  const pretty = prettyFactory({ singleLine: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname,reqId,event' })
  return pino(options, new StandardOutput(pretty))
}

/** A log that cannot be written stops nothing else: its lines are lost and counted, and the next one that can be tells of them. */
class StandardOutput implements DestinationStream {
  readonly #format: (line: string) => string
  #lost = 0

  constructor(format: (line: string) => string) {
    this.#format = format
    // A full disk for instance; each line that could not be written hears of it as well.
    process.stdout.on('error', () => {})
  }

  write(line: string): void {
    const lost = this.#lost
    if (process.stdout.writableLength > MOST_WAITING) {
      this.#lost += 1
      return
    }
    this.#lost = 0
    const told = lost === 0 ? '' : this.#format(lossOf(lost))
    // The last one before may have been written in part.
    const lines = `${lost === 0 ? '' : '\n'}${told}${this.#format(line)}`
    process.stdout.write(lines, (error) => {
      if (error) this.#lost += lost + 1
    })
  }
}

function lossOf(lines: number): string {
  const time = new Date().toISOString()
  return `${JSON.stringify({ level: pino.levels.values.warn, time, lines, msg: 'lines of the log were lost' })}\n`
}

/** To be waited for before the process ends by itself: what is left of the log goes, as far as somebody reads it. */
export async function finishLog(): Promise<void> {
  const written = new Promise((resolve) => process.stdout.write('', resolve))
  await Promise.race([written, pause(LAST_WAIT)])
}

/** Fastify's own lines hold whole URLs; ours is one line a request, with its route alone, where LOG_REQUESTS asks for it. */
export class RequestLog extends LogController {
  readonly #wanted: boolean

  constructor({ logRequests }: Pick<Settings, 'logRequests'>) {
    super({ disableRequestLogging: true })
    this.#wanted = logRequests
  }

  override requestCompleted(_error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    if (!this.#wanted) return
    // The pattern of the route, not the path: whatever strays into a path, a credential for instance, stays out of the log.
    const { url: path = 'none' } = request.routeOptions
    const line = { method: request.method, path, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }
    request.log.info(line, 'request')
  }
}
