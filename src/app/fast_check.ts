/**
 * The fast path of the session check: a plain `GET /profile` with a session cookie is answered before Fastify sees it, which
 * halves what it costs, since what is asked most often needs neither hooks nor a body. It only ever says yes: whatever is
 * not as plain as that, and every refusal, goes the way of all other requests, and a test holds both to the same answers.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Auth } from '../auth.ts'
import { CREDENTIAL_LENGTH, type ParsedCredential, parseCredential } from '../security/credential.ts'
import type { Settings } from '../settings.ts'
import { answerHeaders, hostsOf } from './headers.ts'
import { WholeAnswer } from './whole_answer.ts'

const failures = new WeakMap<IncomingMessage, unknown>()

/** Throws what the look-up of a request's session cookie failed with, where the fast path has tried it in vain. */
export function rethrowFailedCheck(request: IncomingMessage): void {
  if (failures.has(request)) throw failures.get(request)
}

const waiting = new Set<readonly Asked[]>()

/** Whether a request of this connection waits here for the database. */
export function waitsForCheck(socket: Socket): boolean {
  return [...waiting].some((batch) => batch.some(({ request }) => request.socket === socket))
}

/** To be called when all routes are declared. */
export function installFastCheck(app: FastifyInstance, auth: Auth, settings: Settings): void {
  // What they add to each request is done by hooks.
  if (!settings.production || settings.logRequests || settings.corsOrigins.length > 0) return
  const type = { 'content-type': 'application/json; charset=utf-8' }
  const answer = new WholeAnswer(app.server, { ...answerHeaders(settings), ...type })
  const { name } = settings.cookie
  let asked: Asked[] = []
  const answerAll = async () => {
    const all = asked
    asked = []
    waiting.add(all)
    const found = await auth.glances(all.map(({ credential }) => credential)).catch((failure: unknown) => {
      // Handed on to the place that knows what to say, which would wait as long again if it asked anew.
      for (const { request } of all) failures.set(request, failure)
      return []
    })
    waiting.delete(all)
    all.forEach(({ request, response }, index) => {
      const glance = found[index] ?? null
      if (glance === null) app.routing(request, response)
      else answer.send(response, JSON.stringify({ email: glance.email }))
    })
  }

  app.server.removeAllListeners('request')
  app.server.on('request', (request, response) => {
    const cookie = isPlain(request, response) ? onlyCookie(request.headers.cookie, name) : null
    const credential = cookie === null ? null : parseCredential(cookie)
    if (credential === null) return app.routing(request, response)
    // After all requests that this turn of the event loop reads.
    if (asked.push({ request, response, credential }) === 1) setImmediate(answerAll)
  })
}

interface Asked {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly credential: ParsedCredential
}

/** Headers that make more of a request than a session check for a program. */
const MORE = ['authorization', 'content-length', 'content-encoding', 'transfer-encoding']

function isPlain(request: IncomingMessage, response: ServerResponse): boolean {
  const { method, url, headers } = request
  return (
    method === 'GET' &&
    url === '/profile' &&
    hostsOf(request) === 1 &&
    // It has its turn: nothing sent before it on this connection waits for an answer.
    response.socket !== null &&
    MORE.every((name) => headers[name] === undefined) &&
    !/html/i.test(headers.accept ?? '')
  )
}

/**
 * @returns the value of the cookie where its name is there once, before a value as long as a credential, in signs that need no
 * decoding, or null
 */
function onlyCookie(header: string | undefined, name: string): string | null {
  if (header === undefined) return null
  const start = header.indexOf(name)
  if (start < 0 || header.indexOf(name, start + 1) >= 0) return null
  if (start > 0 && !header.startsWith('; ', start - 2)) return null
  const from = start + name.length + 1
  if (header[from - 1] !== '=') return null
  const end = header.indexOf(';', from)
  const value = header.slice(from, end < 0 ? undefined : end)
  return value.length === CREDENTIAL_LENGTH ? value : null
}
