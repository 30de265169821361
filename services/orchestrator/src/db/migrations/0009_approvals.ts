import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

import type { ColumnTypes } from './column-types.ts'

/** What it takes to approve a phase, the approvals that did not yet suffice, and the order of several in a row. */
export function approvals({ integer }: ColumnTypes): Migration {
  return {
    async up(db) {
      for (const statement of statements(integer)) await sql.raw(statement).execute(db)
    },
  }
}

const statements = (integer: string) => [
  `alter table workflows add column history_sequence ${integer} not null default 0`,
  `update workflows set history_sequence = coalesce(
    (select max(sequence) from workflow_history where workflow_id = workflows.id), 0)`,
  `create table approval_policies (
    workflow_type text not null,
    phase text not null,
    minimum_approvals ${integer} not null,
    required_roles text not null,
    four_eyes ${integer},
    updated_at text not null,
    updated_by text not null,
    primary key (workflow_type, phase)
  )`,
  `create table votes (
    attempt_id text not null references attempts(id),
    workflow_id text not null references workflows(id),
    actor text not null,
    role text not null,
    key_id text,
    digest text,
    comments text not null,
    created_at text not null,
    primary key (attempt_id, actor)
  )`,
]
