/** The transcript of the README, run again: what it shows is what happens. */

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { pathOf, startServer, temporaryFolder } from '../started.ts'

const run = promisify(execFile)

interface Step {
  command: string
  answer: string
}

function transcript(): Step[] {
  const [, text = ''] = /```console\n([\s\S]*?)```/.exec(readFileSync(pathOf('README.md'), 'utf8')) ?? []
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const [command = '', ...answer] = step.trimEnd().split('\n')
      return { command, answer: answer.join('\n') }
    })
}

/** What differs from run to run: ids, secrets, times, ports. */
function masked(text: string): string {
  return text
    .replace(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?:\.[\w-]{43})?/g, '<id>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/localhost:\d+/g, '<host>')
    .trimEnd()
}

test('every command of the transcript answers what the README says', async () => {
  const { port } = await startServer()
  const folder = temporaryFolder()
  const steps = transcript()
  expect(steps.length).toBeGreaterThan(8)
  let token = ''
  for (const { command, answer } of steps) {
    const now = command.replaceAll('localhost:5000', `localhost:${port}`).replace(/[\da-f-]{36}\.[\w-]{43}/, token)
    const { stdout } = await run('sh', ['-c', now], { cwd: folder })
    expect(masked(stdout), command).toBe(masked(answer))
    token = /"reset_token":"([^"]+)"/.exec(stdout)?.[1] ?? token
  }
})
