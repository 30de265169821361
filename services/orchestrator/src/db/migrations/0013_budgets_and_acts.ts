import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

import type { ColumnTypes } from './column-types.ts'

/** What agents cost, by day and by feature, and what admins did, in a chain that is only added to. */
export function budgetsAndActs({ database, integer, real }: ColumnTypes): Migration {
  return {
    async up(db) {
      const cost = database === 'sqlite' ? `json_extract(usage, '$.cost_usd')` : `(usage::json ->> 'cost_usd')::${real}`
      const guards = database === 'sqlite' ? SQLITE_GUARDS : POSTGRES_GUARDS
      for (const statement of [...tables(integer, real), ...totals(cost), ...guards])
        await sql.raw(statement).execute(db)
    },
  }
}

const tables = (integer: string, real: string) => [
  `create table budgets (
    name text primary key,
    spent_usd ${real} not null default 0,
    limit_usd ${real},
    lifted_at text,
    lifted_by text,
    reason text
  )`,
  `create index budgets_by_spent on budgets (spent_usd)`,
  `create table admin_acts (
    sequence ${integer} primary key,
    action text not null,
    subject text not null,
    details text not null,
    actor text not null,
    key_id text,
    request_id text,
    address text,
    created_at text not null,
    hash text not null
  )`,
  `insert into counters (name, value) values ('admin_acts', 0)`,
]

/** Of what was spent before anybody counted. */
const totals = (cost: string) => [
  `insert into budgets (name, spent_usd)
    select 'feature:' || feature_id, sum(cost) from (
      select w.feature_id as feature_id, ${cost} as cost
      from attempts a join workflows w on w.id = a.workflow_id where a.usage is not null) as spent
    where cost > 0 group by feature_id`,
  `insert into budgets (name, spent_usd)
    select 'day:' || day, sum(cost) from (
      select substr(finished_at, 1, 10) as day, ${cost} as cost
      from attempts where usage is not null and finished_at is not null) as spent
    where cost > 0 group by day`,
]

const REFUSAL = 'what admins did is only ever added to'

const SQLITE_GUARDS = ['update', 'delete'].map(
  (deed) =>
    `create trigger admin_acts_no_${deed} before ${deed} on admin_acts
      begin select raise(abort, '${REFUSAL}'); end`,
)

const POSTGRES_GUARDS = [
  `create trigger admin_acts_no_change before update or delete on admin_acts
    for each row execute function refuse_history_change()`,
  `create trigger admin_acts_no_truncate before truncate on admin_acts
    for each statement execute function refuse_history_change()`,
]
