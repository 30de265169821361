import {
  attemptPageSchema,
  createdKeySchema,
  featurePageSchema,
  featureWithWorkflowsSchema,
  healthSchema,
  historyPageSchema,
  keyPageSchema,
  keySchema,
  workflowPageSchema,
  workflowSchema,
  type AdvanceWorkflow,
  type Attempt,
  type CancelWorkflow,
  type CreatedKey,
  type CreateKey,
  type CreateWorkflow,
  type Feature,
  type FeatureWithWorkflows,
  type Health,
  type Key,
  type StreamEvent,
  type Transition,
  type Workflow,
  type WorkflowStatus,
  type WorkflowType,
} from '@orchestrator/contract'

import { createRequest } from './request.ts'
import { followEvents, type StreamOptions } from './stream.ts'

export interface ClientOptions {
  /** Where the orchestrator listens, such as `http://127.0.0.1:8000`; a path in it is kept. */
  base_url: string
  /** Sent as `Authorization: Bearer …`. A service on loopback wants none. */
  key?: string
  /** Instead of the global one. */
  fetch?: typeof fetch
}

export interface CallOptions {
  signal?: AbortSignal
}

export interface Page<T> {
  items: T[]
  /** Pass it on as `cursor`; null on the last page. */
  next_cursor: string | null
}

export interface PageQuery {
  cursor?: string
  /** From 1 to 200. */
  limit?: number
}

export interface WorkflowQuery extends PageQuery {
  status?: WorkflowStatus
  workflow_type?: WorkflowType
  feature_id?: string
  /** Text in the description or the feature's name. */
  q?: string
}

/**
 * The orchestrator's API. Every method rejects with `ServiceError`: with the code and sentence of the
 * service, or with `UNAVAILABLE` and the `cause` when nothing that speaks this API answers.
 */
export interface Client {
  createWorkflow(body: CreateWorkflow, options?: CallOptions): Promise<Workflow>
  getWorkflow(id: string, options?: CallOptions): Promise<Workflow>
  listWorkflows(query?: WorkflowQuery, options?: CallOptions): Promise<Page<Workflow>>
  advanceWorkflow(id: string, body: AdvanceWorkflow, options?: CallOptions): Promise<Workflow>
  cancelWorkflow(id: string, body?: CancelWorkflow, options?: CallOptions): Promise<Workflow>
  /** Answers the new workflow, whose `retry_of` is `id`. */
  retryWorkflow(id: string, options?: CallOptions): Promise<Workflow>
  listHistory(id: string, query?: PageQuery, options?: CallOptions): Promise<Page<Transition>>
  listAttempts(id: string, options?: CallOptions): Promise<Page<Attempt>>
  /** The bytes of a file that an attempt produced. */
  getArtifact(digest: string, options?: CallOptions): Promise<Uint8Array<ArrayBuffer>>
  listFeatures(query?: PageQuery, options?: CallOptions): Promise<Page<Feature>>
  getFeature(feature_id: string, options?: CallOptions): Promise<FeatureWithWorkflows>
  /** Of an admin only, as are the next two. */
  listKeys(options?: CallOptions): Promise<Page<Key>>
  /** With the key itself, which no other answer tells. */
  createKey(body: CreateKey, options?: CallOptions): Promise<CreatedKey>
  revokeKey(id: string, options?: CallOptions): Promise<Key>
  /** Also resolves when the service calls itself unhealthy. */
  getHealth(options?: CallOptions): Promise<Health>
  /** Events in order, each once, across restarts of the service; ends when `signal` is aborted. */
  streamEvents(options?: StreamOptions): AsyncIterable<StreamEvent>
}

export function createClient(options: ClientOptions): Client {
  const request = createRequest(options)
  const workflow = (id: string) => `workflows/${encodeURIComponent(id)}`

  return {
    createWorkflow: (body, call) => request.json(workflowSchema, 'POST', 'workflows', { ...call, body }),
    getWorkflow: (id, call) => request.json(workflowSchema, 'GET', workflow(id), call),
    listWorkflows: (query, call) => request.json(workflowPageSchema, 'GET', 'workflows', { ...call, query }),
    advanceWorkflow: (id, body, call) =>
      request.json(workflowSchema, 'POST', `${workflow(id)}/advance`, { ...call, body }),
    cancelWorkflow: (id, body = {}, call = {}) =>
      request.json(workflowSchema, 'POST', `${workflow(id)}/cancel`, { ...call, body }),
    retryWorkflow: (id, call) => request.json(workflowSchema, 'POST', `${workflow(id)}/retry`, call),
    listHistory: (id, query, call) =>
      request.json(historyPageSchema, 'GET', `${workflow(id)}/history`, { ...call, query }),
    listAttempts: (id, call) => request.json(attemptPageSchema, 'GET', `${workflow(id)}/attempts`, call),
    getArtifact: (digest, call) => request.bytes(`artifacts/${encodeURIComponent(digest)}`, call),
    listFeatures: (query, call) => request.json(featurePageSchema, 'GET', 'features', { ...call, query }),
    getFeature: (feature_id, call) =>
      request.json(featureWithWorkflowsSchema, 'GET', `features/${encodeURIComponent(feature_id)}`, call),
    listKeys: (call) => request.json(keyPageSchema, 'GET', 'keys', call),
    createKey: (body, call) => request.json(createdKeySchema, 'POST', 'keys', { ...call, body }),
    revokeKey: (id, call) => request.json(keySchema, 'POST', `keys/${encodeURIComponent(id)}/revoke`, call),
    getHealth: (call) => request.json(healthSchema, 'GET', 'health', call),
    streamEvents: (stream) => followEvents(request, stream),
  }
}
