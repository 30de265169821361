import type { Clock, WorkflowStore } from './ports.ts'

const DAY_MS = 86_400_000
const LOOK_MS = 3_600_000
/** Rows of one commit, and the pause after it: whoever writes meanwhile notices nothing. */
const BATCH = 1_000
const PAUSE_MS = 50

export interface RetentionOptions {
  store: WorkflowStore
  clock: Clock
  /** Of events; 0 keeps them for ever. */
  days: number
  onError: (error: unknown) => void
}

/** Who asks again under an Idempotency-Key does so within this. */
const ANSWER_DAYS = 7

/** Removes events, and answers for who asks twice, that are older than they are kept; the history of workflows stays, whatever its age. */
export class Retention {
  readonly #o: RetentionOptions
  readonly #stopping = new AbortController()
  #working: Promise<void> = Promise.resolve()

  constructor(o: RetentionOptions) {
    this.#o = o
  }

  start(): void {
    this.#working = this.#work()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#working
  }

  /** Answers how many went. */
  async removeExpired(): Promise<number> {
    const { store, days } = this.#o
    const answers = await this.#remove(ANSWER_DAYS, (before) => store.deleteIdempotentAnswersBefore(before, BATCH))
    return days === 0
      ? answers
      : answers + (await this.#remove(days, (before) => store.deleteEventsBefore(before, BATCH)))
  }

  async #remove(days: number, remove: (before: string) => Promise<number>): Promise<number> {
    const before = new Date(this.#o.clock.now().getTime() - days * DAY_MS).toISOString()
    let removed = 0
    while (!this.#stopping.signal.aborted) {
      const count = await remove(before)
      removed += count
      if (count < BATCH) break
      await this.#sleep(PAUSE_MS)
    }
    return removed
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
