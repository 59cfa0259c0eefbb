/**
 * The one way in which pages ask for something: a form that keeps what was typed when it was refused, never a password,
 * and says what is wrong at the top and at the field, with the focus there.
 */

import type { ErrorCode } from '../errors.ts'
import type { Values } from '../texts.ts'
import { attributes, type Html, html } from './html.ts'
import type { View } from './site.ts'
import { duration } from './times.ts'

/** Why a form comes back. */
export interface Problem {
  readonly code: ErrorCode
  /** The name of the field that it is about. */
  readonly field?: string | undefined
  /** Whole seconds until another try makes sense. */
  readonly retryAfter?: number | undefined
}

/** What a form holds when it is shown: nothing at first, afterwards what was typed and what was wrong with it. */
export interface Filled {
  readonly typed: ReadonlyMap<string, string>
  readonly problem?: Problem
}

export const untouched: Filled = { typed: new Map() }

export interface Field {
  name: string
  label: string
  type: 'email' | 'text' | 'password'
  autocomplete: string
  hint?: string
  optional?: boolean
  /** Counted in UTF-16 code units by browsers, so at most a hint. */
  minLength?: number
  /** What it holds before anybody typed. */
  value?: string | undefined
}

interface Form {
  /** Begins the ids of its fields. */
  id: string
  action: string
  fields: readonly Field[]
  submit: string
  look?: 'primary' | 'danger' | 'plain'
  /** What is sent along unseen; nothing where undefined. */
  hidden?: Readonly<Record<string, string | undefined>>
  /** Whose password is asked for, so that password managers know; where the form does not ask for the address. */
  owner?: string
  /** The accessible name of the button, where its text alone does not say what it acts on. */
  submitLabel?: string
  filled?: Filled | undefined
}

export function form(view: View, { id, action, fields, hidden = {}, filled = untouched, ...rest }: Form): Html {
  const { owner, submit, submitLabel, look = 'primary' } = rest
  const bad = fields.find(({ name }) => name === filled.problem?.field)?.name
  return html`<form method="post" action="${action}" id="${id}">
${filled.problem !== undefined && alert(view, filled.problem, bad === undefined)}
${Object.entries(hidden).map(([name, value]) => value !== undefined && html`<input type="hidden" name="${name}" value="${value}">`)}
${owner !== undefined && html`<input type="text" autocomplete="username" value="${owner}" hidden readonly>`}
${fields.map((field) => labelled(view, id, field, filled))}
<button type="submit"${attributes({ class: look, 'aria-label': submitLabel })}>${submit}</button>
</form>`
}

/** The message at the top; it takes the focus where no field does. */
export function alert(view: View, problem: Problem, focus: boolean): Html {
  return html`<div class="alert" role="alert" tabindex="-1"${attributes({ autofocus: focus })}>${message(view, problem)}</div>`
}

/** What is wrong, in the words of the person's language. */
export function message({ site, language, t }: View, { code, retryAfter = 60 }: Problem): string {
  if (code === 'credentials_invalid' && site.settings.requireConfirmed) return t('login.unconfirmed')
  const values: Values = { count: String(site.settings.passwordMinLength), wait: duration(retryAfter, language) }
  return t(`error.${code}`, values)
}

function labelled(view: View, form: string, field: Field, { typed, problem }: Filled): Html {
  const { name, label, type, autocomplete, hint, optional = false, minLength = 1, value = '' } = field
  const id = `${form}-${name}`
  const bad = problem?.field === name
  const spelled = type === 'password' || autocomplete === 'one-time-code'
  const described = [...(bad ? [`${id}-error`] : []), ...(hint === undefined ? [] : [`${id}-hint`])].join(' ')
  const input = attributes({
    ...{ id, name, type, autocomplete, required: !optional },
    value: type !== 'password' && (typed.get(name) ?? value),
    minlength: minLength > 1 && String(minLength),
    ...(spelled && { autocapitalize: 'none', spellcheck: 'false' }),
    ...(bad && { 'aria-invalid': 'true', autofocus: true }),
    'aria-describedby': described || undefined,
  })
  return html`<div class="field">
<label for="${id}">${label}</label>
<input${input}>
${bad && html`<p class="error" id="${id}-error">${message(view, problem)}</p>`}
${hint !== undefined && html`<p class="hint" id="${id}-hint">${hint}</p>`}
</div>`
}
