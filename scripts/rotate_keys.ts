/** Gives the key of access tokens a successor: `npm run rotate-keys`, or with `-- --compromised` and no mercy for the old one. */

import { StartError } from '../src/errors.ts'
import { rotateKeys } from '../src/rotate_keys.ts'

try {
  const compromised = process.argv.includes('--compromised')
  const kid = await rotateKeys(compromised)
  console.log(compromised ? `Key ${kid} signs from now on, all others are gone.` : `Key ${kid} signs in ten minutes.`)
} catch (error) {
  if (!(error instanceof StartError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
