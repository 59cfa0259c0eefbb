/** The key with which other services of the operator prove who they are. */

import { hash } from 'node:crypto'
import { sameHash } from './credential.ts'

/**
 * Compares without an early exit, and without telling the length.
 * @param expected OPERATOR_KEY; where it is empty nothing matches
 */
export function isOperatorKey(presented: string, expected: string): boolean {
  return expected !== '' && sameHash(hash('sha256', presented, 'base64url'), hash('sha256', expected, 'base64url'))
}
