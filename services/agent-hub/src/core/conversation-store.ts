import type { Escalation, Exchange, FeatureId } from '@orchestrator/contract'

import type { AgentProcess } from './ports.ts'
import type { SessionRecord } from './store.ts'

/** A row and its place in the order of the list. */
export interface Listed<T> {
  sequence: number
  item: T
}

/** What is remembered of conversations beside the work itself: sessions, questions for people, and who said what when. */
export interface ConversationStore {
  createSession(session: SessionRecord): Promise<void>
  /** Its time of last use, where it is not closed. */
  findSessionUse(id: string): Promise<string | undefined>
  useSession(id: string, now: string): Promise<void>
  /** Those that work in it or wait for it. */
  countUnfinished(session_id: string): Promise<number>
  /** Closed, it is found by nobody any more. */
  closeSession(id: string, now: string): Promise<void>
  /** Open or closed. */
  listSessionsUsedSince(since: string): Promise<string[]>
  /** The agent's own memory of these is gone: the next turn begins anew. */
  forgetAcpSessions(unused_since: string): Promise<void>
  /** So that it is found after a crash of the hub; null once it has ended. */
  recordSessionProcess(id: string, agent_process: AgentProcess | null): Promise<void>

  recordExchange(exchange: Exchange): Promise<void>
  /** Oldest first. */
  listExchanges(o: { feature_id: FeatureId | undefined; after: number; limit: number }): Promise<Listed<Exchange>[]>

  createEscalation(escalation: Escalation): Promise<void>
  findEscalation(id: string): Promise<Escalation | undefined>
  /** Oldest first. */
  listEscalations(o: {
    status: Escalation['status'] | undefined
    feature_id: FeatureId | undefined
    after: number
    limit: number
  }): Promise<Listed<Escalation>[]>
  /** pending → as given; undefined when another came first. */
  changeEscalation(id: string, change: Partial<Omit<Escalation, 'id' | 'feature_id'>>): Promise<Escalation | undefined>
}
