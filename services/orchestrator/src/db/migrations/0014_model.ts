import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** A model may be named for one workflow, as an agent may. */
export function model(): Migration {
  return {
    async up(db) {
      await sql.raw('alter table workflows add column model text').execute(db)
    },
  }
}
