/**
 * The files that pages load, all of them served by us: one stylesheet, one script, one image. The name holds a hash of the
 * content, so browsers keep them for good and still see every change at once.
 */

import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { StartError } from '../errors.ts'
import type { Settings } from '../settings.ts'

export interface Asset {
  readonly type: string
  readonly content: Buffer
}

const IMAGES: ReadonlyMap<string, string> = new Map([
  ['.svg', 'image/svg+xml; charset=utf-8'],
  ['.png', 'image/png'],
  ['.jpg', 'image/jpeg'],
  ['.jpeg', 'image/jpeg'],
  ['.webp', 'image/webp'],
])

/** @throws StartError where LOGO is no image that can be served */
export function loadAssets({ color, logo }: Pick<Settings, 'color' | 'logo'>) {
  const assets = new Map<string, Asset>()
  const add = (stem: string, suffix: string, asset: Asset): string => {
    const name = `${stem}.${hash('sha256', asset.content, 'base64url').slice(0, 12)}${suffix}`
    assets.set(name, asset)
    return `/assets/${name}`
  }
  const onColor = readableOn(color)
  const style = Buffer.from(`:root { --accent: ${color}; --on-accent: ${onColor}; }\n${ours('style.css')}`)
  const mark = Buffer.from(`${ours('mark.svg')}`.replace('on-accent', onColor).replace('accent', color))
  return {
    assets,
    addresses: {
      style: add('style', '.css', { type: 'text/css; charset=utf-8', content: style }),
      script: add('script', '.js', { type: 'text/javascript; charset=utf-8', content: ours('script.js') }),
      logo:
        logo === ''
          ? add('mark', '.svg', { type: IMAGES.get('.svg') ?? '', content: mark })
          : add('logo', extname(logo).toLowerCase(), operatorsLogo(logo)),
    },
  }
}

function ours(name: string): Buffer {
  return readFileSync(new URL(`assets/${name}`, import.meta.url))
}

function operatorsLogo(path: string): Asset {
  const type = IMAGES.get(extname(path).toLowerCase())
  if (type === undefined) throw new StartError(`LOGO=${path} is no image that is served: use svg, png, jpg or webp.`)
  try {
    return { type, content: readFileSync(path) }
  } catch {
    throw new StartError(`LOGO=${path} cannot be read. Set LOGO to the path of an image, or unset it.`)
  }
}

/** @returns black or white, whichever has the higher contrast (WCAG 2.2, relative luminance) */
function readableOn(color: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
  return luminance > 0.179 ? '#000000' : '#ffffff'
}
