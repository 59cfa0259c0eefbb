/**
 * Validators and serialisers are made of their schemas when a route is first asked for. To make them all takes a start as long
 * as everything else it does, and what makes them is itself not loaded before.
 */

import { createRequire } from 'node:module'
import type { FastifyInstance, FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify'

const require = createRequire(import.meta.url)

/** For the options of the app, which would load Fastify's own compilers at once. */
export const noCompilers = { buildValidator: notYet, buildSerializer: notYet }

function notYet(): never {
  throw new Error('the compilers are not installed')
}

/** To be called before the routes are declared. */
export function installCompilers(app: FastifyInstance): void {
  app.setValidatorCompiler(validatorOf)
  app.setSerializerCompiler(serializerOf)
}

const validators = once(() => {
  const { default: selector }: typeof import('@fastify/ajv-compiler') = require('@fastify/ajv-compiler')
  return selector()({}, { customOptions: { coerceTypes: false, removeAdditional: false } })
})

const serializers = once(() => {
  const path = '@fastify/fast-json-stringify-compiler'
  const { SerializerSelector }: typeof import('@fastify/fast-json-stringify-compiler') = require(path)
  return SerializerSelector()({})
})

const validatorOf: FastifySchemaCompiler<object> = ({ schema }) => {
  const validator = once(() => validators()({ schema }))
  return (data: unknown) => {
    const check = validator()
    return check(data) === true || { error: [...(check.errors ?? [])] }
  }
}

const serializerOf: FastifySerializerCompiler<object> = (route) => {
  const serializer = once(() => serializers()({ httpStatus: '', ...route }))
  return (data: unknown) => serializer()(data)
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
