import {
  ServiceError,
  type AttemptId,
  type FeatureId,
  type Feedback,
  type JsonObject,
  type Phase,
  type Trigger,
  type Usage,
  type Workflow,
  type WorkflowId,
  type WorkflowType,
} from '@orchestrator/contract'

import { phasesOf } from './definitions.ts'
import { withNotes } from './feedback.ts'
import type { Outcome } from './outcome.ts'
import type { AttemptWork, Clock, PhaseQueue, Telemetry, WorkflowStore, WorkflowTransaction } from './ports.ts'
import { entryOf } from './history-entry.ts'
import { newId } from './new-id.ts'
import { notedStep } from './noted-step.ts'
import { byItself, type Origin } from './origin.ts'
import * as sentences from './sentences.ts'
import { transition, type Move, type Position, type Refusal } from './transitions.ts'

/** States of an attempt that has not ended. */
export const UNFINISHED = ['queued', 'running', 'backing_off'] as const

/** What a step brings along beside the move itself. */
export interface Step {
  trigger: Trigger
  origin: Origin
  move: Move
  metadata: JsonObject | null
  /** What a person wrote with it. */
  words?: JsonObject
  outcome?: Outcome
  error?: string
  /** Of an attempt that brings no outcome: what it took all the same. */
  usage?: Usage | null
  feedback?: Feedback | null
  /** The hub may still be working on the attempt that ends here. */
  release?: boolean
}

export interface WorkflowStepsOptions {
  queue: PhaseQueue
  clock: Clock
  max_reworks: number
  /** `external`: phases are run by somebody who posts `agent_complete`; nothing is handed to the hub. */
  phase_execution: 'hub' | 'external'
  /** The agent of a type when the workflow names none. */
  agentFor(type: WorkflowType): string
  telemetry: Telemetry
  /** Called after a commit that left something for the hub to stop. */
  onCancellation: () => void
}

type CurrentAttempt = NonNullable<Workflow['attempt']>

/** How one step is written, inside the transaction of whoever takes it. */
export class WorkflowSteps {
  readonly #o: WorkflowStepsOptions
  #now = { ms: Number.NaN, text: '' }

  constructor(o: WorkflowStepsOptions) {
    this.#o = o
  }

  async start(tx: WorkflowTransaction, workflow: Workflow): Promise<Workflow> {
    const move = this.decide(workflow, 'start')
    return this.take(tx, workflow, { trigger: 'start', origin: byItself(), move, metadata: null })
  }

  /** A new attempt: to the queue, or to whoever runs phases outside. */
  async handOut(
    tx: WorkflowTransaction,
    attempt: {
      id: AttemptId
      phase: Phase
      number: number
      feedback: Feedback | null
      session_id: string | null
      traceparent: string | null
    },
    workflow: Pick<Workflow, 'id' | 'workflow_type' | 'agent'>,
  ): Promise<CurrentAttempt> {
    const now = this.now()
    const isExternal = this.#o.phase_execution === 'external'
    const state = isExternal ? 'running' : 'queued'
    const reason = isExternal ? sentences.waitsForExternal() : sentences.waitsForSlot()
    const agent = workflow.agent ?? this.#o.agentFor(workflow.workflow_type)
    await tx.insertAttempt({
      ...attempt,
      workflow_id: workflow.id,
      state,
      reason,
      queued_for: agent,
      created_at: now,
      started_at: isExternal ? now : null,
    })
    if (!isExternal) await this.#o.queue.enqueue(tx, attempt.id, agent)
    const { id, number } = attempt
    return { id, number, state, reason, tries: 0, next_retry_at: null, digest: null }
  }

  /**
   * One step, whole: the move, the attempt it ends, the one it hands out, the history row and the event.
   * Answers the workflow as it then stands, without reading it back.
   */
  async take(tx: WorkflowTransaction, workflow: Workflow, step: Step): Promise<Workflow> {
    const { move } = step
    const now = this.now()
    const current = currentAttempt(workflow)
    const attempt_id = move.effect === 'run' ? newId<AttemptId>() : current.id
    const error = step.error ?? workflow.error
    const completed_at = move.effect === 'end' ? now : workflow.completed_at
    const result = step.outcome && { phase: move.phase, attempt: move.attempt, ...step.outcome.result }
    // What reviewers noted goes along with their verdict.
    const isDecided = workflow.status === 'waiting_approval' && move.effect !== 'none'
    const handover = isDecided || move.effect === 'run' ? tx.handover(workflow.id) : undefined
    const notes = handover?.has_notes === true ? await tx.listNotes(current.id) : undefined
    const { entry, words } = await this.#entry(tx, workflow, notes === undefined ? step : notedStep(step, notes), now)
    const moved = await tx.moveWorkflow(
      { id: workflow.id, status: workflow.status, attempt_id: current.id },
      {
        status: move.status,
        current_phase: move.phase,
        attempt_id,
        updated_at: now,
        error,
        completed_at,
        history_hash: entry.hash,
        history_sequence: entry.sequence,
        ...(result && { result }),
      },
    )
    if (!moved) throw new ServiceError('INVALID_STATE_TRANSITION', sentences.decidedMeanwhile())
    let attempt = await this.#endAttempt(tx, workflow, step, now)
    await tx.insertEntry(entry, words)
    const { workflow_type, status: from } = workflow
    tx.afterCommit(() => this.#o.telemetry.stepTaken({ workflow_type, from, to: move.status, trigger: step.trigger }))
    if (move.effect === 'run') {
      const { phase, attempt: number } = move
      const session_id = handover?.session_id ?? null
      const said = step.feedback ?? null
      const feedback = notes === undefined ? said : withNotes(said, notes)
      const traceparent = step.origin.traceparent ?? null
      attempt = await this.handOut(tx, { id: attempt_id, phase, number, feedback, session_id, traceparent }, workflow)
    }
    const { status, phase: current_phase } = move
    return {
      ...workflow,
      status,
      current_phase,
      updated_at: now,
      error,
      completed_at,
      result: result ?? workflow.result,
      attempt,
    }
  }

  /** Closes the current attempt as the step says, and has the hub told when it may still be at work. */
  async #endAttempt(tx: WorkflowTransaction, workflow: Workflow, step: Step, now: string): Promise<CurrentAttempt> {
    const current = currentAttempt(workflow)
    const { id, tries } = current
    if (step.release === true && tries > 0 && workflow.status === 'in_progress') {
      await this.#o.queue.cancel(tx, id)
      await tx.insertCancellation(id)
      tx.afterCommit(this.#o.onCancellation)
    }
    if (step.outcome !== undefined) {
      await tx.finishAttempt(id, { state: 'succeeded', reason: null, finished_at: now, outcome: step.outcome })
      const { threads } = step.outcome
      if (threads.length > 0 || tx.handover(workflow.id).has_open_threads) await tx.answerThreads(workflow.id, threads)
      await countCost(tx, workflow.feature_id, step.outcome.usage, now)
      return { ...current, state: 'succeeded', reason: null, next_retry_at: null, digest: step.outcome.digest }
    }
    if (step.error !== undefined && workflow.status !== 'waiting_approval') {
      const state = step.metadata?.['cancelled'] === true ? 'cancelled' : 'failed'
      const usage = step.usage ?? null
      await tx.finishAttempt(id, { state, reason: step.error, finished_at: now, usage })
      await countCost(tx, workflow.feature_id, usage, now)
      return { ...current, state, reason: step.error, next_retry_at: null }
    }
    return current
  }

  /** The row of the history that a step leaves, which is also what is told of it. */
  async #entry(tx: WorkflowTransaction, workflow: Workflow, step: Step, now: string) {
    const attempt = currentAttempt(workflow)
    const { metadata, words } = saidWith(step)
    const row = {
      id: newId(),
      sequence: await tx.takeSequence(),
      workflow_id: workflow.id,
      from_status: workflow.status,
      to_status: step.move.status,
      trigger: step.trigger,
      created_at: now,
      actor: step.origin.name,
      phase: workflow.current_phase,
      attempt: attempt.number,
      digest: step.outcome?.digest ?? attempt.digest,
    }
    return entryOf({
      previous_hash: tx.historyHash(workflow.id),
      transition: row,
      attempt_id: attempt.id,
      origin: step.origin,
      metadata,
      words,
    })
  }

  async tellAttempt(
    tx: WorkflowTransaction,
    work: AttemptWork,
    state: 'queued' | 'running' | 'backing_off',
    reason: string | null,
    next_retry_at: string | null,
  ): Promise<void> {
    const { attempt_id, phase, number } = work
    const data = { attempt_id, phase, number, state, reason, next_retry_at }
    await tx.appendEvent({ type: 'attempt.state', workflow_id: work.workflow.id, created_at: this.now(), data })
  }

  decide(workflow: Workflow, trigger: Trigger, abort = false): Move {
    return accept(transition(positionOf(workflow), trigger, this.policy(workflow), abort), workflow, trigger)
  }

  policy(workflow: Workflow) {
    return { phases: phasesOf(workflow.workflow_type), max_reworks: this.#o.max_reworks }
  }

  now(): string {
    const ms = this.#o.clock.now().getTime()
    // Several rows of a step, and the steps of a commit, have the same time: its text is made once.
    if (ms !== this.#now.ms) this.#now = { ms, text: new Date(ms).toISOString() }
    return this.#now.text
  }
}

async function countCost(tx: WorkflowTransaction, id: FeatureId, usage: Usage | null, now: string): Promise<void> {
  const cost = usage?.cost_usd ?? 0
  if (cost > 0) await tx.addSpending(id, now.slice(0, 10), cost)
}

/** An error that tells what a person wrote is one of their words; a machine's is a fact. */
function saidWith({ metadata, words, error }: Step): { metadata: JsonObject | null; words: JsonObject | null } {
  if (words !== undefined) return { metadata, words: error === undefined ? words : { ...words, error } }
  return { metadata: error === undefined ? metadata : { ...metadata, error }, words: null }
}

/** The move, or INVALID_STATE_TRANSITION with what would have been possible. */
export function accept(decision: Move | Refusal, workflow: Workflow, asked: string): Move {
  if ('refused' in decision) {
    throw new ServiceError('INVALID_STATE_TRANSITION', sentences.impossible(workflow.status, asked, decision.allowed))
  }
  return decision
}

/** Throws WORKFLOW_NOT_FOUND. */
export async function getWorkflow(from: Pick<WorkflowStore, 'findWorkflow'>, id: WorkflowId): Promise<Workflow> {
  const workflow = await from.findWorkflow(id)
  if (workflow === undefined) throw new ServiceError('WORKFLOW_NOT_FOUND', sentences.unknownWorkflow(id))
  return workflow
}

export function currentAttempt(workflow: Workflow): CurrentAttempt {
  if (workflow.attempt === null) throw new Error(`workflow ${workflow.id} has no attempt`)
  return workflow.attempt
}

export function positionOf(workflow: Workflow): Position {
  return {
    status: workflow.status,
    phase: workflow.current_phase ?? 'phase_1',
    attempt: currentAttempt(workflow).number,
  }
}
