import type { Feature, JsonObject, StreamEventType } from '@orchestrator/contract'
import { afterCommit } from '@orchestrator/sqlite'
import type { Transaction } from 'kysely'

import type { WorkflowTransaction } from '../core/ports.ts'
import type { Tables } from './models.ts'
import { parseJson, selectWorkflows, toJson, workflowOf } from './rows.ts'

const ACTIVE = ['pending', 'in_progress', 'waiting_approval'] as const

/** The core's transaction over Kysely's. `onEvents` is called once, after the commit, when events were appended. */
export function workflowTransaction(tx: Transaction<Tables>, onEvents: () => void): WorkflowTransaction {
  let told = false
  const tellAfterCommit = () => {
    if (told) return
    told = true
    afterCommit(tx, onEvents)
  }

  const findWorkflow: WorkflowTransaction['findWorkflow'] = async (id) => {
    const row = await selectWorkflows(tx).where('w.id', '=', id).executeTakeFirst()
    return row && workflowOf(row)
  }

  return {
    afterCommit: (hook) => afterCommit(tx, hook),

    findWorkflow,

    async findFeature(id): Promise<Feature | undefined> {
      return tx
        .selectFrom('features')
        .select(['id', 'workspace', 'description', 'created_at', 'updated_at'])
        .where('id', '=', id)
        .executeTakeFirst()
    },

    async findActiveWorkflow(feature_id) {
      const row = await tx
        .selectFrom('workflows')
        .select('id')
        .where('feature_id', '=', feature_id)
        .where('status', 'in', ACTIVE)
        .executeTakeFirst()
      return row?.id
    },

    async takeFeatureNumber(floor) {
      const { value } = await tx
        .updateTable('counters')
        .set((eb) => ({
          value: eb
            .case()
            .when('value', '>=', floor)
            .then(eb('value', '+', 1))
            .else(floor + 1)
            .end(),
        }))
        .where('name', '=', 'feature_number')
        .returning('value')
        .executeTakeFirstOrThrow()
      return value
    },

    async insertFeature(feature) {
      await tx.insertInto('features').values(feature).execute()
    },

    async insertWorkflow({ context, result, ...columns }, attempt_id, sequence) {
      await tx
        .insertInto('workflows')
        .values({ ...columns, context: toJson(context), result: toJson(result), attempt_id, sequence })
        .execute()
    },

    async moveWorkflow(expected, { result, ...change }) {
      const moved = await tx
        .updateTable('workflows')
        .set({ ...change, ...(result !== undefined && { result: toJson(result) }) })
        .where('id', '=', expected.id)
        .where('status', '=', expected.status)
        .where('attempt_id', '=', expected.attempt_id)
        .executeTakeFirst()
      return moved.numUpdatedRows === 1n
    },

    async insertTransition({ metadata, ...columns }, attempt_id) {
      await tx
        .insertInto('workflow_history')
        .values({ ...columns, metadata: toJson(metadata), attempt_id })
        .execute()
    },

    async insertAttempt({ feedback, ...columns }) {
      await tx
        .insertInto('attempts')
        .values({ ...columns, feedback: toJson(feedback), tries: 0, hub_sequence: 0 })
        .execute()
    },

    async findWork(attempt_id) {
      const row = await tx.selectFrom('attempts').selectAll().where('id', '=', attempt_id).executeTakeFirst()
      if (row === undefined) return undefined
      const workflow = await findWorkflow(row.workflow_id)
      if (workflow === undefined) return undefined
      const { phase, number, tries, session_id, hub_sequence } = row
      return { workflow, attempt_id, phase, number, tries, session_id, hub_sequence, feedback: parseJson(row.feedback) }
    },

    async changeAttempt(id, from, change) {
      const changed = await tx
        .updateTable('attempts')
        .set(change)
        .where('id', '=', id)
        .where('state', 'in', from)
        .executeTakeFirst()
      return changed.numUpdatedRows === 1n
    },

    async noteInvocation(id, agent, invocation_id) {
      await tx.updateTable('attempts').set({ agent, invocation_id }).where('id', '=', id).execute()
    },

    async insertOutcome(id, outcome) {
      const { digest, output, confidence, session_id } = outcome
      await tx
        .updateTable('attempts')
        .set({
          digest,
          output,
          confidence,
          ...(session_id !== null && { session_id }),
          uncertainty_reasons: JSON.stringify(outcome.uncertainty_reasons),
          checks: JSON.stringify(outcome.checks),
          usage: toJson(outcome.usage),
        })
        .where('id', '=', id)
        .execute()
      if (outcome.artifacts.length === 0) return
      await tx
        .insertInto('attempt_artifacts')
        .values(outcome.artifacts.map((artifact) => ({ attempt_id: id, ...artifact })))
        .execute()
    },

    async insertReview(review, attempt_id, comments) {
      const { workflow_id } = await tx
        .selectFrom('attempts')
        .select('workflow_id')
        .where('id', '=', attempt_id)
        .executeTakeFirstOrThrow()
      await tx
        .insertInto('reviews')
        .values({ ...review, workflow_id, attempt_id })
        .execute()
      if (comments.length === 0) return
      const threads = comments.map(({ id, path = null, lines, quote = null, text }, position) => ({
        id,
        review_id: review.id,
        workflow_id,
        position,
        path,
        line_start: lines?.start ?? null,
        line_end: lines?.end ?? null,
        quote,
        text,
        fate: 'open' as const,
        reply: null,
      }))
      await tx.insertInto('review_threads').values(threads).execute()
    },

    async answerThreads(workflow_id, answers) {
      for (const { id, fate, reply } of answers) {
        await tx
          .updateTable('review_threads')
          .set({ fate, reply })
          .where('id', '=', id)
          .where('workflow_id', '=', workflow_id)
          .execute()
      }
      await tx
        .updateTable('review_threads')
        .set({ fate: 'unanswered' })
        .where('workflow_id', '=', workflow_id)
        .where('fate', '=', 'open')
        .execute()
    },

    async appendEvent({ type, workflow_id, created_at, data }) {
      tellAfterCommit()
      const { sequence } = await tx
        .insertInto('events')
        .values({ type: type satisfies StreamEventType, workflow_id, created_at, data: JSON.stringify(data) })
        .returning('sequence')
        .executeTakeFirstOrThrow()
      return sequence
    },

    async insertCancellation(attempt_id) {
      await tx
        .insertInto('hub_cancellations')
        .values({ attempt_id })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },

    async deleteCancellation(attempt_id) {
      await tx.deleteFrom('hub_cancellations').where('attempt_id', '=', attempt_id).execute()
    },

    async findIdempotentAnswer(key) {
      const row = await tx
        .selectFrom('idempotent_answers')
        .select(['body_digest', 'answer'])
        .where('key', '=', key)
        .executeTakeFirst()
      return row && { body_digest: row.body_digest, answer: JSON.parse(row.answer) as JsonObject }
    },

    async insertIdempotentAnswer(key, body_digest, answer, created_at) {
      await tx
        .insertInto('idempotent_answers')
        .values({ key, body_digest, answer: JSON.stringify(answer), created_at })
        .execute()
    },
  }
}
