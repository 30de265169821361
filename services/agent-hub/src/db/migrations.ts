import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Numbered and forward only: one that was released is never changed. */
export const migrations: Record<string, Migration> = {
  '0001_initial': {
    async up(db) {
      await sql`
        create table sessions (
          id text primary key,
          agent text not null,
          workspace text not null,
          feature_id text not null,
          acp_session_id text,
          home text not null,
          created_at text not null,
          updated_at text not null
        ) strict`.execute(db)
      await sql`
        create table invocations (
          position integer primary key autoincrement,
          id text not null unique,
          idempotency_key text unique,
          body_hash text not null,
          agent text not null,
          workspace text not null,
          feature_id text not null,
          request text not null,
          status text not null,
          prepared text,
          response text,
          session_id text references sessions(id),
          process_pid integer,
          process_started text,
          cancel_requested_at text,
          runs integer not null default 0,
          created_at text not null,
          started_at text,
          finished_at text
        ) strict`.execute(db)
      await sql`create index invocations_unfinished on invocations (status, position)
        where status in ('queued', 'running')`.execute(db)
      await sql`create index invocations_with_process on invocations (process_pid)
        where process_pid is not null`.execute(db)
      await sql`create index invocations_finished on invocations (finished_at)`.execute(db)
      await sql`
        create table invocation_events (
          invocation_id text not null references invocations(id),
          sequence integer not null,
          type text not null,
          data text not null,
          created_at text not null,
          primary key (invocation_id, sequence)
        ) strict, without rowid`.execute(db)
      await sql`
        create table artifacts (
          digest text primary key,
          bytes blob not null,
          size integer not null,
          created_at text not null
        ) strict`.execute(db)
    },
  },
}
