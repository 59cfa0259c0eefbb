/** The little Markdown that the pages of docs/ are made of. */

export function table(head: string[], rows: string[][]): string {
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}

/** A row of a table, with its end. */
export function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
}

/** A title as text: nothing in it is Markdown or HTML, and no line ends in it. */
export function plain(title: string): string {
  return title.replaceAll(/[<>*_`[\]]/g, (sign) => `&#${sign.charCodeAt(0)};`).replaceAll(/\\n|\n/g, ' ')
}
