/**
 * What a flood of logins does to session checks: `node bench/overload.ts [rounds]`. Starts the service as it runs in
 * production, asks for a session check at a fixed rate, in turns with and without 50 logins at once, and prints the
 * ratios of median and 99th percentile. docs/overload.md keeps the results.
 */

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { service } from './contenders.ts'

const ROUNDS = Number(process.argv[2] ?? 5)
const ROUND_MS = 5_000
const PER_SECOND = 200
const FLOOD = 50
const PASSWORD = 'four horses walk'

interface Answer {
  status: number
  cookie: string
}

const agent = new Agent({ keepAlive: true, maxSockets: 200 })

function call(port: number, method: string, path: string, fields = '', cookie = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded', 'content-length': fields.length }
    const sent = request({ port, host: '127.0.0.1', method, path, headers, agent }, (response) => {
      response.resume()
      const set = response.headers['set-cookie']?.map((one) => one.split(';')[0]).join('; ') ?? ''
      response.on('end', () => resolve({ status: response.statusCode ?? 0, cookie: set }))
    })
    sent.on('error', reject)
    sent.end(fields)
  })
}

/** @returns the times of all checks of one round, in milliseconds, as they would be had each been sent in time */
async function checks(port: number, cookie: string): Promise<number[]> {
  const times: number[] = []
  const pending: Promise<void>[] = []
  const start = performance.now()
  for (let sent = 0; sent < (PER_SECOND * ROUND_MS) / 1000; sent += 1) {
    const due = start + (sent * 1000) / PER_SECOND
    while (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, 1))
    const at = performance.now()
    pending.push(
      call(port, 'GET', '/profile', '', cookie).then(({ status }) => {
        if (status !== 200) throw new Error(`a session check was answered with ${status}`)
        times.push(performance.now() - at)
      }),
    )
  }
  await Promise.all(pending)
  return times
}

/** Keeps FLOOD logins under way until told to stop; tells how many were answered, by status. */
async function flood(port: number): Promise<void> {
  let running = true
  const answered: Record<string, number> = {}
  process.once('message', () => {
    running = false
  })
  const one = async (index: number) => {
    while (running) {
      const { status } = await call(port, 'POST', '/sessions', `email=user${index}@example.org&password=${PASSWORD}`)
      answered[status] = (answered[status] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: FLOOD }, (_, index) => one(index)))
  process.send?.(answered)
  process.disconnect()
}

function percentile(times: number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

function median(values: number[]): number {
  return percentile(values, 0.5)
}

async function started(folder: string): Promise<{ server: ChildProcess; port: number }> {
  // The flood is meant to reach the hashes.
  const open = { FAILURES_PER_NETWORK: '0', REGISTRATIONS_PER_NETWORK: '0' }
  const { command, args, env } = service(`sqlite:${join(folder, 'bench.db')}`, open)
  const server = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } })
  const port = await new Promise<number>((resolve, reject) => {
    server.once('exit', () => reject(new Error('the service did not start')))
    const poll = setInterval(() => {
      const line: unknown = server.stdout?.read()
      const [, found] = /"port":(\d+)/.exec(String(line)) ?? []
      if (found === undefined) return
      clearInterval(poll)
      server.stdout?.resume()
      resolve(Number(found))
    }, 20)
  })
  return { server, port }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bienvenue-overload-'))
  const { server, port } = await started(folder)
  try {
    for (let index = 0; index < FLOOD; index += 1) {
      await call(port, 'POST', '/users', `email=user${index}@example.org&password=${PASSWORD}`)
    }
    const { cookie } = await call(port, 'POST', '/sessions', `email=user0@example.org&password=${PASSWORD}`)
    await checks(port, cookie)
    const rows: { quiet: number[]; loud: number[]; logins: Record<string, number> }[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const quiet = await checks(port, cookie)
      const attacker = fork(import.meta.filename, ['flood', String(port)])
      await new Promise((resolve) => setTimeout(resolve, 1000))
      const loud = await checks(port, cookie)
      const logins = await new Promise<Record<string, number>>((resolve) => {
        attacker.once('message', (answered) => resolve(Object(answered)))
        attacker.send('stop')
      })
      rows.push({ quiet, loud, logins })
    }
    report(rows)
  } finally {
    server.kill()
    agent.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
}

function report(rows: { quiet: number[]; loud: number[]; logins: Record<string, number> }[]): void {
  const ms = (value: number) => value.toFixed(2).padStart(8)
  console.log('round   median quiet/flood, ratio      p99 quiet/flood, ratio    logins answered')
  const ratios = rows.map(({ quiet, loud, logins }, index) => {
    const [m, M] = [percentile(quiet, 0.5), percentile(loud, 0.5)]
    const [p, P] = [percentile(quiet, 0.99), percentile(loud, 0.99)]
    console.log(index + 1, ms(m), ms(M), ms(M / m), ' | ', ms(p), ms(P), ms(P / p), ' | ', JSON.stringify(logins))
    return { median: M / m, p99: P / p }
  })
  console.log('median ratio of medians', median(ratios.map((one) => one.median)).toFixed(2))
  console.log('median ratio of p99    ', median(ratios.map((one) => one.p99)).toFixed(2))
  // For whoever starts this as a part of something larger.
  console.log(JSON.stringify({ median: ratios.map((one) => one.median), p99: ratios.map((one) => one.p99) }))
}

if (process.argv[2] === 'flood') await flood(Number(process.argv[3]))
else await main()
