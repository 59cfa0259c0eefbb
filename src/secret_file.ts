/** In development the SECRET is made at the first start and kept beside the database, so that nobody has to think of it. */

import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { dataFolder } from './engines/open.ts'
import { StartError } from './errors.ts'
import type { Settings } from './settings.ts'

const SHORTEST = 32

/** @returns the settings with a secret, whatever the environment says of it */
export function withSecret(settings: Settings): Settings {
  const folder = dataFolder(settings.databaseUrl)
  if (settings.secret !== '' || folder === undefined) return settings
  return { ...settings, secret: kept(join(folder, 'secret')) }
}

function kept(file: string): string {
  try {
    if (!existsSync(file)) make(file)
  } catch (error) {
    throw unusable(file, error)
  }
  const secret = read(file)
  if (secret.length < SHORTEST) throw unusable(file, 'it is cut short; remove it, and known devices are forgotten')
  return secret
}

/** The file appears whole or not at all; of two processes that start at once one wins, and both read the same. */
function make(file: string): void {
  const draft = `${file}.${process.pid}`
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(draft, randomBytes(32).toString('base64url'), { mode: 0o600 })
  try {
    linkSync(draft, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(draft)
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw unusable(file, error)
  }
}

function unusable(file: string, error: unknown): StartError {
  return new StartError(
    `The secret ${file} cannot be kept (${error instanceof Error ? error.message : error}). Make its folder writable for this user, or set SECRET.`,
  )
}
