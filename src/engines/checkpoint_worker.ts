/** The thread of wal_checkpoint.ts: a connection of its own that does nothing but checkpoints. */

import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'

// Without any patience: it would hold the lock of all writers while it waits for somebody else's reader.
const database = new Database(String(workerData), { fileMustExist: true, timeout: 0 })

parentPort?.on('message', () => {
  try {
    // The first holds up nobody and does nearly all. What was written meanwhile the second brings over under the writers' lock,
    // and the next write begins the log from its start.
    database.pragma('wal_checkpoint(PASSIVE)')
    database.pragma('wal_checkpoint(FULL)')
  } catch {
    // A disk that is full or fails: the log stays as it is, and writes say so to those who must know.
  }
  parentPort?.postMessage('done')
})
