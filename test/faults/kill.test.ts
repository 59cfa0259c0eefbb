/** The process killed while many register at once: what was answered is on the disk, and nothing is half there. */

import { expect, test } from 'vitest'
import { databaseOf, keptIn } from '../../faults/database.ts'
import { type Server, startServer, temporaryFolder } from '../started.ts'

const ALL = 200
/** So many answers are waited for before the kill. */
const ANSWERED = 50
/** So many of the registrations are of one address. */
const OF_ONE = 20
const PASSWORD = 'a long way to go'
const SHARED = 'everybody@example.org'
const ROOM = { HASH_QUEUE: '1000' }
/** So many of those that are not there are registered anew. */
const TRIED_AGAIN = 20
/**
 * In milliseconds. The 160 hashes or so take 5 s where two cores are free; but hashing threads have a low priority by design,
 * and get about a tenth of a core that busy neighbours want as well.
 */
const SLOWEST = 180_000

async function post({ url }: Server, path: string, email: string): Promise<number> {
  const { status } = await fetch(`${url}${path}`, {
    method: 'POST',
    body: new URLSearchParams({ email, password: PASSWORD }),
  })
  return status
}

/** Registers all at once and kills the server among them. @returns the status of each, or null where none came */
async function registerAndKill(server: Server, emails: string[]): Promise<(number | null)[]> {
  let answered = 0
  const statuses = await Promise.all(
    emails.map(async (email) => {
      const status = await post(server, '/users', email).catch(() => null)
      answered += 1
      if (answered === ANSWERED) server.child.signal('SIGKILL')
      return status
    }),
  )
  expect(await server.child.ended).toBeNull()
  return statuses
}

test(
  'A-25: an account is made once or not at all: 200 registrations, 20 of them of one address, killed in their midst',
  async () => {
    const folder = temporaryFolder()
    const emails = Array.from({ length: ALL }, (_, index) =>
      index % (ALL / OF_ONE) === 0 ? SHARED : `user${index}@example.org`,
    )
    const statuses = await registerAndKill(await startServer(ROOM, folder), emails)
    const acknowledged = emails.filter((_, index) => statuses[index] === 200)
    const unanswered = new Set(
      emails.filter((email, index) => statuses[index] === null && !acknowledged.includes(email)),
    )
    expect(acknowledged.length).toBeGreaterThan(ANSWERED / 2)
    expect(unanswered.size).toBeGreaterThan(ANSWERED)
    expect(acknowledged).toEqual([...new Set(acknowledged)])

    const server = await startServer(ROOM, folder)
    const { emails: whole, broken } = keptIn(databaseOf(folder))
    expect(broken).toEqual([])
    expect(acknowledged.filter((email) => !whole.has(email))).toEqual([])
    const logins = await Promise.all(acknowledged.map((email) => post(server, '/sessions', email)))
    expect(logins).toEqual(acknowledged.map(() => 200))

    // Of the others each is whole or not there at all; who is not there can register, who is there can log in.
    const made = [...unanswered].filter((email) => whole.has(email))
    const absent = [...unanswered].filter((email) => !whole.has(email))
    expect(whole.size).toBe(acknowledged.length + made.length)
    const tried = [...made, ...absent.slice(0, TRIED_AGAIN)]
    const again = await Promise.all(tried.map((email) => post(server, '/users', email)))
    expect(again).toEqual(tried.map((email) => (whole.has(email) ? 400 : 200)))
    expect(await Promise.all(tried.map((email) => post(server, '/sessions', email)))).toEqual(tried.map(() => 200))

    const late = await Promise.all(Array.from({ length: OF_ONE }, () => post(server, '/users', 'late@example.org')))
    expect(late.sort()).toEqual([200, ...Array.from({ length: OF_ONE - 1 }, () => 400)])
  },
  SLOWEST,
)
