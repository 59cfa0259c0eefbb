/** The table of users. Whoever writes an address writes its normal form with it, here and nowhere else. */

import { integer, optionalInteger, optionalText, type Statement, text } from '../engines/engine.ts'
import { normalEmail, type User } from '../user.ts'
import { InvalidRequest, insert, type Table, update } from './table.ts'

export const users: Table<User> = {
  name: 'users',
  columns: {
    id: 'id',
    email: 'email',
    emailKey: 'email_key',
    name: 'name',
    hashedPassword: 'hashed_password',
    createdAt: 'created_at',
    updatedAt: 'updated_at',
    emailConfirmedAt: 'email_confirmed_at',
  },
  read: (row) => ({
    id: integer(row, 'id'),
    email: text(row, 'email'),
    emailKey: text(row, 'email_key'),
    name: optionalText(row, 'name'),
    hashedPassword: text(row, 'hashed_password'),
    createdAt: integer(row, 'created_at'),
    updatedAt: integer(row, 'updated_at'),
    emailConfirmedAt: optionalInteger(row, 'email_confirmed_at'),
  }),
}

export type NewUser = Pick<User, 'email' | 'hashedPassword' | 'name'>
export type UserChanges = Partial<Pick<User, 'email' | 'hashedPassword' | 'name' | 'emailConfirmedAt'>>

/** @param taken the number that the user gets, if one was taken; default: the next one */
export function insertUser({ email, hashedPassword, name }: NewUser, now: number, taken?: number): Statement {
  const row = { email, emailKey: normalEmail(email), name, hashedPassword, createdAt: now, updatedAt: now }
  return insert(users, taken === undefined ? row : { ...row, id: taken })
}

/**
 * @param expected what must still hold of the row; with the old hash in it this is a compare-and-set
 * @param changes where a new address is not said to be confirmed, it is not
 * @throws InvalidRequest where there is no change
 */
export function changeUser(changes: UserChanges, expected: Partial<User> & { id: number }, now: number): Statement {
  if (Object.keys(changes).length === 0) throw new InvalidRequest('no change of a user is named')
  const address = changes.email === undefined ? {} : { emailKey: normalEmail(changes.email), emailConfirmedAt: null }
  return update(users, { ...address, ...changes, updatedAt: now }, expected)
}
