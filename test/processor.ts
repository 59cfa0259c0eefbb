/** Work in processor time, all threads together: unlike the time on the wall, a busy machine does not stretch it. */

/** @returns milliseconds of the processor that the work took */
export async function processorTime(work: () => unknown): Promise<number> {
  const start = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1_000
}
