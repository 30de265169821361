import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Keys for single workspaces, and the ways to what is of one. */
export const keyScopes: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  },
}

const STATEMENTS = [
  `alter table keys add column workspaces text`,
  // Who has one workspace alone, which is most, pays nothing for them as things are created.
  `create index workflows_by_workspace on workflows (workspace, sequence) where workspace <> 'default'`,
  `create index features_by_workspace on features (workspace, sequence) where workspace <> 'default'`,
  `create index attempt_artifacts_by_digest on attempt_artifacts (digest)`,
]
