import type { AttemptId, WorkflowId } from '@orchestrator/contract'
import type { Expression, Kysely } from 'kysely'

import type { StoredRow } from '../core/ports.ts'
import { eventOf, listFeed } from './event-feed.ts'
import type { Tables } from './models.ts'
import { attemptOf, historyItemOf, parseJson, reading, selectWorkflows, workflowOf } from './rows.ts'

/** One row by its key, read whole. Throws an UnreadableRowError; one that is gone is none. */
export async function readAgain(
  db: Kysely<Tables>,
  { row, id }: StoredRow,
  horizon?: Expression<number>,
): Promise<void> {
  switch (row) {
    case 'workflow': {
      const found = await selectWorkflows(db)
        .where('w.id', '=', id as WorkflowId)
        .executeTakeFirst()
      if (found !== undefined) workflowOf(found)
      return
    }
    case 'attempt': {
      const found = await db
        .selectFrom('attempts')
        .selectAll()
        .where('id', '=', id as AttemptId)
        .executeTakeFirst()
      if (found === undefined) return
      attemptOf(found, [], null)
      reading('attempt', id, found.workflow_id, () => parseJson(found.feedback))
      return
    }
    case 'history row': {
      const found = await db
        .selectFrom('workflow_history as h')
        .leftJoin('history_words as w', 'w.history_id', 'h.id')
        .selectAll('h')
        .select('w.words')
        .where('h.id', '=', String(id))
        .executeTakeFirst()
      if (found !== undefined) historyItemOf(found)
      return
    }
    case 'event': {
      const [found] = await listFeed(db, { after: Number(id) - 1, limit: 1, horizon })
      if (found?.sequence === id) eventOf(found)
    }
  }
}
