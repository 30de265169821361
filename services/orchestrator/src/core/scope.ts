import { ServiceError, type Digest, type FeatureId, type WorkflowId } from '@orchestrator/contract'

import * as sentences from './sentences.ts'

/** Where a feature is begun when nobody names another. */
export const DEFAULT_WORKSPACE = 'default'

/** The workspaces that somebody's key is for; null: all of them. */
export type Scope = readonly string[] | null

export function reaches(scope: Scope, workspace: string): boolean {
  return scope === null || scope.includes(workspace)
}

/** Where something belongs. None of it ever changes. */
export interface ScopeStore {
  findWorkspaceOf(what: { workflow: WorkflowId } | { feature: FeatureId }): Promise<string | undefined>
  /** Whether a workflow of one of these workspaces handed it in. */
  hasArtifact(digest: Digest, workspaces: readonly string[]): Promise<boolean>
}

/** Workflows whose workspace is remembered. */
const REMEMBERED_MAX = 10_000

/** Another workspace's id is answered as one that there is not. Throws what an unknown id would. */
export class Scopes {
  readonly #store: ScopeStore
  readonly #workspaces = new Map<WorkflowId, string>()

  constructor(store: ScopeStore) {
    this.#store = store
  }

  async assertWorkflow(scope: readonly string[], id: WorkflowId): Promise<void> {
    if (!(await this.hasWorkflow(scope, id)))
      throw new ServiceError('WORKFLOW_NOT_FOUND', sentences.unknownWorkflow(id))
  }

  async assertFeature(scope: readonly string[], id: FeatureId): Promise<void> {
    const workspace = await this.#store.findWorkspaceOf({ feature: id })
    if (workspace === undefined || !scope.includes(workspace))
      throw new ServiceError('FEATURE_NOT_FOUND', sentences.unknownFeature(id))
  }

  async assertArtifact(scope: readonly string[], digest: Digest): Promise<void> {
    if (!(await this.#store.hasArtifact(digest, scope)))
      throw new ServiceError('ARTIFACT_NOT_FOUND', sentences.unknownArtifact(digest))
  }

  async hasWorkflow(scope: readonly string[], id: WorkflowId): Promise<boolean> {
    const workspace = this.#workspaces.get(id) ?? (await this.#look(id))
    return workspace !== undefined && scope.includes(workspace)
  }

  async #look(id: WorkflowId): Promise<string | undefined> {
    const workspace = await this.#store.findWorkspaceOf({ workflow: id })
    if (workspace === undefined) return undefined
    if (this.#workspaces.size >= REMEMBERED_MAX) this.#workspaces.clear()
    this.#workspaces.set(id, workspace)
    return workspace
  }
}
