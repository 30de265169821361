import type { AttemptId } from '@orchestrator/contract'
import type { Kysely, Selectable, Transaction } from 'kysely'

import type { AnswerRecord, Notes, NoteStore, NoteTransaction, TickRecord } from '../core/note-store.ts'
import type { ChecklistTicksTable, QuestionAnswersTable, Tables } from './models.ts'
import { parseJson } from './rows.ts'
import type { Session } from './session.ts'

/** Larger ones no person reads; how many, and of which size, one attempt has is the agent's choice. */
const DOCUMENT_BYTES_MAX = 1_000_000
const DOCUMENTS_MAX = 200

export function createNoteStore({ read }: Session): NoteStore {
  return {
    async listDocuments(attempt_id) {
      const rows = await read
        .selectFrom('attempt_artifacts as aa')
        .innerJoin('artifacts as a', 'a.digest', 'aa.digest')
        .select(['aa.path', 'a.content'])
        .where('aa.attempt_id', '=', attempt_id)
        .where('aa.path', 'like', 'specs/%.md')
        .where('aa.size', '<=', DOCUMENT_BYTES_MAX)
        .orderBy('aa.path')
        .limit(DOCUMENTS_MAX)
        .execute()
      return rows.map(({ path, content }) => ({ path, text: new TextDecoder().decode(content) }))
    },

    async listUncertainties(attempt_id) {
      const row = await read
        .selectFrom('attempts')
        .select('uncertainty_reasons')
        .where('id', '=', attempt_id)
        .executeTakeFirst()
      return parseJson<string[]>(row?.uncertainty_reasons ?? null) ?? []
    },

    listNotes: (attempt_id) => listNotes(read, attempt_id),
  }
}

export function noteTransaction(tx: Transaction<Tables>): NoteTransaction {
  const note = async (attempt_id: AttemptId) =>
    tx
      .updateTable('attempts')
      .set((eb) => ({ notes: eb('notes', '+', 1) }))
      .where('id', '=', attempt_id)
      .execute()

  return {
    async recordAnswer(record) {
      await tx.insertInto('question_answers').values(record).execute()
      await note(record.attempt_id)
    },

    async recordTick({ ticked, ...record }) {
      await tx
        .insertInto('checklist_ticks')
        .values({ ...record, ticked: ticked ? 1 : 0 })
        .execute()
      await note(record.attempt_id)
      await tx.updateTable('features').set({ ticks_to_apply: 1 }).where('id', '=', record.feature_id).execute()
    },

    listNotes: (attempt_id) => listNotes(tx, attempt_id),

    async listTicksToApply(feature_id) {
      const rows = await tx
        .selectFrom('checklist_ticks')
        .selectAll()
        .where('feature_id', '=', feature_id)
        .where('applied', '=', 0)
        .orderBy('sequence')
        .execute()
      return latest(rows, ({ path, label }) => `${path}\n${label}`).map(tickOf)
    },

    async markTicksApplied(feature_id) {
      await tx
        .updateTable('checklist_ticks')
        .set({ applied: 1 })
        .where('feature_id', '=', feature_id)
        .where('applied', '=', 0)
        .execute()
      await tx.updateTable('features').set({ ticks_to_apply: 0 }).where('id', '=', feature_id).execute()
    },
  }
}

async function listNotes(db: Kysely<Tables>, attempt_id: AttemptId): Promise<Notes> {
  const answers = await db
    .selectFrom('question_answers')
    .selectAll()
    .where('attempt_id', '=', attempt_id)
    .orderBy('sequence')
    .execute()
  const ticks = await db
    .selectFrom('checklist_ticks')
    .selectAll()
    .where('attempt_id', '=', attempt_id)
    .orderBy('sequence')
    .execute()
  return {
    answers: latest(answers, (answer) => answer.question_id).map(answerOf),
    ticks: latest(ticks, (tick) => tick.item_id).map(tickOf),
  }
}

/** A map keeps the place of the first and the value of the last. */
function latest<T>(rows: readonly T[], keyOf: (row: T) => string): T[] {
  return [...new Map(rows.map((row) => [keyOf(row), row])).values()]
}

function answerOf(row: Selectable<QuestionAnswersTable>): AnswerRecord {
  const { sequence: _, ...answer } = row
  return answer
}

function tickOf(row: Selectable<ChecklistTicksTable>): TickRecord {
  const { sequence: _, applied: __, ticked, ...tick } = row
  return { ...tick, ticked: ticked === 1 }
}
