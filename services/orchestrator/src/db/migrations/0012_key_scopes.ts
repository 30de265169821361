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
  `create index workflows_by_workspace on workflows (workspace, sequence)`,
  `create index features_by_workspace on features (workspace, sequence)`,
  `create index attempt_artifacts_by_digest on attempt_artifacts (digest)`,
]
