import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

import type { ColumnTypes } from './column-types.ts'

/** The seed's two tables, then ours. */
export function initial(types: ColumnTypes): Migration {
  return {
    async up(db) {
      for (const statement of statements(types)) await sql.raw(statement).execute(db)
    },
  }
}

const statements = ({ integer, real, blob, counting_key, event_key }: ColumnTypes) => [
  `create table workflows (
    id text primary key,
    workflow_type text not null,
    status text not null default 'pending',
    feature_id text not null,
    feature_description text not null,
    current_phase text,
    context text,
    result text,
    error text,
    created_at text not null,
    updated_at text not null,
    completed_at text,
    workspace text not null,
    agent text,
    retry_of text references workflows(id),
    created_by text not null,
    attempt_id text not null,
    sequence ${integer} not null
  )`,
  `create unique index workflows_by_sequence on workflows (sequence)`,
  `create index workflows_by_status on workflows (status, sequence)`,
  `create index workflows_by_feature on workflows (feature_id, sequence)`,
  `create unique index workflows_one_active on workflows (feature_id)
    where status in ('pending', 'in_progress', 'waiting_approval')`,

  `create table workflow_history (
    id text primary key,
    workflow_id text not null references workflows(id),
    from_status text not null,
    to_status text not null,
    trigger text not null,
    metadata text,
    created_at text not null,
    sequence ${integer} not null,
    actor text not null,
    phase text,
    attempt ${integer},
    attempt_id text not null,
    digest text
  )`,
  `create unique index workflow_history_by_workflow on workflow_history (workflow_id, sequence)`,

  `create table attempts (
    position ${counting_key},
    id text not null unique,
    workflow_id text not null,
    phase text not null,
    number ${integer} not null,
    state text not null,
    reason text,
    tries ${integer} not null default 0,
    next_retry_at text,
    agent text,
    invocation_id text,
    hub_sequence ${integer} not null default 0,
    session_id text,
    feedback text,
    digest text,
    output text,
    confidence ${real},
    uncertainty_reasons text,
    checks text,
    usage text,
    created_at text not null,
    started_at text,
    finished_at text,
    unique (workflow_id, phase, number)
  )`,
  `create index attempts_to_hand_out on attempts (position) where state = 'queued'`,
  `create index attempts_handed_out on attempts (state) where state in ('running', 'backing_off')`,

  `create table attempt_artifacts (
    attempt_id text not null references attempts(id),
    path text not null,
    digest text not null,
    size ${integer} not null,
    media_type text not null,
    primary key (attempt_id, path)
  )`,
  `create table artifacts (
    digest text primary key,
    path text not null,
    media_type text not null,
    content ${blob} not null
  )`,

  `create table reviews (
    id text primary key,
    workflow_id text not null references workflows(id),
    attempt_id text not null unique references attempts(id),
    verdict text not null,
    actor text not null,
    digest text,
    created_at text not null
  )`,
  `create table review_threads (
    id text primary key,
    review_id text not null references reviews(id),
    workflow_id text not null,
    position ${integer} not null,
    path text,
    line_start ${integer},
    line_end ${integer},
    quote text,
    text text not null,
    fate text not null,
    reply text
  )`,
  `create index review_threads_by_review on review_threads (review_id, position)`,
  `create index review_threads_open on review_threads (workflow_id) where fate = 'open'`,

  `create table features (
    sequence ${counting_key},
    id text not null unique,
    workspace text not null,
    description text not null,
    created_at text not null,
    updated_at text not null
  )`,
  `create table counters (name text primary key, value ${integer} not null)`,
  `insert into counters (name, value) values ('feature_number', 0)`,

  `create table events (
    sequence ${event_key},
    workflow_id text not null,
    type text not null,
    data text not null,
    created_at text not null
  )`,
  `create index events_by_workflow on events (workflow_id, sequence)`,

  `create table hub_cancellations (attempt_id text primary key)`,
  `create table idempotent_answers (
    key text primary key,
    body_digest text not null,
    answer text not null,
    created_at text not null
  )`,
  `create table keys (
    id text primary key,
    name text not null,
    role text not null,
    secret_sha256 text not null,
    created_at text not null,
    expires_at text,
    revoked_at text
  )`,
]
