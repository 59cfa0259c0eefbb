/** Reading bodies: JSON and form data alike, UTF-8 only, nothing else. */

import formbody from '@fastify/formbody'
import { parse } from 'fast-querystring'
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
      if (error !== null) return done(new AuthError('body_invalid', { message: 'the body is not valid JSON' }))
      const field = repeatedKey(text)
      if (field === undefined) done(null, parsed)
      else done(new AuthError('field_invalid', { field, message: `${field} must be given once` }))
    })
  })
  await app.register(formbody, { parser: parseForm })
  app.addHook('onRequest', async ({ headers }) => {
    const encoding = headers['content-encoding'] ?? 'identity'
    const transfer = headers['transfer-encoding']?.toLowerCase() ?? 'chunked'
    if (encoding !== 'identity' || transfer !== 'chunked')
      throw new AuthError('content_type_unsupported', { message: 'send the body uncompressed' })
  })
  app.addHook('preValidation', async (request) => {
    // No body and a `null` one are both a body without fields, so that the answer names the first field missing.
    request.body ??= {}
  })
}

/** Bytes that are not UTF-8 are refused, not replaced: two passwords must never become one. */
function parseForm(body: string): Record<string, unknown> {
  try {
    // A byte order mark would hide the first field.
    if (body.includes('\uFFFD') || body.startsWith('\uFEFF')) throw new URIError()
    decodeURIComponent(body)
  } catch {
    throw new AuthError('body_invalid', { message: 'the form is not percent-encoded UTF-8' })
  }
  return parse(body)
}

/** @returns the first key that the outermost object of this valid JSON text gives twice; JSON.parse takes the last */
function repeatedKey(json: string): string | undefined {
  const seen = new Set<string>()
  let depth = 0
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"\s*:?|[[\]{}]/g)) {
    if (token === '{' || token === '[') depth += 1
    else if (token === '}' || token === ']') depth -= 1
    else if (depth === 1 && token.endsWith(':')) {
      const key = String(JSON.parse(token.slice(0, -1)))
      if (seen.has(key)) return key
      seen.add(key)
    }
  }
  return undefined
}

function decoded(body: string | Buffer): string | null {
  try {
    return typeof body === 'string' ? body : utf8.decode(body)
  } catch {
    return null
  }
}
