/** The fields that more than one page asks for; the names are those of the routes, and stable for password managers. */

import type { Field } from './form.ts'
import type { View } from './site.ts'

export function email({ t }: View): Field {
  return { name: 'email', label: t('form.email'), type: 'email', autocomplete: 'username' }
}

/** The password of a login, or of somebody who is asked for it again. */
export function password({ t }: View, name: 'password' | 'current_password'): Field {
  const label = name === 'password' ? t('form.password') : t('form.current_password')
  return { name, label, type: 'password', autocomplete: 'current-password' }
}

export function newPassword({ t, site }: View, name: 'password' | 'new_password'): Field {
  const minLength = site.settings.passwordMinLength
  const hint =
    minLength > 1 ? t('form.new_password_hint', { count: String(minLength) }) : t('form.new_password_free_hint')
  const label = name === 'password' ? t('form.password') : t('form.new_password')
  return { name, label, type: 'password', autocomplete: 'new-password', minLength, hint }
}

export function resetToken({ t }: View): Field {
  const hint = t('reset.token_hint')
  return { name: 'reset_token', label: t('form.reset_token'), type: 'text', autocomplete: 'one-time-code', hint }
}
