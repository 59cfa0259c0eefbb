/** What happened to the account lately. */

import { isTextKey } from '../../texts.ts'
import { type Html, html } from '../html.ts'
import type { View } from '../site.ts'
import { moment } from '../times.ts'
import { deviceText } from './devices.ts'

export interface ShownActivity {
  /** Milliseconds since the epoch. */
  at: number
  /** The type of the event. */
  type: string
  address: string
  userAgent: string
}

export function activity(view: View, rows: readonly ShownActivity[]): Html {
  const { t } = view
  return html`<section>
<h2>${t('activity.title')}</h2>
<p class="quiet">${rows.length === 0 ? t('activity.none') : t('activity.text')}</p>
${rows.length > 0 && html`<ul class="list">${rows.map((row) => line(view, row))}</ul>`}
</section>`
}

function line(view: View, { at, type, address, userAgent }: ShownActivity): Html {
  const { t, language } = view
  const key = `event.${type}`
  const where = t('activity.from', { device: deviceText(view, userAgent), address })
  return html`<li><div><p>${isTextKey(key) ? t(key) : type}</p>
${address !== '' && html`<p class="quiet">${where}</p>`}</div>
${moment(at, language)}</li>
`
}
