/** The names of what is counted. */

import { hash } from 'node:crypto'
import { networkOf } from '../../security/network.ts'
import type { Client } from '../../session.ts'

/** What a proxy that we were not told of may do, where one client may do 1: everybody is behind it. */
export const SHARED_FACTOR = 20

export function accountKey(emailKey: string): string {
  return `account ${digest(emailKey)}`
}

export function deviceKey(device: string): string {
  return `device ${device}`
}

export function confirmKey(sessionId: string): string {
  return `confirm ${sessionId}`
}

export function resetsKey(emailKey: string): string {
  return `resets ${digest(emailKey)}`
}

/** What one account has added to the failures of a network. */
export function shareKey(emailKey: string, client: Client): string {
  return networkKey(`failures ${digest(emailKey)}`, client)
}

/** What comes through a proxy that nobody named has a count apart from the proxy's own machine. */
export function networkKey(what: string, { address, shared = false }: Client): string {
  return `${shared ? 'shared ' : ''}${what} ${networkOf(address)}`
}

/** Unknown addresses are counted as well; what strangers typed is not kept in clear. */
export function digest(emailKey: string): string {
  return hash('sha256', emailKey, 'base64url')
}
