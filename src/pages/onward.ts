/** Addresses of our own pages with what they must know: where the person goes afterwards, and what just happened. */

import type { Notice } from '../texts.ts'

/**
 * @param next a checked return address
 * @returns a path of ours that hands `next` and `notice` on
 */
export function onward(path: string, next: string | undefined, notice?: Notice): string {
  const query = new URLSearchParams()
  if (next !== undefined) query.set('next', next)
  if (notice !== undefined) query.set('notice', notice)
  return query.size === 0 ? path : `${path}?${query}`
}
