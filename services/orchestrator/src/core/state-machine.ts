import {
  ServiceError,
  type AdvanceWorkflow,
  type AgentUpdate,
  type AttemptId,
  type Comment,
  type CreateWorkflow,
  type Feature,
  type Feedback,
  type JsonObject,
  type Phase,
  type Trigger,
  type Workflow,
  type WorkflowId,
} from '@orchestrator/contract'

import { phasesOf } from './definitions.ts'
import { featureIdFor } from './feature-ids.ts'
import { feedbackOf } from './feedback.ts'
import { once, type Idempotency } from './idempotency.ts'
import { outcomeOfExternal, type Outcome } from './outcome.ts'
import type { AttemptWork, Clock, PhaseQueue, WorkflowStore, WorkflowTransaction } from './ports.ts'
import * as sentences from './sentences.ts'
import { cancellation, reworksUsedUp, transition, type Move, type Position, type Refusal } from './transitions.ts'

export interface StateMachineOptions {
  store: WorkflowStore
  queue: PhaseQueue
  clock: Clock
  max_reworks: number
  /** `external`: phases are run by somebody who posts `agent_complete`; nothing is handed to the hub. */
  phase_execution: 'hub' | 'external'
  /** The highest feature number taken in the workspace's repository, as far as known. */
  highestNumber(workspace: string): Promise<number>
  /** Called after a commit that left something for the hub to stop. */
  onCancellation: () => void
}

const DEFAULT_WORKSPACE = 'default'
/** States of an attempt that has not ended. */
export const UNFINISHED = ['queued', 'running', 'backing_off'] as const

/** What a step brings along beside the move itself. */
interface Step {
  trigger: Trigger
  actor: string
  move: Move
  metadata: JsonObject | null
  outcome?: Outcome
  error?: string
  feedback?: Feedback | null
  /** The hub may still be working on the attempt that ends here. */
  release?: boolean
}

/**
 * The only writer of workflows. Each step is one commit: the move, its history row, its event, the
 * attempt it ends and the one it hands out.
 */
export class WorkflowStateMachine {
  readonly #store: WorkflowStore
  readonly #queue: PhaseQueue
  readonly #clock: Clock
  readonly #o: StateMachineOptions

  constructor(o: StateMachineOptions) {
    this.#store = o.store
    this.#queue = o.queue
    this.#clock = o.clock
    this.#o = o
  }

  /** Throws FEATURE_NOT_FOUND, FEATURE_BUSY, VALIDATION_ERROR. */
  async create(body: CreateWorkflow, actor: string, idempotency?: Idempotency): Promise<Workflow> {
    const workspace = body.workspace ?? DEFAULT_WORKSPACE
    const floor = body.feature_id === undefined ? await this.#o.highestNumber(workspace) : 0
    return this.#store.write((tx) =>
      once(tx, idempotency, this.#now(), async () => {
        const feature = await this.#featureFor(tx, body, workspace, floor)
        return this.#insert(
          tx,
          feature,
          { ...body, feature_description: body.feature_description ?? feature.description },
          actor,
        )
      }),
    )
  }

  /** Throws WORKFLOW_NOT_FOUND, INVALID_STATE_TRANSITION, STALE_REVIEW, VALIDATION_ERROR. */
  advance(id: WorkflowId, body: AdvanceWorkflow, actor: string, idempotency?: Idempotency): Promise<Workflow> {
    const { trigger, phase_result: result = {} } = body
    return this.#store.write((tx) =>
      once(tx, idempotency, this.#now(), async () => {
        const workflow = await this.#get(tx, id)
        const position = positionOf(workflow)
        const move = this.#decide(workflow, trigger, result.abort ?? false)
        const metadata = body.phase_result === undefined ? null : (body.phase_result as JsonObject)
        const step: Step = { trigger, actor, move, metadata }
        if (trigger === 'agent_complete') step.outcome = outcomeOfExternal(metadata ?? {})
        else if (trigger === 'error') step.error = result.error ?? sentences.reportedWithoutReason()
        else await this.#review(tx, workflow, position, step, result)
        step.release = trigger === 'agent_complete' || trigger === 'error'
        return this.#take(tx, workflow, step)
      }),
    )
  }

  /** Fails a workflow that has not ended and reaches its agent. Throws WORKFLOW_NOT_FOUND, INVALID_STATE_TRANSITION. */
  cancel(id: WorkflowId, reason: string | undefined, actor: string, idempotency?: Idempotency): Promise<Workflow> {
    return this.#store.write((tx) =>
      once(tx, idempotency, this.#now(), async () => {
        const workflow = await this.#get(tx, id)
        const move = accept(cancellation(positionOf(workflow)), workflow, 'cancel')
        const metadata = { cancelled: true, ...(reason !== undefined && { reason }) }
        const error = sentences.cancelled(actor, reason)
        return this.#take(tx, workflow, { trigger: 'error', actor, move, metadata, error, release: true })
      }),
    )
  }

  /** A new workflow for the same feature in place of a failed one. Throws WORKFLOW_NOT_FOUND, INVALID_STATE_TRANSITION, FEATURE_BUSY. */
  retry(id: WorkflowId, actor: string, idempotency?: Idempotency): Promise<Workflow> {
    return this.#store.write((tx) =>
      once(tx, idempotency, this.#now(), async () => {
        const failed = await this.#get(tx, id)
        if (failed.status !== 'failed')
          throw new ServiceError('INVALID_STATE_TRANSITION', sentences.retryOfUnfailed(failed.status))
        const feature = await tx.findFeature(failed.feature_id)
        if (feature === undefined)
          throw new ServiceError('FEATURE_NOT_FOUND', sentences.unknownFeature(failed.feature_id))
        await this.#assertFree(tx, feature)
        const { workflow_type, feature_description, context, agent } = failed
        return this.#insert(
          tx,
          feature,
          { workflow_type, feature_description, ...(context && { context }), ...(agent !== null && { agent }) },
          actor,
          failed.id,
        )
      }),
    )
  }

  /** The executor takes an attempt up: starts a pending workflow. Undefined when the attempt is no longer wanted. */
  begin(attempt_id: AttemptId): Promise<AttemptWork | undefined> {
    return this.#store.write(async (tx) => {
      const work = await tx.findWork(attempt_id)
      if (work === undefined || !isCurrent(work)) return undefined
      const now = this.#now()
      const tries = work.tries + 1
      const since = work.tries === 0 ? { started_at: now } : {}
      const change = { state: 'running', reason: null, next_retry_at: null, tries, ...since } as const
      if (!(await tx.changeAttempt(attempt_id, UNFINISHED, change))) return undefined
      await this.#tellAttempt(tx, work, 'running', null, null)
      if (work.workflow.status === 'pending') await this.#start(tx, work.workflow)
      return { ...work, tries }
    })
  }

  /** The attempt waits for another try. Answers false when it is no longer wanted. */
  backOff(work: AttemptWork, reason: string, next_retry_at: string): Promise<boolean> {
    return this.#store.write(async (tx) => {
      const kept = await tx.changeAttempt(work.attempt_id, ['running'], { state: 'backing_off', reason, next_retry_at })
      if (kept) await this.#tellAttempt(tx, work, 'backing_off', reason, next_retry_at)
      return kept
    })
  }

  /** The hub took the attempt on under this name; kept also for one that is no longer wanted, so that it can be stopped. */
  async noteInvocation(attempt_id: AttemptId, agent: string, invocation_id: string): Promise<void> {
    await this.#store.write((tx) => tx.noteInvocation(attempt_id, agent, invocation_id))
  }

  /** What the agent did lately, for those who watch; with the hub's sequence, so that nothing is told twice. */
  async recordUpdates(work: AttemptWork, updates: AgentUpdate[], hub_sequence: number): Promise<void> {
    const { attempt_id, phase, number } = work
    await this.#store.write(async (tx) => {
      if (!(await tx.changeAttempt(attempt_id, UNFINISHED, { hub_sequence }))) return
      const data = { attempt_id, phase, number, updates }
      await tx.appendEvent({ type: 'agent.update', workflow_id: work.workflow.id, created_at: this.#now(), data })
    })
  }

  /** The hub answered. Answers false when somebody else ended the attempt before. */
  async complete(tx: WorkflowTransaction, attempt_id: AttemptId, outcome: Outcome, actor: string): Promise<boolean> {
    const workflow = await this.#findCurrent(tx, attempt_id)
    if (workflow === undefined) return false
    const move = this.#decide(workflow, 'agent_complete')
    await this.#take(tx, workflow, { trigger: 'agent_complete', actor, move, metadata: null, outcome })
    return true
  }

  /** The attempt failed for good. `release`: the hub may still be working on it. Answers as `complete` does. */
  async fail(
    tx: WorkflowTransaction,
    attempt_id: AttemptId,
    error: string,
    release: boolean,
    actor: string,
  ): Promise<boolean> {
    const workflow = await this.#findCurrent(tx, attempt_id)
    if (workflow === undefined) return false
    const move = this.#decide(workflow, 'error')
    await this.#take(tx, workflow, { trigger: 'error', actor, move, metadata: null, error, release })
    return true
  }

  async #featureFor(tx: WorkflowTransaction, body: CreateWorkflow, workspace: string, floor: number): Promise<Feature> {
    const now = this.#now()
    if (body.feature_id === undefined) {
      const description = body.feature_description ?? ''
      const id = featureIdFor(await tx.takeFeatureNumber(floor), description)
      const feature = { id, workspace, description, created_at: now, updated_at: now }
      await tx.insertFeature(feature)
      return feature
    }
    const feature = await tx.findFeature(body.feature_id)
    if (feature === undefined) throw new ServiceError('FEATURE_NOT_FOUND', sentences.unknownFeature(body.feature_id))
    if (body.workspace !== undefined && body.workspace !== feature.workspace) {
      const message = sentences.otherWorkspace(feature)
      throw new ServiceError('VALIDATION_ERROR', message, { details: [{ field: 'workspace', message }] })
    }
    await this.#assertFree(tx, feature)
    return feature
  }

  async #assertFree(tx: WorkflowTransaction, feature: Feature): Promise<void> {
    const active = await tx.findActiveWorkflow(feature.id)
    if (active !== undefined) throw new ServiceError('FEATURE_BUSY', sentences.featureBusy(feature.id, active))
  }

  async #insert(
    tx: WorkflowTransaction,
    feature: Feature,
    body: Pick<CreateWorkflow, 'workflow_type' | 'context' | 'agent'> & { feature_description: string },
    actor: string,
    retry_of: WorkflowId | null = null,
  ): Promise<Workflow> {
    const now = this.#now()
    const id = crypto.randomUUID() as WorkflowId
    const phase = phasesOf(body.workflow_type)[0] as Phase
    const row = {
      id,
      workflow_type: body.workflow_type,
      status: 'pending' as const,
      feature_id: feature.id,
      feature_description: body.feature_description,
      current_phase: phase,
      context: body.context ?? null,
      result: null,
      error: null,
      created_at: now,
      updated_at: now,
      completed_at: null,
      workspace: feature.workspace,
      agent: body.agent ?? null,
      retry_of,
      created_by: actor,
    }
    const { workflow_type, status, feature_id, workspace, created_by } = row
    const sequence = await tx.appendEvent({
      type: 'workflow.created',
      workflow_id: id,
      created_at: now,
      data: { workflow_type, status, feature_id, workspace, created_by },
    })
    const attempt_id = crypto.randomUUID() as AttemptId
    await tx.insertWorkflow(row, attempt_id, sequence)
    await this.#handOut(tx, { id: attempt_id, workflow_id: id, phase, number: 1, feedback: null, session_id: null })
    const workflow = await this.#get(tx, id)
    if (this.#o.phase_execution === 'hub') return workflow
    await this.#start(tx, workflow)
    return this.#get(tx, id)
  }

  async #start(tx: WorkflowTransaction, workflow: Workflow): Promise<void> {
    const move = this.#decide(workflow, 'start')
    await this.#take(tx, workflow, { trigger: 'start', actor: 'orchestrator', move, metadata: null })
  }

  /** A new attempt: to the queue, or to whoever runs phases outside. */
  async #handOut(
    tx: WorkflowTransaction,
    attempt: {
      id: AttemptId
      workflow_id: WorkflowId
      phase: Phase
      number: number
      feedback: Feedback | null
      session_id: string | null
    },
  ): Promise<void> {
    const now = this.#now()
    if (this.#o.phase_execution === 'external') {
      await tx.insertAttempt({
        ...attempt,
        state: 'running',
        reason: sentences.waitsForExternal(),
        created_at: now,
        started_at: now,
      })
      return
    }
    await tx.insertAttempt({
      ...attempt,
      state: 'queued',
      reason: sentences.waitsForSlot(),
      created_at: now,
      started_at: null,
    })
    await this.#queue.enqueue(tx, attempt.id)
  }

  /** A verdict: bound to what was seen, and never in contradiction to its trigger. */
  async #review(
    tx: WorkflowTransaction,
    workflow: Workflow,
    position: Position,
    step: Step,
    result: NonNullable<AdvanceWorkflow['phase_result']>,
  ): Promise<void> {
    const attempt = currentAttempt(workflow)
    const approves = step.trigger === 'human_approved'
    if (result.approved !== undefined && result.approved !== approves) {
      const message = sentences.contradictoryVerdict(step.trigger)
      throw new ServiceError('VALIDATION_ERROR', message, { details: [{ field: 'phase_result.approved', message }] })
    }
    if (result.digest !== undefined && result.digest !== attempt.digest) {
      throw new ServiceError('STALE_REVIEW', sentences.staleReview(workflow.feature_id))
    }
    const threads = threadsOf(result.comments)
    const stops = step.move.status === 'failed'
    const verdict = approves ? 'approved' : stops ? 'stopped' : 'changes_requested'
    const review = {
      id: crypto.randomUUID(),
      verdict,
      actor: step.actor,
      digest: attempt.digest,
      created_at: this.#now(),
    } as const
    await tx.insertReview(review, attempt.id, threads)
    step.feedback = feedbackOf(threads, approves)
    if (!stops) return
    const usedUp = !result.abort && reworksUsedUp(position, this.#policy(workflow))
    step.error = usedUp
      ? sentences.reworksUsedUp(this.#o.max_reworks)
      : sentences.stopped(step.actor, step.feedback?.text)
  }

  /** One step, whole: the move, the attempt it ends, the one it hands out, the history row and the event. */
  async #take(tx: WorkflowTransaction, workflow: Workflow, step: Step): Promise<Workflow> {
    const { move } = step
    const now = this.#now()
    const current = currentAttempt(workflow)
    const attempt_id = move.effect === 'run' ? (crypto.randomUUID() as AttemptId) : current.id
    const session_id = await this.#endAttempt(tx, workflow, step, now)
    const moved = await tx.moveWorkflow(
      { id: workflow.id, status: workflow.status, attempt_id: current.id },
      {
        status: move.status,
        current_phase: move.phase,
        attempt_id,
        updated_at: now,
        ...(step.outcome && { result: { phase: move.phase, attempt: move.attempt, ...step.outcome.result } }),
        ...(step.error !== undefined && { error: step.error }),
        ...(move.effect === 'end' && { completed_at: now }),
      },
    )
    if (!moved) throw new ServiceError('INVALID_STATE_TRANSITION', sentences.decidedMeanwhile())
    await this.#record(tx, workflow, step, now)
    if (move.effect === 'run') {
      const { phase, attempt: number } = move
      await this.#handOut(tx, {
        id: attempt_id,
        workflow_id: workflow.id,
        phase,
        number,
        feedback: step.feedback ?? null,
        session_id,
      })
    }
    return this.#get(tx, workflow.id)
  }

  /** Closes the current attempt as the step says. Answers the agent's session, which the next attempt continues. */
  async #endAttempt(tx: WorkflowTransaction, workflow: Workflow, step: Step, now: string): Promise<string | null> {
    const { id } = currentAttempt(workflow)
    const work = await tx.findWork(id)
    const ends = { next_retry_at: null, finished_at: now }
    if (step.outcome !== undefined) {
      await tx.changeAttempt(id, UNFINISHED, { ...ends, state: 'succeeded', reason: null })
      await tx.insertOutcome(id, step.outcome)
      await tx.answerThreads(workflow.id, step.outcome.threads)
    } else if (step.error !== undefined) {
      await tx.changeAttempt(id, UNFINISHED, {
        ...ends,
        state: step.metadata?.['cancelled'] === true ? 'cancelled' : 'failed',
        reason: step.error,
      })
    }
    if (step.release === true && work !== undefined && work.tries > 0 && workflow.status === 'in_progress') {
      await this.#queue.cancel(tx, id)
      await tx.insertCancellation(id)
      tx.afterCommit(this.#o.onCancellation)
    }
    return step.outcome?.session_id ?? work?.session_id ?? null
  }

  async #record(tx: WorkflowTransaction, workflow: Workflow, step: Step, now: string): Promise<void> {
    const attempt = currentAttempt(workflow)
    const row = {
      id: crypto.randomUUID(),
      workflow_id: workflow.id,
      from_status: workflow.status,
      to_status: step.move.status,
      trigger: step.trigger,
      metadata: step.error === undefined ? step.metadata : { ...step.metadata, error: step.error },
      created_at: now,
      actor: step.actor,
      phase: workflow.current_phase,
      attempt: attempt.number,
      digest: step.outcome?.digest ?? attempt.digest,
    }
    const sequence = await tx.appendEvent({
      type: 'workflow.transition',
      workflow_id: workflow.id,
      created_at: now,
      data: row,
    })
    await tx.insertTransition({ ...row, sequence }, attempt.id)
  }

  async #tellAttempt(
    tx: WorkflowTransaction,
    work: AttemptWork,
    state: 'running' | 'backing_off',
    reason: string | null,
    next_retry_at: string | null,
  ): Promise<void> {
    const { attempt_id, phase, number } = work
    const data = { attempt_id, phase, number, state, reason, next_retry_at }
    await tx.appendEvent({ type: 'attempt.state', workflow_id: work.workflow.id, created_at: this.#now(), data })
  }

  async #findCurrent(tx: WorkflowTransaction, attempt_id: AttemptId): Promise<Workflow | undefined> {
    const work = await tx.findWork(attempt_id)
    return work !== undefined && isCurrent(work) && work.workflow.status === 'in_progress' ? work.workflow : undefined
  }

  async #get(tx: WorkflowTransaction, id: WorkflowId): Promise<Workflow> {
    const workflow = await tx.findWorkflow(id)
    if (workflow === undefined) throw new ServiceError('WORKFLOW_NOT_FOUND', sentences.unknownWorkflow(id))
    return workflow
  }

  #decide(workflow: Workflow, trigger: Trigger, abort = false): Move {
    return accept(transition(positionOf(workflow), trigger, this.#policy(workflow), abort), workflow, trigger)
  }

  #policy(workflow: Workflow) {
    return { phases: phasesOf(workflow.workflow_type), max_reworks: this.#o.max_reworks }
  }

  #now(): string {
    return this.#clock.now().toISOString()
  }
}

function accept(decision: Move | Refusal, workflow: Workflow, asked: string): Move {
  if ('refused' in decision) {
    throw new ServiceError('INVALID_STATE_TRANSITION', sentences.impossible(workflow.status, asked, decision.allowed))
  }
  return decision
}

function currentAttempt(workflow: Workflow): NonNullable<Workflow['attempt']> {
  if (workflow.attempt === null) throw new Error(`workflow ${workflow.id} has no attempt`)
  return workflow.attempt
}

function positionOf(workflow: Workflow): Position {
  return {
    status: workflow.status,
    phase: workflow.current_phase ?? 'phase_1',
    attempt: currentAttempt(workflow).number,
  }
}

function isCurrent(work: AttemptWork): boolean {
  const { status, attempt } = work.workflow
  return attempt?.id === work.attempt_id && (status === 'pending' || status === 'in_progress')
}

function threadsOf(comments: string | Comment[] | undefined): (Comment & { id: string })[] {
  if (comments === undefined) return []
  const list = typeof comments === 'string' ? [{ text: comments }] : comments
  return list.map((comment) => ({ ...comment, id: crypto.randomUUID() }))
}
