import {
  ServiceError,
  type AdvanceWorkflow,
  type AgentUpdate,
  type AttemptId,
  type CreateWorkflow,
  type Feature,
  type FeatureId,
  type Feedback,
  type JsonObject,
  type Phase,
  type Workflow,
  type WorkflowId,
} from '@orchestrator/contract'

import type { FoundFeature } from './adopt-feature.ts'
import type { ApprovalRules } from './approval-rules.ts'
import { phasesOf } from './definitions.ts'
import { featureIdFor } from './feature-ids.ts'
import { feedbackOf, withTicks } from './feedback.ts'
import { firstHash } from './history-entry.ts'
import { once, type Idempotency } from './idempotency.ts'
import { outcomeOfExternal, type Outcome } from './outcome.ts'
import type { AttemptWork, KnownFeature, WorkflowStore, WorkflowTransaction } from './ports.ts'
import { newId } from './new-id.ts'
import { byItself, type Origin } from './origin.ts'
import type { Asker } from './privileges.ts'
import { DEFAULT_WORKSPACE, reaches } from './scope.ts'
import * as sentences from './sentences.ts'
import { cancellation } from './transitions.ts'
import { verdictStep } from './verdicts.ts'
import {
  accept,
  currentAttempt,
  positionOf,
  UNFINISHED,
  WorkflowSteps,
  type Step,
  type WorkflowStepsOptions,
} from './workflow-steps.ts'

export interface StateMachineOptions extends WorkflowStepsOptions {
  store: WorkflowStore
  approvals: Pick<ApprovalRules, 'current'>
  /** Workflows of one workspace that have not ended; undefined: as many as there are. */
  max_running_per_workspace: number | undefined
  /** The highest feature number taken in the workspace's repository, as far as known. */
  highestNumber(workspace: string): Promise<number>
  /** A feature that the workspace's repository has and nobody created here. */
  findInRepository(workspace: string, id: FeatureId, body: CreateWorkflow): Promise<FoundFeature | undefined>
  /** Throws VALIDATION_ERROR for a model that the agent cannot be given. */
  checkModel(body: CreateWorkflow): Promise<void>
}

/**
 * The only writer of workflows. Each step is one commit: the move, its history row, its event, the
 * attempt it ends and the one it hands out.
 */
export class WorkflowStateMachine {
  readonly #store: WorkflowStore
  readonly #steps: WorkflowSteps
  readonly #o: StateMachineOptions

  constructor(o: StateMachineOptions) {
    this.#store = o.store
    this.#steps = new WorkflowSteps(o)
    this.#o = o
  }

  /** Throws FORBIDDEN, FEATURE_NOT_FOUND, FEATURE_BUSY, QUOTA_EXCEEDED, VALIDATION_ERROR, WORKSPACE_NOT_FOUND, UNAVAILABLE. */
  async create(body: CreateWorkflow, asker: Asker, idempotency?: Idempotency): Promise<Workflow> {
    assertReaches(asker, body)
    if (body.model !== undefined) await this.#o.checkModel(body)
    try {
      return await this.#create(body, asker, idempotency)
    } catch (error) {
      const { feature_id, workspace = DEFAULT_WORKSPACE } = body
      const is_unknown = error instanceof ServiceError && error.code === 'FEATURE_NOT_FOUND'
      if (!is_unknown || feature_id === undefined || !reaches(asker.workspaces, workspace)) throw error
      // Only now, so that nobody who continues a feature of ours waits for the hub.
      const found = await this.#o.findInRepository(workspace, feature_id, body)
      if (found === undefined) throw error
      return this.#create(body, asker, idempotency, found)
    }
  }

  async #create(
    body: CreateWorkflow,
    asker: Asker,
    idempotency: Idempotency | undefined,
    found?: FoundFeature,
  ): Promise<Workflow> {
    const workspace = body.workspace ?? DEFAULT_WORKSPACE
    const floor = body.feature_id === undefined ? await this.#o.highestNumber(workspace) : 0
    return this.#store.write((tx) =>
      once(tx, idempotency, this.#now(), async () => {
        const feature = await this.#featureFor(tx, body, asker, floor, found)
        const { feature_description = feature.description } = body
        const feedback = body.feature_id === undefined ? null : await this.#approvedWith(tx, feature)
        return this.#insert(tx, feature, { ...body, feature_description }, asker, { feedback })
      }),
    )
  }

  /** Throws WORKFLOW_NOT_FOUND, INVALID_STATE_TRANSITION, VALIDATION_ERROR, and what a verdict may throw. */
  async advance(id: WorkflowId, body: AdvanceWorkflow, asker: Asker, idempotency?: Idempotency): Promise<Workflow> {
    const { trigger, phase_result } = body
    const rules = isVerdict(trigger) ? await this.#o.approvals.current() : undefined
    return this.#store.write((tx) =>
      once(tx, idempotency, this.#now(), async () => {
        const workflow = await this.#steps.get(tx, id)
        const move = this.#steps.decide(workflow, trigger, phase_result?.abort ?? false)
        if (isVerdict(trigger) && rules !== undefined) {
          const requirement = rules.for(workflow.workflow_type, workflow.current_phase ?? 'phase_1')
          const { max_reworks } = this.#o
          const verdict = { workflow, trigger, phase_result, asker, move, requirement, max_reworks, now: this.#now() }
          return this.#steps.take(tx, workflow, await verdictStep(tx, verdict))
        }
        const metadata: JsonObject | null = phase_result ?? null
        const step: Step = { trigger, origin: asker, move, metadata, release: true }
        if (trigger === 'agent_complete') step.outcome = outcomeOfExternal(metadata ?? {})
        else step.error = phase_result?.error ?? sentences.reportedWithoutReason()
        return this.#steps.take(tx, workflow, step)
      }),
    )
  }

  /** Fails a workflow that has not ended and reaches its agent. Throws WORKFLOW_NOT_FOUND, INVALID_STATE_TRANSITION. */
  cancel(id: WorkflowId, reason: string | undefined, asker: Asker, idempotency?: Idempotency): Promise<Workflow> {
    return this.#store.write((tx) =>
      once(tx, idempotency, this.#now(), async () => {
        const workflow = await this.#steps.get(tx, id)
        const move = accept(cancellation(positionOf(workflow)), workflow, 'cancel')
        const error = sentences.cancelled(asker.name, reason)
        return this.#steps.take(tx, workflow, {
          trigger: 'error',
          origin: asker,
          move,
          metadata: { cancelled: true },
          ...(reason !== undefined && { words: { reason } }),
          error,
          release: true,
        })
      }),
    )
  }

  /** A new workflow for the same feature in place of a failed one. Throws WORKFLOW_NOT_FOUND, INVALID_STATE_TRANSITION, FEATURE_BUSY. */
  retry(id: WorkflowId, asker: Asker, idempotency?: Idempotency): Promise<Workflow> {
    return this.#store.write((tx) =>
      once(tx, idempotency, this.#now(), async () => {
        const failed = await this.#steps.get(tx, id)
        if (failed.status !== 'failed')
          throw new ServiceError('INVALID_STATE_TRANSITION', sentences.retryOfUnfailed(failed.status))
        const feature = await tx.findFeature(failed.feature_id)
        if (feature === undefined)
          throw new ServiceError('FEATURE_NOT_FOUND', sentences.unknownFeature(failed.feature_id))
        await this.#continue(tx, feature)
        const { workflow_type, feature_description, context, agent, model } = failed
        return this.#insert(
          tx,
          feature,
          {
            workflow_type,
            feature_description,
            ...(context && { context }),
            ...(agent !== null && { agent }),
            ...(model !== null && { model }),
          },
          asker,
          { retry_of: failed.id, feedback: await this.#approvedWith(tx, feature) },
        )
      }),
    )
  }

  /**
   * Where phases are run outside, nothing waits for a slot: starts what an earlier setting left queued.
   * Answers how many.
   */
  async startQueued(): Promise<number> {
    let started = 0
    let cursor: string | null | undefined
    while (cursor !== null) {
      const page = await this.#store.listWorkflows({
        status: 'pending',
        limit: 200,
        ...(cursor !== undefined && { cursor }),
      })
      for (const { id } of page.items) started += await this.#store.write((tx) => this.#startOutside(tx, id))
      cursor = page.next_cursor
    }
    return started
  }

  async #startOutside(tx: WorkflowTransaction, id: WorkflowId): Promise<number> {
    const workflow = await this.#steps.get(tx, id)
    if (workflow.status !== 'pending') return 0
    const change = { state: 'running', reason: sentences.waitsForExternal(), started_at: this.#now() } as const
    await tx.changeAttempt(currentAttempt(workflow).id, UNFINISHED, change)
    await this.#steps.start(tx, workflow)
    return 1
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
      await this.#steps.tellAttempt(tx, work, 'running', null, null)
      if (work.workflow.status === 'pending') await this.#steps.start(tx, work.workflow)
      return { ...work, tries }
    })
  }

  /** The attempt has to wait before it begins; told once for each reason. */
  async hold(attempt_id: AttemptId, reason: string): Promise<void> {
    await this.#store.write(async (tx) => {
      const work = await tx.findWork(attempt_id)
      if (work === undefined || !isCurrent(work) || work.workflow.attempt?.reason === reason) return
      if (await tx.changeAttempt(attempt_id, ['queued'], { reason }))
        await this.#steps.tellAttempt(tx, work, 'queued', reason, null)
    })
  }

  /** The attempt waits for another try. Answers false when it is no longer wanted. */
  backOff(work: AttemptWork, reason: string, next_retry_at: string): Promise<boolean> {
    return this.#store.write(async (tx) => {
      const kept = await tx.changeAttempt(work.attempt_id, ['running'], { state: 'backing_off', reason, next_retry_at })
      if (kept) await this.#steps.tellAttempt(tx, work, 'backing_off', reason, next_retry_at)
      return kept
    })
  }

  /** The hub took the attempt on under this name. One that ended meanwhile is stopped there: it may have been too early for that before. */
  async noteInvocation(attempt_id: AttemptId, agent: string, invocation_id: string): Promise<void> {
    await this.#store.write(async (tx) => {
      const state = await tx.noteInvocation(attempt_id, agent, invocation_id)
      if (state === undefined || UNFINISHED.some((unfinished) => unfinished === state)) return
      await tx.insertCancellation(attempt_id)
      tx.afterCommit(this.#o.onCancellation)
    })
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
  async complete(tx: WorkflowTransaction, attempt_id: AttemptId, outcome: Outcome): Promise<boolean> {
    const work = await this.#findCurrent(tx, attempt_id)
    if (work === undefined) return false
    const { workflow, feedback } = work
    if (feedback?.ticks !== undefined) await tx.markTicksApplied(workflow.feature_id)
    const move = this.#steps.decide(workflow, 'agent_complete')
    await this.#steps.take(tx, workflow, {
      trigger: 'agent_complete',
      origin: byItself(`agent:${outcome.agent}`),
      move,
      metadata: null,
      outcome,
    })
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
    const workflow = (await this.#findCurrent(tx, attempt_id))?.workflow
    if (workflow === undefined) return false
    const move = this.#steps.decide(workflow, 'error')
    await this.#steps.take(tx, workflow, {
      trigger: 'error',
      origin: byItself(actor),
      move,
      metadata: null,
      error,
      release,
    })
    return true
  }

  async #featureFor(
    tx: WorkflowTransaction,
    body: CreateWorkflow,
    asker: Asker,
    floor: number,
    found: FoundFeature | undefined,
  ): Promise<KnownFeature> {
    const now = this.#now()
    const workspace = body.workspace ?? DEFAULT_WORKSPACE
    if (body.feature_id === undefined) {
      const description = body.feature_description ?? ''
      const id = featureIdFor(await tx.takeFeatureNumber(floor), description)
      const feature = { id, workspace, description, created_at: now, updated_at: now }
      await tx.insertFeature(feature)
      return { ...feature, has_ticks: false }
    }
    const feature = await tx.findFeature(body.feature_id)
    if (feature === undefined && found !== undefined) {
      const adopted = { ...found, workspace, created_at: now, updated_at: now }
      await tx.insertFeature(adopted)
      return { ...adopted, has_ticks: false }
    }
    if (feature === undefined || !reaches(asker.workspaces, feature.workspace))
      throw new ServiceError('FEATURE_NOT_FOUND', sentences.unknownFeature(body.feature_id))
    if (body.workspace !== undefined && body.workspace !== feature.workspace) {
      const message = sentences.otherWorkspace(feature)
      throw new ServiceError('VALIDATION_ERROR', message, { details: [{ field: 'workspace', message }] })
    }
    await this.#continue(tx, feature)
    return feature
  }

  /** The feature goes on with a new workflow. Throws FEATURE_BUSY while another has not ended. */
  async #continue(tx: WorkflowTransaction, feature: Feature): Promise<void> {
    const active = await tx.findActiveWorkflow(feature.id)
    if (active !== undefined) throw new ServiceError('FEATURE_BUSY', sentences.featureBusy(feature.id, active))
    await tx.touchFeature(feature.id, this.#now())
  }

  /** What was said with the approval of the workflow before is for the first phase of the next. */
  async #approvedWith(tx: WorkflowTransaction, feature: Feature): Promise<Feedback | null> {
    return feedbackOf(await tx.listApprovalComments(feature.id), true)
  }

  async #insert(
    tx: WorkflowTransaction,
    feature: KnownFeature,
    body: Pick<CreateWorkflow, 'workflow_type' | 'context' | 'agent' | 'model'> & { feature_description: string },
    origin: Origin,
    { retry_of = null, feedback }: { retry_of?: WorkflowId | null; feedback: Feedback | null },
  ): Promise<Workflow> {
    await this.#assertRoom(tx, feature.workspace)
    const now = this.#now()
    const id = newId<WorkflowId>()
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
      model: body.model ?? null,
      retry_of,
      created_by: origin.name,
    }
    const sequence = await tx.takeSequence()
    const attempt_id = newId<AttemptId>()
    const { key_id, request_id, address } = origin
    const history_hash = firstHash(row, origin)
    await tx.insertWorkflow(row, { attempt_id, sequence, key_id, request_id, address, history_hash })
    const given = feature.has_ticks ? withTicks(feedback, await tx.listTicksToApply(feature.id)) : feedback
    const traceparent = origin.traceparent ?? null
    const attempt = await this.#steps.handOut(
      tx,
      { id: attempt_id, phase, number: 1, feedback: given, session_id: null, traceparent },
      row,
    )
    const workflow: Workflow = { ...row, attempt }
    return this.#o.phase_execution === 'hub' ? workflow : this.#steps.start(tx, workflow)
  }

  /** Throws QUOTA_EXCEEDED. */
  async #assertRoom(tx: WorkflowTransaction, workspace: string): Promise<void> {
    const most = this.#o.max_running_per_workspace
    if (most === undefined || (await tx.countRunning(workspace, most)) < most) return
    throw new ServiceError('QUOTA_EXCEEDED', sentences.tooManyRunning(workspace, most))
  }

  async #findCurrent(tx: WorkflowTransaction, attempt_id: AttemptId): Promise<AttemptWork | undefined> {
    const work = await tx.findWork(attempt_id)
    return work !== undefined && isCurrent(work) && work.workflow.status === 'in_progress' ? work : undefined
  }

  #now(): string {
    return this.#steps.now()
  }
}

/** A feature that is continued is in its own workspace, which is looked at when it has been found. Throws FORBIDDEN. */
function assertReaches({ workspaces }: Asker, { feature_id, workspace = DEFAULT_WORKSPACE }: CreateWorkflow) {
  if (feature_id !== undefined || workspaces === null || reaches(workspaces, workspace)) return
  throw new ServiceError('FORBIDDEN', sentences.otherScope(workspace, workspaces))
}

function isVerdict(trigger: AdvanceWorkflow['trigger']): trigger is 'human_approved' | 'human_rejected' {
  return trigger === 'human_approved' || trigger === 'human_rejected'
}

function isCurrent(work: AttemptWork): boolean {
  const { status, attempt } = work.workflow
  return attempt?.id === work.attempt_id && (status === 'pending' || status === 'in_progress')
}
