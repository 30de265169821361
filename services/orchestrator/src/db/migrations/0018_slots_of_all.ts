import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Whatever has not ended names the agent whose slots it takes, also where phases are run outside: they may be run
 * through the hub from the next start on, and what names none would wait for ever.
 */
export const slotsOfAll: Migration = {
  async up(db) {
    await sql
      .raw(
        `update attempts set queued_for = coalesce(
          (select agent from workflows where workflows.id = attempts.workflow_id), 'default'
        ) where queued_for is null and state in ('queued', 'running', 'backing_off')`,
      )
      .execute(db)
  },
}
