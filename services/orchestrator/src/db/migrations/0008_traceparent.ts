import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** A phase belongs to the trace of the request that asked for it, which may be long over. */
export function traceparent(): Migration {
  return {
    async up(db) {
      await sql.raw('alter table attempts add column traceparent text').execute(db)
    },
  }
}
