/** What asks whether the service is well: a load balancer, a supervisor, the operator. */

import type { FastifyInstance } from 'fastify'
import { LATE } from '../mail/delivery.ts'
import type { Outbox } from '../mail/outbox.ts'
import { isDirectLoopback } from './client.ts'

/** @param outbox where letters wait */
export function installHealth(app: FastifyInstance, outbox: Outbox): void {
  const config = { access: 'public' } as const

  app.get('/health/live', { config }, async () => ({ status: 'ok' }))

  // A mail server that is down is no reason to send people elsewhere: every instance has the same one.
  app.get('/health/ready', { config }, async (request) => {
    await outbox.reach()
    // Strangers ask as well, as often as they like: of all letters only this machine makes it count.
    if (!isDirectLoopback(request)) return { status: 'ok' }
    const { count, oldest } = await outbox.waiting()
    const mail = { waiting: count, oldest_seconds: Math.floor(oldest / 1_000), late: oldest > LATE }
    return { status: 'ok', mail }
  })
}
