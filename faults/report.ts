/** What came of a trial. */

export interface Report {
  /** What was survived, in a line with its numbers. */
  readonly line: string
  readonly requests: number
  /** Of them registrations, new passwords, resets, logins and logouts that were acknowledged, and looked for afterwards. */
  readonly acknowledged: number
  /** What should not have happened, in words; empty where all is well. */
  readonly failures: readonly string[]
}

/** Says what came of a trial. @returns whether all is well */
export function tell(title: string, { line, requests, acknowledged, failures }: Report): boolean {
  console.log(
    `  ${failures.length === 0 ? '✓' : '✗'} ${title}: ${line}; ${requests} requests, ${acknowledged} acknowledged`,
  )
  for (const failure of failures.slice(0, 20)) console.log(`      ${failure}`)
  return failures.length === 0
}

/** Says what all of them came to. */
export function tellAll(reports: readonly Report[]): void {
  const sum = (of: (report: Report) => number) => reports.reduce((total, report) => total + of(report), 0)
  const failures = sum(({ failures: { length } }) => length)
  console.log(
    `${reports.length} trials, ${sum(({ requests }) => requests)} requests, ${sum(({ acknowledged }) => acknowledged)} acknowledged; ` +
      (failures === 0 ? 'nothing was lost.' : `${failures} FAILURES.`),
  )
}
