/** Where somebody is signed in, with a way to sign out of each. The password is asked for where it was not given lately. */

import { deviceOf } from '../../device_name.ts'
import type { Session } from '../../session.ts'
import type { Dashboard } from '../dashboard.ts'
import { password } from '../fields.ts'
import { form } from '../form.ts'
import { attributes, type Html, html } from '../html.ts'
import type { View } from '../site.ts'
import { ago } from '../times.ts'

interface Ending {
  /** The id of the form. */
  id: string
  action: string
  submit: string
  submitLabel?: string
}

export function devices(view: View, shown: Dashboard): Html {
  const { t } = view
  const others = shown.sessions.filter(({ id }) => id !== shown.current.id)
  const endOthers = {
    id: 'end-others',
    action: '/sessions?others=true&_method=DELETE',
    submit: t('devices.end_others'),
  }
  return html`<section>
<h2>${t('devices.title')}</h2>
<ul class="list">
${device(view, shown.current, shown.now, html`<span class="badge">${t('devices.this')}</span>`)}
${others.map((session) => device(view, session, shown.now, ending(view, shown, endingOf(view, session))))}
</ul>
${others.length > 0 ? ending(view, shown, endOthers) : html`<p class="quiet">${t('devices.only')}</p>`}
</section>`
}

/** @returns for instance `Firefox on Windows` in the language of the view */
export function deviceText({ t }: View, userAgent: string): string {
  const { browser, system } = deviceOf(userAgent)
  if (browser !== undefined && system !== undefined) return t('devices.both', { browser, system })
  return browser ?? system ?? t('devices.unknown')
}

function device(view: View, { userAgent, address, lastSeenAt }: Session, now: number, aside: Html): Html {
  const { t, language } = view
  const when = ago(lastSeenAt, now, language) ?? t('devices.now')
  return html`<li><div><p>${deviceText(view, userAgent)}</p>
<p class="quiet">${t('devices.used', { when, address })}</p></div>
${aside}</li>
`
}

function endingOf(view: View, { id, userAgent }: Session): Ending {
  const submitLabel = view.t('devices.end_named', { device: deviceText(view, userAgent) })
  return { id: `end-${id}`, action: `/sessions/${id}?_method=DELETE`, submit: view.t('devices.end'), submitLabel }
}

function ending(view: View, { fresh, refused, user }: Dashboard, end: Ending): Html {
  const filled = refused?.form === end.id ? refused.filled : undefined
  if (fresh && filled === undefined) return form(view, { ...end, fields: [], look: 'plain' })
  const fields = [password(view, 'current_password')]
  const asked = form(view, { ...end, fields, look: 'plain', owner: user.email, filled })
  return html`<details${attributes({ open: filled !== undefined })}><summary>${end.submitLabel ?? end.submit}</summary>
${asked}</details>`
}
