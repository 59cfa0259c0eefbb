/**
 * The one way in which a page is written: a template tag that escapes every value by where it stands. A template that
 * puts a value where escaping is no help, or that our Content-Security-Policy would not let work, is refused.
 */

class Html {
  readonly #markup: string

  constructor(markup: string) {
    this.#markup = markup
  }

  toString(): string {
    return this.#markup
  }
}

/** Only `html` makes one: whatever is Html has been escaped. */
export type { Html }

/** What a template may hold; the empty ones render nothing. */
export type Part = Html | string | number | null | undefined | false | readonly Part[]

const ENTITIES = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])

/** Values that the browser would follow: what begins one must be an address that cannot be a script. */
const ADDRESS = /\b(?:href|src|action|formaction)="$/i
const SAFE_ADDRESS = /^(?:\/(?![/\\])|#|https?:\/\/)/i

/** Inline scripts, styles and handlers, and values without quotes around them. */
const UNFIT = /<(?:script|style)\b[^>]*>(?!<\/script>)|\s(?:style|on\w+)\s*=|=\s*$/i

const checked = new WeakSet<TemplateStringsArray>()

/** @throws TypeError where the template, or an address in it, is none that a page may have: a fault of ours */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  check(strings)
  const [first = '', ...rest] = strings
  const filled = rest.map((text, index) => {
    const before = strings[index] ?? ''
    const part = placed(parts[index], before)
    // What renders nothing leaves no empty line.
    return part === '' && before.endsWith('\n') && text.startsWith('\n') ? text.slice(1) : `${part}${text}`
  })
  return new Html(first + filled.join(''))
}

/** @returns the attributes that have a value, each with a space before it; `true` is one without */
export function attributes(values: Readonly<Record<string, string | boolean | undefined>>): Html {
  const present = Object.entries(values).filter(([, value]) => value !== undefined && value !== false)
  return new Html(
    present.map(([name, value]) => (value === true ? ` ${name}` : ` ${name}="${escaped(String(value))}"`)).join(''),
  )
}

function check(strings: TemplateStringsArray): void {
  if (checked.has(strings)) return
  const [unfit] = strings.slice(0, -1).filter((text) => UNFIT.test(text))
  if (unfit !== undefined) throw new TypeError(`no value can be put safely after ${unfit.slice(-40)}`)
  if (UNFIT.test(strings.join('x'))) throw new TypeError('scripts, styles and handlers are files of their own')
  checked.add(strings)
}

function placed(part: Part, before: string): string {
  if (ADDRESS.test(before) && !SAFE_ADDRESS.test(String(part))) throw new TypeError('this is no address for a page')
  return rendered(part)
}

function rendered(part: Part): string {
  if (part === null || part === undefined || part === false) return ''
  if (part instanceof Html) return part.toString()
  if (typeof part === 'object') return part.map(rendered).join('')
  return escaped(String(part))
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES.get(sign) ?? sign)
}
