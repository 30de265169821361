import type { AttemptId } from '@orchestrator/contract'

import type { Kysely } from 'kysely'

import type { Tables } from './models.ts'
import type { EventSequence } from './postgres-sequence.ts'

/**
 * What one replica tells the others. `events`: some were committed. `work`: there is something to run.
 * `queue`: it was paused or resumed. `cancel`: this attempt is no longer wanted. `look`: a signal may have been missed.
 */
export type Signal = { kind: 'events' | 'work' | 'queue' | 'look' } | { kind: 'cancel'; attempt_id: AttemptId }

export interface Signals {
  /** Tells the other replicas, soon; many in short order become one. A signal may get lost, what it tells of never does. */
  send(kind: 'events' | 'work'): void
  /** The statement's text that tells of a cancellation with the transaction's commit. */
  cancelPayload(attempt_id: AttemptId): string
  /** The same for a queue that is paused or resumed. */
  queuePayload(): string
  /** What others told. */
  on(listener: (signal: Signal) => void): void
}

/** A database that several processes write to. */
export interface SharedDatabase {
  url: string
  sequence: EventSequence
  /**
   * A connection of its own for taking numbers: a row that all transactions count up would let only one
   * of them be under way. What is rolled back leaves a hole. Commits here do not wait for the disk; the
   * transaction that uses the number does, and the log holds both in order.
   */
  counters: Kysely<Tables>
  signals: Signals
  /** Answers what to call after a commit that appended events; `tell` is called whenever events became readable, whoever wrote them. */
  followEvents(tell: () => void): () => void
}
