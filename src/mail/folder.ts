/** Where development keeps its mails. */

import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Settings } from '../settings.ts'

/** @returns the folder for mails: as the operator says, or beside the database */
export function mailFolder({ mailFolder: wanted, databaseUrl }: Pick<Settings, 'mailFolder' | 'databaseUrl'>): string {
  if (wanted !== '') return resolve(wanted)
  const path = databaseUrl.startsWith('sqlite:') ? databaseUrl.slice('sqlite:'.length) : './data/outbox'
  // What is in memory leaves nothing beside the project either.
  return path === ':memory:'
    ? join(tmpdir(), `bienvenue-outbox-${process.pid}`)
    : join(dirname(resolve(path)), 'outbox')
}
