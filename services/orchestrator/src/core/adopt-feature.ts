import { ServiceError, type CreateWorkflow, type FeatureId } from '@orchestrator/contract'

import { HubError, type AgentHub } from './agent-hub.ts'
import * as sentences from './sentences.ts'

/** A feature that the repository has and nobody created here. */
export interface FoundFeature {
  id: FeatureId
  description: string
}

/**
 * Looks for a feature in the workspace's repository, so that what was begun elsewhere can be continued here by its id.
 * Undefined where there is none. Throws WORKSPACE_NOT_FOUND, UNAVAILABLE, and VALIDATION_ERROR when nobody says what
 * it is about.
 */
export function createFeatureFinder(hub: Pick<AgentHub, 'findFeature'>) {
  return async (workspace: string, id: FeatureId, body: CreateWorkflow): Promise<FoundFeature | undefined> => {
    const found = await ask(hub, workspace, id)
    if (found === undefined) return undefined
    const description = body.feature_description ?? found.description
    if (description !== null) return { id, description }
    const message = sentences.undescribed(id)
    throw new ServiceError('VALIDATION_ERROR', `feature_description ${message}.`, {
      details: [{ field: 'feature_description', message }],
    })
  }
}

async function ask(hub: Pick<AgentHub, 'findFeature'>, workspace: string, id: FeatureId) {
  try {
    return await hub.findFeature(workspace, id)
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    if (error.code === 'WORKSPACE_NOT_FOUND') {
      throw new ServiceError('WORKSPACE_NOT_FOUND', sentences.unknownWorkspace(workspace), { cause: error })
    }
    throw new ServiceError('UNAVAILABLE', error.message, { cause: error })
  }
}
