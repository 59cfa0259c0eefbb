/** The audit log: one line in the log for everything that happens to an account. */

import type { FastifyBaseLogger } from 'fastify'
import type { Feature } from '../feature.ts'

/** @param log where the lines go, as JSON with the time in UTC */
export function auditLog(log: FastifyBaseLogger): Feature {
  return {
    name: 'audit_log',
    observe({ type, userId, client, sessionId }) {
      log.info({ event: type, user: userId, session: sessionId, ...client }, type)
    },
  }
}
