import { ServiceError, type CreateWorkflow, type WorkflowType } from '@orchestrator/contract'

import { HubError, type AgentHub } from './agent-hub.ts'
import * as sentences from './sentences.ts'

/**
 * Whether the agent of a new workflow has a model to choose, as far as the hub tells; asked only when somebody chose
 * one. Throws VALIDATION_ERROR. Whether there is such a model, only its own server knows.
 */
export function createModelCheck(hub: Pick<AgentHub, 'listAgents'>, agentFor: (type: WorkflowType) => string) {
  return async ({ workflow_type, agent = agentFor(workflow_type), model }: CreateWorkflow): Promise<void> => {
    if (model === undefined) return
    const known = await hub.listAgents().catch((error: unknown) => {
      // A hub of another family has no such list, and one that is away tells later.
      if (error instanceof HubError) return undefined
      throw error
    })
    const name = agent === 'default' ? known?.default : agent
    const found = known?.items.find((item) => item.name === name)
    if (found?.takes_model !== false) return
    const message = sentences.takesNoModel(found)
    throw new ServiceError('VALIDATION_ERROR', message, { details: [{ field: 'model', message }] })
  }
}
