/** A forgotten password: asks for the address to which a token goes. */

import { email } from './fields.ts'
import { type Filled, form } from './form.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import type { View } from './site.ts'

export function forgotPage(view: View, filled?: Filled): Html {
  const { t } = view
  const body = html`<p>${t('forgot.text')}</p>
${form(view, {
  id: 'forgot',
  action: '/reset_password',
  fields: [email(view)],
  submit: t('forgot.submit'),
  filled,
})}
<p class="links"><a href="/login">${t('forgot.back')}</a></p>`
  return layout(view, { title: t('forgot.title'), body, failed: filled?.problem !== undefined })
}
