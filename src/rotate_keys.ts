/** The command that gives the key of access tokens a successor, beside a running service or without one. */

import { listFeatures, migrations } from './app.ts'
import { Auth } from './auth.ts'
import { DB } from './db.ts'
import { limitsOf } from './engines/open.ts'
import { makeLog } from './log.ts'
import { Outbox } from './mail/outbox.ts'
import { withSecret } from './secret_file.ts'
import { processSettings } from './settings.ts'

/**
 * @param compromised ends all other keys at once, and with them every access token; programs refresh theirs. Running
 * instances know within half a minute.
 * @returns the name of the new key
 * @throws StartError with a line that names the mend
 */
export async function rotateKeys(compromised: boolean): Promise<string> {
  const given = processSettings()
  const log = await makeLog(given)
  const db = await DB.open(given.databaseUrl, { migrations, limits: limitsOf(given) })
  try {
    const settings = withSecret(given)
    const auth = new Auth(db, settings, listFeatures(db, settings, log, new Outbox(db, settings)))
    return await auth.tokens.keys.rotate(compromised)
  } finally {
    await db.close()
  }
}
