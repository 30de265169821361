import {
  ServiceError,
  type AdvanceWorkflow,
  type CreateWorkflow,
  type FeatureId,
  type JsonObject,
  type Workflow,
  type WorkflowId,
} from '@orchestrator/contract'

import type { FoundFeature } from './adopt-feature.ts'
import type { ApprovalRules } from './approval-rules.ts'
import { AttemptLifecycle } from './attempt-lifecycle.ts'
import { IdempotentWriter, type Idempotency } from './idempotency.ts'
import { outcomeOfExternal } from './outcome.ts'
import type { WorkflowStore } from './ports.ts'
import type { Asker } from './privileges.ts'
import { DEFAULT_WORKSPACE, reaches } from './scope.ts'
import * as sentences from './sentences.ts'
import { cancellation } from './transitions.ts'
import { verdictStep } from './verdicts.ts'
import { WorkflowCreation } from './workflow-creation.ts'
import {
  accept,
  getWorkflow,
  positionOf,
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
 * attempt it ends and the one it hands out. What people do stands here, what the executor does in `attempts`.
 */
export class WorkflowStateMachine {
  readonly attempts: AttemptLifecycle
  readonly #writer: IdempotentWriter
  readonly #steps: WorkflowSteps
  readonly #creation: WorkflowCreation
  readonly #o: StateMachineOptions

  constructor(o: StateMachineOptions) {
    const steps = new WorkflowSteps(o)
    this.attempts = new AttemptLifecycle({ ...o, steps })
    this.#writer = new IdempotentWriter(o.store, () => steps.now())
    this.#steps = steps
    this.#creation = new WorkflowCreation({ ...o, steps })
    this.#o = o
  }

  /** Throws FORBIDDEN, FEATURE_NOT_FOUND, FEATURE_BUSY, QUOTA_EXCEEDED, VALIDATION_ERROR, WORKSPACE_NOT_FOUND, UNAVAILABLE. */
  async create(body: CreateWorkflow, asker: Asker, idempotency?: Idempotency): Promise<Workflow> {
    assertReaches(asker, body)
    try {
      if (body.model !== undefined) await this.#o.checkModel(body)
    } catch (error) {
      // What was created under this key while the agent took that model is still the answer.
      return this.#writer.write(idempotency, async () => {
        throw error
      })
    }
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
    return this.#writer.write(idempotency, async (tx) => {
      const feature = await this.#creation.featureFor(tx, body, asker, floor, found)
      const { feature_description = feature.description } = body
      const feedback = body.feature_id === undefined ? null : await this.#creation.approvedWith(tx, feature)
      return this.#creation.insert(tx, feature, { ...body, feature_description }, asker, { feedback })
    })
  }

  /** Throws WORKFLOW_NOT_FOUND, INVALID_STATE_TRANSITION, VALIDATION_ERROR, and what a verdict may throw. */
  async advance(id: WorkflowId, body: AdvanceWorkflow, asker: Asker, idempotency?: Idempotency): Promise<Workflow> {
    const { trigger, phase_result } = body
    const rules = isVerdict(trigger) ? await this.#o.approvals.current() : undefined
    return this.#writer.write(idempotency, async (tx) => {
      const workflow = await getWorkflow(tx, id)
      const move = this.#steps.decide(workflow, trigger, phase_result?.abort ?? false)
      if (isVerdict(trigger) && rules !== undefined) {
        const requirement = rules.for(workflow.workflow_type, positionOf(workflow).phase)
        const { max_reworks } = this.#o
        const verdict = { workflow, trigger, phase_result, asker, move, requirement, max_reworks, now: this.#now() }
        return this.#steps.take(tx, workflow, await verdictStep(tx, verdict))
      }
      const metadata: JsonObject | null = phase_result ?? null
      const step: Step = { trigger, origin: asker, move, metadata, release: true }
      if (trigger === 'agent_complete') step.outcome = outcomeOfExternal(metadata ?? {})
      else step.error = phase_result?.error ?? sentences.reportedWithoutReason()
      return this.#steps.take(tx, workflow, step)
    })
  }

  /** Fails a workflow that has not ended and reaches its agent. Throws WORKFLOW_NOT_FOUND, INVALID_STATE_TRANSITION. */
  cancel(id: WorkflowId, reason: string | undefined, asker: Asker, idempotency?: Idempotency): Promise<Workflow> {
    return this.#writer.write(idempotency, async (tx) => {
      const workflow = await getWorkflow(tx, id)
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
    })
  }

  /** A new workflow for the same feature in place of a failed one. Throws WORKFLOW_NOT_FOUND, INVALID_STATE_TRANSITION, FEATURE_BUSY. */
  retry(id: WorkflowId, asker: Asker, idempotency?: Idempotency): Promise<Workflow> {
    return this.#writer.write(idempotency, async (tx) => {
      const failed = await getWorkflow(tx, id)
      if (failed.status !== 'failed')
        throw new ServiceError('INVALID_STATE_TRANSITION', sentences.retryOfUnfailed(failed.status))
      const feature = await tx.findFeature(failed.feature_id)
      if (feature === undefined)
        throw new ServiceError('FEATURE_NOT_FOUND', sentences.unknownFeature(failed.feature_id))
      await this.#creation.continueFeature(tx, feature)
      const { workflow_type, feature_description, context, agent, model } = failed
      return this.#creation.insert(
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
        { retry_of: failed.id, feedback: await this.#creation.approvedWith(tx, feature) },
      )
    })
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
