/** The command that gives the key of access tokens a successor, beside a running service or without one. */

import { listFeatures, migrations } from './app.ts'
import { Auth } from './auth.ts'
import { DB } from './db.ts'
import { databaseLocation, isMissing, limitsOf } from './engines/open.ts'
import { StartError } from './errors.ts'
import { makeLog } from './log.ts'
import { Outbox } from './mail/outbox.ts'
import { withSecret } from './secret_file.ts'
import { processSettings } from './settings.ts'

/**
 * @param compromised ends all other keys at once, and with them every access token; programs refresh theirs. Running
 * instances know within half a minute.
 * @returns the name of the new key, and where it is
 * @throws StartError with a line that names the mend: for a database without a key no service has ever started, so it is not the
 * one that is meant
 */
export async function rotateKeys(compromised: boolean): Promise<{ kid: string; place: string }> {
  const given = processSettings()
  const place = databaseLocation(given.databaseUrl)
  const meant = 'Run this with the settings of the service, DATABASE_URL and SECRET above all.'
  if (isMissing(given.databaseUrl)) throw new StartError(`There is no database ${place}. ${meant}`)
  const log = await makeLog(given)
  const db = await DB.open(given.databaseUrl, { migrations, limits: limitsOf(given) })
  try {
    if ((await db.findSigningKeys()).length === 0) throw new StartError(`There is no key in ${place}. ${meant}`)
    const settings = withSecret(given)
    const auth = new Auth(db, settings, listFeatures(db, settings, log, new Outbox(db, settings)))
    return { kid: await auth.tokens.keys.rotate(compromised), place }
  } finally {
    await db.close()
  }
}
