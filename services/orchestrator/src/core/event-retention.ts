import type { Clock, WorkflowStore } from './ports.ts'

const DAY_MS = 86_400_000
const LOOK_MS = 3_600_000
/** Rows of one commit, and the pause after it: whoever writes meanwhile notices nothing. */
const BATCH = 1_000
const PAUSE_MS = 50

export interface EventRetentionOptions {
  store: WorkflowStore
  clock: Clock
  /** 0 keeps them for ever. */
  days: number
  onError: (error: unknown) => void
}

/** Removes events that are older than they are kept; the history of workflows stays, whatever its age. */
export class EventRetention {
  readonly #o: EventRetentionOptions
  readonly #stopping = new AbortController()
  #working: Promise<void> = Promise.resolve()

  constructor(o: EventRetentionOptions) {
    this.#o = o
  }

  start(): void {
    if (this.#o.days > 0) this.#working = this.#work()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#working
  }

  /** Answers how many went. */
  async removeExpired(): Promise<number> {
    const { store, clock, days } = this.#o
    const before = new Date(clock.now().getTime() - days * DAY_MS).toISOString()
    let removed = 0
    for (;;) {
      const count = await store.deleteEventsBefore(before, BATCH)
      removed += count
      if (count < BATCH || this.#stopping.signal.aborted) return removed
      await this.#sleep(PAUSE_MS)
    }
  }

  async #work(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.removeExpired().catch(this.#o.onError)
      await this.#sleep(LOOK_MS)
    }
  }

  #sleep(ms: number): Promise<void> {
    return this.#o.clock.sleep(ms, this.#stopping.signal).catch(() => {})
  }
}
