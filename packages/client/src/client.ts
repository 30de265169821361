import {
  exchangePageSchema,
  approvalPolicyItemSchema,
  approvalPolicyPageSchema,
  attemptDiffSchema,
  attemptPageSchema,
  budgetPageSchema,
  budgetSchema,
  checklistItemSchema,
  checklistPageSchema,
  createdKeySchema,
  draftPageSchema,
  erasureSchema,
  featurePageSchema,
  featureDetailSchema,
  healthSchema,
  historyPageSchema,
  keyPageSchema,
  keySchema,
  pushedBranchSchema,
  questionPageSchema,
  questionSchema,
  queueSchema,
  renderedArtifactSchema,
  renderedDiffSchema,
  reviewDraftSchema,
  viewedPageSchema,
  workflowPageSchema,
  workflowSchema,
  workspacePageSchema,
  type AdvanceWorkflow,
  type ApprovalPolicy,
  type ApprovalPolicyItem,
  type AnswerQuestion,
  type Attempt,
  type AttemptDiff,
  type Budget,
  type BudgetPage,
  type CancelWorkflow,
  type ChecklistItem,
  type ChecklistPage,
  type CreatedKey,
  type CreateKey,
  type CreateWorkflow,
  type ExchangePage,
  type Erasure,
  type EraseWords,
  type Feature,
  type FeatureDetail,
  type Health,
  type Key,
  type LiftBudget,
  type Phase,
  type PushedBranch,
  type PushFeature,
  type Question,
  type QuestionPage,
  type PauseQueue,
  type Queue,
  type RenderedArtifact,
  type RenderedDiff,
  type ReviewDraft,
  type SaveDraft,
  type StreamEvent,
  type TickItem,
  type Transition,
  type ViewedMark,
  type Workflow,
  type WorkflowStatus,
  type WorkflowType,
  type WorkspacePage,
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
  /** What the files of one attempt have that those of another have not. */
  diffAttempts(id: string, query: { from: string; to: string }, options?: CallOptions): Promise<AttemptDiff>
  /** What the current attempt leaves open. */
  listQuestions(id: string, options?: CallOptions): Promise<QuestionPage>
  answerQuestion(id: string, question_id: string, body: AnswerQuestion, options?: CallOptions): Promise<Question>
  listChecklists(id: string, options?: CallOptions): Promise<ChecklistPage>
  tickItem(id: string, item_id: string, body: TickItem, options?: CallOptions): Promise<ChecklistItem>
  /** Your own drafts, as are the next ones: of a reviewer only. */
  listDrafts(id: string, options?: CallOptions): Promise<Page<ReviewDraft>>
  /** Under a UUID that you choose, again with each change. Refused as DRAFT_CLOSED once it was sent. */
  saveDraft(id: string, draft_id: string, body: SaveDraft, options?: CallOptions): Promise<ReviewDraft>
  deleteDraft(id: string, draft_id: string, options?: CallOptions): Promise<void>
  /** What you have read, by digest of a file or a block. */
  listViewed(id: string, options?: CallOptions): Promise<Page<ViewedMark>>
  markViewed(id: string, digest: string, options?: CallOptions): Promise<void>
  unmarkViewed(id: string, digest: string, options?: CallOptions): Promise<void>
  /** A file as sanitised HTML, with the lines of each block. */
  getRendered(digest: string, options?: CallOptions): Promise<RenderedArtifact>
  /** How the file `base` became this one: as HTML and as hunks. */
  compareArtifacts(
    base: string,
    digest: string,
    query?: { by?: 'words' | 'lines' },
    options?: CallOptions,
  ): Promise<RenderedDiff>
  /** The bytes of a file that an attempt produced. */
  getArtifact(digest: string, options?: CallOptions): Promise<Uint8Array<ArrayBuffer>>
  listFeatures(query?: PageQuery, options?: CallOptions): Promise<Page<Feature>>
  getFeature(feature_id: string, options?: CallOptions): Promise<FeatureDetail>
  /** Every turn of an agent for a feature, oldest first. */
  listExchanges(feature_id: string, query?: PageQuery, options?: CallOptions): Promise<ExchangePage>
  listWorkspaces(options?: CallOptions): Promise<WorkspacePage>
  pushFeature(feature_id: string, body?: Partial<PushFeature>, options?: CallOptions): Promise<PushedBranch>
  /** Of an admin only, as are the next two. */
  listKeys(options?: CallOptions): Promise<Page<Key>>
  /** With the key itself, which no other answer tells. */
  createKey(body: CreateKey, options?: CallOptions): Promise<CreatedKey>
  revokeKey(id: string, options?: CallOptions): Promise<Key>
  /** What was spent today, and features that have used 80 % of their budget or more. */
  listBudgets(options?: CallOptions): Promise<BudgetPage>
  liftBudget(body: LiftBudget, options?: CallOptions): Promise<Budget>
  eraseWords(body: EraseWords, options?: CallOptions): Promise<Erasure>
  getQueue(options?: CallOptions): Promise<Queue>
  /** Of an admin only, as is the next: nothing more is handed out until it is resumed. */
  pauseQueue(body?: PauseQueue, options?: CallOptions): Promise<Queue>
  resumeQueue(options?: CallOptions): Promise<Queue>
  /** What it takes to approve, of every type and phase. */
  listApprovalPolicies(options?: CallOptions): Promise<Page<ApprovalPolicyItem>>
  /** Of an admin only, as is the next. */
  setApprovalPolicy(
    workflow_type: WorkflowType,
    phase: Phase,
    body: ApprovalPolicy,
    options?: CallOptions,
  ): Promise<ApprovalPolicyItem>
  resetApprovalPolicy(workflow_type: WorkflowType, phase: Phase, options?: CallOptions): Promise<ApprovalPolicyItem>
  /** The whole history with its chain, one JSON object a line. Of an admin only. */
  exportAudit(options?: CallOptions): Promise<ReadableStream<Uint8Array>>
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
    diffAttempts: (id, query, call) =>
      request.json(attemptDiffSchema, 'GET', `${workflow(id)}/diff`, { ...call, query }),
    listQuestions: (id, call) => request.json(questionPageSchema, 'GET', `${workflow(id)}/questions`, call),
    answerQuestion: (id, question_id, body, call) =>
      request.json(questionSchema, 'PUT', `${workflow(id)}/questions/${encodeURIComponent(question_id)}`, {
        ...call,
        body,
      }),
    listChecklists: (id, call) => request.json(checklistPageSchema, 'GET', `${workflow(id)}/checklists`, call),
    tickItem: (id, item_id, body, call) =>
      request.json(checklistItemSchema, 'PUT', `${workflow(id)}/checklist-items/${encodeURIComponent(item_id)}`, {
        ...call,
        body,
      }),
    listDrafts: (id, call) => request.json(draftPageSchema, 'GET', `${workflow(id)}/drafts`, call),
    saveDraft: (id, draft_id, body, call) =>
      request.json(reviewDraftSchema, 'PUT', `${workflow(id)}/drafts/${encodeURIComponent(draft_id)}`, {
        ...call,
        body,
      }),
    deleteDraft: (id, draft_id, call) =>
      request.nothing('DELETE', `${workflow(id)}/drafts/${encodeURIComponent(draft_id)}`, call),
    listViewed: (id, call) => request.json(viewedPageSchema, 'GET', `${workflow(id)}/viewed`, call),
    markViewed: (id, digest, call) =>
      request.nothing('PUT', `${workflow(id)}/viewed/${encodeURIComponent(digest)}`, call),
    unmarkViewed: (id, digest, call) =>
      request.nothing('DELETE', `${workflow(id)}/viewed/${encodeURIComponent(digest)}`, call),
    getRendered: (digest, call) =>
      request.json(renderedArtifactSchema, 'GET', `artifacts/${encodeURIComponent(digest)}/rendered`, call),
    compareArtifacts: (base, digest, query, call) =>
      request.json(
        renderedDiffSchema,
        'GET',
        `artifacts/${encodeURIComponent(digest)}/diff/${encodeURIComponent(base)}`,
        { ...call, query },
      ),
    getArtifact: (digest, call) => request.bytes(`artifacts/${encodeURIComponent(digest)}`, call),
    listFeatures: (query, call) => request.json(featurePageSchema, 'GET', 'features', { ...call, query }),
    getFeature: (feature_id, call) =>
      request.json(featureDetailSchema, 'GET', `features/${encodeURIComponent(feature_id)}`, call),
    listExchanges: (feature_id, query, call) =>
      request.json(exchangePageSchema, 'GET', `features/${encodeURIComponent(feature_id)}/exchanges`, {
        ...call,
        query,
      }),
    listWorkspaces: (call) => request.json(workspacePageSchema, 'GET', 'workspaces', call),
    pushFeature: (feature_id, body = {}, call = {}) =>
      request.json(pushedBranchSchema, 'POST', `features/${encodeURIComponent(feature_id)}/push`, { ...call, body }),
    listKeys: (call) => request.json(keyPageSchema, 'GET', 'keys', call),
    createKey: (body, call) => request.json(createdKeySchema, 'POST', 'keys', { ...call, body }),
    revokeKey: (id, call) => request.json(keySchema, 'POST', `keys/${encodeURIComponent(id)}/revoke`, call),
    listBudgets: (call) => request.json(budgetPageSchema, 'GET', 'budgets', call),
    liftBudget: (body, call = {}) => request.json(budgetSchema, 'POST', 'budgets/lift', { ...call, body }),
    eraseWords: (body, call = {}) => request.json(erasureSchema, 'POST', 'audit/erase', { ...call, body }),
    getQueue: (call) => request.json(queueSchema, 'GET', 'queue', call),
    pauseQueue: (body = {}, call = {}) => request.json(queueSchema, 'POST', 'queue/pause', { ...call, body }),
    resumeQueue: (call) => request.json(queueSchema, 'POST', 'queue/resume', call),
    listApprovalPolicies: (call) => request.json(approvalPolicyPageSchema, 'GET', 'approval-policies', call),
    setApprovalPolicy: (workflow_type, phase, body, call) =>
      request.json(approvalPolicyItemSchema, 'PUT', `approval-policies/${workflow_type}/${phase}`, { ...call, body }),
    resetApprovalPolicy: (workflow_type, phase, call) =>
      request.json(approvalPolicyItemSchema, 'DELETE', `approval-policies/${workflow_type}/${phase}`, call),
    exportAudit: (call = {}) => request.stream('audit/export', { accept: 'application/x-ndjson' }, call),
    getHealth: (call) => request.json(healthSchema, 'GET', 'health', call),
    streamEvents: (stream) => followEvents(request, stream),
  }
}
