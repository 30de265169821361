import { ServiceError, type WorkflowStatus } from '@orchestrator/contract'

import type { Clock, StoredRow, WorkflowStore } from './ports.ts'
import * as sentences from './sentences.ts'

/** A stored row that makes no sense. It is left alone, and all others go on. */
export class UnreadableRowError extends ServiceError implements StoredRow {
  readonly row: StoredRow['row']
  readonly id: StoredRow['id']
  readonly workflow_id: StoredRow['workflow_id']

  constructor({ row, id, workflow_id }: StoredRow, cause: unknown) {
    super('INTERNAL_ERROR', sentences.unreadable(row, workflow_id, String(cause)), { cause })
    this.row = row
    this.id = id
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
  /** Where the next look goes on. */
  #next = 0

  /** `onNew` hears of each row once. */
  constructor(onNew: (error: UnreadableRowError) => void) {
    this.#onNew = onNew
  }

  note(error: UnreadableRowError): void {
    const key = `${error.row} ${error.id}`
    if (this.#found.has(key) || this.#found.size >= KEPT_MAX) return
    this.#found.set(key, error)
    this.#onNew(error)
  }

  /** Looks at some in turn, lets go of those that can be read again, and tells of the rest. */
  async review(store: Pick<WorkflowStore, 'readAgain'>): Promise<string[]> {
    const found = [...this.#found]
    const from = this.#next < found.length ? this.#next : 0
    let kept = 0
    for (const [key, error] of found.slice(from, from + REVIEWED_MAX)) {
      const isReadable = await store.readAgain(error).then(
        () => true,
        () => false,
      )
      if (isReadable) this.#found.delete(key)
      else kept++
    }
    // Those after what was let go have moved up.
    this.#next = from + kept
    const rest = [...this.#found.values()].map((error) => error.message)
    // Several events of a workflow may say the same.
    const named = new Set([...new Set(rest)].slice(0, NAMED_MAX))
    const unnamed = rest.filter((message) => !named.has(message)).length
    return [...named, ...(unnamed > 0 ? [sentences.moreUnreadable(unnamed)] : [])]
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
