/**
 * The costs of the stored passwords: a row for each cost that was ever written, not for each password. To look through all
 * users for the highest one would take seconds at every start where there are millions.
 */

import type { Statement } from '../engines/engine.ts'
import type { Migration } from './migrations.ts'

/** Both stored forms, `$2b$12$...` and `$bcrypt-sha256$v=2,t=2b,r=12$...`. */
const COST = /^(?:\$2[aby]\$|\$bcrypt-sha256\$v=2,t=2[aby],r=)(\d\d)\$/

export const hashCostMigrations: readonly Migration[] = [
  {
    id: 11,
    name: 'hash_costs',
    sql: [
      'CREATE TABLE hash_costs (cost BIGINT PRIMARY KEY)',
      // What is not two digits is not made a number: some databases refuse that.
      `INSERT INTO hash_costs SELECT DISTINCT CAST(cost AS BIGINT)
        FROM (SELECT CASE WHEN hashed_password LIKE '$bcrypt-sha256$%' THEN substr(hashed_password, 27, 2)
          WHEN hashed_password LIKE '$2%' THEN substr(hashed_password, 5, 2) ELSE '' END AS cost FROM users) AS costs
        WHERE substr(cost, 1, 1) IN ('0', '1', '2', '3', '4', '5', '6', '7', '8', '9')
          AND substr(cost, 2, 1) IN ('0', '1', '2', '3', '4', '5', '6', '7', '8', '9')`,
    ],
  },
]

/** To be written together with a password. */
export function noteCost(hashedPassword: string): readonly Statement[] {
  const [, cost] = COST.exec(hashedPassword) ?? []
  if (cost === undefined) return []
  return [{ sql: 'INSERT INTO hash_costs (cost) VALUES (?) ON CONFLICT DO NOTHING', params: [Number(cost)] }]
}

/** Reads the highest one, or 0. */
export const HIGHEST_HASH_COST = 'SELECT COALESCE(MAX(cost), 0) AS cost FROM hash_costs'
