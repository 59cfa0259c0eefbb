/** What all pages of this service share, made once, and the view in which one person sees a page. */

import type { Settings } from '../settings.ts'
import {
  checkLanguage,
  chooseLanguage,
  fill,
  loadTexts,
  type Notice,
  type TextKey,
  type Texts,
  type Values,
} from '../texts.ts'
import { type Asset, loadAssets } from './assets.ts'

export interface Site {
  readonly settings: Settings
  /** Where links in mails lead: PUBLIC_URL, with the port that was really taken. */
  publicUrl: string
  readonly texts: ReadonlyMap<string, Texts>
  readonly language: string
  /** What is served under /assets/, by name. */
  readonly assets: ReadonlyMap<string, Asset>
  /** Where the pages find it. */
  readonly addresses: { readonly style: string; readonly script: string; readonly logo: string }
}

export interface View {
  readonly site: Site
  readonly language: string
  /** The text of that name in the language of the view. */
  readonly t: (key: TextKey, values?: Values) => string
  readonly signedIn: boolean
  readonly notice: Notice | undefined
}

/** @throws StartError where a file that the settings name cannot be used */
export function openSite(settings: Settings): Site {
  const language = checkLanguage(settings.language)
  return {
    settings,
    publicUrl: settings.publicUrl,
    texts: loadTexts(settings.texts),
    language,
    ...loadAssets(settings),
  }
}

interface Viewer {
  acceptLanguage: string | undefined
  signedIn: boolean
  notice?: Notice | undefined
}

export function viewOf(site: Site, { acceptLanguage, signedIn, notice }: Viewer): View {
  const language = chooseLanguage(acceptLanguage, site.language)
  const texts = site.texts.get(language)
  if (texts === undefined) throw new Error(`there are no texts for ${language}`)
  const service = site.settings.serviceName
  return { site, language, signedIn, notice, t: (key, values) => fill(texts[key], { service, ...values }) }
}
