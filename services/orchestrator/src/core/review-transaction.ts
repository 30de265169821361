import type { AttemptId, Comment, Digest, FeatureId, Review, WorkflowId } from '@orchestrator/contract'

import type { Vote } from './approvals.ts'
import type { Outcome } from './outcome.ts'

/** A comment with the id of its thread. */
export type ThreadComment = Comment & { id: string }

export interface NewVote extends Vote {
  attempt_id: AttemptId
  workflow_id: WorkflowId
  key_id: string | null
  digest: Digest | null
  comments: ThreadComment[]
}

/** What reviewers said, within a transaction. */
export interface ReviewTransaction {
  insertReview(
    review: Omit<Review, 'threads'>,
    workflow_id: WorkflowId,
    attempt_id: AttemptId,
    comments: readonly ThreadComment[],
  ): Promise<void>
  /** The approvals of an attempt that did not yet suffice, in their order. */
  listVotes(attempt_id: AttemptId): Promise<(Vote & { comments: ThreadComment[] })[]>
  insertVote(vote: NewVote): Promise<void>
  /** Drafts of this reviewer become threads: they are gone, and the ids that are free for threads are answered. */
  takeDrafts(workflow_id: WorkflowId, actor: string, ids: readonly string[]): Promise<ReadonlySet<string>>
  /** What was said with the approval that completed the feature's last workflow, and nobody has answered yet. */
  listApprovalComments(feature_id: FeatureId): Promise<ThreadComment[]>
  /** Notes what became of the comments, of those on the workflow before too; the workflow's own that the agent passed over are `unanswered`. */
  answerThreads(workflow_id: WorkflowId, answers: Outcome['threads']): Promise<void>
}
