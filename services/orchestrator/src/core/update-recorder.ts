import type { AgentUpdate } from '@orchestrator/contract'

import { mergeUpdates } from './agent-updates.ts'
import type { Clock } from './ports.ts'

/** At most ten records a second and attempt, as product.md's limit says. */
const INTERVAL_MS = 100

export interface UpdateRecorder {
  add(update: AgentUpdate, sequence: number): void
  /** Writes what is left, and ends. Throws what `record` throws. */
  close(): Promise<void>
}

/** Collects an agent's updates and records them in bursts; `record` gets them merged, with the hub's last sequence. */
export function createUpdateRecorder(
  clock: Clock,
  record: (updates: AgentUpdate[], hub_sequence: number) => Promise<void>,
): UpdateRecorder {
  const pending: AgentUpdate[] = []
  let sequence = 0
  /** Being written. One that failed is written again as it was: its last sequence tells whether it was stored after all. */
  let burst: { updates: AgentUpdate[]; sequence: number } | undefined
  let writing: Promise<void> | undefined
  const closing = new AbortController()

  const isEmpty = () => burst === undefined && pending.length === 0
  const flush = async () => {
    burst ??= { updates: mergeUpdates(pending.splice(0)), sequence }
    await record(burst.updates, burst.sequence)
    burst = undefined
  }
  const drain = async () => {
    while (!isEmpty() && !closing.signal.aborted) {
      // What could not be written is kept for the next time, and for `close`, which tells.
      await flush().catch(() => {})
      await clock.sleep(INTERVAL_MS, closing.signal).catch(() => {})
    }
    writing = undefined
  }

  return {
    add(update, hub_sequence) {
      pending.push(update)
      sequence = hub_sequence
      writing ??= drain()
    },
    async close() {
      if (writing !== undefined) {
        closing.abort()
        await writing
      }
      while (!isEmpty()) await flush()
    },
  }
}
