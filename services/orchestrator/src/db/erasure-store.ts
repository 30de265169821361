import type { Workflow, WorkflowId } from '@orchestrator/contract'
import { sql, type Transaction } from 'kysely'

import type { ErasureStore } from '../core/erasure.ts'
import { cancelled, erased, stopped } from '../core/sentences.ts'
import type { Acts } from './act-store.ts'
import type { Tables } from './models.ts'
import type { Session } from './session.ts'

/** Where a name stands outside of the chain. */
const NAMED = [
  ['keys', 'name'],
  ['reviews', 'actor'],
  ['votes', 'actor'],
  ['question_answers', 'actor'],
  ['checklist_ticks', 'actor'],
  ['denials', 'actor'],
  ['approval_policies', 'updated_by'],
  ['queues', 'paused_by'],
  ['budgets', 'lifted_by'],
] as const

export function createErasureStore({ write }: Session, acts: Pick<Acts, 'append'>): ErasureStore {
  return {
    erase: ({ name, pseudonym, by, now }) =>
      write(async (tx) => {
        const run = async (statement: ReturnType<typeof sql>) =>
          Number((await statement.execute(tx)).numAffectedRows ?? 0n)
        const { rows: good } = await sql`
          select id from keys where name = ${name} and revoked_at is null
            and (expires_at is null or expires_at > ${now}) limit 1`.execute(tx)
        if (good.length > 0) return undefined

        // What a workflow says of its end, and what agents were told, was taken from the words.
        const theirs = sql`select workflow_id from workflow_history where actor = ${name} and words_hash is not null`
        const ended = sql`select workflow_id from workflow_history where actor = ${name} and to_status = 'failed'`
        const unspoken = sql.join(unspokenEnds(name))
        await run(sql`
          update workflows set error = ${erased()} where error is not null and id in (${ended})
            and (error in (${unspoken}) or id in (${ended} and words_hash is not null))`)
        await run(sql`
          update attempts set reason = ${erased()} where state = 'cancelled'
            and (workflow_id in (${theirs}) or (workflow_id in (${ended}) and reason in (${unspoken})))`)
        const noted = sql`select workflow_id from question_answers where actor = ${name}`
        await run(sql`
          update attempts set feedback = null where feedback is not null
            and state not in ('queued', 'running', 'backing_off')
            and (workflow_id in (${theirs}) or workflow_id in (${noted}))`)
        await run(sql`delete from events where type = 'question.answered' and workflow_id in (${noted})`)
        await eraseFromAnswers(tx, name)

        // With a verdict stand the answers that it took along, whoever gave them: its words go as a whole.
        const history_rows = await run(sql`
          update history_words set salt = null, words = null, erased_at = ${now}, erased_by = ${by.name}
          where words is not null and history_id in (
            select id from workflow_history where words_hash is not null
              and (actor = ${name} or attempt_id in (select attempt_id from question_answers where actor = ${name})))`)
        const comments = await run(sql`
          update review_threads set text = ${erased()}, quote = null, replacement = null, reply = null
          where review_id in (select id from reviews where actor = ${name})`)
        const answers = await run(sql`
          update question_answers set answer = ${erased()} where actor = ${name} and answer is not null`)
        await run(sql`update votes set comments = '[]' where actor = ${name}`)
        await run(sql`update queues set reason = null where paused_by = ${name}`)
        await run(sql`update budgets set reason = null where lifted_by = ${name}`)
        await run(sql`delete from review_drafts where actor = ${name}`)
        await run(sql`delete from viewed_marks where actor = ${name}`)
        for (const [table, column] of NAMED)
          await run(sql`
            update ${sql.table(table)} set ${sql.ref(column)} = ${pseudonym} where ${sql.ref(column)} = ${name}`)

        await acts.append(tx, {
          by,
          action: 'words.erased',
          subject: pseudonym,
          details: { history_rows, comments, answers },
          created_at: now,
        })
        return { pseudonym, history_rows, comments, answers }
      }),
  }
}

/** How a workflow says that they ended it without a word: the name is in it all the same. */
const unspokenEnds = (name: string) => [cancelled(name, undefined), stopped(name, undefined)]

/**
 * The answers themselves stay, or who asks again would do it again. Only those to the person's own requests, by the
 * asker that their keys begin with, tell how the person ended a workflow: nothing is answered after it but to them.
 */
async function eraseFromAnswers(tx: Transaction<Tables>, name: string): Promise<void> {
  const ended = await sql<{ workflow_id: WorkflowId; asker: string; words_hash: string | null }>`
    select workflow_id, coalesce(key_id, actor) as asker, words_hash from workflow_history
    where actor = ${name} and to_status = 'failed'`.execute(tx)
  const spoken = new Map(ended.rows.map(({ workflow_id, words_hash }) => [workflow_id, words_hash !== null]))
  const unspoken = unspokenEnds(name)
  for (const asker of new Set(ended.rows.map((row) => row.asker))) {
    const prefix = `${asker} `
    const { rows } = await sql<{ key: string; answer: string }>`
      select key, answer from idempotent_answers
      where substr(key, 1, length(cast(${prefix} as text))) = ${prefix} and answer like '%"error":"%'`.execute(tx)
    for (const { key, answer } of rows) {
      const { attempt, ...workflow } = JSON.parse(answer) as Workflow
      const isSpoken = spoken.get(workflow.id)
      if (isSpoken === undefined || (!isSpoken && !unspoken.includes(workflow.error ?? ''))) continue
      const isCancelled = attempt?.state === 'cancelled'
      const without = {
        ...workflow,
        error: erased(),
        attempt: isCancelled ? { ...attempt, reason: erased() } : attempt,
      }
      await tx
        .updateTable('idempotent_answers')
        .set({ answer: JSON.stringify(without) })
        .where('key', '=', key)
        .execute()
    }
  }
}
