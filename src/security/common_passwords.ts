/** The passwords that everybody tries first (OWASP ASVS 5.0 6.2.4; lists/README.md says where they come from). */

import { readFile } from 'node:fs/promises'

const FILE = new URL('../../lists/common_passwords.txt', import.meta.url)

let list: Promise<ReadonlySet<string>> | undefined

/**
 * Compares the whole password with the list, whatever its case. The list is read at the first call and then stays, in about 4 MB.
 */
export async function isCommonPassword(password: string): Promise<boolean> {
  list ??= read()
  try {
    return (await list).has(password.toLowerCase())
  } catch (error) {
    list = undefined
    throw error
  }
}

async function read(): Promise<ReadonlySet<string>> {
  return new Set((await readFile(FILE, 'utf8')).trimEnd().split('\n'))
}
