import type { AttemptId } from '@orchestrator/contract'

import type { Claim, Clock, ConsumeOptions, PhaseQueue, WorkflowStore } from '../core/ports.ts'
import type { Session } from './session.ts'

/** How long a broken store is left alone before the work is handed out again, in milliseconds. */
const RECOVERY_MS = 1000

interface Consumer {
  run: (claim: Claim) => Promise<void>
  concurrency: number
  stopping: AbortController
}

export interface EmbeddedQueueOptions {
  session: Session
  store: WorkflowStore
  clock: Clock
  onError: (error: unknown) => void
}

/**
 * The queue of the one process that owns the SQLite file: the attempt's row that says `queued` is the
 * queue, and a claim lives in memory only, because nobody else could hold it. Positions only grow, so
 * that finding the next one never looks at what was handed out before.
 */
export class EmbeddedQueue implements PhaseQueue {
  readonly #o: EmbeddedQueueOptions
  readonly #claims = new Map<AttemptId, { controller: AbortController; done: Promise<void> }>()
  #consumer: Consumer | undefined
  #position = 0
  /** Attempts whose run broke off on a broken store: their rows say `running`, so that only this list knows them. */
  readonly #broken = new Set<AttemptId>()
  #dispatching: Promise<void> | undefined
  #wanted = false

  constructor(o: EmbeddedQueueOptions) {
    this.#o = o
  }

  async enqueue(tx: Parameters<PhaseQueue['enqueue']>[0]): Promise<void> {
    tx.afterCommit(() => this.#wake())
  }

  async cancel(tx: Parameters<PhaseQueue['cancel']>[0], attempt_id: AttemptId): Promise<void> {
    tx.afterCommit(() => this.#claims.get(attempt_id)?.controller.abort())
  }

  async consume(run: (claim: Claim) => Promise<void>, o: ConsumeOptions): Promise<{ stop(): Promise<void> }> {
    await this.#o.session.write((tx) =>
      tx.updateTable('attempts').set({ state: 'queued' }).where('state', 'in', ['running', 'backing_off']).execute(),
    )
    const consumer: Consumer = { run, concurrency: o.concurrency, stopping: new AbortController() }
    this.#consumer = consumer
    this.#wake()
    return { stop: () => this.#stop(consumer) }
  }

  async #stop(consumer: Consumer): Promise<void> {
    consumer.stopping.abort()
    await this.#dispatching
    for (const { controller } of this.#claims.values()) controller.abort()
    await Promise.all([...this.#claims.values()].map((claim) => claim.done))
  }

  #wake(): void {
    this.#wanted = true
    if (this.#consumer !== undefined && !this.#consumer.stopping.signal.aborted)
      this.#dispatching ??= this.#dispatch(this.#consumer)
  }

  async #dispatch(consumer: Consumer): Promise<void> {
    while (this.#wanted && !consumer.stopping.signal.aborted) {
      this.#wanted = false
      try {
        await this.#fill(consumer)
      } catch (error) {
        this.#recover(consumer, error, () => (this.#position = 0))
      }
    }
    // In the same turn as the look at `#wanted`: a wake-up in between would be lost.
    this.#dispatching = undefined
  }

  /** Claims the oldest queued attempts until no slot or no attempt is left. */
  async #fill(consumer: Consumer): Promise<void> {
    for (;;) {
      const free = consumer.concurrency - this.#claims.size
      if (free <= 0) return
      const [broken] = this.#broken
      if (broken !== undefined) {
        this.#broken.delete(broken)
        this.#claim(consumer, broken)
        continue
      }
      const rows = await this.#o.session.read
        .selectFrom('attempts')
        .select(['id', 'position'])
        .where('state', '=', 'queued')
        .where('position', '>', this.#position)
        .orderBy('position')
        .limit(free)
        .execute()
      if (rows.length === 0) return
      for (const { id, position } of rows) {
        this.#position = position
        if (!this.#claims.has(id)) this.#claim(consumer, id)
      }
    }
  }

  #claim(consumer: Consumer, attempt_id: AttemptId): void {
    const controller = new AbortController()
    const claim: Claim = { attempt_id, signal: controller.signal, settle: (fn) => this.#o.store.write(fn) }
    const done = consumer
      .run(claim)
      .catch((error: unknown) => this.#recover(consumer, error, () => this.#broken.add(attempt_id)))
      .finally(() => {
        this.#claims.delete(attempt_id)
        this.#wake()
      })
    this.#claims.set(attempt_id, { controller, done })
  }

  /** What could not be run or read is handed out again a little later; no slot is held until then. */
  #recover(consumer: Consumer, error: unknown, again: () => void): void {
    if (consumer.stopping.signal.aborted) return
    this.#o.onError(error)
    void this.#o.clock.sleep(RECOVERY_MS, consumer.stopping.signal).then(
      () => {
        again()
        this.#wake()
      },
      () => {},
    )
  }
}
