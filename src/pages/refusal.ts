/** What could not be done, and what to do next; for everything that has no form to come back to. */

import { isTextKey } from '../texts.ts'
import { message, type Problem } from './form.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import type { View } from './site.ts'

export function refusalPage(view: View, status: number, problem: Problem): Html {
  const { t } = view
  const known = `refusal.${status}.title`
  const title = isTextKey(known) ? t(known) : t('refusal.other.title')
  const advice = `refusal.${status}.next`
  const next = isTextKey(advice) ? t(advice) : t('refusal.other.next')
  const body = html`<p>${message(view, problem)}</p>
<p>${next}</p>
<p><a class="button" href="/">${t('refusal.home')}</a></p>`
  return layout(view, { title, body })
}
