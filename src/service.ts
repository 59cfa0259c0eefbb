/** The service as it runs: settings, database, Auth, app, listening; signals and a graceful stop. */

import { once } from 'node:events'
import { createServer, Server } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { activityOf, buildApp, listFeatures, migrations } from './app.ts'
import { Auth } from './auth.ts'
import { announce } from './banner.ts'
import { DB } from './db.ts'
import { limitsOf } from './engines/open.ts'
import { StartError } from './errors.ts'
import { finishLog, makeLog } from './log.ts'
import { compose } from './mail/compose.ts'
import { Delivery } from './mail/delivery.ts'
import { mailFolder } from './mail/folder.ts'
import { MailThread } from './mail/mail_thread.ts'
import { Outbox } from './mail/outbox.ts'
import { folderTransport, type Transport } from './mail/transport.ts'
import { withSecret } from './secret_file.ts'
import { processSettings, type Settings } from './settings.ts'

/** Last uses are written and ended sessions deleted this often, in milliseconds. */
const UPKEEP_INTERVAL = 30_000
/** Connections on which nothing is asked for so long are closed at a stop, in milliseconds. */
const DRAIN = 1_000
/** Requests still running after this long at a stop are cut off, in milliseconds. */
const STOP_LIMIT = 10_000
/** A stop that has not ended after this long, because the database does not answer for instance, ends all the same, in milliseconds. */
const LONGEST_STOP = 15_000

/** A service that listens. */
export interface Service {
  readonly settings: Settings
  readonly log: Logger
  readonly port: number
  /** Answers what is under way, and ends the process. */
  end(): Promise<never>
}

/**
 * Starts the service; it then runs until a signal ends it.
 * @throws StartError with a line that names the mend
 */
export async function start(): Promise<void> {
  const { settings, log, port, end } = await openService()
  announce(log, settings, port)
  const stop = (signal: NodeJS.Signals) => {
    log.info({ signal }, 'stopping')
    void end()
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, stop)
}

/** Opens the service and listens. @throws StartError with a line that names the mend */
export async function openService(): Promise<Service> {
  const given = processSettings()
  const log = await makeLog(given)
  const db = await DB.open(given.databaseUrl, { migrations, limits: limitsOf(given) })
  const settings = withSecret(given)
  const outbox = new Outbox(db, settings)
  const features = listFeatures(db, settings, log, outbox)
  const auth = new Auth(db, settings, features, outbox)
  const app = await buildApp({ auth, settings, log, outbox, activity: activityOf(db) })
  const delivery = deliveryOf(app, outbox, settings, db)

  const upkeep = async () => {
    await auth.upkeep()
    for (const feature of features) await feature.upkeep?.()
  }
  const timer = setInterval(() => {
    upkeep().catch((error: unknown) => log.error({ err: error }, 'upkeep failed'))
  }, UPKEEP_INTERVAL)
  const twin = twinOf(app)
  let letters: Promise<void> | undefined
  app.addHook('preClose', async () => {
    // Beside the requests: a stop takes as long as the longer of both.
    letters = delivery?.stop()
  })
  app.addHook('onClose', async () => {
    clearInterval(timer)
    // What is under way on either address still needs the database.
    await new Promise((resolve) => twin.close(resolve))
    await letters
    await upkeep()
    await auth.close()
    await db.close()
  })
  const end = endingOf(app, log)
  await listen(app, twin, settings)
  const port = portOf(app.server)
  app.site.publicUrl = settings.publicUrl.replace(/:0$/, `:${port}`)
  delivery?.start()
  logFaults(log)
  return { settings, log, port, end }
}

/** @returns how mail leaves, where any does */
export function transportOf(settings: Settings): Transport {
  const { smtp } = settings
  return smtp === undefined ? folderTransport(mailFolder(settings)) : new MailThread(smtp)
}

/** @returns undefined where no mail is sent */
function deliveryOf(app: FastifyInstance, outbox: Outbox, settings: Settings, { now }: DB): Delivery | undefined {
  if (settings.mail === 'none') return undefined
  const transport = transportOf(settings)
  const delivery = new Delivery({
    ...{ outbox, transport, log: app.log, now },
    compose: (row, letter) => compose(app.site, app.site.publicUrl, row, letter),
  })
  outbox.listen(() => delivery.stir())
  return delivery
}

/**
 * A proxy may be sending a request on a connection that seems idle here, and must not send it twice if it is a POST. So the end
 * takes in no new connection, ends each with its next answer, and closes those that stay silent only after `DRAIN`.
 */
function endingOf(app: FastifyInstance, log: Logger): Service['end'] {
  let ending = false
  app.addHook('preClose', async () => {
    ending = true
    if (!app.server.listening) return
    const ended = once(app.server, 'close')
    // That of HTTP servers closes what is idle at once.
    Server.prototype.close.call(app.server)
    await Promise.race([ended, pause(DRAIN)])
  })
  app.addHook('onSend', async (_request, reply) => {
    if (ending) reply.header('connection', 'close')
  })
  return async () => {
    setTimeout(() => app.server.closeAllConnections(), STOP_LIMIT).unref()
    setTimeout(() => fail(log, new Error('the database did not answer until the end of a stop')), LONGEST_STOP).unref()
    await app.close().catch((error: unknown) => fail(log, error))
    await finishLog()
    process.exit(0)
  }
}

async function listen(app: FastifyInstance, twin: Server, { host, port }: Settings): Promise<void> {
  try {
    await app.listen({
      host: host === 'localhost' ? '127.0.0.1' : host,
      port,
      listenTextResolver: (address) => `listening at ${address}`,
    })
    if (host === 'localhost') await listenOnIPv6(twin, portOf(app.server))
  } catch (error) {
    await app.close()
    throw explained(error, host, port)
  }
}

/** `localhost` is both loopback addresses, whatever the machine's hosts file says; one HTTP server serves both. */
function twinOf(app: FastifyInstance): Server {
  return createServer({ noDelay: true }, (socket) => app.server.emit('connection', socket))
}

async function listenOnIPv6(twin: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    twin.once('error', (error: NodeJS.ErrnoException) => {
      // A machine without IPv6 has no second address to serve.
      if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') resolve()
      else reject(error)
    })
    twin.listen({ host: '::1', port }, resolve)
  })
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

/** Logs what nobody caught: a promise that was rejected harms one request at most, anything else ends the process. */
export function logFaults(log: Logger): void {
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  process.on('uncaughtException', (error) => fail(log, error))
}

function fail(log: Logger, error: unknown): never {
  log.fatal({ err: error }, 'stopping after a fault')
  process.exit(1)
}

function explained(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    return new StartError(`Port ${port} is taken. Stop the program that holds it, or set PORT to another one.`)
  }
  if (code === 'EACCES') {
    return new StartError(`Port ${port} may not be used by this user. Set PORT to one above 1023.`)
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new StartError(`HOST=${host} is no address of this machine. Set HOST to one that is, or to 0.0.0.0 for all.`)
  }
  return error
}
