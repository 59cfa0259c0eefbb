/** Where development keeps its mails. */

import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { dataFolder } from '../engines/open.ts'
import type { Settings } from '../settings.ts'

/** @returns the folder for mails: as the operator says, or beside the database */
export function mailFolder({ mailFolder: wanted, databaseUrl }: Pick<Settings, 'mailFolder' | 'databaseUrl'>): string {
  if (wanted !== '') return resolve(wanted)
  const folder = dataFolder(databaseUrl)
  // What is in memory leaves nothing beside the project either.
  return folder === undefined ? join(tmpdir(), `bienvenue-outbox-${process.pid}`) : join(folder, 'outbox')
}
