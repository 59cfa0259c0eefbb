/**
 * Answers whose time tells nothing: those of a route that says so come no sooner than its moment, whatever there was to do.
 * What such a route does for an address without an account is much the same as for any other, and the rest is waited for.
 */

import { setTimeout as rest } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    steady?: true
  }
  interface FastifyRequest {
    /** Until then an answer of a steady route is held back. */
    moment: Promise<unknown> | null
  }
}

/** Longer than such a request takes where the database is well, in milliseconds. */
export const MOMENT = 50

/** @param pause passes after so many milliseconds */
export function installSteadyAnswers(app: FastifyInstance, pause: (time: number) => Promise<unknown> = rest): void {
  app.decorateRequest('moment', null)
  app.addHook('onRoute', (route) => {
    if (route.config?.steady !== true) return
    // Begun when all of the request is there, however slowly it came, and before the work: a pause that begins after it would
    // end as much later as the work took longer.
    route.preValidation = [route.preValidation ?? []].flat().concat(async (request: FastifyRequest) => {
      request.moment = pause(MOMENT)
    })
    route.onSend = [route.onSend ?? []].flat().concat(async (request: FastifyRequest) => {
      await request.moment
    })
  })
}
