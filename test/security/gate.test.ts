import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Gate } from '../../src/security/gate.ts'

/** Jobs that end when the test says so, with a record of how they began. */
class Jobs {
  readonly begun: number[] = []
  readonly #ends: PromiseWithResolvers<void>[] = []
  running = 0
  mostAtOnce = 0

  /** Hands the next job to a gate. */
  give(gate: Gate): Promise<number> {
    const number = this.#ends.length
    const end = Promise.withResolvers<void>()
    this.#ends.push(end)
    return gate.run(async () => {
      this.begun.push(number)
      this.running += 1
      this.mostAtOnce = Math.max(this.mostAtOnce, this.running)
      try {
        await end.promise
      } finally {
        this.running -= 1
      }
      return number
    })
  }

  end(number: number): void {
    this.#ends[number]?.resolve()
  }

  fail(number: number): void {
    this.#ends[number]?.reject(new Error(`job ${number} failed`))
  }
}

test('as many jobs run at once as it has places, never more, and every result reaches its own caller', async () => {
  const sizes = fc.record({ places: fc.integer({ min: 1, max: 5 }), jobs: fc.integer({ min: 1, max: 20 }) })
  await fc.assert(
    fc.asyncProperty(sizes, fc.infiniteStream(fc.nat()), async ({ places, jobs: count }, choices) => {
      const gate = new Gate(places, count)
      const jobs = new Jobs()
      const results = Array.from({ length: count }, () => jobs.give(gate))
      const ended = new Set<number>()
      while (ended.size < count) {
        const running = jobs.begun.filter((job) => !ended.has(job))
        expect(running.length).toBe(Math.min(places, count - ended.size))
        const job = running[choices.next().value % running.length] ?? 0
        jobs.end(job)
        ended.add(job)
        expect(await results[job]).toBe(job)
      }
      expect(jobs.mostAtOnce).toBe(Math.min(places, count))
    }),
  )
})

test('those who wait are served in the order of their coming', async () => {
  const gate = new Gate(2, 10)
  const jobs = new Jobs()
  const results = Array.from({ length: 8 }, () => jobs.give(gate))
  for (const last of [1, 0, 2, 3, 4, 5, 6, 7]) {
    jobs.end(last)
    await results[last]
  }
  expect(jobs.begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
})

test('a newcomer does not overtake the one to whom a place is being handed', async () => {
  const gate = new Gate(1, 10)
  const jobs = new Jobs()
  const [first, second] = [jobs.give(gate), jobs.give(gate)]
  jobs.end(0)
  await first
  const third = jobs.give(gate)
  jobs.end(1)
  jobs.end(2)
  expect(await Promise.all([second, third])).toEqual([1, 2])
  expect(jobs.begun).toEqual([0, 1, 2])
  expect(jobs.mostAtOnce).toBe(1)
})

test('beyond the queue the answer is busy, with the seconds to wait, and the job never begins', async () => {
  const gate = new Gate(1, 2)
  const jobs = new Jobs()
  const accepted = [jobs.give(gate), jobs.give(gate), jobs.give(gate)]
  await expect(jobs.give(gate)).rejects.toMatchObject({ name: 'AuthError', code: 'busy', retryAfter: 2 })
  for (const number of [0, 1, 2]) jobs.end(number)
  expect(await Promise.all(accepted)).toEqual([0, 1, 2])
  expect(jobs.begun).toEqual([0, 1, 2])
})

test('a queue of none refuses as soon as every place is taken, and takes work again when one is free', async () => {
  const gate = new Gate(1, 0)
  const jobs = new Jobs()
  const first = jobs.give(gate)
  await expect(jobs.give(gate)).rejects.toMatchObject({ code: 'busy' })
  jobs.end(0)
  await first
  const third = jobs.give(gate)
  jobs.end(2)
  expect(await third).toBe(2)
})

test('a job that fails tells its caller and frees its place', async () => {
  const gate = new Gate(1, 10)
  const jobs = new Jobs()
  const [failing, waiting] = [jobs.give(gate), jobs.give(gate)]
  jobs.fail(0)
  await expect(failing).rejects.toThrow('job 0 failed')
  jobs.end(1)
  expect(await waiting).toBe(1)
})

test('a job that throws before its first await frees its place as well', async () => {
  const gate = new Gate(1, 0)
  const thrown = gate.run(() => {
    throw new Error('at once')
  })
  await expect(thrown).rejects.toThrow('at once')
  expect(await gate.run(async () => 'next')).toBe('next')
})
