/**
 * The files of an open SQLite database: itself, its log (`-wal`), and the index of the log with the locks of all who use it
 * (`-shm`). One that was deleted, moved away or replaced by hand serves the connection that has it open as before, but not who
 * opens the database later: the two see nothing of each other, and one overwrites what was acknowledged by the other.
 */

import { statSync } from 'node:fs'

/** What the file system knows a file by. */
interface Identity {
  readonly device: number
  readonly number: number
}

// Nothing is opened for it: to close a file takes the locks that SQLite holds on it from the whole process (POSIX).
function identityOf(path: string): Identity | undefined {
  try {
    const { dev, ino } = statSync(path)
    return { device: dev, number: ino }
  } catch {
    // Gone, or behind a folder that was closed or a link that leads in a circle.
    return undefined
  }
}

export class SqliteFiles {
  readonly #identities: ReadonlyMap<string, Identity | undefined>

  /**
   * @param database the path, without links, of one that a connection has read and keeps open: its files are there, and none is
   * made anew
   * @param named the path that the next start will follow: a link that leads elsewhere by then has replaced the database
   */
  constructor(database: string, named: string) {
    const paths = [database, `${database}-wal`, `${database}-shm`, named]
    this.#identities = new Map(paths.map((path) => [path, identityOf(path)]))
  }

  /** @returns the path at which the file is no longer the one that the connection has open */
  lost(): string | undefined {
    for (const [path, own] of this.#identities) {
      const found = identityOf(path)
      if (found === undefined || found.device !== own?.device || found.number !== own.number) return path
    }
    return undefined
  }
}
