import type { AttemptId } from '@orchestrator/contract'

import { HubError, type AgentHub } from './agent-hub.ts'
import type { Clock, WorkflowStore } from './ports.ts'

const RETRY_MS = 2000

export interface CancellationsOptions {
  store: WorkflowStore
  hub: AgentHub
  clock: Clock
  onError: (error: unknown) => void
}

/**
 * Tells the hub to stop what is no longer wanted. What is to be told stands in the same commit as the
 * decision, so that a crash in between loses none of it; it is told until the hub confirms.
 */
export class Cancellations {
  readonly #o: CancellationsOptions
  readonly #stopping = new AbortController()
  #working: Promise<void> | undefined
  #wanted = false
  /** Attempts that the hub knew neither by a name nor by their key: given one more look, for they may be on their way to it. */
  readonly #unnamed = new Set<AttemptId>()

  constructor(o: CancellationsOptions) {
    this.#o = o
  }

  /** Looks for something to tell: at start, and after each commit that added some. */
  wake(): void {
    this.#wanted = true
    if (!this.#stopping.signal.aborted) this.#working ??= this.#work()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#working
  }

  async #work(): Promise<void> {
    while (this.#wanted && !this.#stopping.signal.aborted) {
      this.#wanted = false
      const told = await this.#tellAll().catch((error: unknown) => {
        this.#o.onError(error)
        return false
      })
      if (told) continue
      this.#wanted = true
      await this.#o.clock.sleep(RETRY_MS, this.#stopping.signal).catch(() => {})
    }
    // In the same turn as the look at `#wanted`: a wake-up in between would be lost.
    this.#working = undefined
  }

  /** Answers whether none is left to be told. */
  async #tellAll(): Promise<boolean> {
    const { store, hub } = this.#o
    let all = true
    for (const { attempt_id, invocation_id } of await store.listCancellations()) {
      try {
        if (invocation_id !== null) await hub.cancel(invocation_id)
        else if (!(await hub.cancelByKey(attempt_id)) && !this.#unnamed.has(attempt_id)) {
          this.#unnamed.add(attempt_id)
          all = false
          continue
        }
        await store.write((tx) => tx.deleteCancellation(attempt_id))
        this.#unnamed.delete(attempt_id)
      } catch (error) {
        if (!(error instanceof HubError)) throw error
        all = false
      }
    }
    return all
  }
}
