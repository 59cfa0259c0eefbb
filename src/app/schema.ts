/** The schemas of bodies and answers: plain JSON Schema, from which the types follow. */

import type { JsonSchemaToTsProvider } from '@fastify/type-provider-json-schema-to-ts'
import type { FastifyInstance } from 'fastify'

/** @returns the app, with bodies and parameters typed by their schemas */
export function typed(app: FastifyInstance) {
  return app.withTypeProvider<JsonSchemaToTsProvider>()
}

export const text = { type: 'string' } as const

/** An object with these properties, of which `required` must be there. Others are ignored in a body and left out of an answer. */
export function object<const P extends Record<string, unknown>, const R extends readonly (keyof P & string)[]>(
  properties: P,
  required: R,
) {
  return { type: 'object', properties, required } as const
}

/** @returns a field of something that no schema has checked, where it is text */
export function looseText(source: unknown, name: string): string | undefined {
  if (typeof source !== 'object' || source === null) return undefined
  const value: unknown = Object.getOwnPropertyDescriptor(source, name)?.value
  return typeof value === 'string' ? value : undefined
}
