/** The routes of an address: confirm it, ask for another mail, take a change back. */

import type { FastifyInstance } from 'fastify'
import { confirmPage } from '../pages/confirm.ts'
import { undoPage } from '../pages/undo.ts'
import { isOfAnother } from '../security/device.ts'
import { visitor } from './carriers.ts'
import { setDeviceCookie } from './cookies.ts'
import { answer, viewFor } from './faces.ts'
import { noticeOf, type PageParts, sendSecretPage } from './pages.ts'
import { object, text, typed } from './schema.ts'

const answered = { 200: object({ email: text, message: text }, []) }

export function installEmail(untyped: FastifyInstance, parts: PageParts): void {
  const app = typed(untyped)
  const { auth, settings } = parts
  const config = { access: 'public' } as const

  app.get('/confirm', { config }, async (request, reply) => {
    const signedIn = (await visitor(request, parts)) !== null
    return sendSecretPage(reply, confirmPage(viewFor(request, signedIn, noticeOf(request))))
  })

  const asked = { body: object({ email: text }, ['email']), response: answered }
  const asking = { config: { ...config, form: 'confirm', steady: true }, schema: asked } as const
  app.post('/email_verification', asking, async (request, reply) => {
    await auth.address.request(request.body.email, request.client)
    const message = 'if this address has an account and is not confirmed, a mail goes to it'
    const page = (await visitor(request, parts)) === null ? '/confirm' : '/dashboard'
    return answer(request, reply, { message }, `${page}?notice=confirmation_requested`)
  })

  const confirmed = { body: object({ verification_token: text }, ['verification_token']), response: answered }
  const confirming = { config: { ...config, form: 'confirm' }, schema: confirmed } as const
  app.put('/email_verification', confirming, async (request, reply) => {
    const { user, deviceCookie } = await auth.address.confirm(request.body.verification_token, request.client)
    // A link that a stranger passed on is of the stranger's account: whoever presses it stays a known device of their own.
    const kept = isOfAnother(request.client.deviceCookie, user)
    if (settings.production && !kept) setDeviceCookie(reply, deviceCookie, settings)
    const page = (await visitor(request, parts)) === null ? '/login' : '/dashboard'
    return answer(request, reply, { email: user.email, message: 'address confirmed' }, `${page}?notice=email_confirmed`)
  })

  app.get('/undo', { config }, async (request, reply) => {
    const signedIn = (await visitor(request, parts)) !== null
    return sendSecretPage(reply, undoPage(viewFor(request, signedIn)))
  })

  const undone = { body: object({ undo_token: text }, ['undo_token']), response: answered }
  app.post('/undo_email_change', { config: { ...config, form: 'undo' }, schema: undone }, async (request, reply) => {
    await auth.address.undo(request.body.undo_token, request.client)
    const message = 'the former address is back, choose a new password now'
    return answer(request, reply, { message }, '/forgot?notice=email_restored')
  })
}
