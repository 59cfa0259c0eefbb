/** The thread of wal_checkpoint.ts: a connection of its own that does nothing but checkpoints. */

import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'

/** How long writers wait at most for readers who still need what is older, in milliseconds. */
const PATIENCE = 100

const database = new Database(String(workerData), { fileMustExist: true, timeout: PATIENCE })

parentPort?.on('message', () => {
  try {
    // Nobody waits for this one, and it does nearly all. What was written meanwhile the next one brings over: writers wait for
    // it, and then begin the log from its start.
    database.pragma('wal_checkpoint(PASSIVE)')
    database.pragma('wal_checkpoint(FULL)')
  } catch {
    // A disk that is full or fails: the log stays as it is, and writes say so to those who must know.
  }
  parentPort?.postMessage('done')
})
