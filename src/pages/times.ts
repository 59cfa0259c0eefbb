/** Times in the words of a language. The zone of a person is not known without a script, so exact times are in UTC. */

import { type Html, html } from './html.ts'

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

const DURATIONS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const

/** @returns for instance `5 minutes ago`, or undefined where it is less than one */
export function ago(time: number, now: number, language: string): string | undefined {
  const [unit, length] = UNITS.find(([, one]) => now - time >= one) ?? []
  if (unit === undefined || length === undefined) return undefined
  return new Intl.RelativeTimeFormat(language).format(-Math.floor((now - time) / length), unit)
}

/** @returns whole seconds, minutes, hours or days, whichever fits, in words */
export function duration(seconds: number, language: string): string {
  const [unit, length] = DURATIONS.find(([, one]) => seconds >= 2 * one) ?? (['second', 1] as const)
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(
    Math.ceil(seconds / length),
  )
}

export function day(time: number, language: string): Html {
  return marked(time, new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }))
}

export function moment(time: number, language: string): Html {
  return marked(time, momentOf(language))
}

/** The same without markup. */
export function momentText(time: number, language: string): string {
  return momentOf(language).format(time)
}

function momentOf(language: string): Intl.DateTimeFormat {
  const style = { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' } as const
  return new Intl.DateTimeFormat(language, { ...style, hourCycle: 'h23', timeZone: 'UTC', timeZoneName: 'short' })
}

function marked(time: number, format: Intl.DateTimeFormat): Html {
  return html`<time datetime="${new Date(time).toISOString()}">${format.format(time)}</time>`
}
