import {
  PHASES,
  WORKFLOW_STATUSES,
  WORKFLOW_TYPES,
  type Attempt,
  type Check,
  type HistoryItem,
  type JsonObject,
  type Review,
  type Thread,
  type Usage,
  type Workflow,
  type WorkflowId,
} from '@orchestrator/contract'
import type { Kysely, Selectable } from 'kysely'

import type { StoredRow } from '../core/ports.ts'
import { UnreadableRowError } from '../core/quarantine.ts'
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

export function parseObject(text: string | null): JsonObject | null {
  const value = parseJson<unknown>(text)
  if (typeof value !== 'object' || Array.isArray(value)) throw new TypeError('a JSON object was expected')
  return value as JsonObject | null
}

/** Throws an UnreadableRowError where `read` throws. */
export function reading<T>(row: StoredRow['row'], id: StoredRow['id'], workflow_id: WorkflowId | '', read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new UnreadableRowError({ row, id, workflow_id }, error)
  }
}

function assertKnown<T extends string>(value: T | null, known: readonly T[]): void {
  if (value !== null && !known.includes(value)) throw new TypeError(`"${value}" is not known`)
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
      'w.model',
      'w.retry_of',
      'w.created_by',
      'w.sequence',
      'w.history_hash',
      'w.history_sequence',
      'a.id as attempt_id',
      'a.number',
      'a.state',
      'a.reason',
      'a.tries',
      'a.next_retry_at',
      'a.digest',
    ])
}

export type WorkflowRow = Awaited<ReturnType<ReturnType<typeof selectWorkflows>['executeTakeFirstOrThrow']>>

/** Column by column: leaving the others out of a copy takes longer than the rest of it, on every step. */
export function workflowOf(row: WorkflowRow): Workflow {
  return reading('workflow', row.id, row.id, () => {
    assertKnown(row.status, WORKFLOW_STATUSES)
    assertKnown(row.workflow_type, WORKFLOW_TYPES)
    assertKnown(row.current_phase, PHASES)
    return {
      id: row.id,
      workflow_type: row.workflow_type,
      status: row.status,
      feature_id: row.feature_id,
      feature_description: row.feature_description,
      current_phase: row.current_phase,
      context: parseObject(row.context),
      result: parseObject(row.result),
      error: row.error,
      created_at: row.created_at,
      updated_at: row.updated_at,
      completed_at: row.completed_at,
      workspace: row.workspace,
      agent: row.agent,
      model: row.model,
      retry_of: row.retry_of,
      created_by: row.created_by,
      attempt: {
        id: row.attempt_id,
        number: row.number,
        state: row.state,
        reason: row.reason,
        tries: row.tries,
        next_retry_at: row.next_retry_at,
        digest: row.digest,
      },
    }
  })
}

/** A row of the history with the words beside it, which are one metadata to whoever reads. */
export function historyItemOf(row: Selectable<WorkflowHistoryTable> & { words: string | null }): HistoryItem {
  const { attempt_id: _, words_hash, words, metadata, ...columns } = row
  return reading('history row', row.id, row.workflow_id, () => ({
    ...columns,
    metadata: metadataOf(metadata, words),
    words_erased: words_hash !== null && words === null,
  }))
}

export function metadataOf(metadata: string | null, words: string | null): JsonObject | null {
  const facts = parseObject(metadata)
  return words === null ? facts : { ...facts, ...parseObject(words) }
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
  return reading('attempt', row.id, row.workflow_id, () => ({
    ...columns,
    uncertainty_reasons: parseJson<string[]>(uncertainty_reasons) ?? [],
    checks: parseJson<Check[]>(checks) ?? [],
    usage: parseJson<Usage>(usage),
    artifacts: artifacts.map(({ path, digest, size, media_type }) => ({ path, digest, size, media_type })),
    review,
  }))
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
