/** What the rivals written for Node share: a folder, users in SQLite, a file of cookies, a port told when they are ready. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'

export const [, , command, folder, given] = process.argv
export const COUNT = Number(given)
export const SECRET = 'b7Qx0mT9rVw2Zk4LpN8sYc6HdJ1fGu3A'

export function openDatabase(name) {
  const database = new Database(join(folder, name))
  database.pragma('journal_mode = WAL')
  return database
}

export function emailOf(index) {
  return `user${index}@example.org`
}

/** Makes the users, and whatever `make` does for each of them, in one transaction. */
export function fill(database, make) {
  database.exec('CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)')
  const add = database.prepare('INSERT INTO users (id, email) VALUES (?, ?)')
  database.transaction(() => {
    for (let index = 1; index <= COUNT; index += 1) {
      add.run(index, emailOf(index))
      make(index)
    }
  })()
}

export function writeCookies(name, cookies) {
  writeFileSync(join(folder, `${name}.cookies`), `${cookies.map((cookie) => `cookie: ${cookie}`).join('\n')}\n`)
}

export function tellPort({ port }) {
  console.log(JSON.stringify({ port }))
}
