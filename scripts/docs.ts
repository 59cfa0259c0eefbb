/**
 * Writes the pages of docs/ that are made from tables of the source: `npm run docs`.
 * A test makes them again and compares.
 */

import { writeFileSync } from 'node:fs'
import { statusOf } from '../src/app/refusals.ts'
import { type ErrorCode, errorTable } from '../src/errors.ts'
import { settingRows } from '../src/settings.ts'
import { accessRows } from './access.ts'
import { table } from './markdown.ts'
import { securityPage } from './security_page.ts'

const routes = await accessRows()

/** The pages by file name. */
export function pages(): Map<string, string> {
  return new Map([
    ['settings.md', settingsPage()],
    ['errors.md', errorsPage()],
    ['access.md', accessPage()],
    ['security.md', securityPage()],
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
In \`.env\` a value with a \`#\` stands in quotation marks, as in \`ACCENT_COLOR="#1f5f8b"\`: what follows a bare one is a comment.
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

function accessPage(): string {
  const rows = routes.map((route) => [
    `\`${route.method} ${route.url}\``,
    route.access,
    route.body.map(named).join(', '),
    route.query.map(named).join(', '),
  ])
  return `# Access

Every route of the service, who may call it, and the fields that it reads; others are ignored. A field in *italics* may be missing.
\`public\` is anyone. \`session\` is whoever presents a valid session, by its cookie or an access token, and reaches what is their own alone. \`fresh\` is the same with
a password that was proven in the last minutes (\`FRESH_FOR\`), or that comes along as \`current_password\`; \`DELETE /sessions\` asks for the
same where \`others\` is \`true\`. \`PATCH /users/me\` asks for \`current_password\` with a new address or password.
An access token is never fresh. \`operator\` is whoever sends \`OPERATOR_KEY\` as bearer.
Paths with \`GET\` also serve \`HEAD\`, all serve \`OPTIONS\`. This page is made from the routes of the built app by \`npm run docs\`.

${table(['route', 'access', 'fields of the body', 'fields of the query'], rows)}`
}

function named(field: string): string {
  return field.endsWith('?') ? `*\`${field.slice(0, -1)}\`*` : `\`${field}\``
}

function codes(): ErrorCode[] {
  return Object.keys(errorTable).filter((code): code is ErrorCode => Object.hasOwn(errorTable, code))
}

if (import.meta.main) {
  const folder = new URL('../docs/', import.meta.url)
  for (const [name, page] of pages()) writeFileSync(new URL(name, folder), page)
}
