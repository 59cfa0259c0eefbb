/** A look at a page in each width and each colour scheme. SCREENSHOTS names a folder for pictures of all of them. */

import { join } from 'node:path'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

const { SCREENSHOTS = '' } = process.env

/** @returns what axe-core finds wrong, a line each, with where */
async function violations(page: Page, rules?: readonly string[]): Promise<unknown> {
  const options = rules === undefined ? {} : { runOnly: { type: 'rule', values: rules } }
  return page.evaluate(`axe.run(document, ${JSON.stringify(options)}).then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`)
}

const SIDEWAYS = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

/** Demands that axe-core finds nothing, and that there is nothing to scroll sideways. */
export async function inspect(page: Page, name: string): Promise<void> {
  await page.evaluate(axe.source)
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 800 })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      const seen = `${name}-${colorScheme}-${width}`
      // Colours are all that the scheme changes.
      expect(await violations(page, colorScheme === 'dark' ? ['color-contrast'] : undefined), seen).toEqual([])
      expect(await page.evaluate(SIDEWAYS), seen).toBe(0)
      if (SCREENSHOTS !== '') await page.screenshot({ path: join(SCREENSHOTS, `${seen}.png`), fullPage: true })
    }
  }
}
