/** A mail before it is sent, and how one is made of what it says: plain text and simple HTML from the same parts. */

import { type Html, html } from '../pages/html.ts'

export interface Message {
  /** A UUID, of which the Message-ID is made. */
  readonly id: string
  readonly from: { readonly name: string; readonly address: string }
  readonly to: string
  /** Milliseconds since the epoch. */
  readonly date: number
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** What a mail says, in order. */
export interface Said {
  readonly language: string
  readonly subject: string
  readonly paragraphs: readonly string[]
  /** What one is asked to open. */
  readonly link?: { readonly label: string; readonly url: string } | undefined
  /** A code to type, with what it is for. */
  readonly code?: { readonly label: string; readonly code: string } | undefined
  /** When, from where, on what. */
  readonly facts?: readonly (readonly [label: string, value: string])[]
  /** Below it all, smaller. */
  readonly end: readonly string[]
}

export function plainText({ paragraphs, link, code, facts = [], end }: Said): string {
  const blocks = [
    ...paragraphs,
    ...(link === undefined ? [] : [`${link.label}:\n${link.url}`]),
    ...(code === undefined ? [] : [`${code.label}\n${code.code}`]),
    ...(facts.length === 0 ? [] : [facts.map(([label, value]) => `${label}: ${value}`).join('\n')]),
    ...end,
  ]
  return `${blocks.join('\n\n')}\n`
}

/** No image, no script, no style sheet, nothing that is fetched: it tells nobody that it was read. */
export function simpleHtml({ language, subject, paragraphs, link, code, facts = [], end }: Said): Html {
  return html`<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${subject}</title></head>
<body>
${paragraphs.map((paragraph) => html`<p>${paragraph}</p>\n`)}
${link !== undefined && html`<p><a href="${link.url}"><strong>${link.label}</strong></a></p>\n<p><small>${link.url}</small></p>`}
${code !== undefined && html`<p>${code.label}<br><strong>${code.code}</strong></p>`}
${facts.length > 0 && html`<table>${facts.map(([label, value]) => html`<tr><td>${label}</td><td>${value}</td></tr>\n`)}</table>`}
${end.map((line) => html`<p><small>${line}</small></p>\n`)}
</body>
</html>
`
}
