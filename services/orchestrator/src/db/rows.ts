import type { Attempt, Check, HistoryItem, JsonObject, Review, Thread, Usage, Workflow } from '@orchestrator/contract'
import type { Kysely, Selectable } from 'kysely'

import type {
  AttemptArtifactsTable,
  AttemptsTable,
  ReviewsTable,
  ReviewThreadsTable,
  Tables,
  WorkflowHistoryTable,
} from './models.ts'

/** The two ways from a row to the contract's shape that a plain column does not give: JSON, and the joined attempt. */
export function parseJson<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T)
}

export function toJson(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
}

/** `select` of a workflow with its current attempt. */
export function selectWorkflows(db: Kysely<Tables>) {
  return db
    .selectFrom('workflows as w')
    .innerJoin('attempts as a', 'a.id', 'w.attempt_id')
    .select([
      'w.id',
      'w.workflow_type',
      'w.status',
      'w.feature_id',
      'w.feature_description',
      'w.current_phase',
      'w.context',
      'w.result',
      'w.error',
      'w.created_at',
      'w.updated_at',
      'w.completed_at',
      'w.workspace',
      'w.agent',
      'w.retry_of',
      'w.created_by',
      'w.sequence',
      'w.history_hash',
      'a.id as attempt_id',
      'a.number',
      'a.state',
      'a.reason',
      'a.tries',
      'a.next_retry_at',
      'a.digest',
    ])
}

type WorkflowRow = Awaited<ReturnType<ReturnType<typeof selectWorkflows>['executeTakeFirstOrThrow']>>

export function workflowOf(row: WorkflowRow): Workflow {
  const {
    sequence: _,
    history_hash: __,
    attempt_id,
    number,
    state,
    reason,
    tries,
    next_retry_at,
    digest,
    context,
    result,
    ...columns
  } = row
  return {
    ...columns,
    context: parseJson<JsonObject>(context),
    result: parseJson<JsonObject>(result),
    attempt: { id: attempt_id, number, state, reason, tries, next_retry_at, digest },
  }
}

/** A row of the history with the words beside it, which are one metadata to whoever reads. */
export function historyItemOf(row: Selectable<WorkflowHistoryTable> & { words: string | null }): HistoryItem {
  const { attempt_id: _, words_hash, words, metadata, ...columns } = row
  return {
    ...columns,
    metadata: metadataOf(metadata, words),
    words_erased: words_hash !== null && words === null,
  }
}

export function metadataOf(metadata: string | null, words: string | null): JsonObject | null {
  const facts = parseJson<JsonObject>(metadata)
  return words === null ? facts : { ...facts, ...parseJson<JsonObject>(words) }
}

export function attemptOf(
  row: Selectable<AttemptsTable>,
  artifacts: Selectable<AttemptArtifactsTable>[],
  review: Review | null,
): Attempt {
  const {
    position: _,
    hub_sequence: __,
    feedback: ___,
    notes: ____,
    queued_for: _____,
    traceparent: ______,
    uncertainty_reasons,
    checks,
    usage,
    ...columns
  } = row
  return {
    ...columns,
    uncertainty_reasons: parseJson<string[]>(uncertainty_reasons) ?? [],
    checks: parseJson<Check[]>(checks) ?? [],
    usage: parseJson<Usage>(usage),
    artifacts: artifacts.map(({ path, digest, size, media_type }) => ({ path, digest, size, media_type })),
    review,
  }
}

export function reviewOf(row: Selectable<ReviewsTable>, threads: Selectable<ReviewThreadsTable>[]): Review {
  const { workflow_id: _, attempt_id: __, ...columns } = row
  return { ...columns, threads: threads.map(threadOf) }
}

function threadOf(row: Selectable<ReviewThreadsTable>): Thread {
  const { id, path, line_start, line_end, quote, text, replacement, fate, reply } = row
  const lines = line_start === null || line_end === null ? null : { start: line_start, end: line_end }
  return { id, path, lines, quote, text, replacement, fate, reply }
}
