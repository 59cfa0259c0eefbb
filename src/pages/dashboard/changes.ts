/** Changing name, address and password: a form for each, folded until it is wanted. */

import type { Dashboard } from '../dashboard.ts'
import { newPassword, password } from '../fields.ts'
import { type Field, form } from '../form.ts'
import { attributes, type Html, html } from '../html.ts'
import type { View } from '../site.ts'

interface Change {
  /** The id of its form. */
  id: string
  title: string
  text?: string
  fields: Field[]
  owner?: string
}

export function changes(view: View, { user, refused }: Dashboard): Html {
  const { t } = view
  return html`${[nameChange(view, user.name), emailChange(view, user.email), passwordChange(view, user.email)].map(
    ({ title, text, ...asked }) => {
      const filled = refused?.form === asked.id ? refused.filled : undefined
      return html`<details${attributes({ open: filled !== undefined })}><summary>${title}</summary>
${text !== undefined && html`<p class="quiet">${text}</p>`}
${form(view, { ...asked, action: '/users/me?_method=PATCH', submit: t('account.save'), filled })}</details>
`
    },
  )}`
}

function nameChange({ t }: View, name: string | null): Change {
  const value = name ?? ''
  const field: Field = {
    name: 'name',
    label: t('form.name'),
    type: 'text',
    autocomplete: 'name',
    optional: true,
    value,
  }
  return { id: 'change-name', title: t('account.change_name'), fields: [field] }
}

function emailChange(view: View, owner: string): Change {
  const { t } = view
  const field: Field = { name: 'email', label: t('account.new_email'), type: 'email', autocomplete: 'email' }
  const fields = [field, password(view, 'current_password')]
  const text = view.site.settings.mail === 'none' ? {} : { text: t('account.change_email_text') }
  return { id: 'change-email', title: t('account.change_email'), ...text, fields, owner }
}

function passwordChange(view: View, owner: string): Change {
  const { t } = view
  const chosen = { ...newPassword(view, 'password'), label: t('form.new_password') }
  const fields = [password(view, 'current_password'), chosen]
  const text = t('account.change_password_text')
  return { id: 'change-password', title: t('account.change_password'), text, fields, owner }
}
