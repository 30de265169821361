import { hashOfCreation, hashOfRow, type ChainedRow, type Creation } from '@orchestrator/audit'
import { sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

import type { ColumnTypes } from './column-types.ts'

/** Workflows chained at once when there was a history before. */
const BATCH = 500

/** The chain over the history: who asked by what, a person's words beside it, and rows that nobody changes. */
export function audit({ database }: ColumnTypes): Migration {
  return {
    async up(db) {
      for (const statement of COLUMNS) await sql.raw(statement).execute(db)
      await chainWhatIsThere(db)
      for (const statement of database === 'sqlite' ? SQLITE_GUARDS : POSTGRES_GUARDS)
        await sql.raw(statement).execute(db)
    },
  }
}

const COLUMNS = [
  `alter table workflows add column key_id text`,
  `alter table workflows add column request_id text`,
  `alter table workflows add column address text`,
  `alter table workflows add column history_hash text not null default ''`,
  `alter table workflow_history add column key_id text`,
  `alter table workflow_history add column request_id text`,
  `alter table workflow_history add column address text`,
  `alter table workflow_history add column words_hash text`,
  `alter table workflow_history add column hash text not null default ''`,
  `create table history_words (
    history_id text primary key references workflow_history(id),
    salt text,
    words text,
    erased_at text,
    erased_by text
  )`,
]

const REFUSAL = 'the history is only ever added to'

const SQLITE_GUARDS = ['update', 'delete'].map(
  (deed) =>
    `create trigger workflow_history_no_${deed} before ${deed} on workflow_history
      begin select raise(abort, '${REFUSAL}'); end`,
)

const POSTGRES_GUARDS = [
  `create function refuse_history_change() returns trigger language plpgsql as
    $$ begin raise exception '${REFUSAL}'; end $$`,
  `create trigger workflow_history_no_change before update or delete on workflow_history
    for each row execute function refuse_history_change()`,
  `create trigger workflow_history_no_truncate before truncate on workflow_history
    for each statement execute function refuse_history_change()`,
]

/** A history from before the chain is taken as it is found, words included. */
async function chainWhatIsThere(db: Kysely<unknown>): Promise<void> {
  for (let after = ''; ;) {
    const { rows: workflows } = await sql<Creation>`
      select id, workflow_type, feature_id, workspace, retry_of, created_by, key_id, request_id, address, created_at
      from workflows where id > ${after} order by id limit ${sql.lit(BATCH)}`.execute(db)
    for (const workflow of workflows) await chainOne(db, workflow)
    const last = workflows.at(-1)
    if (last === undefined) return
    after = last.id
  }
}

async function chainOne(db: Kysely<unknown>, workflow: Creation): Promise<void> {
  const { rows } = await sql<ChainedRow>`
    select * from workflow_history where workflow_id = ${workflow.id} order by sequence`.execute(db)
  let hash = hashOfCreation(workflow)
  for (const row of rows) {
    hash = hashOfRow(hash, row)
    await sql`update workflow_history set hash = ${hash} where id = ${row.id}`.execute(db)
  }
  await sql`update workflows set history_hash = ${hash} where id = ${workflow.id}`.execute(db)
}
