import type { Transaction } from 'kysely'

import type { ReviewTransaction, ThreadComment } from '../core/review-transaction.ts'
import type { Tables } from './models.ts'
import type { Statements } from './statements.ts'

export function reviewTransaction(tx: Transaction<Tables>, statements: Statements): ReviewTransaction {
  return {
    async insertReview(review, workflow_id, attempt_id, comments) {
      await statements.insertReview(tx, { ...review, workflow_id, attempt_id })
      if (comments.length === 0) return
      const threads = comments.map(({ id, path = null, lines, quote = null, text, replacement = null }, position) => ({
        id,
        review_id: review.id,
        workflow_id,
        position,
        path,
        line_start: lines?.start ?? null,
        line_end: lines?.end ?? null,
        quote,
        text,
        replacement,
        fate: 'open' as const,
        reply: null,
      }))
      await tx.insertInto('review_threads').values(threads).execute()
    },

    async takeDrafts(workflow_id, actor, ids) {
      await tx
        .deleteFrom('review_drafts')
        .where('id', 'in', ids)
        .where('workflow_id', '=', workflow_id)
        .where('actor', '=', actor)
        .execute()
      const drafts = await tx.selectFrom('review_drafts').select('id').where('id', 'in', ids).execute()
      const threads = await tx.selectFrom('review_threads').select('id').where('id', 'in', ids).execute()
      const taken = new Set([...drafts, ...threads].map(({ id }) => id))
      return new Set(ids.filter((id) => !taken.has(id)))
    },

    async listApprovalComments(feature_id) {
      const rows = await tx
        .selectFrom('review_threads as t')
        .innerJoin('reviews as r', 'r.id', 't.review_id')
        .innerJoin('workflows as w', 'w.attempt_id', 'r.attempt_id')
        .select(['t.id', 't.path', 't.line_start', 't.line_end', 't.quote', 't.text', 't.replacement'])
        .where('w.id', '=', (workflows) =>
          workflows
            .selectFrom('workflows as last')
            .select('last.id')
            .where('last.feature_id', '=', feature_id)
            .where('last.status', '=', 'completed')
            .orderBy('last.sequence', 'desc')
            .limit(1),
        )
        .where('t.fate', '=', 'open')
        .orderBy('t.position')
        .execute()
      return rows.map(({ id, path, line_start, line_end, quote, text, replacement }) => ({
        id,
        text,
        ...(path !== null && { path }),
        ...(line_start !== null && line_end !== null && { lines: { start: line_start, end: line_end } }),
        ...(quote !== null && { quote }),
        ...(replacement !== null && { replacement }),
      }))
    },

    async listVotes(attempt_id) {
      const rows = await tx
        .selectFrom('votes')
        .select(['actor', 'role', 'comments', 'created_at'])
        .where('attempt_id', '=', attempt_id)
        .orderBy('created_at')
        .orderBy('actor')
        .execute()
      return rows.map((row) => ({ ...row, comments: JSON.parse(row.comments) as ThreadComment[] }))
    },

    async insertVote({ comments, ...vote }) {
      await tx
        .insertInto('votes')
        .values({ ...vote, comments: JSON.stringify(comments) })
        .execute()
    },

    async answerThreads(workflow_id, answers) {
      for (const { id, fate, reply } of answers) {
        await tx
          .updateTable('review_threads')
          .set({ fate, reply })
          .where('id', '=', id)
          .where('workflow_id', 'in', (same) =>
            same
              .selectFrom('workflows as w')
              .innerJoin('workflows as this', 'this.feature_id', 'w.feature_id')
              .select('w.id')
              .where('this.id', '=', workflow_id),
          )
          .execute()
      }
      await statements.closeThreads(tx, { workflow_id })
    },
  }
}
