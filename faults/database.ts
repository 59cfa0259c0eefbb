/** What stands in the database of a service that was stopped or killed, as another program reads it. */

import { join } from 'node:path'
import Database from 'better-sqlite3'

const BCRYPT = /^\$2b\$\d\d\$[./A-Za-z0-9]{53}$/

interface Account {
  email: string
  hashed_password: string
  registered: number
}

/** @param folder the working folder of the service */
export function databaseOf(folder: string): string {
  return join(folder, 'data', 'bienvenue.db')
}

/** What the database holds. */
export interface Kept {
  readonly emails: ReadonlySet<string>
  /** What is half there, in words; empty where everything is whole. */
  readonly broken: readonly string[]
}

/** Reads every account: it has a hash and one line of the audit log, and nothing hangs on an account that is not there. */
export function keptIn(file: string): Kept {
  const database = new Database(file, { readonly: true })
  try {
    const accounts = database
      .prepare<[], Account>(
        `SELECT email, hashed_password,
          (SELECT COUNT(*) FROM audit_log a WHERE a.user_id = u.id AND a.type = 'user_registered') AS registered FROM users u`,
      )
      .all()
    const half = accounts.filter((row) => !BCRYPT.test(row.hashed_password) || row.registered !== 1)
    const strays = database.prepare('SELECT id FROM audit_log WHERE user_id NOT IN (SELECT id FROM users)').all()
    const orphans = database.pragma('foreign_key_check')
    const integrity = database.pragma('integrity_check', { simple: true })
    return {
      emails: new Set(accounts.map(({ email }) => email)),
      broken: [
        ...half.map(({ email }) => `${email} is half there`),
        ...(strays.length > 0 ? [`${strays.length} lines of the audit log belong to nobody`] : []),
        ...(Array.isArray(orphans) && orphans.length === 0
          ? []
          : [`rows without their account: ${JSON.stringify(orphans)}`]),
        ...(integrity === 'ok' ? [] : [`the file is damaged: ${integrity}`]),
      ],
    }
  } finally {
    database.close()
  }
}
