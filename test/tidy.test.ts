/** Rules of the house that are worth keeping, as tests. */

import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { pages } from '../scripts/docs.ts'
import { openHouse } from './house.ts'

const ROOT = join(import.meta.dirname, '..')

/** From the ground up; a file may import from its own layer and from those before it. */
const LAYERS: [string, RegExp][] = [
  ['ground', /^(?:(?:errors|user|session|settings|log|device_name)\.ts|security\/|settings\/)/],
  ['engines', /^engines\//],
  ['db', /^db(?:\.ts|\/)/],
  ['auth', /^(?:feature\.ts|letter\.ts|auth(?:\.ts|\/))/],
  ['texts', /^(?:texts\.ts|languages\/)/],
  ['features', /^features\//],
  ['pages', /^pages\//],
  ['mail', /^mail\//],
  ['app', /^app(?:\.ts|\/)/],
  ['server', /^(?:server|service|cluster|worker|cli|move|banner|secret_file|rotate_keys)\.ts/],
]

function filesOf(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

function layerOf(file: string): number {
  return LAYERS.findIndex(([, files]) => files.test(file))
}

function importsOf(file: string): string[] {
  const found = read(join('src', file)).matchAll(/(?:from|import\() ?'(\.[^']+)'/g)
  return [...found].map(([, path = '']) => join(dirname(file), path))
}

test.each(filesOf('src'))('src/%s imports one way only', (file) => {
  expect(layerOf(file), 'belongs to no layer').toBeGreaterThanOrEqual(0)
  const upward = importsOf(file).filter((imported) => layerOf(imported) > layerOf(file))
  expect(upward).toEqual([])
})

test('features never import each other', () => {
  const foreign = filesOf('src/features').flatMap((file) => {
    const own = file.split('/')[0]?.replace(/\.ts$/, '')
    return importsOf(join('features', file))
      .filter((imported) => imported.startsWith('features/'))
      .filter((imported) => imported.split('/')[1]?.replace(/\.ts$/, '') !== own)
  })
  expect(foreign).toEqual([])
})

test.each(filesOf('src'))('src/%s says in its first lines what belongs there, and no more than 300 of them', (file) => {
  const source = read(join('src', file))
  expect(source.startsWith('/**')).toBe(true)
  expect(source.split('\n').length).toBeLessThanOrEqual(300)
  expect(basename(file)).not.toMatch(/^(?:utils?|helpers?|manager|common)\.ts$/)
})

test('a route that does not declare its access is refused', async () => {
  const { app, close } = await openHouse()
  expect(() => app.get('/undeclared', async () => 'open')).toThrow(/access/)
  await close()
})

test.each([...pages()])('docs/%s is what the tables of the source say', (name, page) => {
  expect(read(join('docs', name)), 'run `npm run docs`').toBe(page)
})

test('the check of every landing runs the test command of the README', () => {
  const command = 'npm ci && npm test'
  expect(read('README.md').split('\n')).toContain(command)
  expect(read('.ci/run')).toContain(`'${command}'`)
})
