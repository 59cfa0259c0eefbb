/** What the first lines of a start tell: where, on what data, in which profile, and what that profile relaxes. */

import type { Logger } from 'pino'
import { databaseLocation } from './engines/open.ts'
import type { Settings } from './settings.ts'

/**
 * Says that the service is ready: in production by a line in the log, otherwise to people.
 * @param port the port that was really taken
 */
export function announce(log: Logger, settings: Settings, port: number): void {
  const { production, publicUrl, databaseUrl, workers } = settings
  if (!production) return void process.stdout.write(banner(settings, port))
  const several = workers > 1 ? { workers } : {}
  log.info({ publicUrl, port, database: databaseLocation(databaseUrl), profile: 'production', ...several }, 'ready')
  if (!publicUrl.startsWith('https:')) {
    log.warn('INSECURE_HTTP is set: passwords and cookies cross the network unprotected, use it on a private one only')
  }
  if (settings.mail === 'none') {
    log.warn('SMTP_URL is not set: no mail is sent, and a forgotten password cannot be reset')
  }
}

function banner({ databaseUrl, nodeEnv, mail, smtp }: Settings, port: number): string {
  const relaxed = [
    'plain HTTP, for this machine only',
    'the reset token is in the answer to programs on this machine',
    'any password that is not empty is good',
    'no ceilings per network, and no cookie for known devices',
  ]
  return `
  Bienvenue is ready at http://localhost:${port}

    database  ${databaseLocation(databaseUrl)}
    mail      ${mail === 'folder' ? `http://localhost:${port}/outbox shows what would be sent` : `sent through ${smtp?.host}`}
    profile   ${nodeEnv === 'test' ? 'development (NODE_ENV=test)' : 'development'}
    relaxed   ${relaxed.join('\n              ')}
    because   nothing outside this machine can reach it; NODE_ENV=production relaxes nothing

    try       curl -d email=bob@example.org -d password=secret http://localhost:${port}/users

`
}
