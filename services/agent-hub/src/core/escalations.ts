import { ServiceError, type ActOnEscalation, type Escalation } from '@orchestrator/contract'

import type { Asks } from './asks.ts'
import type { ConversationStore } from './conversation-store.ts'

export interface Escalations {
  /** Throws ESCALATION_NOT_FOUND. */
  get(id: string): Promise<Escalation>
  /**
   * `confirm` and `correct` resolve it; `add_context` asks the agent again, which resolves it when the agent is sure
   * enough then. Throws ESCALATION_NOT_FOUND, INVALID_STATE_TRANSITION, and what a question throws.
   */
  act(id: string, o: { given: ActOnEscalation; actor: string; signal: AbortSignal }): Promise<Escalation>
}

export function createEscalations(parts: { conversations: ConversationStore; asks: Asks; now(): Date }): Escalations {
  const { conversations, asks } = parts

  async function get(id: string): Promise<Escalation> {
    const found = await conversations.findEscalation(id)
    if (found === undefined) throw new ServiceError('ESCALATION_NOT_FOUND', `There is no escalation ${id} here.`)
    return found
  }

  const assertPending = (escalation: Escalation) => {
    if (escalation.status === 'pending') return
    throw new ServiceError(
      'INVALID_STATE_TRANSITION',
      `Escalation ${escalation.id} was resolved already, by ${escalation.acted_by ?? 'somebody'}: ask again instead.`,
    )
  }

  /** What the action makes of it. */
  async function changeOf(
    escalation: Escalation,
    given: ActOnEscalation,
    signal: AbortSignal,
  ): Promise<Partial<Omit<Escalation, 'id' | 'feature_id'>>> {
    switch (given.action) {
      case 'confirm':
        return { status: 'resolved', confidence: 100 }
      case 'correct':
        return { status: 'resolved', confidence: 100, answer: given.response, note: given.response }
      case 'add_context': {
        const { topic, question, feature_id, session_id } = escalation
        const answer = await asks.answer({ topic, question, feature_id, session_id, added: given.response }, signal)
        return { ...answer, status: asks.isSure(answer) ? 'resolved' : 'pending', note: given.response }
      }
    }
  }

  return {
    get,
    async act(id, { given, actor, signal }) {
      const escalation = await get(id)
      assertPending(escalation)
      const change = await changeOf(escalation, given, signal)
      const acted = { action: given.action, acted_by: actor, updated_at: parts.now().toISOString() }
      const changed = await conversations.changeEscalation(id, { ...change, ...acted })
      if (changed !== undefined) return changed
      assertPending(await get(id))
      return get(id)
    },
  }
}
