import type {
  Artifact,
  Attempt,
  AttemptId,
  AttemptState,
  Digest,
  Feature,
  FeatureId,
  FeatureWithWorkflows,
  Feedback,
  HistoryItem,
  JsonObject,
  ListWorkflowsQuery,
  Phase,
  StreamEvent,
  Transition,
  Trigger,
  Workflow,
  WorkflowId,
  WorkflowPage,
  WorkflowStatus,
  WorkflowType,
  Usage,
} from '@orchestrator/contract'

import type { Act } from './acts.ts'
import type { HubError } from './agent-hub.ts'
import type { BudgetLift } from './budgets.ts'
import type { NoteTransaction } from './note-store.ts'
import type { ReviewTransaction } from './review-transaction.ts'
import type { Origin } from './origin.ts'
import type { Outcome } from './outcome.ts'
import type { Scope } from './scope.ts'

/** Wall time and waiting; injected, so that a test or a simulation can drive them. */
export interface Clock {
  now(): Date
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted before. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** Where a workflow must still be for a change to count: concurrency lives in the WHERE clause. */
export interface ExpectedPosition {
  id: WorkflowId
  status: WorkflowStatus
  attempt_id: AttemptId
}

export interface WorkflowChange {
  status: WorkflowStatus
  current_phase: Phase
  attempt_id: AttemptId
  updated_at: string
  error: string | null
  completed_at: string | null
  /** The last link of the chain over its history, and the sequence of that row. */
  history_hash: string
  history_sequence: number
  /** Left as it is when not given. */
  result?: JsonObject
}

/** A transition as it is stored: who asked by what, and its link of the chain. `metadata` is the text that was hashed. */
export type HistoryEntry = Omit<Transition, 'metadata'> &
  Omit<Origin, 'name'> & { metadata: string | null; attempt_id: AttemptId; words_hash: string | null; hash: string }

export interface HistoryWords {
  history_id: string
  salt: string
  /** A JSON object, as text. */
  words: string
}

export interface NewAttempt {
  id: AttemptId
  workflow_id: WorkflowId
  phase: Phase
  number: number
  state: AttemptState
  reason: string | null
  /** The agent whose slots it takes, or would where phases are run outside. */
  queued_for: string
  /** W3C trace context of what asked for it; null when nobody traces. */
  traceparent: string | null
  feedback: Feedback | null
  session_id: string | null
  created_at: string
  started_at: string | null
}

export interface AttemptChange {
  state?: AttemptState
  reason?: string | null
  started_at?: string
}

export interface AttemptEnd {
  state: 'succeeded' | 'failed' | 'cancelled'
  reason: string | null
  finished_at: string
  outcome?: Outcome
  /** Where there is no outcome. */
  usage?: Usage | null
}

/** What the executor needs of the attempt it runs. */
export interface AttemptWork {
  workflow: Workflow
  attempt_id: AttemptId
  phase: Phase
  number: number
  tries: number
  /** Who took it on; null until somebody did. Handed out again, it goes to the same, whatever the settings say by then. */
  agent: string | null
  /** The hub's name for the work; null until it took it on. */
  invocation_id: string | null
  feedback: Feedback | null
  session_id: string | null
  /** Last event of the hub that is stored here. */
  hub_sequence: number
  traceparent: string | null
}

/** One run of an attempt: who has lost the attempt to another process still names the earlier one. */
export type AttemptRun = Pick<AttemptWork, 'attempt_id' | 'tries'>

/** Where a row is found again. */
export interface StoredRow {
  row: 'workflow' | 'attempt' | 'history row' | 'event'
  /** Of an event its sequence in the feed, also where a step or a creation tells it. */
  id: string | number
  /** Empty for an event of the queue as a whole. */
  workflow_id: WorkflowId | ''
}

type Unnumbered<E> = E extends unknown ? Omit<E, 'sequence'> : never

/** An event that no row tells by itself, before it has its sequence. */
export type NewEvent = Unnumbered<Exclude<StreamEvent, { type: 'workflow.created' | 'workflow.transition' }>>

/** A feature, and whether ticks of its checklists have not reached the repository yet. */
export interface KnownFeature extends Feature {
  has_ticks: boolean
}

/** What an attempt was given or leaves to the one after it: the agent's session, and whether reviewers wrote anything. */
export interface Handover {
  session_id: string | null
  has_notes: boolean
  /** Threads of its workflow that no attempt has answered. */
  has_open_threads: boolean
}

/** One transaction. Every method is a statement; a boolean answers whether a row still matched. */
export interface WorkflowTransaction extends NoteTransaction, ReviewTransaction {
  /** Runs `hook` once the transaction is on disk; never when it was rolled back. */
  afterCommit(hook: () => void): void
  findWorkflow(id: WorkflowId): Promise<Workflow | undefined>
  findFeature(id: FeatureId): Promise<KnownFeature | undefined>
  findActiveWorkflow(feature_id: FeatureId): Promise<WorkflowId | undefined>
  /** The next feature number, beyond `floor` and beyond every number given before; a rolled back transaction may leave a hole. */
  takeFeatureNumber(floor: number): Promise<number>
  /** What an admin does, in the chain of such acts. */
  recordAct(act: Act): Promise<void>
  /** What an attempt cost, to the sums of its feature and of this day. */
  addSpending(feature_id: FeatureId, day: string, usd: number): Promise<void>
  liftBudget(lift: BudgetLift): Promise<void>
  /** Workflows of a workspace that have not ended, counted to `most`; nobody else begins one there until the commit. */
  countRunning(workspace: string, most: number): Promise<number>
  /** The next place in the order of all that is told; subscribers are woken after the commit. */
  takeSequence(): Promise<number>
  insertFeature(feature: Feature): Promise<void>
  /** A feature goes on: its `updated_at`. */
  touchFeature(id: FeatureId, updated_at: string): Promise<void>
  /** Tells its event by itself, as a row of the history does. */
  insertWorkflow(
    workflow: Omit<Workflow, 'attempt'>,
    more: Omit<Origin, 'name'> & { attempt_id: AttemptId; sequence: number; history_hash: string },
  ): Promise<void>
  /** The last link of the chain of a workflow that this transaction has read or written. */
  historyHash(id: WorkflowId): string
  /** What stands beside the current attempt of a workflow that this transaction has read or written. */
  handover(id: WorkflowId): Handover
  /** Answers false, or fails the commit, when the workflow does not stand there. */
  moveWorkflow(expected: ExpectedPosition, change: WorkflowChange): Promise<boolean>
  insertEntry(entry: HistoryEntry, words?: HistoryWords): Promise<void>
  insertAttempt(attempt: NewAttempt): Promise<void>
  /** Undefined for an attempt that is not its workflow's current one. */
  findWork(attempt_id: AttemptId): Promise<AttemptWork | undefined>
  /** One that this transaction found; a null `started_at` leaves it as it is. */
  beginAttempt(id: AttemptId, begun: { tries: number; started_at: string | null }): Promise<void>
  changeAttempt(id: AttemptId, from: readonly AttemptState[], change: AttemptChange): Promise<boolean>
  /** Answers false when it does not run, or another process has begun it anew since. */
  backOffAttempt(run: AttemptRun, wait: { reason: string; next_retry_at: string }): Promise<boolean>
  /** Answers false when it has ended, another process has begun it anew since, or events up to there are stored. */
  noteUpdates(run: AttemptRun, hub_sequence: number): Promise<boolean>
  /** Answers where the attempt stands by now. */
  noteInvocation(id: AttemptId, agent: string, invocation_id: string): Promise<AttemptState | undefined>
  /** Ends an attempt; `outcome` when it succeeded. */
  finishAttempt(id: AttemptId, end: AttemptEnd): Promise<void>
  appendEvent(event: NewEvent): Promise<void>
  /** Notes that the hub must still be told to stop this attempt. */
  insertCancellation(attempt_id: AttemptId): Promise<void>
  deleteCancellation(attempt_id: AttemptId): Promise<void>
  /** Until the commit; false while another transaction has it, which only happens where several processes write. */
  claimIdempotencyKey(key: string): Promise<boolean>
  findIdempotentAnswer(key: string): Promise<{ body_digest: string; answer: JsonObject } | undefined>
  insertIdempotentAnswer(key: string, body_digest: string, answer: JsonObject, created_at: string): Promise<void>
}

export interface WorkflowStore {
  /** One commit: all of it or nothing, on disk when it resolves. `fn` runs again when it met somebody else's. */
  write<T>(fn: (tx: WorkflowTransaction) => Promise<T>): Promise<T>
  findWorkflow(id: WorkflowId): Promise<Workflow | undefined>
  listWorkflows(query: ListWorkflowsQuery, scope?: Scope): Promise<WorkflowPage>
  listHistory(id: WorkflowId, after: number, limit: number): Promise<HistoryItem[]>
  listAttempts(id: WorkflowId): Promise<Attempt[]>
  findFeature(id: FeatureId): Promise<FeatureWithWorkflows | undefined>
  listFeatures(before: number, limit: number, scope: Scope): Promise<(Feature & { sequence: number })[]>
  findArtifact(digest: Digest): Promise<{ content: Uint8Array; media_type: string; path: string } | undefined>
  /** Answers which of these are not stored yet. */
  listMissingArtifacts(digests: readonly Digest[]): Promise<Digest[]>
  insertArtifact(artifact: Artifact, content: Uint8Array): Promise<void>
  listEvents(o: { after: number; limit: number; workflow_id?: WorkflowId }): Promise<StreamEvent[]>
  lastSequence(): Promise<number>
  /** Of the oldest events at most `limit` that are older than this. Answers how many went. */
  deleteEventsBefore(created_before: string, limit: number): Promise<number>
  /** Of the answers kept for who asks twice at most `limit` that are older than this. Answers how many went. */
  deleteIdempotentAnswersBefore(created_before: string, limit: number): Promise<number>
  /** Events up to this sequence were removed because of their age. */
  removedUpTo(): Promise<number>
  /** Meets every workflow whose status this version does not know, which no list by status shows. */
  readUnknownStatuses(): Promise<void>
  /** Throws an UnreadableRowError as long as this row cannot be read; one that is gone can. */
  readAgain(row: StoredRow): Promise<void>
  listCancellations(): Promise<{ attempt_id: AttemptId; invocation_id: string | null }[]>
  /** How many wait for a review, counted to COUNTED_MAX, and since when the longest among the oldest 1,000 workflows. */
  describeReviews(): Promise<{ waiting: number; oldest_at: string | null }>
  /** Told after each commit that appended events. */
  onEvents(listener: () => void): () => void
}

/** One attempt, held by this process. */
export interface Claim {
  attempt_id: AttemptId
  /** Aborted when the attempt is no longer wanted, or the process shuts down. */
  signal: AbortSignal
  /** Runs `fn` and retires the work in one commit. Throws when somebody else holds it by now. */
  settle<T>(fn: (tx: WorkflowTransaction) => Promise<T>): Promise<T>
}

/** Who paused the queue, and why. */
export interface QueuePause {
  paused_at: string
  paused_by: string
  reason: string | null
}

export interface QueueLoad {
  /** Counted to COUNTED_MAX, as `at_work` is. */
  waiting: number
  /** Since when the one at the head has been waiting. */
  oldest_waiting_at: string | null
  at_work: number
}

/** Hands queued attempts out, oldest first, to at most so many at once; see ARCHITECTURE.md, "Execution". */
export interface PhaseQueue {
  /** Inside the transaction that inserts the attempt. `agent` is the name under which slots are counted. */
  enqueue(tx: WorkflowTransaction, attempt_id: AttemptId, agent: string): Promise<void>
  /** Inside the transaction that makes the attempt unwanted; whoever runs it is told after the commit. */
  cancel(tx: WorkflowTransaction, attempt_id: AttemptId): Promise<void>
  /** From the commit on nothing more is handed out, by any replica and after any restart; what runs goes on. Answers false when it was paused already. */
  pause(tx: WorkflowTransaction, pause: QueuePause): Promise<boolean>
  /** Answers false when it was not paused. */
  resume(tx: WorkflowTransaction): Promise<boolean>
  findPause(): Promise<QueuePause | undefined>
  describeLoad(): Promise<QueueLoad>
  /** What was handed out and let go of before it began is handed out again. */
  lookAgain(): Promise<void>
  /** Begins to hand out, what was running before a restart first. `run` must not reject but for a broken store. */
  consume(run: (claim: Claim) => Promise<void>, o: ConsumeOptions): Promise<{ stop(): Promise<void> }>
}

export interface ConsumeOptions {
  /** Claims at once, in this process. */
  concurrency: number
  /** Of them, for one agent; undefined: no limit of its own. */
  concurrency_per_agent?: number | undefined
  /** Ends an attempt that was lost with whoever ran it too often to be handed out once more. */
  onDead(tx: WorkflowTransaction, attempt_id: AttemptId): Promise<unknown>
}

/** One attempt at work in this process, as it is watched. */
export interface PhaseWatch {
  /** For the hub, so that its part belongs to the same trace. */
  readonly traceparent: string | undefined
  hubFailed(error: HubError): void
  /** `unwanted`: it was let go of, for another process or because somebody decided otherwise. */
  ended(how: 'succeeded' | 'failed' | 'unwanted', agent: string): void
}

/** Hears how the work goes: for figures, traces and the log. It must not throw, and nothing waits for it. */
export interface Telemetry {
  beginPhase(work: AttemptWork): PhaseWatch
  /** A step is on disk. */
  stepTaken(step: { workflow_type: WorkflowType; from: WorkflowStatus; to: WorkflowStatus; trigger: Trigger }): void
}
