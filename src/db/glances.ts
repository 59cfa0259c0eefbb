/**
 * The fast path of the session check: what one look at a session tells, for most requests are nothing but that look. A
 * statement that enters SQLite's tables costs a third of all that a whole request costs, so
 *
 * - those who ask together are told together, by at most one transaction or by one query;
 * - on SQLite what was seen is remembered, as long as it is certain that the row has not changed.
 *
 * Why that is certain. Of this process: every change of a row, whatever statement makes it, fires a trigger that forgets the
 * row, before the change is committed; nothing is read between the two, since both happen in one step. Of every other process:
 * it changes the version of the file, which is asked after a request has come and before anything is believed for it; where it
 * changed, all is forgotten. On PostgreSQL nothing tells what others write, and so nothing is remembered.
 */

import { type Engine, integer, type Near, type Row, text } from '../engines/engine.ts'
import type { Glance } from '../session.ts'
import { KnownGlances } from './known_glances.ts'
import { kindOf } from './sessions.ts'

const COLUMNS = 'id, secret_hash, kind, expires_at'

/** One table and one index: as a join it would take three times as long on SQLite. A test holds it to the indexes. */
export const GLANCE = `
  SELECT ${COLUMNS}, last_seen_at, (SELECT email FROM users WHERE users.id = sessions.user_id) AS email
  FROM sessions WHERE id = ?`

/** What SQL calls the function that forgets a session. */
const FORGET = 'forget_session'

/** Temporary: of this connection alone, and gone with it. A deletion that cascades fires them as well. */
const TRIGGERS = [
  `CREATE TEMP TRIGGER forget_changed BEFORE UPDATE OF ${COLUMNS} ON main.sessions
    BEGIN SELECT forget_session(OLD.id, NULL); END`,
  `CREATE TEMP TRIGGER forget_seen BEFORE UPDATE OF last_seen_at ON main.sessions
    BEGIN SELECT forget_session(OLD.id, NEW.last_seen_at); END`,
  `CREATE TEMP TRIGGER forget_ended BEFORE DELETE ON main.sessions
    BEGIN SELECT forget_session(OLD.id, NULL); END`,
  `CREATE TEMP TRIGGER forget_user_changed BEFORE UPDATE ON main.users
    BEGIN SELECT forget_session(id, NULL) FROM sessions WHERE user_id = OLD.id; END`,
  `CREATE TEMP TRIGGER forget_user_deleted BEFORE DELETE ON main.users
    BEGIN SELECT forget_session(id, NULL) FROM sessions WHERE user_id = OLD.id; END`,
]

export class Glances {
  readonly #engine: Engine
  readonly #known = new KnownGlances()
  /** The version of the file as of which what is known is true. */
  #version = Number.NaN

  /** @param engine whose tables are of the newest schema */
  constructor(engine: Engine) {
    this.#engine = engine
    engine.near?.watch(FORGET, (id, seenAt) => this.#forget(id, seenAt), TRIGGERS)
  }

  /** @returns what is stored of each session, as of a moment after this call, or null where there is none */
  async find(ids: readonly string[]): Promise<(Glance | null)[]> {
    const { near } = this.#engine
    return near === undefined ? this.#read(ids) : near.step(() => this.#look(ids, near))
  }

  #look(ids: readonly string[], near: Near): (Glance | null)[] {
    const version = near.version()
    if (version !== this.#version) this.#known.clear()
    this.#version = version
    const found = ids.map((id) => this.#known.get(id))
    if (!found.includes(null)) return found
    // What another process writes between the version and the reading makes all be forgotten the next time.
    return near.together(() => ids.map((id, index) => found[index] ?? this.#remember(near.get(GLANCE, id))))
  }

  /** @param seenAt the only thing that changes, where it is that */
  #forget(id: string, seenAt: number | null): void {
    if (seenAt === null) this.#known.delete(id)
    else this.#known.see(id, seenAt)
  }

  #remember(row: Row | undefined): Glance | null {
    if (row === undefined) return null
    const glance = read(row)
    this.#known.set(glance)
    return glance
  }

  async #read(ids: readonly string[]): Promise<(Glance | null)[]> {
    const rows = (await this.#engine.allOf(GLANCE, [...new Set(ids)])).map(read)
    const glances = new Map(rows.map((glance) => [glance.id, glance]))
    return ids.map((id) => glances.get(id) ?? null)
  }
}

function read(row: Row): Glance {
  return {
    id: text(row, 'id'),
    secretHash: text(row, 'secret_hash'),
    kind: kindOf(row),
    lastSeenAt: integer(row, 'last_seen_at'),
    expiresAt: integer(row, 'expires_at'),
    email: text(row, 'email'),
  }
}
