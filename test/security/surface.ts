/** What the app serves, asked from the app itself: every route with the fields that its schemas name. */

import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'

export interface Route {
  method: string
  /** With `:name` for parameters, as the router prints it. */
  path: string
  fields: string[]
  required: string[]
  query: string[]
}

/** Every route but those that only say `405` or name the methods; to be called before the app is ready. */
export async function routesOf(app: FastifyInstance): Promise<Route[]> {
  const schemas = new Map<string, { body?: unknown; querystring?: unknown } | undefined>()
  app.addHook('onSend', async (request) => {
    schemas.set(`${request.method} ${request.url}`, request.routeOptions.schema)
  })
  await app.ready()
  const routes: Route[] = []
  for (const { method, path } of printed(app.printRoutes({ commonPrefix: false }))) {
    const { statusCode } = await app.inject({ method, url: path, headers: { host: 'localhost' } })
    const { body, querystring } = schemas.get(`${method} ${path}`) ?? {}
    if (method === 'OPTIONS' || statusCode === 405) continue
    routes.push({
      method,
      path,
      fields: keys(body, 'properties'),
      required: keys(body, 'required'),
      query: keys(querystring, 'properties'),
    })
  }
  return routes
}

/** Reads the tree that the router prints: four characters a level, the methods in brackets. */
function* printed(tree: string): Generator<{ method: string; path: string }> {
  const parents: string[] = []
  for (const line of tree.split('\n')) {
    const found = /^(.*── )(\S+) \(([^)]*)\)$/.exec(line)
    if (found === null) continue
    const [, indent = '', part = '', methods = ''] = found
    const level = indent.length / 4 - 1
    const path = `${parents.slice(0, level).join('')}${part}`
    parents.splice(level, parents.length, part)
    for (const method of methods.split(', ')) yield { method, path: path.replace(/^\/+/, '/') }
  }
}

function keys(schema: unknown, what: 'properties' | 'required'): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const found =
    what === 'properties' ? 'properties' in schema && schema.properties : 'required' in schema && schema.required
  if (Array.isArray(found)) return found.map(String)
  return typeof found === 'object' && found !== null ? Object.keys(found) : []
}

/** A fresh folder in memory where the system has one: for tests in which the speed of the disk plays no part. */
export function fastFolder(): string {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'bienvenue-'))
}
