/** What a path answers to the methods that it does not serve: `405` with `Allow`, and `OPTIONS` in a word. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AuthError } from '../errors.ts'

/** Collects the methods of every path; to be called before the routes are declared. */
export function collectMethods(app: FastifyInstance): Map<string, Set<string>> {
  const served = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = served.get(url) ?? new Set()
    for (const one of [method].flat()) methods.add(one)
    served.set(url, methods)
  })
  return served
}

/** Adds the remaining methods to every path; to be called after the routes are declared. */
export function installOtherMethods(app: FastifyInstance, served: Map<string, Set<string>>): void {
  for (const [url, methods] of [...served]) {
    const allow = [...methods, 'OPTIONS'].sort().join(', ')
    const config = { access: 'public' } as const
    const options = async (_: FastifyRequest, reply: FastifyReply) => reply.code(204).header('allow', allow).send()
    const refuse = async (_: FastifyRequest, reply: FastifyReply) => {
      reply.header('allow', allow)
      throw new AuthError('method_not_allowed')
    }
    const others = app.supportedMethods.filter((method) => !methods.has(method) && method !== 'OPTIONS')
    // Answered before the body is read, whatever it is.
    app.route({ method: 'OPTIONS', url, config, onRequest: options, handler: options })
    app.route({ method: others, url, config, onRequest: refuse, handler: refuse, exposeHeadRoute: false })
  }
}
