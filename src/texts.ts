/**
 * The texts of the pages: one catalogue a language, the choice among them, and an operator's folder laid over them. A new
 * language is a file in languages/ and a line in the list below.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from './errors.ts'
import { en, type Notice, type TextKey, type Texts } from './languages/en.ts'
import { fr } from './languages/fr.ts'

export type { Notice, TextKey, Texts } from './languages/en.ts'

/** Every language by its tag (BCP 47). */
export const languages: ReadonlyMap<string, Texts> = new Map([
  ['en', en],
  ['fr', fr],
])

/** What stands in the place of `{name}` in a text. */
export type Values = Readonly<Record<string, string>>

/** @returns whether there is a text of this name, which may come from anywhere */
export function isTextKey(key: string): key is TextKey {
  return Object.hasOwn(en, key)
}

/** @returns whether a page can be told this with `?notice=` */
export function isNotice(notice: string): notice is Notice {
  return isTextKey(`notice.${notice}`)
}

/** Puts values into a text; what has none stays as it is. */
export function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? '') : whole,
  )
}

/**
 * @param accepted the Accept-Language header
 * @returns the tag of the language that the browser likes best among those there are
 */
export function chooseLanguage(accepted: string | undefined, fallback: string): string {
  const ranges = (accepted ?? '').split(',').map((range) => {
    const [tag = '', ...parameters] = range.split(';').map((piece) => piece.trim().toLowerCase())
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1'
    return { language: tag.split('-', 1)[0] ?? '', quality: Number(quality) || 0 }
  })
  const known = ranges.filter(({ language, quality }) => quality > 0 && languages.has(language))
  return known.toSorted((a, b) => b.quality - a.quality)[0]?.language ?? fallback
}

/**
 * @param folder with `<language>.json` files that lay other texts over ours; '' for none
 * @throws StartError that names the file and the mend
 */
export function loadTexts(folder: string): ReadonlyMap<string, Texts> {
  const loaded = new Map(languages)
  for (const name of folder === '' ? [] : filesIn(folder)) {
    const [language = '', ...suffix] = name.split('.')
    const texts = languages.get(language)
    if (texts === undefined || suffix.join('.') !== 'json') {
      throw new StartError(`TEXTS holds ${name}, which is no language here: name it ${allFiles()}, or move it away.`)
    }
    const file = join(folder, name)
    loaded.set(language, { ...texts, ...checkedTexts(file, texts) })
  }
  return loaded
}

/** @throws StartError where DEFAULT_LANGUAGE is none of ours */
export function checkLanguage(language: string): string {
  if (languages.has(language)) return language
  throw new StartError(`DEFAULT_LANGUAGE is wrong: it must be one of ${[...languages.keys()].join(', ')}.`)
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    throw new StartError(
      `TEXTS=${folder} is no folder that can be read. Make it, with ${allFiles()} in it, or unset TEXTS.`,
    )
  }
}

function allFiles(): string {
  return [...languages.keys()].map((language) => `${language}.json`).join(' or ')
}

function checkedTexts(file: string, ours: Texts): Partial<Record<TextKey, string>> {
  const checked: Partial<Record<TextKey, string>> = {}
  for (const [key, text] of Object.entries(parsed(file))) {
    if (!isTextKey(key))
      throw new StartError(
        `${file} has a text ${key} that no page uses. Take it out; docs/pages.md says where all are.`,
      )
    if (typeof text !== 'string') throw new StartError(`${file}: ${key} must be text in quotation marks.`)
    const [odd] = placesOf(text).filter((place) => place !== '{service}' && !placesOf(ours[key]).includes(place))
    if (odd !== undefined) throw new StartError(`${file}: nothing is filled in for ${odd} in ${key}. Take it out.`)
    checked[key] = text
  }
  return checked
}

function placesOf(text: string): string[] {
  return text.match(/\{\w+\}/g) ?? []
}

function parsed(file: string): object {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Said below, whatever it is.
  }
  throw new StartError(`${file} is not one JSON object of texts. Write it like {"login.title": "Sign in"}.`)
}
