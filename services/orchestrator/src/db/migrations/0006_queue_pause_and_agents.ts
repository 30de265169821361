import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** A queue that can be paused, and attempts that wait for the slots of their agent. */
export function queuePauseAndAgents(): Migration {
  return {
    async up(db) {
      for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
    },
  }
}

const STATEMENTS = [
  `create table queues (name text primary key, paused_at text, paused_by text, reason text)`,
  `insert into queues (name) values ('phases')`,
  `alter table attempts add column queued_for text`,
  // What waited before gets the name that an unnamed agent has, so that there is no second way to wait.
  `update attempts set queued_for = coalesce(
    (select agent from workflows where workflows.id = attempts.workflow_id), 'default'
  ) where state in ('queued', 'running', 'backing_off')`,
  `drop index attempts_to_hand_out`,
  `create index attempts_to_hand_out on attempts (queued_for, position) where state = 'queued'`,
]
