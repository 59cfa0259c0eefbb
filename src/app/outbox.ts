/** The page of development that shows every mail, so that all of it can be tried without a mail server. */

import type { FastifyInstance } from 'fastify'
import { AuthError } from '../errors.ts'
import { compose } from '../mail/compose.ts'
import type { Outbox } from '../mail/outbox.ts'
import { outboxPage } from '../pages/outbox.ts'
import { isDirectLoopback } from './client.ts'
import { sendPage, viewFor, wantsPage } from './faces.ts'

const SHOWN = 50

/** Installed in development alone, where mails go into a folder. */
export function installOutbox(app: FastifyInstance, outbox: Outbox): void {
  app.get('/outbox', { config: { access: 'public' } }, async (request, reply) => {
    // Whoever reads these mails owns the accounts: only somebody on this machine may.
    if (!isDirectLoopback(request)) throw new AuthError('not_found')
    const mails = (await outbox.recent(SHOWN)).flatMap((row) => {
      const letter = outbox.peek(row)
      return letter === null ? [] : [compose(app.site, app.site.publicUrl, row, letter)]
    })
    if (!wantsPage(request)) return { mails: mails.map(({ to, subject, text }) => ({ to, subject, text })) }
    return sendPage(reply, outboxPage(viewFor(request, false), mails))
  })
}
