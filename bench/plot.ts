/** A plot without a library: horizontal bars with their numbers, legible on a light and on a dark page. */

interface Bar {
  name: string
  value: number
  /** Ours, in another colour. */
  own: boolean
}

const [WIDTH, NAMES, ROW, TOP] = [760, 300, 26, 44]

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

/** @returns an SVG of its own */
export function barChart(title: string, bars: readonly Bar[]): string {
  const longest = Math.max(...bars.map(({ value }) => value))
  const height = TOP + bars.length * ROW + 12
  const rows = bars.map(({ name, value, own }, index) => {
    const y = TOP + index * ROW
    const width = Math.max(1, (value / longest) * (WIDTH - NAMES - 90))
    const label = Math.round(value).toLocaleString('en')
    return `<text x="${NAMES - 8}" y="${y + 14}" text-anchor="end">${escaped(name)}</text>
<rect x="${NAMES}" y="${y}" width="${width.toFixed(1)}" height="18" fill="${own ? '#2a6f4e' : '#9aa5b1'}"/>
<text x="${(NAMES + width + 6).toFixed(1)}" y="${y + 14}">${label}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13" role="img">
<title>${escaped(title)}</title>
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text x="12" y="24" font-size="15" font-weight="bold">${escaped(title)}</text>
${rows.join('\n')}
</svg>
`
}
