/** Every key and every cryptographic algorithm in the service, with the file that uses it. A test holds it to the source. */

export interface InventoryRow {
  use: string
  algorithm: string
  /** The key, where there is one, and where it is kept. */
  key: string
  /** From the root of the repository. */
  file: string
}

export const inventory: readonly InventoryRow[] = [
  {
    use: 'stored passwords',
    algorithm: 'bcrypt of cost 12, for what it cannot hold HMAC-SHA-256 in front; decoys of random bytes',
    key: 'none: the salt stands in the row',
    file: 'src/security/password.ts',
  },
  {
    use: 'the threads that compute it',
    algorithm: 'bcrypt',
    key: 'none',
    file: 'src/security/bcrypt_worker.ts',
  },
  {
    use: 'secrets of sessions and reset tokens',
    algorithm: '32 random bytes, of which the row keeps SHA-256; the public name is a UUID v4',
    key: 'none',
    file: 'src/security/credential.ts',
  },
  {
    use: 'refresh tokens',
    algorithm:
      '32 random bytes, of which SHA-256 is kept; at each refresh the second half becomes HMAC-SHA-256 of the token before, cut to 16 bytes',
    key: '`refresh_token`, derived and never stored',
    file: 'src/security/refresh_token.ts',
  },
  {
    use: 'keys that sign access tokens',
    algorithm: 'P-256 for ES256, or Ed25519 for EdDSA',
    key: 'the private keys, in the table `signing_keys`, sealed',
    file: 'src/security/signing_key.ts',
  },
  {
    use: 'access tokens',
    algorithm: 'JWT, signed and verified by jose with ES256 or EdDSA; 16 random bytes name each',
    key: 'those that sign access tokens',
    file: 'src/security/access_token.ts',
  },
  {
    use: 'access tokens that were verified lately',
    algorithm: 'SHA-256',
    key: 'none',
    file: 'src/security/verified_tokens.ts',
  },
  {
    use: 'the key of the operator’s other services, compared by its hash',
    algorithm: 'SHA-256',
    key: '`OPERATOR_KEY`, with the operator',
    file: 'src/security/operator_key.ts',
  },
  {
    use: 'what must be stored and read again: letters that wait to be sent, the keys that sign access tokens',
    algorithm: 'AES-256-GCM with a random nonce of 12 bytes, bound to its row',
    key: '`outbox` and `signing_keys`, derived and never stored',
    file: 'src/security/sealed.ts',
  },
  {
    use: 'device cookies',
    algorithm: 'HMAC-SHA-256 over the user and 16 random bytes',
    key: '`device_cookie`, derived and never stored',
    file: 'src/security/device.ts',
  },
  {
    use: 'the keys of all purposes',
    algorithm: 'HKDF with SHA-256, 32 bytes for each purpose; where the database is in memory, of 32 random bytes',
    key: '`SECRET`, and `SECRET_PREVIOUS` to read what is older: with the operator, never in the database',
    file: 'src/security/secrets.ts',
  },
  {
    use: 'the `SECRET` that development makes',
    algorithm: '32 random bytes',
    key: 'the file `secret` beside the database, mode 0600',
    file: 'src/secret_file.ts',
  },
  {
    use: 'the short code of a reset',
    algorithm: '8 random digits; the row keeps SHA-256 of them with the secret of the browser that asked',
    key: 'none',
    file: 'src/security/reset_code.ts',
  },
  {
    use: 'counting letters to one address',
    algorithm: 'SHA-256',
    key: 'none',
    file: 'src/mail/mailbox_limit.ts',
  },
  {
    use: 'the address of letters to nobody, and the moments at which letters go',
    algorithm: 'SHA-256; random numbers for the moments',
    key: 'none',
    file: 'src/mail/outbox.ts',
  },
  {
    use: 'names of styles, scripts and the logo',
    algorithm: 'SHA-256, cut short: for caches, not for secrecy',
    key: 'none',
    file: 'src/pages/assets.ts',
  },
  {
    use: 'addresses in throttle counts',
    algorithm: 'SHA-256',
    key: 'none',
    file: 'src/features/throttle/keys.ts',
  },
  {
    use: 'the names of prepared statements on PostgreSQL, and the pauses before a transaction is tried again',
    algorithm: 'SHA-256 of the statement; a random number',
    key: 'none',
    file: 'src/engines/postgres.ts',
  },
  {
    use: 'the comparison of two databases after a move',
    algorithm: 'SHA-256 of each row, summed',
    key: 'none',
    file: 'src/db/move.ts',
  },
]
