/** Every mail of development, the newest first, as it would arrive. */

import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import type { View } from './site.ts'
import { moment } from './times.ts'

interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
  /** Milliseconds since the epoch. */
  readonly date: number
}

export function outboxPage(view: View, mails: readonly Mail[]): Html {
  const { t } = view
  const body = html`<p class="quiet">${t('outbox.text')}</p>
${mails.length === 0 ? html`<p>${t('outbox.none')}</p>` : mails.map((mail) => shown(view, mail))}`
  return layout(view, { title: t('outbox.title'), body, wide: true })
}

function shown({ t, language }: View, { to, subject, text, date }: Mail): Html {
  return html`<article class="mail">
<h2>${subject}</h2>
<p class="quiet">${t('outbox.to', { to })} · ${moment(date, language)}</p>
<pre>${text.split('\n').map((line) => html`${/^https?:\S+$/.test(line) ? html`<a href="${line}">${line}</a>` : line}\n`)}</pre>
</article>
`
}
