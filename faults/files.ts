/** What others do to the file of the database while the service runs on it. */

import { copyFileSync, linkSync, renameSync, unlinkSync } from 'node:fs'
import Database from 'better-sqlite3'
import { databaseOf } from './database.ts'
import { Program, startService } from './program.ts'
import type { Report } from './report.ts'
import { withTrial } from './trial.ts'

/** Another program writes to the file and does not come to an end. */
export async function lockedFile(folder: string): Promise<Report> {
  return withTrial(folder, async (trial) => {
    const other = new Database(databaseOf(folder))
    other.exec('BEGIN IMMEDIATE')
    const refusals = await trial.refused(10)
    trial.expect('what only reads is served meanwhile', !refusals.some(({ asked }) => asked === 'GET /profile'))
    other.exec('ROLLBACK')
    other.close()
    await trial.served()
    return trial.end('a file that another program held for longer than writes wait')
  })
}

/** The file and its log can no longer be written, not even by root: the flag of ext4 that `chattr` sets. */
export async function readOnlyFile(folder: string): Promise<Report> {
  return withTrial(folder, async (trial) => {
    const files = [databaseOf(folder), `${databaseOf(folder)}-wal`]
    await new Program('chattr', ['+i', ...files], {}, '/').succeeded()
    try {
      const refusals = await trial.refused(10)
      trial.expect('what only reads is served meanwhile', !refusals.some(({ asked }) => asked === 'GET /profile'))
    } finally {
      await new Program('chattr', ['-i', ...files], {}, '/').succeeded()
    }
    await trial.served()
    return trial.end('a file made read-only, and writable again')
  })
}

/** The file is moved away and another one put in its place, as by a backup that is brought back without a stop. */
export async function replacedFile(folder: string): Promise<Report> {
  return losing(folder, 'a file that was replaced', (file, kept) => {
    renameSync(file, kept)
    copyFileSync(kept, file)
  })
}

/** The file is deleted, so that nothing but the service still holds it. */
export async function deletedFile(folder: string): Promise<Report> {
  return losing(folder, 'a file that was deleted', (file, kept) => {
    linkSync(file, kept)
    unlinkSync(file)
  })
}

/** @param lose takes the file from its place; what it was is `kept`, and is brought back for the next start */
async function losing(folder: string, line: string, lose: (file: string, kept: string) => void): Promise<Report> {
  return withTrial(folder, async (trial) => {
    const [file, kept] = [databaseOf(folder), `${databaseOf(folder)}.kept`]
    lose(file, kept)
    await trial.refused()
    await trial.crowd.stop()
    await trial.service.child.kill()
    renameSync(kept, file)
    trial.service = await startService({ LOG_LEVEL: 'warn' }, folder)
    return trial.end(line)
  })
}
