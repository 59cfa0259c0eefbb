/** Deleting the account: unfolded, read and confirmed with the password, so that it does not happen by mistake. */

import type { Dashboard } from '../dashboard.ts'
import { password } from '../fields.ts'
import { form } from '../form.ts'
import { attributes, type Html, html } from '../html.ts'
import type { View } from '../site.ts'

const ID = 'delete'

export function deletion(view: View, { user, refused }: Dashboard): Html {
  const { t } = view
  const filled = refused?.form === ID ? refused.filled : undefined
  return html`<section>
<h2>${t('delete.title')}</h2>
<p>${t('delete.text')}</p>
<details${attributes({ open: filled !== undefined })}><summary>${t('delete.open')}</summary>
${form(view, {
  id: ID,
  action: '/users/me?_method=DELETE',
  fields: [password(view, 'current_password')],
  submit: t('delete.submit'),
  look: 'danger',
  owner: user.email,
  filled,
})}
</details>
</section>`
}
