/** Confirming an address: the token of the mailed link comes behind the # of the address, or by hand. */

import { email } from './fields.ts'
import { type Filled, form } from './form.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import type { View } from './site.ts'

/** @param filled of the form that was refused: it asked for another mail where an address was typed */
export function confirmPage(view: View, filled?: Filled): Html {
  const { t } = view
  const again = filled?.typed.has('email') === true
  const body = html`<p>${t('confirm.text')}</p>
${form(view, {
  id: 'confirm',
  action: '/email_verification?_method=PUT',
  fields: [
    {
      ...{ name: 'verification_token', label: t('form.verification_token'), type: 'text' },
      ...{ autocomplete: 'one-time-code', hint: t('form.link_hint') },
    },
  ],
  submit: t('confirm.submit'),
  filled: again ? undefined : filled,
})}
<details${again && html` open`}><summary>${t('confirm.again')}</summary>
${form(view, {
  id: 'confirm-again',
  action: '/email_verification',
  fields: [email(view)],
  submit: t('confirm.again_submit'),
  look: 'plain',
  filled: again ? filled : undefined,
})}</details>`
  return layout(view, { title: t('confirm.title'), body, failed: filled?.problem !== undefined })
}
