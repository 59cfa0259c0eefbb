/** Serves the files that pages load: those that are listed, under names that change with the content, and nothing else. */

import type { FastifyInstance } from 'fastify'
import { AuthError } from '../errors.ts'
import { object, text, typed } from './schema.ts'

export function installAssets(app: FastifyInstance): void {
  const named = { params: object({ name: text }, ['name']) }
  typed(app).get('/assets/:name', { config: { access: 'public' }, schema: named }, async (request, reply) => {
    const asset = app.site.assets.get(request.params.name)
    if (asset === undefined) throw new AuthError('not_found')
    return reply.header('cache-control', 'public, max-age=31536000, immutable').type(asset.type).send(asset.content)
  })
}
