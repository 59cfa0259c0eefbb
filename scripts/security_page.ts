/** docs/security.md: every row of the security list with what the service does and the tests that prove it. */

import { existsSync, readFileSync } from 'node:fs'
import { inventory } from './key_inventory.ts'
import { plain, table } from './markdown.ts'
import { type SecurityRow, sections, securityRows } from './security_rows.ts'
import { type NamedTest, namedTests } from './test_titles.ts'

const TRIALS = new URL('../docs/security_trials.md', import.meta.url)

/** The whole page. */
export function securityPage(): string {
  const tests = namedTests()
  const tables = sections.map(({ title, rows }) => {
    const lines = rows.map((row) => [row.id, row.demand, row.standard, row.does, proof(row, tests)])
    return `## ${title}\n\n${table(['row', 'what is asked', 'by', 'what the service does', 'tests'], lines)}`
  })
  const keys = inventory.map(({ use, algorithm, key, file }) => [use, algorithm, key, `\`${file}\``])
  return [
    `# Security, row by row\n\n${READING}`,
    `${counted(tests)}\n`,
    ...trials(),
    ...tables,
    `## Keys and algorithms\n\n${table(['for', 'algorithm', 'key', 'where'], keys)}`,
  ].join('\n')
}

const READING = `Every requirement that this service is held to: those of OWASP ASVS 5.0.0 that apply to it, with NIST SP 800-63B-4, the OWASP cheat
sheets and the RFCs beside them. [SECURITY.md](../SECURITY.md) says in short what is defended and what is not.

A row is proven by the tests beside it: their titles begin with its id, and all of them run with \`npm test\`. Each of
these rows had its defence taken out by the mutations in [mutations.md](mutations.md), and a test of that row was seen to fail each time;
\`npm run mutations\` repeats it.
**open** means that the requirement does not hold yet, or that no test shows it, and says why. **operator** means that
it is met by whoever runs the service. A test holds this page to the tests and the tests to this page.
This page is made from \`scripts/security_rows.ts\` and the titles of the tests by \`npm run docs\`.

By whom a thing is asked: ASVS is OWASP ASVS 5.0.0, NIST is SP 800-63B-4, CS-AUTH, CS-CSRF, CS-FORGOT, CS-JWT, CS-LOG, CS-MFA, CS-REST, CS-SESS and CS-STORAGE
are OWASP's cheat sheets (authentication, cross-site request forgery, forgotten passwords, JSON web tokens, logging, second factors, REST,
sessions, password storage), DEVCOOKIE is OWASP's page on device cookies, COPEN is The Copenhagen Book, GO is net/http.CrossOriginProtection,
FETCH is the Fetch standard, 6265bis is the draft that follows RFC 6265.
`

function counted(tests: readonly NamedTest[]): string {
  const core = securityRows.filter(({ part }) => part === 'core')
  return `Of the ${core.length} rows of the core ${counts(core, tests)}; of all ${securityRows.length} rows ${counts(securityRows, tests)}.`
}

function counts(rows: readonly SecurityRow[], tests: readonly NamedTest[]): string {
  const proven = rows.filter(({ id }) => tests.some(({ ids }) => ids.includes(id))).length
  const operator = rows.filter((row) => row.operator !== undefined).length
  return `${proven} are proven, ${operator} the operator's and ${rows.length - proven - operator} open`
}

function proof({ id, open, operator }: SecurityRow, tests: readonly NamedTest[]): string {
  const naming = tests.filter(({ ids }) => ids.includes(id))
  const named = naming.map(({ file, title }) => `\`${file}\`: ${plain(title)}`)
  if (open !== undefined) named.push(`**open**: ${open}`)
  if (operator !== undefined) named.push(`**operator**: ${operator}`)
  return named.join('<br>')
}

/** What people tried to break in with, where it is written down. */
function trials(): string[] {
  if (!existsSync(TRIALS)) return []
  const text = readFileSync(TRIALS, 'utf8').replace(/^# .*\n+/, '')
  return [`## What was tried by hand\n\n${text.replaceAll(/^##/gm, '###')}`]
}
