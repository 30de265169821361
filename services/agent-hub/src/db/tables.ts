/** Rows as they lie in the file. JSON is text, times are ISO 8601 in UTC. */
export interface Tables {
  invocations: InvocationsTable
  invocation_events: InvocationEventsTable
  sessions: SessionsTable
  artifacts: ArtifactsTable
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
}

export interface ArtifactsTable {
  digest: string
  bytes: Uint8Array
  size: number
  created_at: string
}
