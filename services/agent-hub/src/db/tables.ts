import type { Generated } from 'kysely'

/** Rows as they lie in the file. JSON is text, times are ISO 8601 in UTC. */
export interface Tables {
  invocations: InvocationsTable
  invocation_events: InvocationEventsTable
  sessions: SessionsTable
  artifacts: ArtifactsTable
  escalations: EscalationsTable
  exchanges: ExchangesTable
}

export interface InvocationsTable {
  id: string
  idempotency_key: string | null
  body_hash: string
  agent: string
  workspace: string
  feature_id: string
  request: string
  status: string
  prepared: string | null
  response: string | null
  session_id: string | null
  process_pid: number | null
  process_started: string | null
  cancel_requested_at: string | null
  runs: number
  created_at: string
  started_at: string | null
  finished_at: string | null
}

export interface InvocationEventsTable {
  invocation_id: string
  sequence: number
  type: string
  data: string
  created_at: string
}

export interface SessionsTable {
  id: string
  agent: string
  workspace: string
  feature_id: string
  acp_session_id: string | null
  home: string
  created_at: string
  updated_at: string
  closed_at: string | null
  process_pid: number | null
  process_started: string | null
}

export interface ArtifactsTable {
  digest: string
  bytes: Uint8Array
  size: number
  created_at: string
}

export interface EscalationsTable {
  sequence: Generated<number>
  id: string
  status: string
  topic: string
  question: string
  feature_id: string
  session_id: string
  answer: string
  rationale: string | null
  confidence: number
  action: string | null
  note: string | null
  acted_by: string | null
  created_at: string
  updated_at: string
}

export interface ExchangesTable {
  sequence: Generated<number>
  id: string
  kind: string
  feature_id: string
  workspace: string
  agent: string
  session_id: string
  invocation_id: string | null
  topic: string | null
  prompt_digest: string
  answer_digest: string | null
  outcome: string
  model_requests: number
  model_refusals: number
  network_refusals: number
  started_at: string
  duration_ms: number
}
