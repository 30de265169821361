import type { ReviewDraft } from '@orchestrator/contract'
import type { Selectable } from 'kysely'

import type { ReviewDraftStore } from '../core/review-drafts.ts'
import type { ReviewDraftsTable } from './models.ts'
import type { Session } from './session.ts'

export function createReviewDraftStore(session: Session): ReviewDraftStore {
  const { read, shared } = session
  return {
    async listDrafts({ workflow_id, actor }) {
      const rows = await read
        .selectFrom('review_drafts')
        .selectAll()
        .where('workflow_id', '=', workflow_id)
        .where('actor', '=', actor)
        .orderBy('created_at')
        .orderBy('id')
        .execute()
      return rows.map(draftOf)
    },

    saveDraft: ({ workflow_id, actor }, id, { lines, ...draft }, now, most) =>
      session.write(async (tx) => {
        // On Postgres it holds the workflow, as a verdict does: of the two, one comes after the other.
        const workflow = tx.selectFrom('workflows').select('id').where('id', '=', workflow_id)
        const known = await (shared === undefined ? workflow : workflow.forUpdate()).executeTakeFirst()
        if (known === undefined) return 'unknown_workflow'
        const attempt = await tx
          .selectFrom('attempts')
          .select('id')
          .where('id', '=', draft.attempt_id)
          .where('workflow_id', '=', workflow_id)
          .executeTakeFirst()
        if (attempt === undefined) return 'unknown_attempt'
        const sent = await tx.selectFrom('review_threads').select('id').where('id', '=', id).executeTakeFirst()
        if (sent !== undefined) return 'closed'
        const others = await tx
          .selectFrom('review_drafts')
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .where('workflow_id', '=', workflow_id)
          .where('actor', '=', actor)
          .where('id', '!=', id)
          .executeTakeFirstOrThrow()
        if (others.count >= most) return 'too_many'
        const content = { ...draft, line_start: lines?.start ?? null, line_end: lines?.end ?? null, updated_at: now }
        const row = await tx
          .insertInto('review_drafts')
          .values({ id, workflow_id, actor, created_at: now, ...content })
          .onConflict((conflict) =>
            conflict
              .column('id')
              .doUpdateSet(content)
              .where('review_drafts.actor', '=', actor)
              .where('review_drafts.workflow_id', '=', workflow_id),
          )
          .returningAll()
          .executeTakeFirst()
        return row === undefined ? 'closed' : draftOf(row)
      }),

    async deleteDraft({ workflow_id, actor }, id) {
      await session.write((tx) =>
        tx
          .deleteFrom('review_drafts')
          .where('id', '=', id)
          .where('workflow_id', '=', workflow_id)
          .where('actor', '=', actor)
          .execute(),
      )
    },

    async listViewed({ workflow_id, actor }) {
      return read
        .selectFrom('viewed_marks')
        .select(['digest', 'viewed_at'])
        .where('workflow_id', '=', workflow_id)
        .where('actor', '=', actor)
        .orderBy('viewed_at')
        .orderBy('digest')
        .execute()
    },

    async markViewed({ workflow_id, actor }, digest, now) {
      await session.write((tx) =>
        tx
          .insertInto('viewed_marks')
          .values({ workflow_id, actor, digest, viewed_at: now })
          .onConflict((conflict) => conflict.doNothing())
          .execute(),
      )
    },

    async unmarkViewed({ workflow_id, actor }, digest) {
      await session.write((tx) =>
        tx
          .deleteFrom('viewed_marks')
          .where('digest', '=', digest)
          .where('workflow_id', '=', workflow_id)
          .where('actor', '=', actor)
          .execute(),
      )
    },
  }
}

function draftOf(row: Selectable<ReviewDraftsTable>): ReviewDraft {
  const { workflow_id: _, actor: __, line_start, line_end, ...columns } = row
  const lines = line_start === null || line_end === null ? null : { start: line_start, end: line_end }
  return { ...columns, lines }
}
