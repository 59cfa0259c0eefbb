import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { migrations } from '../../../src/app.ts'
import { DB } from '../../../src/db.ts'
import {
  afterTry,
  type Bucket,
  buckets,
  NEVER,
  type Rule,
  replaceBucket,
} from '../../../src/features/throttle/bucket.ts'
import { GROWING_WAITS, MOST_FAILURES } from '../../../src/features/throttle.ts'

const MINUTE = 60_000
const RULE: Rule = { limit: 3, waits: [MINUTE, 2 * MINUTE, 5 * MINUTE], memory: 60 * MINUTE, most: 9 }
const EMPTY: Bucket = { key: 'account', tries: 0, blockedUntil: 0, expiresAt: 0 }
const START = Date.UTC(2026, 0, 1)

/** Tries as often as told, each time as soon as the wait is over. @returns the bucket after each try */
function tryOnAndOn(times: number, rule: Rule, from = START): Bucket[] {
  const states: Bucket[] = []
  let [bucket, now] = [EMPTY, from]
  for (let n = 0; n < times; n += 1) {
    const next = afterTry(bucket, rule, now)
    if (next === null) break
    states.push(next)
    if (next.blockedUntil === NEVER) break
    bucket = next
    now = Math.max(now, next.blockedUntil)
  }
  return states
}

/** @returns the wait that each of these tries was followed by, when each came as soon as it could */
function waitsOf(states: readonly Bucket[]): number[] {
  let now = START
  return states.map(({ blockedUntil }) => {
    const wait = Math.max(0, blockedUntil - now)
    now += wait
    return wait
  })
}

describe('a bucket', () => {
  test('gives its free tries, then a wait after each, the last of which stays', () => {
    const waits = waitsOf(tryOnAndOn(8, RULE))
    expect(waits).toEqual([0, 0, MINUTE, 2 * MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE])
  })

  test('has no further try after the most of them, however late', () => {
    const states = tryOnAndOn(20, RULE)
    expect(states.map(({ tries }) => tries)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    const last = states.at(-1) ?? EMPTY
    expect(last).toMatchObject({ blockedUntil: NEVER, expiresAt: NEVER })
    expect(afterTry(last, RULE, START + 1_000 * 365 * 24 * 60 * MINUTE)).toBeNull()
  })

  test('that counts from the first try on is empty after its time, and no later where the clock went back', () => {
    const rule = { ...RULE, fromFirst: true }
    const first = afterTry(EMPTY, rule, START) ?? EMPTY
    const second = afterTry(first, rule, START + 59 * MINUTE) ?? EMPTY
    expect([second.tries, second.expiresAt]).toEqual([2, START + 60 * MINUTE])
    expect(afterTry(second, rule, START + 60 * MINUTE)).toMatchObject({ tries: 1, expiresAt: START + 120 * MINUTE })
    expect(afterTry(second, rule, START - 60 * MINUTE)).toMatchObject({ tries: 3, expiresAt: START })
  })

  test('is closed to the last millisecond of a wait and open at its end', () => {
    const blocked = { ...EMPTY, tries: 3, blockedUntil: START, expiresAt: START + RULE.memory }
    expect(afterTry(blocked, RULE, START - 1)).toBeNull()
    expect(afterTry(blocked, RULE, START)).toMatchObject({ tries: 4, blockedUntil: START + 2 * MINUTE })
  })

  test('is empty again when it was left alone for its memory, and not a millisecond before', () => {
    const [first = EMPTY] = tryOnAndOn(1, RULE)
    expect(first.expiresAt).toBe(START + RULE.memory)
    expect(afterTry(first, RULE, START + RULE.memory - 1)).toMatchObject({ tries: 2 })
    expect(afterTry(first, RULE, START + RULE.memory)).toMatchObject({ tries: 1 })
  })

  test('outlives its memory as long as its wait lasts', () => {
    const rule = { limit: 1, waits: [5 * MINUTE], memory: MINUTE }
    const [only = EMPTY] = tryOnAndOn(1, rule)
    expect(only.expiresAt).toBe(only.blockedUntil)
    expect(afterTry(only, rule, only.blockedUntil - 1)).toBeNull()
    expect(afterTry(only, rule, only.blockedUntil)).toMatchObject({ tries: 1 })
  })

  test('counts each try once: two of the same reading are not both written', async () => {
    const db = await DB.open('sqlite::memory:', { clock: () => START, migrations })
    onTestFinished(() => db.close())
    const [first = EMPTY, second = EMPTY] = tryOnAndOn(2, RULE)
    const both = async (read: Bucket | null, next: Bucket) =>
      Promise.all([db.commit([replaceBucket(read, next)]), db.commit([replaceBucket(read, next)])])
    expect(await both(null, first)).toEqual([true, false])
    expect(await both(first, second)).toEqual([true, false])
    expect(await db.findBy(buckets, { key: EMPTY.key })).toEqual(second)
  })
})

const time = fc.integer({ min: 0, max: 365 * 24 * 60 * MINUTE })
const wait = fc.integer({ min: 1, max: 60 * MINUTE })
const rules: fc.Arbitrary<Rule> = fc.record({
  limit: fc.integer({ min: 1, max: 20 }),
  waits: fc.array(wait, { minLength: 1, maxLength: 8 }).map((waits) => waits.toSorted((a, b) => a - b)),
  memory: fc.integer({ min: 61 * MINUTE, max: 365 * 24 * 60 * MINUTE }),
  most: fc.integer({ min: 1, max: 60 }),
})
const states: fc.Arbitrary<Bucket> = fc.record({
  key: fc.constant('account'),
  tries: fc.nat(200),
  blockedUntil: time,
  expiresAt: time,
})

describe('whatever the rule', () => {
  test('growing waits never shrink as long as the tries go on', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 59 * MINUTE }), { minLength: 60, maxLength: 60 })
    fc.assert(
      fc.property(rules, gaps, (rule, pauses) => {
        let [bucket, now, before] = [EMPTY, START, 0]
        for (const pause of pauses) {
          const next = afterTry(bucket, rule, now)
          if (next === null) return
          const waited = Math.max(0, next.blockedUntil - now)
          expect(waited).toBeGreaterThanOrEqual(before)
          ;[bucket, before] = [next, waited]
          // A wait that never ends is the longest.
          if (next.blockedUntil === NEVER) return
          // Whoever comes back later than the memory lasts finds the bucket empty.
          now = Math.min(Math.max(now, next.blockedUntil) + pause, next.expiresAt - 1)
        }
      }),
    )
  })

  test('a blocked bucket never counts, an open one counts one try; a block that no wait explains is none', () => {
    const ahead = fc.integer({ min: -120 * MINUTE, max: 120 * MINUTE })
    fc.assert(
      fc.property(states, rules, ahead, (bucket, rule, left) => {
        const now = bucket.blockedUntil - left
        const next = afterTry(bucket, rule, now)
        const counted = bucket.expiresAt > now ? bucket.tries + 1 : 1
        expect(next?.tries).toBe(left > 0 && left <= Math.max(...rule.waits) ? undefined : counted)
      }),
    )
  })

  test('between two emptyings there are never more tries than the most', () => {
    fc.assert(
      fc.property(rules, (rule) => {
        const states = tryOnAndOn(200, rule)
        expect(states).toHaveLength(rule.most ?? 0)
        expect(afterTry(states.at(-1) ?? EMPTY, rule, NEVER - 1)).toBeNull()
      }),
    )
  })
})

test('a stranger who never pauses needs three and a half days for the most failures', () => {
  const account = { limit: 10, waits: GROWING_WAITS, memory: 365 * 24 * 60 * MINUTE, most: MOST_FAILURES }
  const trying = waitsOf(tryOnAndOn(MOST_FAILURES - 1, account)).reduce((sum, one) => sum + one, 0)
  expect(trying / (24 * 60 * MINUTE)).toBeGreaterThan(3.4)
  expect(trying / (24 * 60 * MINUTE)).toBeLessThan(3.6)
})
