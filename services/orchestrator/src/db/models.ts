import type { ChainedAct } from '@orchestrator/audit'
import type {
  AdminAct,
  AttemptState,
  FeatureId,
  AttemptId,
  Digest,
  ErrorCode,
  Phase,
  Role,
  StreamEventType,
  Trigger,
  WorkflowId,
  WorkflowStatus,
  WorkflowType,
} from '@orchestrator/contract'
import type { Generated } from 'kysely'

import type { AnswerRecord, TickRecord } from '../core/note-store.ts'

/** The seed's table, and our columns after its twelve. JSON and times are TEXT, on every database. */
export interface WorkflowsTable {
  id: WorkflowId
  workflow_type: WorkflowType
  status: WorkflowStatus
  feature_id: FeatureId
  feature_description: string
  current_phase: Phase | null
  context: string | null
  result: string | null
  error: string | null
  created_at: string
  updated_at: string
  completed_at: string | null
  workspace: string
  agent: string | null
  /** Named for this workflow; null: that of the settings. */
  model: string | null
  retry_of: WorkflowId | null
  created_by: string
  attempt_id: AttemptId
  /** Of the event that told its creation: the order of lists. */
  sequence: number
  /** With which key, in which request and from where it was created. */
  key_id: string | null
  request_id: string | null
  address: string | null
  /** The last link of the chain over its history; of its creation, while it has none. */
  history_hash: string
  /** Of the last row of its history: the next one's is higher. */
  history_sequence: number
}

/** The seed's table, and who, on what, in which order. Rows are only ever added. */
export interface WorkflowHistoryTable {
  id: string
  workflow_id: WorkflowId
  from_status: WorkflowStatus
  to_status: WorkflowStatus
  trigger: Trigger
  metadata: string | null
  created_at: string
  sequence: number
  actor: string
  phase: Phase | null
  attempt: number | null
  attempt_id: AttemptId
  digest: Digest | null
  key_id: string | null
  request_id: string | null
  address: string | null
  /** Of the words beside the row, salted; null when nobody said any. */
  words_hash: string | null
  /** Over this row and the hash before it: packages/audit. */
  hash: string
}

/** What a person wrote with a transition. Once erased, `words` and `salt` are null and the chain still holds. */
export interface HistoryWordsTable {
  history_id: string
  salt: string | null
  words: string | null
  erased_at: string | null
  erased_by: string | null
}

/** What it takes to approve a phase, where somebody set it. */
export interface ApprovalPoliciesTable {
  workflow_type: WorkflowType
  phase: Phase
  minimum_approvals: number
  required_roles: string
  /** 0 or 1; null leaves it to the setting. */
  four_eyes: number | null
  updated_at: string | null
  updated_by: string | null
}

/** An approval that did not yet suffice. */
export interface VotesTable {
  attempt_id: AttemptId
  workflow_id: WorkflowId
  actor: string
  role: Role | 'local'
  key_id: string | null
  digest: Digest | null
  comments: string
  created_at: string
}

/** What admins did: see core/acts.ts. Rows are only ever added, in the order of all that is told, with holes. */
export interface AdminActsTable extends ChainedAct {
  action: AdminAct['action']
  hash: string
}

/** `day:2030-01-31` or `feature:001-log-in`: what was spent, and its limit where an admin set one. */
export interface BudgetsTable {
  name: string
  spent_usd: number
  /** Counts once it was lifted: null is none. */
  limit_usd: number | null
  lifted_at: string | null
  lifted_by: string | null
  reason: string | null
}

/** Attempts that were refused, the latest of them. */
export interface DenialsTable {
  sequence: Generated<number>
  actor: string | null
  key_id: string | null
  request_id: string | null
  address: string | null
  method: string
  path: string
  code: ErrorCode
  created_at: string
}

export interface AttemptsTable {
  id: AttemptId
  workflow_id: WorkflowId
  phase: Phase
  number: number
  state: AttemptState
  reason: string | null
  tries: number
  next_retry_at: string | null
  agent: string | null
  invocation_id: string | null
  hub_sequence: number
  session_id: string | null
  feedback: string | null
  digest: Digest | null
  output: string | null
  confidence: number | null
  uncertainty_reasons: string | null
  checks: string | null
  usage: string | null
  created_at: string
  started_at: string | null
  finished_at: string | null
  /** Oldest first: the order in which attempts are handed out. */
  position: Generated<number>
  /** How many answers and ticks reviewers gave on it. */
  notes: Generated<number>
  /** Null only where it ended before slots were counted by agent. */
  queued_for: string | null
  traceparent: string | null
}

export interface AttemptArtifactsTable {
  attempt_id: AttemptId
  path: string
  digest: Digest
  size: number
  media_type: string
}

/** Content by digest, stored once however many attempts share it. */
export interface ArtifactsTable {
  digest: Digest
  path: string
  media_type: string
  content: Uint8Array
}

export interface ReviewsTable {
  id: string
  workflow_id: WorkflowId
  attempt_id: AttemptId
  verdict: 'approved' | 'changes_requested' | 'stopped'
  actor: string
  digest: Digest | null
  created_at: string
}

export interface ReviewThreadsTable {
  id: string
  review_id: string
  workflow_id: WorkflowId
  position: number
  path: string | null
  line_start: number | null
  line_end: number | null
  quote: string | null
  text: string
  fate: 'open' | 'addressed' | 'declined' | 'unanswered'
  reply: string | null
  replacement: string | null
}

/** What a reviewer has not sent. Its id becomes that of the thread. */
export interface ReviewDraftsTable {
  id: string
  workflow_id: WorkflowId
  attempt_id: AttemptId
  actor: string
  kind: 'comment' | 'note'
  path: string | null
  line_start: number | null
  line_end: number | null
  quote: string | null
  text: string
  replacement: string | null
  created_at: string
  updated_at: string
}

/** What a reviewer has read, by the digest of a file or a block. */
export interface ViewedMarksTable {
  workflow_id: WorkflowId
  actor: string
  digest: Digest
  viewed_at: string
}

export interface FeaturesTable {
  id: FeatureId
  workspace: string
  description: string
  created_at: string
  updated_at: string
  sequence: Generated<number>
  /** 1 while ticks of its checklists have not reached the repository. */
  ticks_to_apply: Generated<number>
}

/** Rows are only ever added: of those on one question the last counts. */
export interface QuestionAnswersTable extends AnswerRecord {
  sequence: Generated<number>
}

/** Of the rows on one item the last counts. */
export interface ChecklistTicksTable extends Omit<TickRecord, 'ticked'> {
  sequence: Generated<number>
  ticked: number
  /** 1 once it stands in the repository. */
  applied: Generated<number>
}

export interface CountersTable {
  name: string
  value: number
}

/** What is told of workflows beside their own rows and their history: see event-feed.ts. */
export interface EventsTable {
  sequence: number
  /** Empty for an event of no workflow. */
  workflow_id: WorkflowId | ''
  type: StreamEventType
  data: string
  created_at: string
}

/** The hub must still be told to stop these. */
export interface HubCancellationsTable {
  attempt_id: AttemptId
}

export interface IdempotentAnswersTable {
  key: string
  body_digest: string
  answer: string
  created_at: string
}

/** One row a queue, of which there is one: `phases`. Null while it is not paused. */
export interface QueuesTable {
  name: string
  paused_at: string | null
  paused_by: string | null
  reason: string | null
}

export interface KeysTable {
  id: string
  name: string
  role: 'viewer' | 'submitter' | 'reviewer' | 'hub' | 'admin'
  secret_sha256: string
  created_at: string
  expires_at: string | null
  revoked_at: string | null
  /** A JSON list; null: all of them. */
  workspaces: string | null
}

export interface Tables {
  workflows: WorkflowsTable
  workflow_history: WorkflowHistoryTable
  history_words: HistoryWordsTable
  approval_policies: ApprovalPoliciesTable
  votes: VotesTable
  denials: DenialsTable
  admin_acts: AdminActsTable
  budgets: BudgetsTable
  attempts: AttemptsTable
  attempt_artifacts: AttemptArtifactsTable
  artifacts: ArtifactsTable
  reviews: ReviewsTable
  review_threads: ReviewThreadsTable
  review_drafts: ReviewDraftsTable
  viewed_marks: ViewedMarksTable
  features: FeaturesTable
  counters: CountersTable
  events: EventsTable
  hub_cancellations: HubCancellationsTable
  idempotent_answers: IdempotentAnswersTable
  keys: KeysTable
  question_answers: QuestionAnswersTable
  checklist_ticks: ChecklistTicksTable
  queues: QueuesTable
}
