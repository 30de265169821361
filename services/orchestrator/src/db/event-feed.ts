import type {
  Digest,
  FeatureId,
  Phase,
  StreamEvent,
  StreamEventType,
  Trigger,
  WorkflowId,
  WorkflowStatus,
  WorkflowType,
} from '@orchestrator/contract'
import { sql, type Expression, type Kysely, type RawBuilder } from 'kysely'

import type { Tables } from './models.ts'
import { metadataOf, parseObject, reading } from './rows.ts'

/**
 * The feed is all that is told of workflows, in the order of its sequence. A workflow's creation is its row,
 * a transition is its row of the history, and `events` holds the rest, so that nothing is stored twice.
 */
const SOURCES = ['events', 'workflow_history', 'workflows'] as const

/** Nothing from here on is read: see postgres-sequence.ts. */
type Horizon = Expression<number> | undefined

export interface FeedPage {
  after: number
  limit: number
  horizon: Horizon
  workflow_id?: WorkflowId | undefined
}

export interface FeedRow {
  sequence: number
  workflow_id: WorkflowId | ''
  type: StreamEventType
  created_at: string
  /** Of an event. */
  data: string | null
  /** Of a transition. */
  id: string | null
  from_status: WorkflowStatus | null
  to_status: WorkflowStatus | null
  trigger: Trigger | null
  metadata: string | null
  words: string | null
  phase: Phase | null
  attempt: number | null
  digest: Digest | null
  /** Who took the step, or created the workflow. */
  actor: string | null
  /** Of a creation. */
  workflow_type: WorkflowType | null
  feature_id: FeatureId | null
  workspace: string | null
}

/** Each source brings a page at most, in the order of an index: a page costs the same however much there is. */
export async function listFeed(db: Kysely<Tables>, page: FeedPage): Promise<FeedRow[]> {
  const { rows } = await sql<FeedRow>`
    select * from (
      select sequence, workflow_id, type, created_at, data,
        cast(null as text) as id, cast(null as text) as from_status, cast(null as text) as to_status,
        cast(null as text) as trigger, cast(null as text) as metadata, cast(null as text) as words,
        cast(null as text) as phase, cast(null as bigint) as attempt, cast(null as text) as digest,
        cast(null as text) as actor, cast(null as text) as workflow_type, cast(null as text) as feature_id,
        cast(null as text) as workspace
      from events ${within(page, 'workflow_id')}) as told
    union all select * from (
      select sequence, workflow_id, 'workflow.transition', created_at, null,
        id, from_status, to_status, trigger, metadata,
        case when words_hash is not null
          then (select words from history_words where history_id = workflow_history.id) end,
        phase, attempt, digest, actor, null, null, null
      from workflow_history ${within(page, 'workflow_id')}) as transitions
    union all select * from (
      select sequence, id, 'workflow.created', created_at, null,
        null, null, null, null, null, null, null, cast(null as bigint), null, created_by, workflow_type, feature_id, workspace
      from workflows ${within(page, 'id')}) as creations
    order by sequence limit ${page.limit}`.execute(db)
  return rows
}

/** The last sequence that can be read, of what admins did too, which the feed does not tell; 0 when there is none. */
export function lastOfFeed(horizon?: Horizon): RawBuilder<number> {
  const where = horizon === undefined ? sql`` : sql`where sequence < ${horizon}`
  const last = [...SOURCES, 'admin_acts'].map(
    (table) => sql`select max(sequence) as sequence from ${sql.table(table)} ${where}`,
  )
  return sql<number>`(select coalesce(max(sequence), 0) from (${sql.join(last, sql` union all `)}) as feed)`
}

function within({ after, limit, horizon, workflow_id }: FeedPage, column: 'id' | 'workflow_id'): RawBuilder<unknown> {
  const below = horizon === undefined ? sql`` : sql`and sequence < ${horizon}`
  const of = workflow_id === undefined ? sql`` : sql`and ${sql.ref(column)} = ${workflow_id}`
  return sql`where sequence > ${after} ${below} ${of} order by sequence limit ${limit}`
}

/** Throws an UnreadableRowError. */
export function eventOf(row: FeedRow): StreamEvent {
  const { sequence, workflow_id, type, created_at } = row
  return {
    sequence,
    workflow_id: workflow_id === '' ? null : workflow_id,
    type,
    created_at,
    data: reading('event', sequence, workflow_id, () => dataOf(row)),
  } as StreamEvent
}

function dataOf({ data, workflow_type, feature_id, workspace, metadata, words, type, ...columns }: FeedRow) {
  if (type === 'workflow.created')
    return { workflow_type, status: 'pending', feature_id, workspace, created_by: columns.actor }
  if (type === 'workflow.transition') return { ...columns, metadata: metadataOf(metadata, words) }
  return parseObject(data)
}
