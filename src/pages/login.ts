/** The login. */

import { email, password } from './fields.ts'
import { type Filled, form } from './form.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { onward } from './onward.ts'
import type { View } from './site.ts'

/** @param next where the person goes afterwards; checked */
export function loginPage(view: View, next: string | undefined, filled?: Filled): Html {
  const { t } = view
  const body = html`${form(view, {
    id: 'login',
    action: '/sessions',
    fields: [email(view), password(view, 'password')],
    hidden: { next },
    submit: t('login.submit'),
    filled,
  })}
<p class="links"><a href="/forgot">${t('login.forgot')}</a>
${view.site.settings.requireConfirmed && html`<a href="/confirm">${t('login.confirm')}</a>`}
<span>${t('login.new')} <a href="${onward('/register', next)}">${t('login.register')}</a></span></p>`
  return layout(view, { title: t('login.title'), body, failed: filled?.problem !== undefined })
}
