/** Who may call what, and with which fields: read from the routes of the app as it is built. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { Access } from '../src/app/guards.ts'
import { buildApp, listFeatures, migrations } from '../src/app.ts'
import { Auth } from '../src/auth.ts'
import { DB } from '../src/db.ts'
import { makeLog } from '../src/log.ts'
import { Outbox } from '../src/mail/outbox.ts'
import { readSettings } from '../src/settings.ts'

export interface AccessRow {
  method: string
  url: string
  access: Access
  /** The names of the fields that the body may have; a `?` after those that may be missing. */
  body: string[]
  /** The same of the query. */
  query: string[]
}

/** @returns the routes in the order in which they are declared, without what every path answers to other methods */
export async function accessRows(): Promise<AccessRow[]> {
  const declared: RouteOptions[] = []
  // Fastify tells on this channel of each instance that it makes, before it has any route.
  const listen = (message: unknown) => {
    if (!isInitialization(message)) throw new TypeError('Fastify tells something else than it did')
    message.fastify.addHook('onRoute', (route) => void declared.push(route))
  }
  subscribe('fastify.initialization', listen)
  try {
    await buildAndClose()
  } finally {
    unsubscribe('fastify.initialization', listen)
  }
  return declared.filter(isServed).map(rowOf)
}

async function buildAndClose(): Promise<void> {
  const settings = readSettings({ DATABASE_URL: 'sqlite::memory:', LOG_LEVEL: 'silent' })
  const log = await makeLog(settings, { write: () => undefined })
  const db = await DB.open(settings.databaseUrl, { migrations })
  const outbox = new Outbox(db, settings)
  const auth = new Auth(db, settings, listFeatures(db, settings, log, outbox))
  const app = await buildApp({ auth, settings, log, outbox })
  await app.close()
  await db.close()
}

function isInitialization(message: unknown): message is { fastify: FastifyInstance } {
  return typeof message === 'object' && message !== null && 'fastify' in message
}

/** HEAD follows GET; what only refuses a method or names the others answers before the body is read. */
function isServed({ method, onRequest }: RouteOptions): boolean {
  return method !== 'HEAD' && onRequest === undefined
}

function rowOf({ method, url, config, schema }: RouteOptions): AccessRow {
  if (config?.access === undefined) throw new Error(`the route ${method} ${url} does not declare its access`)
  const { access } = config
  const [body, query] = [fieldsOf(schema?.body), fieldsOf(schema?.querystring)]
  return { method: [method].flat().join(', '), url, access, body, query }
}

function fieldsOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null || !('properties' in schema)) return []
  const required = 'required' in schema && Array.isArray(schema.required) ? schema.required : []
  return Object.keys(Object(schema.properties)).map((name) => (required.includes(name) ? name : `${name}?`))
}
