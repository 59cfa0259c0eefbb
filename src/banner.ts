/** What the first lines of a start tell: where, on what data, in which profile, and what that profile relaxes. */

import { databaseLocation } from './engines/open.ts'
import type { Settings } from './settings.ts'

/** @param port the port that was really taken */
export function banner({ databaseUrl, nodeEnv, mail, smtp }: Settings, port: number): string {
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
