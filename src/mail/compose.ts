/** From a letter to a mail: which texts a kind has, where its link leads, and what to do for whoever it was not. */

import type { Letter, LetterKind } from '../letter.ts'
import { deviceText } from '../pages/dashboard/devices.ts'
import { type Site, type View, viewOf } from '../pages/site.ts'
import { duration, momentText } from '../pages/times.ts'
import { CODE_LIFETIME } from '../security/reset_code.ts'
import type { TextKey } from '../texts.ts'
import { type Message, plainText, type Said, simpleHtml } from './message.ts'

interface Shape {
  link?: { label: TextKey; path: (letter: Letter) => string }
  /** Said below, in this order. */
  end: readonly TextKey[]
  /** Tells when, from where and on what device. */
  facts?: boolean
}

const toReset = { label: 'mail.link.reset', path: () => '/forgot' } as const
const toConfirm = { label: 'mail.link.confirm', path: ({ values }: Letter) => `/confirm#t=${values.token}` } as const
const asked = { end: ['mail.lasts', 'mail.not_asked'] } as const

const shapes: Record<LetterKind, Shape> = {
  password_reset: {
    ...asked,
    // Behind the #, so that it reaches no server and no log, and opening the link spends nothing.
    link: {
      label: 'mail.link.reset',
      path: ({ to, values }) => `/reset#t=${values.token}&e=${encodeURIComponent(to)}`,
    },
  },
  email_confirmation: { end: ['mail.lasts', 'mail.not_registered'], link: toConfirm },
  email_change: { ...asked, link: toConfirm },
  account_exists: { link: { label: 'mail.link.login', path: () => '/login' }, end: ['mail.not_asked'], facts: true },
  password_changed: { link: toReset, end: ['mail.not_you.password'], facts: true },
  email_changed: {
    link: { label: 'mail.link.undo', path: ({ values }) => `/undo#t=${values.token}` },
    end: ['mail.not_you.undo'],
    facts: true,
  },
  new_device: { link: toReset, end: ['mail.not_you.password'], facts: true },
  failed_logins: { end: ['mail.not_you.guessing'], facts: true },
  login_after_failures: { link: toReset, end: ['mail.not_you.password'], facts: true },
  token_reused: { link: toReset, end: ['mail.not_you.password'], facts: true },
  account_deleted: { end: ['mail.not_you.deleted'], facts: true },
  test: { end: [] },
}

/** The account keeps its new address, for somebody who was told of it there. */
const withoutUndo: Shape = { end: ['mail.not_you.address'], facts: true }

/**
 * @param publicUrl where links lead, whatever the request said
 * @param row the id and time of the letter
 */
export function compose(
  site: Site,
  publicUrl: string,
  row: { id: string; createdAt: number },
  letter: Letter,
): Message {
  const view = viewOf(site, { acceptLanguage: letter.language, signedIn: false })
  const said = saidOf(view, publicUrl, row.createdAt, letter)
  const { serviceName, mailFrom } = site.settings
  return {
    ...{ id: row.id, date: row.createdAt, to: letter.to, subject: said.subject },
    from: { name: mailFrom.name || serviceName, address: mailFrom.address },
    text: plainText(said),
    html: simpleHtml(said).toString(),
  }
}

function saidOf({ t, ...rest }: View, publicUrl: string, at: number, letter: Letter): Said {
  const { kind, values, lasts } = letter
  const { language } = rest
  const shape = kind === 'email_changed' && values.token === undefined ? withoutUndo : shapes[kind]
  const filled = {
    lasts: duration(lasts / 1_000, language),
    url: publicUrl,
    email: values.email ?? '',
    count: values.count ?? '',
  }
  const link = shape.link && { label: t(shape.link.label), url: `${publicUrl}${shape.link.path(letter)}` }
  const { code } = values
  const codeLasts = { lasts: duration(Math.min(CODE_LIFETIME, lasts) / 1_000, language) }
  return {
    ...{ language, link, subject: t(`mail.${kind}.subject`, filled), paragraphs: [t(`mail.${kind}.text`, filled)] },
    code:
      code === undefined
        ? undefined
        : { label: t('mail.code', codeLasts), code: `${code.slice(0, 4)} ${code.slice(4)}` },
    facts: shape.facts === true ? factsOf({ t, ...rest }, at, values) : [],
    end: [...shape.end, 'mail.end' as const].map((key) => t(key, filled)),
  }
}

function factsOf(view: View, at: number, { address = '', userAgent = '' }: Letter['values']): [string, string][] {
  const { t, language } = view
  const facts: [string, string][] = [[t('mail.when'), momentText(at, language)]]
  if (address !== '') facts.push([t('mail.from'), address], [t('mail.device'), deviceText(view, userAgent)])
  return facts
}
