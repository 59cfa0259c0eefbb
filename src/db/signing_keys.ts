/** The table of keys that sign access tokens; all instances share them. */

import { integer, text } from '../engines/engine.ts'
import type { Table } from './table.ts'

export interface StoredSigningKey {
  /** Its place in the one order of all keys: of two instances that make the next one at once, one finds it taken. */
  readonly serial: number
  /** The public name of the key, by which a token says who signed it. */
  readonly kid: string
  /** The private key (RFC 7517), sealed for this `kid`. */
  readonly sealedKey: string
  /** Milliseconds since the epoch, like all times here. */
  readonly createdAt: number
  /** It is published from the start and signs from then on, so that whoever keeps a list of our keys knows it in time. */
  readonly signsFrom: number
}

export const signingKeys: Table<StoredSigningKey> = {
  name: 'signing_keys',
  columns: {
    serial: 'serial',
    kid: 'kid',
    sealedKey: 'sealed_key',
    createdAt: 'created_at',
    signsFrom: 'signs_from',
  },
  read: (row) => ({
    serial: integer(row, 'serial'),
    kid: text(row, 'kid'),
    sealedKey: text(row, 'sealed_key'),
    createdAt: integer(row, 'created_at'),
    signsFrom: integer(row, 'signs_from'),
  }),
}

export const SIGNING_KEYS = 'SELECT * FROM signing_keys ORDER BY serial'
