import {
  ServiceError,
  type FeatureId,
  type PushedBranch,
  type PushFeature,
  type RepositoryFeature,
} from '@orchestrator/contract'
import { specDescription } from '@orchestrator/spec-kit'

import { featureLane, type Lanes } from './lanes.ts'
import type { Workspaces } from './ports.ts'

/** Features as the repository has them, whoever began them. */
export interface Features {
  /** Throws WORKSPACE_NOT_FOUND, FEATURE_NOT_FOUND, UNAVAILABLE. */
  get(workspace: string, feature_id: FeatureId): Promise<RepositoryFeature>
  /** While nobody works on it. Throws FEATURE_BUSY, and what `Workspaces.push` throws. */
  push(workspace: string, feature_id: FeatureId, how: PushFeature): Promise<PushedBranch>
}

export function createFeatures(parts: { workspaces: Workspaces; lanes: Lanes }): Features {
  const { workspaces, lanes } = parts
  return {
    async get(workspace, feature_id) {
      const found = await workspaces.findFeature(workspace, feature_id)
      if (found === undefined) {
        throw new ServiceError('FEATURE_NOT_FOUND', `The repository of "${workspace}" has no feature ${feature_id}.`)
      }
      const { documents, spec } = found
      return { feature_id, workspace, documents, description: spec === null ? null : specDescription(spec) }
    },

    async push(workspace, feature_id, how) {
      workspaces.assertKnown(workspace)
      const lane = featureLane(workspace, feature_id)
      if (lanes.isBusy(lane)) {
        throw new ServiceError('FEATURE_BUSY', `An agent is at work on ${feature_id}: wait for its end, or cancel it.`)
      }
      const done = Promise.withResolvers<PushedBranch>()
      const run = async () => workspaces.push(workspace, feature_id, how).then(done.resolve, done.reject)
      lanes.add({ lane, id: crypto.randomUUID(), memory_mb: 0, run })
      return done.promise
    },
  }
}
