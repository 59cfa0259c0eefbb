/** Taking back a change of address, from the mail that went to the former one. */

import { type Filled, form } from './form.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import type { View } from './site.ts'

export function undoPage(view: View, filled?: Filled): Html {
  const { t } = view
  const body = html`<p>${t('undo.text')}</p>
${form(view, {
  id: 'undo',
  action: '/undo_email_change',
  fields: [
    {
      ...{ name: 'undo_token', label: t('form.verification_token'), type: 'text' },
      ...{ autocomplete: 'one-time-code', hint: t('form.link_hint') },
    },
  ],
  submit: t('undo.submit'),
  look: 'danger',
  filled,
})}`
  return layout(view, { title: t('undo.title'), body, failed: filled?.problem !== undefined })
}
