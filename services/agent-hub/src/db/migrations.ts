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
  '0002_conversations': {
    async up(db) {
      await sql`alter table sessions add column closed_at text`.execute(db)
      await sql`alter table sessions add column process_pid integer`.execute(db)
      await sql`alter table sessions add column process_started text`.execute(db)
      await sql`create index sessions_used on sessions (updated_at) where closed_at is null`.execute(db)
      await sql`create index sessions_with_process on sessions (process_pid)
        where process_pid is not null`.execute(db)
      await sql`create index invocations_of_session on invocations (session_id)`.execute(db)
      await sql`
        create table escalations (
          sequence integer primary key autoincrement,
          id text not null unique,
          status text not null,
          topic text not null,
          question text not null,
          feature_id text not null,
          session_id text not null references sessions(id),
          answer text not null,
          rationale text,
          confidence real not null,
          action text,
          note text,
          acted_by text,
          created_at text not null,
          updated_at text not null
        ) strict`.execute(db)
      await sql`create index escalations_of_feature on escalations (feature_id, sequence)`.execute(db)
      await sql`create index escalations_pending on escalations (sequence) where status = 'pending'`.execute(db)
      await sql`
        create table exchanges (
          sequence integer primary key autoincrement,
          id text not null unique,
          kind text not null,
          feature_id text not null,
          workspace text not null,
          agent text not null,
          session_id text not null,
          invocation_id text,
          topic text,
          prompt_digest text not null,
          answer_digest text,
          outcome text not null,
          started_at text not null,
          duration_ms integer not null
        ) strict`.execute(db)
      await sql`create index exchanges_of_feature on exchanges (feature_id, sequence)`.execute(db)
    },
  },
  '0003_traffic': {
    async up(db) {
      for (const column of ['model_requests', 'model_refusals', 'network_refusals']) {
        await sql`alter table exchanges add column ${sql.ref(column)} integer not null default 0`.execute(db)
      }
    },
  },
}
