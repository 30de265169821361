import { ServiceError, type CreateHubSession, type HubSession } from '@orchestrator/contract'

import type { Asks } from './asks.ts'
import type { ConversationStore } from './conversation-store.ts'
import type { AgentDriver, AgentRegistry, Workspaces } from './ports.ts'
import type { InvocationStore, SessionRecord } from './store.ts'

export interface Sessions {
  /** Throws AGENT_NOT_FOUND, AGENT_UNAVAILABLE, WORKSPACE_NOT_FOUND. */
  create(given: CreateHubSession): Promise<HubSession>
  /** Throws SESSION_NOT_FOUND. */
  get(id: string): Promise<HubSession>
  /** Ends its agent and removes the agent's HOME. Throws SESSION_NOT_FOUND, FEATURE_BUSY while it is at work. */
  close(id: string): Promise<void>
}

export function createSessions(parts: {
  store: Pick<InvocationStore, 'findSession'>
  conversations: ConversationStore
  registry: AgentRegistry
  workspaces: Workspaces
  driver: AgentDriver
  asks: Pick<Asks, 'isBusy'>
  removeHome(session_id: string): Promise<void>
  now(): Date
}): Sessions {
  const { store, conversations } = parts

  async function get(id: string): Promise<HubSession> {
    const [session, updated_at] = await Promise.all([store.findSession(id), conversations.findSessionUse(id)])
    if (session === undefined || updated_at === undefined) {
      throw new ServiceError('SESSION_NOT_FOUND', `There is no session ${id} here.`)
    }
    return shown(session, updated_at)
  }

  return {
    async create({ agent, workspace, feature_id }) {
      parts.workspaces.assertKnown(workspace)
      const created_at = parts.now().toISOString()
      const { name } = parts.registry.getAgent(agent)
      const session = { id: crypto.randomUUID(), agent: name, workspace, feature_id, acp_session_id: null, created_at }
      await conversations.createSession(session)
      return shown(session, created_at)
    },
    get,
    async close(id) {
      await get(id)
      if (parts.asks.isBusy(id) || (await conversations.countUnfinished(id)) > 0) {
        throw new ServiceError('FEATURE_BUSY', `Session ${id} is at work: cancel that first, or wait for its end.`)
      }
      await conversations.closeSession(id, parts.now().toISOString())
      await parts.driver.endSession(id)
      await parts.removeHome(id)
    },
  }
}

function shown({ id, agent, workspace, feature_id, created_at }: SessionRecord, updated_at: string): HubSession {
  return { id, agent, workspace, feature_id, created_at, updated_at }
}
