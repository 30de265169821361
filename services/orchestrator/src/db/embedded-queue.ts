import type { AttemptId } from '@orchestrator/contract'
import { sqliteResultCode, SQLITE_CONSTRAINT } from '@orchestrator/sqlite'
import { sql } from 'kysely'

import type {
  Claim,
  Clock,
  ConsumeOptions,
  PhaseQueue,
  QueueLoad,
  QueuePause,
  WorkflowStore,
  WorkflowTransaction,
} from '../core/ports.ts'
import { UnreadableRowError } from '../core/quarantine.ts'
import { counted } from './counted.ts'
import { clearPause, findPause, storePause } from './queue-pause.ts'
import type { Session } from './session.ts'
import { databaseTransaction } from './transaction.ts'
import { WaitingAttempts } from './waiting-attempts.ts'

/** How long a broken store is left alone before the work is handed out again, in milliseconds. */
const RECOVERY_MS = 1000
/** How often a run may break off by a fault of its own until its attempt fails. */
const BREAKS_MAX = 20
/** The pause after each is twice the one before, up to 64 times the first. */
const DOUBLINGS_MAX = 6
/** How long one whose row cannot be read is: somebody has to correct it first. */
const UNREADABLE_MS = 5000

interface Consumer extends ConsumeOptions {
  run: (claim: Claim) => Promise<void>
  stopping: AbortController
}

interface Held {
  agent: string
  controller: AbortController
  done: Promise<void>
}

export interface EmbeddedQueueOptions {
  session: Session
  store: WorkflowStore
  clock: Clock
  onError: (error: unknown) => void
}

/**
 * The queue of the one process that owns the SQLite file: the attempt's row that says `queued` is the
 * queue, and a claim lives in memory only, because nobody else could hold it.
 */
export class EmbeddedQueue implements PhaseQueue {
  readonly #o: EmbeddedQueueOptions
  readonly #claims = new Map<AttemptId, Held>()
  readonly #waiting: WaitingAttempts
  #consumer: Consumer | undefined
  #isPaused = false
  /** Attempts whose run broke off on a broken store, with their agent: their rows say `running`, so that only this list knows them. */
  readonly #broken = new Map<AttemptId, string>()
  /** How often in a row the run of an attempt broke off by a fault of its own. */
  readonly #breaks = new Map<AttemptId, number>()
  #dispatching: Promise<void> | undefined
  #wanted = false

  constructor(o: EmbeddedQueueOptions) {
    this.#o = o
    this.#waiting = new WaitingAttempts(o.session.read)
  }

  async enqueue(tx: WorkflowTransaction, _attempt_id: AttemptId, agent: string): Promise<void> {
    tx.afterCommit(() => {
      this.#waiting.add(agent)
      this.#wake()
    })
  }

  async cancel(tx: WorkflowTransaction, attempt_id: AttemptId): Promise<void> {
    tx.afterCommit(() => this.#claims.get(attempt_id)?.controller.abort())
  }

  async pause(tx: WorkflowTransaction, pause: QueuePause): Promise<boolean> {
    tx.afterCommit(() => (this.#isPaused = true))
    return storePause(databaseTransaction(tx), pause)
  }

  async resume(tx: WorkflowTransaction): Promise<boolean> {
    tx.afterCommit(() => {
      this.#isPaused = false
      this.#wake()
    })
    return clearPause(databaseTransaction(tx))
  }

  async lookAgain(): Promise<void> {
    await this.#waiting.reset()
    this.#wake()
  }

  findPause(): Promise<QueuePause | undefined> {
    return findPause(this.#o.session.read)
  }

  async describeLoad(): Promise<QueueLoad> {
    const { read } = this.#o.session
    const [waiting, at_work, oldest_waiting_at] = await Promise.all([
      counted(read, sql`attempts where state = 'queued'`),
      counted(read, sql`attempts where state in ('running', 'backing_off')`),
      this.#waiting.findOldest(),
    ])
    return { waiting, at_work, oldest_waiting_at }
  }

  async consume(run: (claim: Claim) => Promise<void>, o: ConsumeOptions): Promise<{ stop(): Promise<void> }> {
    await this.#o.session.write((tx) =>
      tx.updateTable('attempts').set({ state: 'queued' }).where('state', 'in', ['running', 'backing_off']).execute(),
    )
    this.#isPaused = (await this.findPause()) !== undefined
    await this.#waiting.reset()
    const consumer: Consumer = { ...o, run, stopping: new AbortController() }
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
        this.#recover(consumer, error, () => this.#waiting.reset())
      }
    }
    // In the same turn as the look at `#wanted`: a wake-up in between would be lost.
    this.#dispatching = undefined
  }

  /** Claims the oldest queued attempts until no slot or no attempt is left. */
  async #fill(consumer: Consumer): Promise<void> {
    for (;;) {
      const free = consumer.concurrency - this.#claims.size
      if (free <= 0 || this.#isPaused) return
      const broken = [...this.#broken].find(([, agent]) => this.#freeOf(consumer, agent) > 0)
      if (broken !== undefined) {
        this.#broken.delete(broken[0])
        // One that broke off before it began still waits in its row as well, and may have been found there.
        if (!this.#claims.has(broken[0])) this.#claim(consumer, ...broken)
        continue
      }
      const taken = await this.#waiting.take(free, (agent) => this.#freeOf(consumer, agent))
      if (taken.length === 0) return
      for (const { id, agent } of taken) if (!this.#claims.has(id)) this.#claim(consumer, id, agent)
    }
  }

  #freeOf({ concurrency_per_agent: most }: Consumer, agent: string): number {
    if (most === undefined) return Number.POSITIVE_INFINITY
    return most - [...this.#claims.values()].filter((held) => held.agent === agent).length
  }

  #claim(consumer: Consumer, attempt_id: AttemptId, agent: string): void {
    const controller = new AbortController()
    const claim: Claim = { attempt_id, signal: controller.signal, settle: (fn) => this.#o.store.write(fn) }
    const done = consumer
      .run(claim)
      .then(
        () => void this.#breaks.delete(attempt_id),
        (error: unknown) => this.#breakOff(consumer, error, attempt_id, agent),
      )
      .finally(() => {
        this.#claims.delete(attempt_id)
        this.#wake()
      })
    this.#claims.set(attempt_id, { agent, controller, done })
  }

  /** A run that breaks off by a fault of its own does so ever more rarely, and at last it fails the attempt. */
  #breakOff(consumer: Consumer, error: unknown, attempt_id: AttemptId, agent: string): void {
    const breaks = (this.#breaks.get(attempt_id) ?? 0) + Number(isOfTheRun(error))
    this.#breaks.set(attempt_id, breaks)
    const bury = async () => {
      if (this.#claims.has(attempt_id)) return
      await this.#o.store.write((tx) => consumer.onDead(tx, attempt_id))
      this.#breaks.delete(attempt_id)
    }
    const again = breaks < BREAKS_MAX ? () => this.#broken.set(attempt_id, agent) : bury
    this.#recover(consumer, error, again, RECOVERY_MS * 2 ** Math.min(Math.max(0, breaks - 1), DOUBLINGS_MAX))
  }

  /** What could not be run or read is handed out again a little later; no slot is held until then. */
  #recover(consumer: Consumer, error: unknown, again: () => unknown, recovery_ms = RECOVERY_MS): void {
    if (consumer.stopping.signal.aborted) return
    this.#o.onError(error)
    const pause = error instanceof UnreadableRowError ? UNREADABLE_MS : recovery_ms
    void this.#o.clock
      .sleep(pause, consumer.stopping.signal)
      .then(again)
      .then(
        () => this.#wake(),
        (again_failed: unknown) => this.#recover(consumer, again_failed, again),
      )
  }
}

/** Whether it tells of this run alone: a disk that is full or busy, or a row that somebody has to correct, says nothing of it. */
function isOfTheRun(error: unknown): boolean {
  const code = sqliteResultCode(error)
  return (code === undefined || code === SQLITE_CONSTRAINT) && !(error instanceof UnreadableRowError)
}
