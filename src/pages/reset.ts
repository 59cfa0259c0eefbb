/** The new password: the end of a reset. The token comes in the body or by hand, never in the address. */

import { email, newPassword, resetToken } from './fields.ts'
import { type Filled, form } from './form.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import type { View } from './site.ts'

/** @param filled a `reset_token` in it goes on unseen */
export function resetPage(view: View, filled?: Filled): Html {
  const { t } = view
  const token = filled?.typed.get('reset_token')
  const body = html`<p>${t('reset.text')}</p>
${form(view, {
  id: 'reset',
  action: '/reset_password?_method=PUT',
  fields: [email(view), ...(token === undefined ? [resetToken(view)] : []), newPassword(view, 'new_password')],
  hidden: { reset_token: token },
  submit: t('reset.submit'),
  filled,
})}
<p class="links"><a href="/forgot">${t('reset.again')}</a></p>`
  return layout(view, { title: t('reset.title'), body, failed: filled?.problem !== undefined })
}
