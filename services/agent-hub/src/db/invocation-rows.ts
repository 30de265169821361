import {
  agentUpdateSchema,
  featureIdSchema,
  invocationSchema,
  INVOCATION_STATUSES,
  invokeRequestSchema,
  invokeResponseSchema,
  type InvocationEvent,
} from '@orchestrator/contract'
import type { Selectable } from 'kysely'

import type { InvocationRecord, Prepared, SessionRecord } from '../core/store.ts'
import type { InvocationEventsTable, InvocationsTable, SessionsTable } from './tables.ts'

/** Throws when the row is not what this code writes. */
export function readInvocation(row: Selectable<InvocationsTable>): InvocationRecord {
  const status = INVOCATION_STATUSES.find((known) => known === row.status)
  if (status === undefined) throw new Error(`Invocation ${row.id} has the unknown status ${row.status}.`)
  return {
    id: row.id,
    idempotency_key: row.idempotency_key,
    body_hash: row.body_hash,
    agent: row.agent,
    workspace: row.workspace,
    feature_id: featureIdSchema.parse(row.feature_id),
    request: invokeRequestSchema.parse(JSON.parse(row.request)),
    status,
    prepared: row.prepared === null ? null : readPrepared(row.prepared),
    response: row.response === null ? null : invokeResponseSchema.parse(JSON.parse(row.response)),
    session_id: row.session_id,
    cancel_requested_at: row.cancel_requested_at,
    runs: row.runs,
    created_at: row.created_at,
    started_at: row.started_at,
    finished_at: row.finished_at,
  }
}

function readPrepared(text: string): Prepared {
  const value = JSON.parse(text) as { response: unknown; commit_message: string }
  return { response: invokeResponseSchema.parse(value.response), commit_message: value.commit_message }
}

export function readSession(row: Selectable<SessionsTable>): SessionRecord {
  const { id, agent, workspace, acp_session_id, created_at } = row
  return { id, agent, workspace, feature_id: featureIdSchema.parse(row.feature_id), acp_session_id, created_at }
}

export function readEvent(row: Selectable<InvocationEventsTable>): InvocationEvent {
  const { sequence, created_at } = row
  const data: unknown = JSON.parse(row.data)
  if (row.type === 'invocation.finished') {
    return { type: 'invocation.finished', sequence, created_at, data: invocationSchema.parse(data) }
  }
  return { type: 'agent.update', sequence, created_at, data: agentUpdateSchema.parse(data) }
}
