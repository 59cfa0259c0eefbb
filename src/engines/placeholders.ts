/** The one difference in how the engines write statements: PostgreSQL numbers its placeholders. */

/** A quoted text or name, which is left as it is, or a placeholder. */
const QUOTED_OR_PLACEHOLDER = /'[^']*'|"[^"]*"|\?/g

/** @returns the statement with `$1`, `$2`, ... for each `?` outside of quotes */
export function numbered(sql: string): string {
  let count = 0
  return sql.replaceAll(QUOTED_OR_PLACEHOLDER, (found) => {
    if (found !== '?') return found
    count += 1
    return `$${count}`
  })
}
