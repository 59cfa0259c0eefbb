/** The first page: where to go. */

import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import type { View } from './site.ts'

/** @param email of whoever is signed in */
export function homePage(view: View, email: string | undefined): Html {
  const { t } = view
  const body =
    email === undefined
      ? html`<p>${t('home.text')}</p>
<div class="choices">
<a class="button primary" href="/login">${t('home.log_in')}</a>
<a class="button" href="/register">${t('home.register')}</a>
</div>`
      : html`<p>${t('home.signed_in', { email })}</p>
<a class="button primary" href="/dashboard">${t('home.account')}</a>`
  return layout(view, { title: t('home.title'), body })
}
