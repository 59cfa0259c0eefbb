/** Reading bodies: JSON and form data alike, UTF-8 only, nothing else. */

import formbody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'
import { AuthError } from '../errors.ts'

/** More than any route needs, in bytes. */
export const BODY_LIMIT = 16 * 1024

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export async function installBodies(app: FastifyInstance): Promise<void> {
  // Keys that would reach an object's prototype are refused, here and at any depth.
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const text = decoded(body)
    if (text === null) return done(new AuthError('body_invalid', { message: 'the body is not UTF-8' }))
    // Some clients name a type and send nothing, with a DELETE for instance.
    if (text === '') return done(null, {})
    parseJson(request, text, (error, parsed) => {
      if (error === null) done(null, parsed)
      else done(new AuthError('body_invalid', { message: 'the body is not valid JSON' }))
    })
  })
  await app.register(formbody)
  app.addHook('preValidation', async (request) => {
    // No body and a `null` one are both a body without fields, so that the answer names the first field missing.
    request.body ??= {}
  })
}

function decoded(body: string | Buffer): string | null {
  try {
    return typeof body === 'string' ? body : utf8.decode(body)
  } catch {
    return null
  }
}
