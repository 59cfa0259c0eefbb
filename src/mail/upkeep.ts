/** The outbox as a feature: wakes the delivery when something was handed in, sweeps, and says when letters grow old. */

import type { FastifyBaseLogger } from 'fastify'
import type { Feature } from '../feature.ts'
import { LATE } from './delivery.ts'
import type { Outbox } from './outbox.ts'
import { outboxMigrations } from './outbox_table.ts'

export function outboxUpkeep(outbox: Outbox, log: FastifyBaseLogger): Feature {
  let warned = false
  return {
    name: 'outbox',
    migrations: outboxMigrations,
    observe: () => outbox.announce(),
    async upkeep() {
      await outbox.sweep()
      const { count, oldest } = await outbox.waiting()
      const late = oldest > LATE
      if (late && !warned) {
        const minutes = Math.round(oldest / 60_000)
        log.error({ waiting: count, minutes }, 'mails wait for the mail server: see the lines before, and SMTP_URL')
      }
      if (!late && warned) log.info('the mails that waited have gone')
      warned = late
    },
  }
}
