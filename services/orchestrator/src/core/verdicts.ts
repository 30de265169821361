import {
  ServiceError,
  type AdvanceWorkflow,
  type Comment,
  type JsonObject,
  type Workflow,
} from '@orchestrator/contract'

import { approvalsOf, isOwn, isPlain, suffice, type Requirement } from './approvals.ts'
import { feedbackOf, textOf } from './feedback.ts'
import { newId } from './new-id.ts'
import type { WorkflowTransaction } from './ports.ts'
import type { Asker } from './privileges.ts'
import type { ThreadComment } from './review-transaction.ts'
import * as sentences from './sentences.ts'
import { reworksUsedUp, type Move } from './transitions.ts'
import { currentAttempt, positionOf, type Step } from './workflow-steps.ts'

export interface Verdict {
  workflow: Workflow
  trigger: 'human_approved' | 'human_rejected'
  phase_result: AdvanceWorkflow['phase_result']
  asker: Asker
  /** Where the verdict leads when it decides. */
  move: Move
  requirement: Requirement
  max_reworks: number
  now: string
}

/** Fields of a review that are no words. */
const DECIDED: readonly string[] = ['approved', 'abort', 'digest']

/**
 * A verdict: bound to what was seen, never in contradiction to its trigger, and by whoever may give it.
 * Answers the step that it is: the decision, or one vote of several. Throws VALIDATION_ERROR, STALE_REVIEW,
 * FORBIDDEN, ALREADY_APPROVED.
 */
export async function verdictStep(tx: WorkflowTransaction, verdict: Verdict): Promise<Step> {
  const { workflow, trigger, asker, requirement, phase_result: result = {} } = verdict
  const attempt = currentAttempt(workflow)
  const approves = trigger === 'human_approved'
  if (result.approved !== undefined && result.approved !== approves) {
    const message = sentences.contradictoryVerdict(trigger)
    throw new ServiceError('VALIDATION_ERROR', message, { details: [{ field: 'phase_result.approved', message }] })
  }
  if (result.digest !== undefined && result.digest !== attempt.digest) {
    throw new ServiceError('STALE_REVIEW', sentences.staleReview(workflow.feature_id))
  }
  const said = wordsApart(verdict.phase_result)
  const votes = await votesFor(tx, verdict)
  if (!approves) return decide(tx, verdict, said, votes)
  if (result.override_reason !== undefined) {
    if (asker.role !== 'admin' && asker.role !== 'local')
      throw new ServiceError('FORBIDDEN', sentences.overrideOfAdmin(asker.role))
    return decide(tx, verdict, { ...said, metadata: { ...said.metadata, override: true } }, votes)
  }
  if (isOwn(requirement, workflow.created_by, asker)) throw new ServiceError('FORBIDDEN', sentences.fourEyes())
  if (votes.some((vote) => vote.actor === asker.name)) {
    throw new ServiceError('ALREADY_APPROVED', sentences.alreadyApproved())
  }
  const approvals = approvalsOf(requirement, [
    ...votes,
    { actor: asker.name, role: asker.role, created_at: verdict.now },
  ])
  if (isPlain(requirement)) return decide(tx, verdict, said, votes)
  const counted = { ...said.metadata, approvals: approvals.given.length, approvals_required: approvals.required }
  if (suffice(approvals)) return decide(tx, verdict, { ...said, metadata: counted }, votes)
  const { name: actor, role, key_id } = asker
  await tx.insertVote({
    attempt_id: attempt.id,
    workflow_id: workflow.id,
    actor,
    role,
    key_id,
    digest: attempt.digest,
    comments: await threadsOf(tx, verdict),
    created_at: verdict.now,
  })
  return {
    trigger,
    origin: asker,
    move: { ...positionOf(workflow), effect: 'none' },
    ...said,
    metadata: counted,
  }
}

/** Where one approval is enough, earlier ones do not count. */
async function votesFor(tx: WorkflowTransaction, { workflow, requirement }: Verdict) {
  return isPlain(requirement) ? [] : tx.listVotes(currentAttempt(workflow).id)
}

/** The review that ends the waiting, with what those who approved before had written. */
async function decide(
  tx: WorkflowTransaction,
  verdict: Verdict,
  said: Pick<Step, 'metadata' | 'words'>,
  votes: readonly { comments: readonly ThreadComment[] }[],
): Promise<Step> {
  const { workflow, trigger, asker, move, phase_result: result, max_reworks } = verdict
  const attempt = currentAttempt(workflow)
  const approves = trigger === 'human_approved'
  const threads = [...votes.flatMap(({ comments }) => comments), ...(await threadsOf(tx, verdict))]
  const stops = move.status === 'failed'
  const review = {
    id: newId(),
    verdict: approves ? 'approved' : stops ? 'stopped' : 'changes_requested',
    actor: asker.name,
    digest: attempt.digest,
    created_at: verdict.now,
  } as const
  await tx.insertReview(review, workflow.id, attempt.id, threads)
  const step: Step = { trigger, origin: asker, move, ...said, feedback: feedbackOf(threads, approves) }
  if (!stops) return step
  const usedUp = result?.abort !== true && reworksUsedUp(positionOf(workflow), { phases: [], max_reworks })
  return {
    ...step,
    error: usedUp
      ? sentences.reworksUsedUp(max_reworks)
      : sentences.stopped(asker.name, threads.length > 0 ? textOf(threads) : undefined),
  }
}

/** What was decided, and what was written with it: all of a review that is not known to be the former. */
function wordsApart(review: JsonObject | undefined): Pick<Step, 'metadata' | 'words'> {
  if (review === undefined) return { metadata: null }
  const entries = Object.entries(review)
  const written = entries.filter(([name]) => !DECIDED.includes(name))
  return {
    metadata: Object.fromEntries(entries.filter(([name]) => DECIDED.includes(name))),
    ...(written.length > 0 && { words: Object.fromEntries(written) }),
  }
}

/** A comment that was a draft keeps its id: a thread is one thing from its first word on. */
async function threadsOf(
  tx: WorkflowTransaction,
  { workflow, asker, phase_result }: Verdict,
): Promise<ThreadComment[]> {
  const comments = phase_result?.comments
  if (comments === undefined) return []
  const list: Comment[] = typeof comments === 'string' ? [{ text: comments }] : comments
  const ids = list.flatMap(({ id }) => id ?? [])
  const free = new Set(ids.length === 0 ? [] : await tx.takeDrafts(workflow.id, asker.name, ids))
  return list.map((comment) => {
    const { id } = comment
    // Each id once: a second comment under it is another thread.
    return { ...comment, id: id !== undefined && free.delete(id) ? id : newId() }
  })
}
