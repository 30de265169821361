import type {
  AgentUpdate,
  Digest,
  FeatureId,
  Invocation,
  InvocationEvent,
  InvocationStatus,
  InvokeRequest,
  InvokeResponse,
} from '@orchestrator/contract'

import type { AgentProcess } from './ports.ts'

/** One request to an agent, as it is kept. */
export interface InvocationRecord {
  id: string
  idempotency_key: string | null
  /** SHA-256 over agent and body: the same key with another body is a mistake of the caller. */
  body_hash: string
  /** Resolved: never `default`. */
  agent: string
  workspace: string
  feature_id: FeatureId
  request: InvokeRequest
  status: InvocationStatus
  /** What is to be answered once the work is committed; a crash in between then loses no finished work. */
  prepared: Prepared | null
  response: InvokeResponse | null
  session_id: string | null
  cancel_requested_at: string | null
  /** How often it was started; more than once when the hub ended in the middle. */
  runs: number
  created_at: string
  started_at: string | null
  finished_at: string | null
}

export interface Prepared {
  response: InvokeResponse
  commit_message: string
}

/** The conversation that several invocations share. */
export interface SessionRecord {
  id: string
  agent: string
  workspace: string
  feature_id: FeatureId
  /** The agent's own id of it; null until a turn has ended. */
  acp_session_id: string | null
  created_at: string
}

export interface StoredArtifact {
  digest: Digest
  bytes: Uint8Array
}

/** Everything the hub remembers. Each change of a status is compare-and-set: false or undefined when another came first. */
export interface InvocationStore {
  /** The invocation that already has the key, where there is one. */
  createInvocation(
    record: Omit<
      InvocationRecord,
      'status' | 'prepared' | 'response' | 'session_id' | 'cancel_requested_at' | 'runs' | 'started_at' | 'finished_at'
    >,
  ): Promise<InvocationRecord>
  findInvocation(id: string): Promise<InvocationRecord | undefined>
  findInvocationByKey(idempotency_key: string): Promise<InvocationRecord | undefined>
  /** Oldest first. Only what cannot be unreadable: one damaged row must not keep the others from going on. */
  listQueued(): Promise<Pick<InvocationRecord, 'id' | 'agent' | 'workspace' | 'feature_id'>[]>
  /** queued → running, with its session and that one's agent where it is alive, kept in the same commit. */
  startInvocation(
    id: string,
    session: SessionRecord,
    now: string,
    agent_process?: AgentProcess,
  ): Promise<InvocationRecord | undefined>
  /** running → queued, for all: they were interrupted when the hub ended. Answers how many. */
  requeueInterrupted(): Promise<number>
  requestCancel(id: string, now: string): Promise<void>
  prepareInvocation(id: string, prepared: Prepared, artifacts: readonly StoredArtifact[]): Promise<void>
  /** `from` → `status`, with the closing event in the same commit. */
  finishInvocation(
    id: string,
    from: InvocationStatus,
    finish: { status: InvocationStatus; response: InvokeResponse; now: string },
  ): Promise<boolean>

  appendUpdates(id: string, updates: readonly AgentUpdate[], now: string): Promise<void>
  /** Those after a sequence, oldest first, a page at a time. */
  listEvents(id: string, after: number): Promise<InvocationEvent[]>
  /** Of invocations that finished within this time, `limit` events at most. Answers how many went. */
  deleteEvents(finished: { since: string; before: string }, limit: number): Promise<number>

  findSession(id: string): Promise<SessionRecord | undefined>
  saveAcpSession(id: string, acp_session_id: string): Promise<void>

  recordProcess(id: string, agent_process: AgentProcess): Promise<void>
  listProcesses(): Promise<AgentProcess[]>
  /** All, or those whose invocation finished before. */
  forgetProcesses(finished_before?: string): Promise<void>

  findArtifact(digest: Digest): Promise<Uint8Array | undefined>
}

/** As the contract tells it. */
export function toInvocation(record: InvocationRecord): Invocation {
  const { id, agent, status, response, created_at, started_at, finished_at } = record
  return { id, agent, status, response, created_at, started_at, finished_at }
}

export function isFinished(record: { status: InvocationStatus }): boolean {
  return record.status !== 'queued' && record.status !== 'running'
}
