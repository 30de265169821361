import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * One workflow of a feature at a time, by a column that changes once: an index over the status was rewritten by
 * every step, which was a sixth of what a workflow costs (bench/in-process.ts).
 */
export const oneActive: Migration = {
  async up(db) {
    await sql.raw(`drop index workflows_one_active`).execute(db)
    await sql
      .raw(`create unique index workflows_one_active on workflows (feature_id) where completed_at is null`)
      .execute(db)
    // With the column in it, it is taken before the index over all of a workspace's workflows, ended ones included.
    await sql
      .raw(`create index workflows_active on workflows (workspace, completed_at) where completed_at is null`)
      .execute(db)
  },
}
