/** The log: pino's JSON lines with the time in UTC; in development the same, for human eyes. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { LogController } from 'fastify'
import { type DestinationStream, type Logger, pino } from 'pino'
import type { Settings } from './settings.ts'

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
  if (production) return pino(options)
  const { default: pretty } = await import('pino-pretty')
  return pino(
    options,
    pretty({ sync: true, singleLine: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname,reqId,event' }),
  )
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
