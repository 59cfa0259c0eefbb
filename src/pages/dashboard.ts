/** The page of whoever is signed in: who they are, what they may change, where they are signed in, what happened lately. */

import type { Session } from '../session.ts'
import type { User } from '../user.ts'
import { activity, type ShownActivity } from './dashboard/activity.ts'
import { changes } from './dashboard/changes.ts'
import { deletion } from './dashboard/deletion.ts'
import { devices } from './dashboard/devices.ts'
import { type Filled, form } from './form.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import type { View } from './site.ts'
import { day } from './times.ts'

export interface Dashboard {
  user: User
  sessions: readonly Session[]
  /** The session in which the page is seen. */
  current: Session
  /** Whether the password was proven lately, so that it is not asked for again. */
  fresh: boolean
  activity: readonly ShownActivity[]
  /** Milliseconds since the epoch. */
  now: number
  /** The form that was refused, by its id. */
  refused?: { form: string; filled: Filled }
}

export function dashboardPage(view: View, shown: Dashboard): Html {
  const { t } = view
  const body = html`${whoYouAre(view, shown.user)}
${view.site.settings.mail !== 'none' && shown.user.emailConfirmedAt === null && unconfirmed(view, shown.user)}
${changes(view, shown)}
${devices(view, shown)}
${activity(view, shown.activity)}
${deletion(view, shown)}`
  return layout(view, { title: t('account.title'), body, wide: true, failed: shown.refused !== undefined })
}

function unconfirmed(view: View, { email }: User): Html {
  const { t } = view
  return html`<div><p class="quiet">${t('account.unconfirmed')}</p>
${form(view, {
  id: 'confirm-again',
  action: '/email_verification',
  fields: [],
  hidden: { email },
  submit: t('account.confirm_again'),
  look: 'plain',
})}</div>`
}

function whoYouAre({ t, language }: View, { email, name, createdAt }: User): Html {
  return html`<dl>
<dt>${t('account.signed_in')}</dt><dd><strong>${email}</strong></dd>
<dt>${t('account.name')}</dt><dd>${name ?? t('account.no_name')}</dd>
<dt>${t('account.since')}</dt><dd>${day(createdAt, language)}</dd>
</dl>`
}
