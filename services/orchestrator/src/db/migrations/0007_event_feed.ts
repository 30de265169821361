import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** A workflow's row and its history tell their events themselves; `events` keeps only what stands nowhere else. */
export const eventFeed: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  },
}

const STATEMENTS = [
  `delete from events where type in ('workflow.created', 'workflow.transition')`,
  `create unique index workflow_history_by_sequence on workflow_history (sequence)`,
]
