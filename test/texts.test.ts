/** The catalogues are complete, the right one is chosen, and an operator's texts lie over them. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { errorTable, StartError } from '../src/errors.ts'
import { openSite, viewOf } from '../src/pages/site.ts'
import { readSettings } from '../src/settings.ts'
import { checkLanguage, chooseLanguage, fill, isTextKey, languages, loadTexts } from '../src/texts.ts'

const english = Object.entries(languages.get('en') ?? {})

function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'texts-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return folder
}

function placesOf(text: string): string[] {
  return (text.match(/\{\w+\}/g) ?? []).filter((place) => place !== '{service}').sort()
}

test('there is English and French', () => {
  expect([...languages.keys()]).toEqual(['en', 'fr'])
  expect(english.length).toBeGreaterThan(100)
})

test.each([...languages])('%s has every text, each with the places of the English one', (_, texts) => {
  const own = new Map(Object.entries(texts))
  expect([...own.keys()].sort()).toEqual(english.map(([key]) => key).sort())
  for (const [key, text] of english) {
    expect(own.get(key)?.trim(), key).not.toBe('')
    expect(placesOf(own.get(key) ?? ''), key).toEqual(placesOf(text))
  }
})

test('French is French', () => {
  const same = Object.entries(languages.get('fr') ?? {}).filter(
    ([key, text]) => Object.fromEntries(english)[key] === text,
  )
  expect(same.map(([key]) => key)).toEqual(['activity.from'])
})

test('every error code has a text', () => {
  for (const code of Object.keys(errorTable)) expect(isTextKey(`error.${code}`), code).toBe(true)
})

test.each([
  [undefined, 'en'],
  ['', 'en'],
  ['fr', 'fr'],
  ['fr-CA,fr;q=0.8,en;q=0.5', 'fr'],
  ['de,en;q=0.5,fr;q=0.7', 'fr'],
  ['FR', 'fr'],
  ['en;q=0, fr;q=0.1', 'fr'],
  ['fr;q=0', 'en'],
  ['de, *', 'en'],
  ['constructor,__proto__', 'en'],
  [';;;,,q=1', 'en'],
])('Accept-Language %j gets %s', (accepted, language) => {
  expect(chooseLanguage(accepted, 'en')).toBe(language)
})

test('DEFAULT_LANGUAGE decides where the browser asks for nothing that there is', () => {
  const site = openSite(readSettings({ DEFAULT_LANGUAGE: 'fr' }))
  const title = (acceptLanguage?: string) => viewOf(site, { acceptLanguage, signedIn: false }).t('login.title')
  expect([title(), title('de'), title('en')]).toEqual(['Connexion', 'Connexion', 'Log in'])
})

test('a DEFAULT_LANGUAGE that there is not stops the start', () => {
  expect(() => checkLanguage('de')).toThrow(new StartError('DEFAULT_LANGUAGE is wrong: it must be one of en, fr.'))
  expect(() => openSite(readSettings({ DEFAULT_LANGUAGE: 'de' }))).toThrow(StartError)
})

test('places are filled in once, and only with what there is', () => {
  expect(fill('{a} {b} {constructor}', { a: '{b}', b: 'B' })).toBe('{b} B {constructor}')
})

test('texts of an operator lie over ours', () => {
  const texts = folderWith({ 'fr.json': '{"login.title":"Entrez chez {service}"}' })
  const site = openSite(readSettings({ TEXTS: texts, SERVICE_NAME: 'Chez moi' }))
  const t = (acceptLanguage: string) => viewOf(site, { acceptLanguage, signedIn: false }).t
  expect([t('fr')('login.title'), t('fr')('login.submit'), t('en')('login.title')]).toEqual([
    'Entrez chez Chez moi',
    'Se connecter',
    'Log in',
  ])
})

test.each([
  [{ 'en.json': '{"login.titel":"x"}' }, /login\.titel that no page uses/],
  [{ 'en.json': '{"__proto__":"x"}' }, /__proto__ that no page uses/],
  [{ 'en.json': '{"login.title":1}' }, /login\.title must be text/],
  [{ 'en.json': '{"login.title":"{email}"}' }, /nothing is filled in for \{email\}/],
  [{ 'en.json': '{"login.title":' }, /is not one JSON object/],
  [{ 'en.json': '[]' }, /is not one JSON object/],
  [{ 'de.json': '{}' }, /de\.json, which is no language here: name it en\.json or fr\.json/],
  [{ 'en.txt': '{}' }, /en\.txt, which is no language/],
])('a folder of texts with %j stops the start', (files: Record<string, string>, message) => {
  const folder = folderWith(files)
  expect(() => loadTexts(folder)).toThrow(StartError)
  expect(() => loadTexts(folder)).toThrow(message)
})

test('a folder of texts that is not there stops the start', () => {
  expect(() => loadTexts('/nowhere/at/all')).toThrow(/no folder that can be read/)
})
