import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

import type { ColumnTypes } from './column-types.ts'

/** What reviewers note on an attempt beside their verdict: answers to its questions, ticks of its checklists. */
export function reviewerNotes(types: ColumnTypes): Migration {
  return {
    async up(db) {
      for (const statement of statements(types)) await sql.raw(statement).execute(db)
    },
  }
}

const statements = ({ integer, counting_key }: ColumnTypes) => [
  `create table question_answers (
    sequence ${counting_key},
    workflow_id text not null references workflows(id),
    attempt_id text not null references attempts(id),
    digest text,
    question_id text not null,
    question text not null,
    path text,
    line ${integer},
    answer text,
    actor text not null,
    created_at text not null
  )`,
  `create index question_answers_by_attempt on question_answers (attempt_id, sequence)`,
  `create table checklist_ticks (
    sequence ${counting_key},
    feature_id text not null,
    workflow_id text not null references workflows(id),
    attempt_id text not null references attempts(id),
    digest text,
    item_id text not null,
    path text not null,
    label text not null,
    ticked ${integer} not null,
    actor text not null,
    created_at text not null,
    applied ${integer} not null default 0
  )`,
  `create index checklist_ticks_by_attempt on checklist_ticks (attempt_id, sequence)`,
  `create index checklist_ticks_to_apply on checklist_ticks (feature_id, sequence) where applied = 0`,
  // So that whoever decides or continues looks for notes only where there are some.
  `alter table attempts add column notes ${integer} not null default 0`,
  `alter table features add column ticks_to_apply ${integer} not null default 0`,
]
