import {
  ServiceError,
  type CreateWorkflow,
  type Feature,
  type Feedback,
  type Phase,
  type Workflow,
  type WorkflowId,
  type AttemptId,
} from '@orchestrator/contract'

import type { FoundFeature } from './adopt-feature.ts'
import { phasesOf } from './definitions.ts'
import { featureIdFor } from './feature-ids.ts'
import { feedbackOf, withTicks } from './feedback.ts'
import { firstHash } from './history-entry.ts'
import type { KnownFeature, WorkflowTransaction } from './ports.ts'
import { newId } from './new-id.ts'
import type { Origin } from './origin.ts'
import type { Asker } from './privileges.ts'
import { DEFAULT_WORKSPACE, reaches } from './scope.ts'
import * as sentences from './sentences.ts'
import type { WorkflowSteps } from './workflow-steps.ts'

export interface WorkflowCreationOptions {
  steps: WorkflowSteps
  phase_execution: 'hub' | 'external'
  /** Workflows of one workspace that have not ended; undefined: as many as there are. */
  max_running_per_workspace: number | undefined
}

/** How a workflow comes into being, inside the transaction of whoever creates it. */
export class WorkflowCreation {
  readonly #o: WorkflowCreationOptions
  readonly #steps: WorkflowSteps

  constructor(o: WorkflowCreationOptions) {
    this.#o = o
    this.#steps = o.steps
  }

  /** The one that is named, or a new one. Throws FEATURE_NOT_FOUND, FEATURE_BUSY, VALIDATION_ERROR. */
  async featureFor(
    tx: WorkflowTransaction,
    body: CreateWorkflow,
    asker: Asker,
    floor: number,
    found: FoundFeature | undefined,
  ): Promise<KnownFeature> {
    const now = this.#steps.now()
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
    await this.continueFeature(tx, feature)
    return feature
  }

  /** The feature goes on with a new workflow. Throws FEATURE_BUSY while another has not ended. */
  async continueFeature(tx: WorkflowTransaction, feature: Feature): Promise<void> {
    const active = await tx.findActiveWorkflow(feature.id)
    if (active !== undefined) throw new ServiceError('FEATURE_BUSY', sentences.featureBusy(feature.id, active))
    await tx.touchFeature(feature.id, this.#steps.now())
  }

  /** What was said with the approval of the workflow before is for the first phase of the next. */
  async approvedWith(tx: WorkflowTransaction, feature: Feature): Promise<Feedback | null> {
    return feedbackOf(await tx.listApprovalComments(feature.id), true)
  }

  /** Throws QUOTA_EXCEEDED. */
  async insert(
    tx: WorkflowTransaction,
    feature: KnownFeature,
    body: Pick<CreateWorkflow, 'workflow_type' | 'context' | 'agent' | 'model'> & { feature_description: string },
    origin: Origin,
    { retry_of = null, feedback }: { retry_of?: WorkflowId | null; feedback: Feedback | null },
  ): Promise<Workflow> {
    await this.#assertRoom(tx, feature.workspace)
    const now = this.#steps.now()
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
}
