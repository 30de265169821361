import type { AgentUpdate } from '@orchestrator/contract'

/** How long an update may wait for others before they are written together. */
const FLUSH_MS = 40

/** An agent that floods must not fill the disk; what it did is in its files anyway. */
export const UPDATES_MAX = 20_000

/** Gathers what an agent does into few writes. Nothing is merged: the hub keeps updates as they came. */
export interface UpdateBuffer {
  add: (update: AgentUpdate) => void
  /** Resolves once everything added so far is kept. */
  flush: () => Promise<void>
}

/** `onError` is told of a write that failed: a lost update must not end the agent's work. */
export function createUpdateBuffer(o: {
  write: (updates: readonly AgentUpdate[]) => Promise<void>
  onError: (error: unknown) => void
}): UpdateBuffer {
  let pending: AgentUpdate[] = []
  let count = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let writing: Promise<void> = Promise.resolve()

  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    const updates = pending
    pending = []
    if (updates.length > 0) writing = writing.then(async () => o.write(updates)).catch(o.onError)
    return writing
  }

  return {
    add(update) {
      count += 1
      if (count > UPDATES_MAX) return
      pending.push(
        count < UPDATES_MAX ? update : { kind: 'note', text: 'The agent says too much: the rest is not recorded.' },
      )
      timer ??= setTimeout(() => void flush(), FLUSH_MS)
    },
    flush,
  }
}
