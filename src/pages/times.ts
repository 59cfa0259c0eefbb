/** Times in the words of a language. The zone of a person is not known without a script, so exact times are in UTC. */

import { type Html, html } from './html.ts'

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/** Made once a language: they are dear, and hold memory that is not given back soon. */
const formats = new Map<string, Formats>()

interface Formats {
  readonly ago: Intl.RelativeTimeFormat
  readonly day: Intl.DateTimeFormat
  readonly moment: Intl.DateTimeFormat
  readonly duration: ReadonlyMap<string, Intl.NumberFormat>
}

const DURATIONS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const

/** @returns for instance `5 minutes ago`, or undefined where it is less than one */
export function ago(time: number, now: number, language: string): string | undefined {
  const [unit, length] = UNITS.find(([, one]) => now - time >= one) ?? []
  if (unit === undefined || length === undefined) return undefined
  return formatsOf(language).ago.format(-Math.floor((now - time) / length), unit)
}

/** @returns whole seconds, minutes, hours or days, whichever fits, in words */
export function duration(seconds: number, language: string): string {
  const [unit, length] = DURATIONS.find(([, one]) => seconds >= 2 * one) ?? (['second', 1] as const)
  return (
    formatsOf(language)
      .duration.get(unit)
      ?.format(Math.ceil(seconds / length)) ?? ''
  )
}

export function day(time: number, language: string): Html {
  return marked(time, formatsOf(language).day)
}

export function moment(time: number, language: string): Html {
  return marked(time, formatsOf(language).moment)
}

/** The same without markup. */
export function momentText(time: number, language: string): string {
  return formatsOf(language).moment.format(time)
}

function formatsOf(language: string): Formats {
  const known = formats.get(language)
  if (known !== undefined) return known
  const exact = { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' } as const
  const units = ['day', 'hour', 'minute', 'second']
  const made = {
    ago: new Intl.RelativeTimeFormat(language),
    day: new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }),
    moment: new Intl.DateTimeFormat(language, { ...exact, hourCycle: 'h23', timeZone: 'UTC', timeZoneName: 'short' }),
    duration: new Map(units.map((unit) => [unit, unitFormat(language, unit)])),
  }
  formats.set(language, made)
  return made
}

function unitFormat(language: string, unit: string): Intl.NumberFormat {
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' })
}

function marked(time: number, format: Intl.DateTimeFormat): Html {
  return html`<time datetime="${new Date(time).toISOString()}">${format.format(time)}</time>`
}
