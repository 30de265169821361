import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

import type { ColumnTypes } from './column-types.ts'

/** What a reviewer keeps here before a verdict: drafts, and what they have read; and suggestions. */
export function review(types: ColumnTypes): Migration {
  return {
    async up(db) {
      for (const statement of statements(types)) await sql.raw(statement).execute(db)
    },
  }
}

const statements = ({ integer }: ColumnTypes) => [
  `alter table review_threads add column replacement text`,
  `create table review_drafts (
    id text primary key,
    workflow_id text not null references workflows(id),
    attempt_id text not null references attempts(id),
    actor text not null,
    kind text not null,
    path text,
    line_start ${integer},
    line_end ${integer},
    quote text,
    text text not null,
    replacement text,
    created_at text not null,
    updated_at text not null
  )`,
  `create index review_drafts_by_reviewer on review_drafts (workflow_id, actor, created_at)`,
  `create table viewed_marks (
    workflow_id text not null references workflows(id),
    actor text not null,
    digest text not null,
    viewed_at text not null,
    primary key (workflow_id, actor, digest)
  )`,
]
