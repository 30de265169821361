import type { AttemptId } from '@orchestrator/contract'
import { sql } from 'kysely'

import { backoffDelay } from '../core/backoff.ts'
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
import { ClaimLostError, type PhaseJob, type PhaseJobs } from './phase-jobs.ts'
import { bury, ignoreLost, reconcile } from './phase-upkeep.ts'
import { CHANNEL } from './postgres-signals.ts'
import { clearPause, findPause, storePause } from './queue-pause.ts'
import type { Session } from './session.ts'
import type { Signals } from './shared-database.ts'
import { databaseTransaction } from './transaction.ts'

/** Looks for work without having been told, which is how a job of a lost replica is found. */
const POLL_MS = 500
/** Well within the engine's heartbeat of 10 s. */
const TOUCH_MS = 3_000
const RECONCILE_MS = 60_000
/** How long a run that broke off keeps its slot, so that it does not break off again at once. */
const RECOVERY_MS = 1_000
/** When an attempt whose row cannot be read is met again. */
const UNREADABLE_SECONDS = 5
/** An attempt that lost more than one replica may be what kills them: it is taken up ever more slowly. */
const CRASH_BACKOFF = { max_tries: 0, base_ms: 1_000, cap_ms: 60_000 }

interface Held {
  job: PhaseJob
  controller: AbortController
  /** What becomes of the job: it is retired when the run ends, unless something else became of it before. */
  fate: 'retire' | 'handed_back' | 'lost' | 'settled'
  done: Promise<void>
}

interface Consumer extends ConsumeOptions {
  run: (claim: Claim) => Promise<void>
  stopping: AbortController
}

export interface PgBossQueueOptions {
  jobs: PhaseJobs
  session: Session
  signals: Signals
  store: WorkflowStore
  clock: Clock
  onError: (error: unknown) => void
  onRefused: (attempt_id: AttemptId) => void
}

/**
 * The queue of any number of replicas on one Postgres, over pg-boss. A job is inserted by the
 * transaction that makes the attempt and retired by the one that ends it; whoever was taken for dead
 * meanwhile finds its job gone and its transaction rolled back. One loop fetches for all slots.
 */
export class PgBossQueue implements PhaseQueue {
  readonly #o: PgBossQueueOptions
  readonly #held = new Map<AttemptId, Held>()
  #wake: () => void = () => {}
  #isWanted = false
  #isPaused = false
  /** Of the looks at the pause, by the order in which they began: the last one, and the last that has answered. */
  #pauseLooks = { begun: 0, answered: 0 }

  constructor(o: PgBossQueueOptions) {
    this.#o = o
    o.signals.on((signal) => {
      if (signal.kind === 'work') this.#look()
      else if (signal.kind === 'cancel') this.#abort(signal.attempt_id)
      else if (signal.kind === 'queue') void this.#readPause().catch(o.onError)
      else if (signal.kind === 'look') void Promise.all([this.#abortUnwanted(), this.#readPause()]).catch(o.onError)
    })
  }

  async enqueue(tx: WorkflowTransaction, attempt_id: AttemptId, agent: string): Promise<void> {
    await this.#o.jobs.send(databaseTransaction(tx), attempt_id, agent)
    tx.afterCommit(() => this.#tellWork())
  }

  /** The job itself stays: whoever takes it up finds the attempt unwanted and retires it. */
  async cancel(tx: WorkflowTransaction, attempt_id: AttemptId): Promise<void> {
    const payload = this.#o.signals.cancelPayload(attempt_id)
    await sql`select pg_notify(${CHANNEL}, ${payload})`.execute(databaseTransaction(tx))
    tx.afterCommit(() => this.#abort(attempt_id))
  }

  async pause(tx: WorkflowTransaction, pause: QueuePause): Promise<boolean> {
    await this.#tellQueue(tx)
    return storePause(databaseTransaction(tx), pause)
  }

  async resume(tx: WorkflowTransaction): Promise<boolean> {
    await this.#tellQueue(tx)
    return clearPause(databaseTransaction(tx))
  }

  async lookAgain(): Promise<void> {
    await reconcile(this.#o, (tx, id, agent) => this.enqueue(tx, id, agent))
  }

  findPause(): Promise<QueuePause | undefined> {
    return findPause(this.#o.session.read)
  }

  describeLoad(): Promise<QueueLoad> {
    return this.#o.jobs.describeLoad(this.#o.session.read)
  }

  async consume(run: (claim: Claim) => Promise<void>, o: ConsumeOptions): Promise<{ stop(): Promise<void> }> {
    const consumer: Consumer = { ...o, run, stopping: new AbortController() }
    const bringUp = () => this.lookAgain()
    await bringUp()
    await this.#readPause()
    const loops = [
      this.#fetchLoop(consumer),
      this.#every(TOUCH_MS, consumer, () => this.#touch()),
      this.#every(TOUCH_MS, consumer, () => bury(this.#o, o.onDead)),
      this.#every(RECONCILE_MS, consumer, bringUp),
    ]
    return {
      stop: async () => {
        consumer.stopping.abort()
        this.#look()
        // Not only when the run has ended: the hub may let an aborted request wait, and nobody else should.
        await Promise.all([...this.#held.values()].map((held) => this.#handBack(held).catch(this.#o.onError)))
        await Promise.all(loops)
        await Promise.all([...this.#held.values()].map((held) => held.done))
      },
    }
  }

  async #fetchLoop(consumer: Consumer): Promise<void> {
    const { signal } = consumer.stopping
    while (!signal.aborted) {
      this.#isWanted = false
      try {
        const { count, full } = this.#roomOf(consumer)
        const jobs = count > 0 && !this.#isPaused ? await this.#o.jobs.fetch(count, full) : []
        for (const job of jobs) this.#hold(consumer, job)
        // There may be more of other agents: so many at once only keeps one agent within its slots.
        if (jobs.length === count && jobs.length > 0) this.#isWanted = true
      } catch (error) {
        this.#o.onError(error)
      }
      if (!this.#isWanted) await this.#wait(POLL_MS, signal)
    }
  }

  /** How many may be fetched at once so that no agent gets more than its slots, and the agents that have none left. */
  #roomOf({ concurrency, concurrency_per_agent: most }: Consumer): { count: number; full: string[] } {
    const free = concurrency - this.#held.size
    if (most === undefined) return { count: free, full: [] }
    const held = Map.groupBy(this.#held.values(), ({ job }) => job.groupId ?? '')
    const rooms = [...held].map(([agent, { length }]) => ({ agent, room: most - length }))
    const full = rooms.filter(({ room }) => room <= 0).map(({ agent }) => agent)
    return { count: Math.min(free, most, ...rooms.map(({ room }) => room).filter((room) => room > 0)), full }
  }

  #hold(consumer: Consumer, job: PhaseJob): void {
    const { attempt_id } = job.data
    const controller = new AbortController()
    const held: Held = { job, controller, fate: 'retire', done: Promise.resolve() }
    const previous = this.#held.get(attempt_id)
    // What was taken for lost while this process stood still may come back to itself.
    if (previous !== undefined) {
      previous.fate = 'lost'
      previous.controller.abort()
    }
    this.#held.set(attempt_id, held)
    // The pause may have come while this was being fetched.
    const work = consumer.stopping.signal.aborted || this.#isPaused ? this.#handBack(held) : this.#run(consumer, held)
    held.done = work
      .catch((error: unknown) => this.#o.onError(error))
      .finally(() => {
        if (this.#held.get(attempt_id) === held) this.#held.delete(attempt_id)
        this.#look()
      })
  }

  async #run(consumer: Consumer, held: Held): Promise<void> {
    const { job, controller } = held
    const { clock } = this.#o
    if (job.retryCount > 1) {
      const delay = backoffDelay(job.retryCount - 1, CRASH_BACKOFF, Math.random())
      await clock.sleep(delay, controller.signal).catch(() => {})
    }
    try {
      if (!controller.signal.aborted) await consumer.run(this.#claimOf(held))
    } catch (error) {
      if (error instanceof ClaimLostError) return this.#o.onRefused(job.data.attempt_id)
      this.#o.onError(error)
      if (error instanceof UnreadableRowError) return this.#putOff(held)
      await clock.sleep(RECOVERY_MS, consumer.stopping.signal).catch(() => {})
      await this.#o.jobs.fail(job)
      return
    }
    await this.#retire(held)
  }

  #claimOf(held: Held): Claim {
    const { store, jobs } = this.#o
    return {
      attempt_id: held.job.data.attempt_id,
      signal: held.controller.signal,
      settle: async (fn) => {
        const result = await store.write(async (tx) => {
          const value = await fn(tx)
          await jobs.complete(databaseTransaction(tx), held.job)
          return value
        })
        held.fate = 'settled'
        return result
      },
    }
  }

  /** The run ended without an outcome: it was stopped, or the attempt is not wanted any more. */
  async #retire({ job, fate }: Held): Promise<void> {
    const { session, jobs } = this.#o
    if (fate === 'retire') await session.write((tx) => jobs.complete(tx, job)).catch(ignoreLost)
  }

  /** Another replica may have it now. A run that settles at this moment comes before, or finds its job gone. */
  async #handBack(held: Held): Promise<void> {
    const { session, jobs, signals } = this.#o
    if (held.fate === 'retire') held.fate = 'handed_back'
    held.controller.abort()
    if (held.fate !== 'handed_back') return
    if (await session.write((tx) => jobs.handBack(tx, held.job))) signals.send('work')
  }

  /** Without a slot meanwhile, and not counted as a try: somebody has to correct the row first. */
  async #putOff(held: Held): Promise<void> {
    held.fate = 'handed_back'
    await this.#o.session.write((tx) => this.#o.jobs.handBack(tx, held.job, UNREADABLE_SECONDS))
  }

  /** Tells the engine that what is held here is alive, and lets go of what is not held any more. */
  async #touch(): Promise<void> {
    const all = [...this.#held.values()]
    if (all.length === 0) return
    const mine = await this.#o.jobs.touch(all.map((held) => held.job))
    for (const held of all) {
      if (mine.has(held.job.id) || held.fate === 'settled') continue
      held.fate = 'lost'
      held.controller.abort()
    }
    await this.#abortUnwanted()
  }

  /** A cancellation's signal may have been missed. */
  async #abortUnwanted(): Promise<void> {
    const ids = [...this.#held.keys()]
    if (ids.length === 0) return
    const rows = await this.#o.session.read
      .selectFrom('attempts')
      .select('id')
      .where('id', 'in', ids)
      .where('state', 'not in', ['queued', 'running', 'backing_off'])
      .execute()
    for (const { id } of rows) this.#abort(id)
  }

  /** Told with the commit, so that no replica hands anything out for longer than the signal takes. */
  async #tellQueue(tx: WorkflowTransaction): Promise<void> {
    await sql`select pg_notify(${CHANNEL}, ${this.#o.signals.queuePayload()})`.execute(databaseTransaction(tx))
    tx.afterCommit(() => void this.#readPause().catch(this.#o.onError))
  }

  async #readPause(): Promise<void> {
    const look = ++this.#pauseLooks.begun
    const pause = await this.findPause()
    // One that began later knows better.
    if (look < this.#pauseLooks.answered) return
    this.#pauseLooks.answered = look
    this.#isPaused = pause !== undefined
    if (!this.#isPaused) this.#look()
  }

  #abort(attempt_id: AttemptId): void {
    this.#held.get(attempt_id)?.controller.abort()
  }

  async #every(ms: number, consumer: Consumer, work: () => Promise<unknown>): Promise<void> {
    const { signal } = consumer.stopping
    for (;;) {
      await this.#o.clock.sleep(ms, signal).catch(() => {})
      if (signal.aborted) return
      await work().catch(this.#o.onError)
    }
  }

  #tellWork(): void {
    this.#look()
    this.#o.signals.send('work')
  }

  #look(): void {
    this.#isWanted = true
    this.#wake()
  }

  async #wait(ms: number, stopping: AbortSignal): Promise<void> {
    const over = new AbortController()
    this.#wake = () => over.abort()
    await this.#o.clock.sleep(ms, AbortSignal.any([stopping, over.signal])).catch(() => {})
    this.#wake = () => {}
  }
}
