/** The registration. */

import { email, newPassword } from './fields.ts'
import { type Filled, form } from './form.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { onward } from './onward.ts'
import type { View } from './site.ts'

/** @param next where the person goes after the login that follows; checked */
export function registerPage(view: View, next: string | undefined, filled?: Filled): Html {
  const { t, site } = view
  const body = html`${form(view, {
    id: 'register',
    action: '/users',
    fields: [
      { name: 'name', label: t('form.name_optional'), type: 'text', autocomplete: 'name', optional: true },
      email(view),
      newPassword(view, 'password'),
    ],
    hidden: { next },
    submit: t('register.submit'),
    filled,
  })}
${site.settings.termsUrl !== '' && html`<p class="hint">${t('register.terms')}</p>`}
<p class="links"><span>${t('register.known')} <a href="${onward('/login', next)}">${t('register.log_in')}</a></span></p>`
  return layout(view, { title: t('register.title'), body, failed: filled?.problem !== undefined })
}
