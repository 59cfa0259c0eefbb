/** The frame of every page: head, name and logo, the way out for those who are signed in, terms. */

import { type Html, html, type Part } from './html.ts'
import type { View } from './site.ts'

interface Content {
  title: string
  body: Part
  /** Something was refused; the title says so to those who hear it. */
  failed?: boolean
  /** For a page with lists. */
  wide?: boolean
}

export function layout(view: View, { title, body, failed = false, wide = false }: Content): Html {
  const { site, t } = view
  const { style, logo } = site.addresses
  const service = site.settings.serviceName
  return html`<!doctype html>
<html lang="${view.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${failed && `${t('layout.failed')}: `}${title} · ${service}</title>
<link rel="stylesheet" href="${style}">
<link rel="icon" href="${logo}">
${script(view)}
</head>
<body class="${wide ? 'wide' : 'narrow'}">
<header>
<a class="brand" href="/"><img src="${logo}" alt="">${service}</a>
${view.signedIn && navigation(view)}
</header>
<main>
<h1>${title}</h1>
${view.notice !== undefined && html`<p class="notice" role="status">${t(`notice.${view.notice}`)}</p>`}
${body}
</main>
${site.settings.termsUrl !== '' && html`<footer><a href="${site.settings.termsUrl}">${t('layout.terms')}</a></footer>`}
</body>
</html>
`
}

function script({ site, t }: View): Html {
  return html`<script src="${site.addresses.script}" data-show="${t('script.show')}" data-hide="${t('script.hide')}"
data-show-password="${t('script.show_password')}" data-hide-password="${t('script.hide_password')}"
data-caps-lock="${t('script.caps_lock')}" defer></script>`
}

function navigation({ t }: View): Html {
  return html`<nav>
<a href="/dashboard">${t('layout.account')}</a>
<form method="post" action="/sessions?_method=DELETE" id="log-out"><button type="submit">${t('layout.log_out')}</button></form>
</nav>`
}
