import { ServiceError, type WorkflowId, type WorkflowStatus } from '@orchestrator/contract'

import type { Clock, WorkflowStore } from './ports.ts'
import * as sentences from './sentences.ts'

/** A stored row that makes no sense. It is left alone, and all others go on. */
export class UnreadableRowError extends ServiceError {
  readonly row: 'workflow' | 'attempt' | 'history row' | 'event'
  /** Empty for an event of the queue as a whole. */
  readonly workflow_id: WorkflowId | ''

  constructor(row: UnreadableRowError['row'], workflow_id: WorkflowId | '', cause: unknown) {
    super('INTERNAL_ERROR', sentences.unreadable(row, workflow_id, String(cause)), { cause })
    this.row = row
    this.workflow_id = workflow_id
  }
}

/** Named in an answer about health at most; the log has them all. */
const NAMED_MAX = 5
const KEPT_MAX = 1_000
/** Looked at again by one check of health at most. */
const REVIEWED_MAX = 20

/** What was found unreadable since the start. */
export class Quarantine {
  readonly #found = new Map<string, UnreadableRowError>()
  readonly #onNew: (error: UnreadableRowError) => void

  /** `onNew` hears of each row once. */
  constructor(onNew: (error: UnreadableRowError) => void) {
    this.#onNew = onNew
  }

  note(error: UnreadableRowError): void {
    const key = `${error.row} ${error.workflow_id}`
    if (this.#found.has(key) || this.#found.size >= KEPT_MAX) return
    this.#found.set(key, error)
    this.#onNew(error)
  }

  /** Lets go of the workflows that can be read again, and tells of the rest. */
  async review(store: Pick<WorkflowStore, 'findWorkflow'>): Promise<string[]> {
    const workflows = [...this.#found].filter(([, { row }]) => row === 'workflow').slice(0, REVIEWED_MAX)
    for (const [key, { workflow_id }] of workflows) {
      await store.findWorkflow(workflow_id as WorkflowId).then(
        () => this.#found.delete(key),
        () => {},
      )
    }
    const rest = [...this.#found.values()]
    const unnamed = rest.length - NAMED_MAX
    return [
      ...rest.slice(0, NAMED_MAX).map((error) => error.message),
      ...(unnamed > 0 ? [sentences.moreUnreadable(unnamed)] : []),
    ]
  }
}

const UNENDED = ['pending', 'in_progress', 'waiting_approval'] satisfies WorkflowStatus[]
const PAGE = 20
const PAUSE_MS = 100

/**
 * Reads everything that has not ended once, a page at a time and in no hurry, so that what cannot be read is known
 * before somebody needs it.
 */
export async function readThrough(
  store: Pick<WorkflowStore, 'listWorkflows' | 'readUnknownStatuses'>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  await store.readUnknownStatuses()
  for (const status of UNENDED) {
    let cursor: string | null | undefined
    while (cursor !== null) {
      const page = await store.listWorkflows({ status, limit: PAGE, ...(cursor !== undefined && { cursor }) })
      cursor = page.next_cursor
      if (cursor !== null) await clock.sleep(PAUSE_MS, signal)
    }
  }
}
