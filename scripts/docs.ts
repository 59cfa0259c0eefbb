/**
 * Writes the pages of docs/ that are made from tables of the source: `npm run docs`.
 * A test makes them again and compares.
 */

import { writeFileSync } from 'node:fs'
import { statusOf } from '../src/app/refusals.ts'
import { type ErrorCode, errorTable } from '../src/errors.ts'
import { settingRows } from '../src/settings.ts'

/** The pages by file name. */
export function pages(): Map<string, string> {
  return new Map([
    ['settings.md', settingsPage()],
    ['errors.md', errorsPage()],
  ])
}

function settingsPage(): string {
  const rows = settingRows().map(({ variable, looks, fallback, meaning }) => [
    `\`${variable}\``,
    looks,
    fallback,
    meaning,
  ])
  return `# Settings

Read once at the start from the environment, and from a file \`.env\` in the working folder for what the environment does
not say. A wrong value, or a name in \`.env\` that is no setting, stops the start with a line that says how to mend it.
This page is made from \`src/settings.ts\` by \`npm run docs\`.

${table(['variable', 'value', 'default', 'meaning'], rows)}`
}

function errorsPage(): string {
  const rows = codes().map((code) => {
    const { message, mend } = errorTable[code]
    return [`\`${code}\``, String(statusOf(code)), message, mend]
  })
  return `# Errors

The body of a refusal is \`{"message", "code"}\`, with \`"field"\` where it is about one field. Codes are stable; messages are
for people and may say more than this table. One body is exact and has the message alone: that of \`email_taken\`.
This page is made from \`src/errors.ts\` and \`src/app/refusals.ts\` by \`npm run docs\`.

${table(['code', 'status', 'message', 'how to mend it'], rows)}`
}

function codes(): ErrorCode[] {
  return Object.keys(errorTable).filter((code): code is ErrorCode => Object.hasOwn(errorTable, code))
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}

if (import.meta.main) {
  const folder = new URL('../docs/', import.meta.url)
  for (const [name, page] of pages()) writeFileSync(new URL(name, folder), page)
}
